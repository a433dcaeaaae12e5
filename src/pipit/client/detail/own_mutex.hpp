// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client/error.hpp>
#include <pipit/net/forks.hpp>

#include <mutex>
#include <type_traits>
#include <utility>

namespace pipit::client::detail {

/// What a child by `fork` gets of its parent's: a result says so, anything else is empty.
template <class T>
[[nodiscard]] T refused_to_a_child() {
    if constexpr (std::is_constructible_v<T, errc>) {
        return T(errc::made_before_fork);
    } else {
        return T();
    }
}

/// A lock that a child by `fork` never waits for: a thread that is not there may hold it. What it
/// guards must be left alone there, too, for that thread may have been changing it.
class own_mutex : public std::mutex {
public:
    using guard = std::unique_lock<std::mutex>;

    [[nodiscard]] bool is_forked() const noexcept { return process_.is_forked(); }

    /// Calls it with the lock held, of which it may be given the guard; not in a child.
    template <class Do>
    auto inside(Do what) {
        if constexpr (std::is_invocable_v<Do, guard&>) {
            if (is_forked()) return refused_to_a_child<std::invoke_result_t<Do, guard&>>();
            guard held(*this);
            return what(held);
        } else {
            return inside([&](guard& /*held*/) { return what(); });
        }
    }

private:
    const net::process_mark process_;
};

} // namespace pipit::client::detail
