// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/random.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace pipit::protocol {

/// Makes unique names of 22 characters (0-9, A-Z, a-z): a random prefix of 12 and a counter of 10
/// that starts and steps at random. Unique, not secret.
///
/// Threads: one at a time.
class nuid {
public:
    static constexpr std::size_t length = 22;

    explicit nuid(std::uint64_t seed);

    [[nodiscard]] std::string next();

private:
    void begin_prefix();

    random_source random_;
    std::string prefix_;
    std::uint64_t counter_ = 0;
    std::uint64_t step_ = 0;
};

inline constexpr std::string_view default_inbox_prefix = "_INBOX";

/// A subject for replies that nobody else subscribes to: `<prefix>.<nuid>`.
[[nodiscard]] std::string make_inbox(nuid& names, std::string_view prefix = default_inbox_prefix);

} // namespace pipit::protocol
