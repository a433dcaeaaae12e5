// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/detail/information_url.hpp>

#include <gtest/gtest.h>

#include <string_view>

namespace pipit::auth::detail {
namespace {

TEST(InformationUrl, HasASchemeAndAHost) {
    for (const std::string_view url :
         {"http://a", "HTTPS://a.example/", "a+b-c.1://a", "http://a.example:8443", "http://a:",
          "http://me:word@a.example/", "http://[::1]", "http://[::1]:80/", "http://\xc3\xa4/"}) {
        EXPECT_TRUE(is_information_url(url)) << url;
    }
}

TEST(InformationUrl, MaySayMoreBehindTheHost) {
    for (const std::string_view url : {"https://a.example:8443/%20?q=%", "http://a?%", "http://a#b",
                                       "http://a/b c", "http://a/?to=http://b", "http://a/@"}) {
        EXPECT_TRUE(is_information_url(url)) << url;
    }
}

TEST(InformationUrl, IsNothingElse) {
    for (const std::string_view url :
         {"", "no.host", "a.example/b", "http:", "http:/a", "http://", "http:///a", "http://:80",
          "http://me@", "://a", "1http://a", "h_p://a", "mailto:a@b", "/a?to=http://b"}) {
        EXPECT_FALSE(is_information_url(url)) << url;
    }
}

TEST(InformationUrl, IsRefusedWhereAByteCannotStandThere) {
    for (const std::string_view url :
         {"http://a b/", "http://a<b/", "http://a/\n", "http://a/?\x7f", "http://a/%",
          "http://a/%2", "http://a/%zz", "http://a/%2g", "http://a:b/", "http://a:80:80/",
          "http://[::1", "http://[]", "http://[::1]80"}) {
        EXPECT_FALSE(is_information_url(url)) << url;
    }
}

} // namespace
} // namespace pipit::auth::detail
