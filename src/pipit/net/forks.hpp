// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace pipit::net {

/// Remembers the process that it was made in. What that made is not for a child of it by `fork`:
/// its threads are not there, a lock may be held for ever, and its sockets are shared.
class process_mark {
public:
    process_mark() noexcept;

    /// This process is such a child. Costs one load.
    [[nodiscard]] bool is_forked() const noexcept {
        return made_after_ != forks.load(std::memory_order_relaxed);
    }

private:
    /// Since the first mark was made, of all the ancestors.
    inline static std::atomic<std::uint32_t> forks = 0;

    std::uint32_t made_after_;
};

/// For a `shared_ptr`: in a child its object stays as it is, for a thread that is not there may
/// have been changing it.
struct delete_unless_forked {
    template <class T>
    void operator()(const T* what) const {
        if (!what->is_forked()) delete what;
    }
};

} // namespace pipit::net
