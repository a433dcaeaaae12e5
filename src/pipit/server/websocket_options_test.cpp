// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/config_language.hpp>
#include <pipit/server/options_from_config.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

server_options load(const std::string& text) {
    const auto map = parse_config(text, "c.conf", {});
    EXPECT_TRUE(map.has_value());
    auto loaded = options_from_config(*map);
    EXPECT_TRUE(loaded.has_value()) << loaded.error().message();
    return loaded ? loaded->options : server_options();
}

/// What is said when a server is to start with it.
std::string complaint(const std::string& text) {
    const auto checked = validate_options(load(text));
    return checked ? "" : std::string(checked.error().detail());
}

TEST(WebSocketOptions, AreReadFromTheirBlock) {
    const auto options = load(R"(websocket {
        listen: "127.0.0.1:8080"
        advertise: "ws.example:443", no_tls: true, compression: true
        same_origin: true, allowed_origins: ["https://a.example"], handshake_timeout: "500ms"
        authorization { user: u, password: p, timeout: 3 }
        jwt_cookie: j, user_cookie: uc, pass_cookie: pc, token_cookie: tc
        headers { X-Mine: mine }
        ping_interval: "20s"
    })")
                             .websocket;
    EXPECT_EQ(options.host, "127.0.0.1");
    EXPECT_EQ(options.port, 8080);
    EXPECT_EQ(options.advertise, "ws.example:443");
    EXPECT_TRUE(options.no_tls && options.compression && options.same_origin);
    EXPECT_EQ(options.allowed_origins, std::vector<std::string>{"https://a.example"});
    EXPECT_EQ(options.handshake_timeout, 500ms);
    EXPECT_EQ(options.username, "u");
    EXPECT_EQ(options.password, "p");
    EXPECT_EQ(options.auth_timeout, 3s);
    EXPECT_EQ(options.jwt_cookie + options.user_cookie + options.pass_cookie + options.token_cookie,
              "jucpctc");
    EXPECT_EQ(options.headers.at("X-Mine"), "mine");
    EXPECT_EQ(options.ping_interval, 20s);
}

TEST(WebSocketOptions, AListenerIsOpenOnlyWhereThatIsSaid) {
    EXPECT_EQ(complaint("websocket { port: 1 }"), "websocket requires TLS configuration");
    EXPECT_EQ(complaint("websocket { port: 1, no_tls: true }"), "");
    EXPECT_EQ(complaint("websocket { same_origin: true }"), "") << "nobody listens";
}

TEST(WebSocketOptions, OriginsAreUrlsOfPages) {
    const auto with = [](const std::string& origin) {
        return complaint("websocket { port: 1, no_tls: true, allowed_origins: [\"" + origin +
                         "\"] }");
    };
    EXPECT_EQ(with("https://a.example:8443"), "");
    EXPECT_NE(with("a.example"), "");
    EXPECT_NE(with("https://"), "");
    EXPECT_NE(with("ftp://a.example").find("http or https scheme"), std::string::npos);
}

TEST(WebSocketOptions, HeadersStayHeaders) {
    const auto with = [](const std::string& name, const std::string& value = "v") {
        return complaint("websocket { port: 1, no_tls: true, headers { \"" + name + "\": \"" +
                         value + "\" } }");
    };
    EXPECT_EQ(with("X-Mine"), "");
    for (const auto* const name :
         {"Host", "content-length", "Connection", "UPGRADE", "Nats-No-Masking"}) {
        EXPECT_EQ(with(name),
                  "websocket: invalid header \"" + std::string(name) + "\" not allowed");
    }
    EXPECT_EQ(with("Sec-WebSocket-Accept"), "websocket: invalid header \"Sec-WebSocket-Accept\", "
                                            "\"Sec-WebSocket-\" prefix not allowed");
    EXPECT_NE(with("X Mine"), "");
    EXPECT_NE(with("X-Mine", "a\\r\\nSet-Cookie: b"), "");
}

TEST(WebSocketOptions, LoginsThatContradictEachOtherAreRefused) {
    const std::string block = "websocket { port: 1, no_tls: true, ";
    const std::string users = "authorization { users [ {user: a, password: b} ] }\n";
    EXPECT_EQ(complaint(block + "no_auth_user: a }\n" + users), "");
    EXPECT_NE(complaint(block + "no_auth_user: z }\n" + users).find("not present as user"),
              std::string::npos);
    EXPECT_NE(complaint(block + "no_auth_user: a }").find("users/nkeys are not defined"),
              std::string::npos);
    EXPECT_EQ(complaint(block + "authorization { user: x, password: y } }\n" + users),
              "websocket authentication username not compatible with presence of users/nkeys");
    EXPECT_EQ(complaint(block + "authorization { token: x } }\n" + users),
              "websocket authentication token not compatible with presence of users/nkeys");
    EXPECT_NE(complaint(block + "jwt_cookie: x }").find("via cookie \"x\""), std::string::npos);
}

} // namespace
} // namespace pipit::server
