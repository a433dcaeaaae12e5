// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/info.hpp>

#include <pipit/protocol/error.hpp>

#include <gtest/gtest.h>

namespace pipit::protocol {
namespace {

std::string written(const server_info& info) {
    std::string out;
    append_info(out, info);
    return out;
}

/// With every key set.
server_info full_info() {
    return {.server_id = "NID",
            .server_name = "name",
            .version = "2.15.2",
            .proto = 1,
            .git_commit = "abcdef0",
            .go = "go1",
            .host = "0.0.0.0",
            .port = 4222,
            .headers = true,
            .auth_required = true,
            .tls_required = true,
            .tls_verify = true,
            .tls_available = true,
            .max_payload = 1048576,
            .jetstream = true,
            .ip = "nats-route://",
            .client_id = 18446744073709551615u,
            .client_ip = "127.0.0.1",
            .nonce = "n",
            .cluster = "c",
            .cluster_dynamic = true,
            .domain = "d",
            .connect_urls = {"a:1", "b:2"},
            .ws_connect_urls = {"w:1"},
            .ldm = true,
            .connect_info = true,
            .remote_account = "$G",
            .acc_is_sys = true,
            .api_lvl = 5,
            .xkey = "X"};
}

TEST(Info, LeavesOutWhatIsEmptyAndEndsWithABlank) {
    server_info info;
    info.server_id = "NID";
    info.max_payload = 100;
    EXPECT_EQ(written(info),
              R"(INFO {"server_id":"NID","server_name":"","version":"","proto":1,"go":"",)"
              R"("host":"","port":0,"headers":false,"max_payload":100} )"
              "\r\n");
}

TEST(Info, HasItsKeysInTheOrderOfNatsServer) {
    EXPECT_EQ(written(full_info()),
              R"(INFO {"server_id":"NID","server_name":"name","version":"2.15.2","proto":1,)"
              R"("git_commit":"abcdef0","go":"go1","host":"0.0.0.0","port":4222,"headers":true,)"
              R"("auth_required":true,"tls_required":true,"tls_verify":true,"tls_available":true,)"
              R"("max_payload":1048576,"jetstream":true,"ip":"nats-route://",)"
              R"("client_id":18446744073709551615,"client_ip":"127.0.0.1","nonce":"n",)"
              R"("cluster":"c","cluster_dynamic":true,"domain":"d","connect_urls":["a:1","b:2"],)"
              R"("ws_connect_urls":["w:1"],"ldm":true,"connect_info":true,)"
              R"("remote_account":"$G","acc_is_sys":true,"api_lvl":5,"xkey":"X"} )"
              "\r\n");
}

TEST(Info, EscapesTextAsGoDoes) {
    server_info info;
    info.server_name = "a<b>&\"\\\x01\x7f\b\f\n\r\t\u2028\xff";
    EXPECT_NE(written(info).find(R"("server_name":"a\u003cb\u003e\u0026\"\\\u0001)"
                                 "\x7f"
                                 R"(\b\f\n\r\t\u2028\ufffd")"),
              std::string::npos);
}

TEST(Info, ReadsWhatItWrites) {
    const auto text = written(full_info());
    const auto read = parse_info(bytes_view(text).substr(5));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, full_info());
}

TEST(Info, ReadsListsWithNullAndRefusesOtherTypes) {
    EXPECT_EQ(parse_info(R"({"connect_urls":["a",null]})")->connect_urls,
              (std::vector<std::string>{"a", ""}));
    EXPECT_TRUE(parse_info(R"({"connect_urls":["a"],"connect_urls":null})")->connect_urls.empty());
    for (const auto json :
         {R"({"connect_urls":"a"})", R"({"connect_urls":[1]})", R"({"connect_urls":[["a"]]})",
          R"({"max_payload":3000000000})", R"({"client_id":-1})", R"({"lnoc":1})", "[]", "x"}) {
        EXPECT_EQ(parse_info(json).error(), errc::invalid_json) << json;
    }
}

} // namespace
} // namespace pipit::protocol
