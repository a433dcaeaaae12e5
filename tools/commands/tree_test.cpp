// SPDX-License-Identifier: Apache-2.0
#include <commands/commands.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

namespace {

using namespace pipit::cli;

/// Whether its name, its value or its variable speaks of something that nobody else may see.
bool sounds_secret(const option& each) {
    auto words = each.names + ' ' + each.value + ' ' + each.environment;
    std::transform(words.begin(), words.end(), words.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    constexpr std::string_view kinds[] = {"user",  "pass", "token", "auth",   "secret", "nkey",
                                          "creds", "jwt",  "seed",  "server", "url"};
    return std::any_of(std::begin(kinds), std::end(kinds),
                       [&](auto kind) { return words.find(kind) != std::string::npos; });
}

TEST(CommandTree, SaysOfEveryOptionThatSoundsSecretWhatItHides) {
    program with;
    const auto root = command_tree_of(with);
    int found = 0;
    visit_commands(*root, [&](const std::string& path, const command& each) {
        for (const auto& option : each.options) {
            if (!option.takes_value() || !sounds_secret(option)) continue;
            ++found;
            EXPECT_NE(option.hides, secrecy::none) << path << ' ' << option.names;
        }
        for (const auto& argument : each.arguments) {
            EXPECT_FALSE(sounds_secret(argument)) << path << ' ' << argument.names;
        }
    });
    EXPECT_GE(found, 8); // --server and its kind, --user, --password, --token, --creds, --nkey.
}

} // namespace
