// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/detail/server_urls.hpp>

#include <gtest/gtest.h>

namespace pipit::client::detail {
namespace {

TEST(ServerUrls, AHostIsTheUsersOwnWhenItIsNamedAndNotWhenItsTextIsFoundSomewhere) {
    const std::vector<std::string> entries{"tls://user:10.0.0.3@10.0.0.12:4222, nats://other",
                                           "[fe80::1]"};
    for (const auto* const own : {"10.0.0.12", "other", "fe80::1"}) {
        EXPECT_TRUE(names_host(entries, own)) << own;
    }
    for (const auto* const strange : {"10.0.0.1", "10.0.0.3", "fe80::", "user", ""}) {
        EXPECT_FALSE(names_host(entries, strange)) << strange;
    }
}

} // namespace
} // namespace pipit::client::detail
