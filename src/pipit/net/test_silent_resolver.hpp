// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <dlfcn.h>
#include <mutex>
#include <netdb.h>

/// A name that the system does not find out about: `getaddrinfo` of the test program that includes
/// this, once, waits with `silent.example`.
namespace pipit::net::test {

struct silent_resolver {
    std::mutex mutex;
    std::condition_variable changed;
    int waiting = 0;
    int most = 0;
    bool answers = false;

    void ask() {
        std::unique_lock held(mutex);
        most = std::max(most, ++waiting);
        changed.notify_all();
        changed.wait(held, [this] { return answers; });
        --waiting;
        changed.notify_all();
    }
    void wait_until_asked() {
        std::unique_lock held(mutex);
        EXPECT_TRUE(changed.wait_for(held, patience, [this] { return waiting > 0; }));
    }
    [[nodiscard]] bool is_asked() {
        const std::lock_guard held(mutex);
        return waiting > 0;
    }
    /// Everybody is told that there is no such name.
    void answer() {
        std::unique_lock held(mutex);
        answers = true;
        changed.notify_all();
        EXPECT_TRUE(changed.wait_for(held, patience, [this] { return waiting == 0; }));
        answers = false;
        most = 0;
    }

    static constexpr std::chrono::seconds patience{60};
};
inline silent_resolver resolver;

} // namespace pipit::net::test

// NOLINTNEXTLINE(readability-identifier-naming,misc-definitions-in-headers): the system's.
extern "C" __attribute__((visibility("default"))) int
getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
    if (name != nullptr && std::strcmp(name, "silent.example") == 0) {
        pipit::net::test::resolver.ask();
        return EAI_NONAME;
    }
    using function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
    static const auto systems = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    return systems(name, service, hints, found);
}
