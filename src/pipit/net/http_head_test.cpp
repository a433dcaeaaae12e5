// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/http_head.hpp>

#include <gtest/gtest.h>

namespace pipit::net {
namespace {

using status = http_head_end::status;

/// Looks at every prefix, as it would come byte by byte.
status looked_at(bytes_view bytes, std::size_t* size = nullptr) {
    http_head_end head;
    for (std::size_t count = 1; count <= bytes.size(); ++count) {
        const auto found = head.look_at(bytes.substr(0, count));
        if (found == status::incomplete) continue;
        if (size != nullptr) *size = head.size();
        http_head_end whole;
        EXPECT_EQ(whole.look_at(bytes), found);
        EXPECT_EQ(whole.size(), head.size());
        return found;
    }
    return status::incomplete;
}

TEST(HttpHead, EndsWithABlankLineOfEitherKind) {
    for (const bytes_view text :
         {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\nHost: x\n\n",
          "GET / HTTP/1.1\r\nHost: x\n\r\n", "GET / HTTP/1.0\n\n", "GET / HTTP/1.9\r\n\r\n"}) {
        std::size_t size = 0;
        EXPECT_EQ(looked_at(std::string(text) + "GET", &size), status::complete) << text;
        EXPECT_EQ(size, text.size());
    }
    EXPECT_EQ(looked_at("GET / HTTP/1.1\r\nHost: x\r\n"), status::incomplete);
    EXPECT_EQ(looked_at("\x16\x03\x01 and no line feed"), status::incomplete);
}

TEST(HttpHead, SaysAtOnceThatALineIsNoRequestLine) {
    for (const bytes_view text :
         {"\r\n", "\n", "HELLO\r\n", "GET /\r\n", "GET  / HTTP/1.1\r\n", "GET /  HTTP/1.1\r\n",
          "GET / HTTP/1.1 \r\n", "GET / http/1.1\n", "GET / HTTP/1.10\n", " GET / HTTP/1.1\r\n",
          "GET / HTTP/x.1\r\n"}) {
        EXPECT_EQ(looked_at(text), status::malformed) << text;
    }
}

TEST(HttpHead, KnowsOtherVersions) {
    EXPECT_EQ(looked_at("GET / HTTP/2.0\r\n\r\n"), status::other_version);
    EXPECT_EQ(looked_at("GET / HTTP/0.9\n\n"), status::other_version);
}

TEST(HttpHead, HasACanonicalForm) {
    EXPECT_EQ(canonical_http_head("GET / HTTP/1.3\nA: b\r\n c\n\n"),
              "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n");
    EXPECT_EQ(canonical_http_head("GET / HTTP/1.0\r\n\r\n"), "GET / HTTP/1.0\r\n\r\n");
}

} // namespace
} // namespace pipit::net
