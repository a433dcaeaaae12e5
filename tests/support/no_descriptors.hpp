// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/resource.h>

namespace pipit::support {

/// UndefinedBehaviorSanitizer, which is in the same build, needs some to look at an object.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool checks_need_descriptors = true;
#else
inline constexpr bool checks_need_descriptors = false;
#endif

/// While it lives, this process gets no further descriptor.
class no_descriptors {
public:
    no_descriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        auto none = before_;
        none.rlim_cur = 0;
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    no_descriptors(const no_descriptors&) = delete;
    no_descriptors& operator=(const no_descriptors&) = delete;

private:
    rlimit before_{};
};

} // namespace pipit::support
