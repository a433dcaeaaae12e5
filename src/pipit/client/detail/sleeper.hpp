// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

#include <condition_variable>
#include <optional>

namespace pipit::client::detail {

/// A thread in a function that waits. Guarded by the link's lock.
struct sleeper {
    std::condition_variable called;
    bool is_called = false;
    bool is_listed = false; ///< Among those that a feed calls.
    bool is_told = false;   ///< What it waits for has ended.
};

/// One that waits for an operation.
template <class T>
struct awaited : sleeper {
    std::optional<result<T>> what;
};

} // namespace pipit::client::detail
