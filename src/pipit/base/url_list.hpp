// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Lists of URLs with commas between them.
namespace pipit {

/// One URL of a list. Lifetime: that of the list's text.
struct listed_url {
    std::string_view text;
    /// What follows has an `@`, and no scheme that surely begins another URL: this may be a part of
    /// a password with a comma, and is not to be shown.
    bool may_be_secret = false;
};

/// Parts a list at each comma, as nats.go does; blanks around a URL are cut off, and empty ones are
/// left out. A comma in a password must be written %2C.
[[nodiscard]] std::vector<listed_url> split_urls(std::string_view list);

/// The list without users and passwords, to be shown: rather too little of it than too much.
[[nodiscard]] std::string urls_without_users(std::string_view list);

} // namespace pipit
