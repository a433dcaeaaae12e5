// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/server_address.hpp>

#include <pipit/base/ascii_case.hpp>
#include <pipit/base/join_host_port.hpp>
#include <pipit/base/percent_encoding.hpp>
#include <pipit/base/url_list.hpp>
#include <pipit/protocol/error.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace pipit::protocol {
namespace {

using transport = server_address::transport;

struct scheme {
    std::string_view name;
    transport over;
    std::uint16_t port;
};

constexpr scheme schemes[] = {
    {"nats://", transport::tcp, 4222},
    {"tls://", transport::tls, 4222},
    {"ws://", transport::websocket, 80},
    {"wss://", transport::websocket_tls, 443},
};

constexpr std::string_view comma_hint = "a comma in a user or password is written %2C";

bool read_user(std::string_view text, server_address& server) {
    const auto colon = text.find(':');
    const auto user = percent_decoded(text.substr(0, colon));
    if (!user) return false;
    if (colon == std::string_view::npos) {
        server.token = *user;
        return true;
    }
    const auto pass = percent_decoded(text.substr(colon + 1));
    if (!pass) return false;
    server.user = *user;
    server.pass = *pass;
    return true;
}

bool read_port(std::string_view text, std::uint16_t& port) {
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, port);
    return read.ec == std::errc() && read.ptr == end && port != 0;
}

bool read_host(std::string_view text, server_address& server) {
    auto port_begin = text.rfind(':');
    if (text.starts_with('[')) {
        const auto bracket = text.find(']');
        if (bracket == std::string_view::npos) return false;
        server.host = text.substr(1, bracket - 1);
        const auto behind = text.substr(bracket + 1);
        if (!behind.empty() && behind.front() != ':') return false;
        port_begin = behind.empty() ? std::string_view::npos : bracket + 1;
    } else if (std::count(text.begin(), text.end(), ':') > 1) {
        server.host = text; // An IPv6 address without brackets, and so without a port.
        port_begin = std::string_view::npos;
    } else {
        server.host = text.substr(0, port_begin);
    }
    const bool valid = !server.host.empty() && std::all_of(server.host.begin(), server.host.end(),
                                                           [](char c) { return c > ' '; });
    if (!valid) return false;
    if (port_begin == std::string_view::npos) return true;
    return read_port(text.substr(port_begin + 1), server.port);
}

} // namespace

result<server_address> parse_server_url(std::string_view url) {
    const auto invalid = error(errc::invalid_url, std::string(url.substr(url.rfind('@') + 1)));
    server_address server;
    auto rest = url;
    if (url.find("://") != std::string_view::npos) {
        const auto* const found =
            std::find_if(std::begin(schemes), std::end(schemes),
                         [&](const auto& scheme) { return starts_without_case(url, scheme.name); });
        if (found == std::end(schemes)) return invalid;
        rest.remove_prefix(found->name.size());
        server.over = found->over;
        server.port = found->port;
    }
    const auto slash = rest.find('/');
    const bool is_websocket =
        server.over == transport::websocket || server.over == transport::websocket_tls;
    if (slash != std::string_view::npos) {
        if (is_websocket) server.path = rest.substr(slash);
        rest = rest.substr(0, slash);
    }
    if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
        if (!read_user(rest.substr(0, at), server)) return invalid;
        rest.remove_prefix(at + 1);
    }
    if (!read_host(rest, server)) return invalid;
    return server;
}

result<std::vector<server_address>> parse_server_urls(std::string_view list) {
    std::vector<server_address> servers;
    for (const auto& [url, may_be_secret] : split_urls(list)) {
        auto server = parse_server_url(url);
        if (!server && may_be_secret) {
            return error(errc::invalid_url,
                         urls_without_users(list).append(": ").append(comma_hint));
        }
        if (!server) return server.error();
        server->may_be_secret = may_be_secret;
        servers.push_back(std::move(*server));
    }
    return servers;
}

std::string shown_name(const server_address& server) {
    if (!server.may_be_secret) return to_string(server);
    std::string text = "a server that is not shown, for a comma and an @ follow it (";
    return text.append(comma_hint).append(")");
}

std::string to_string(const server_address& server) {
    return join_host_port(server.host, server.port);
}

} // namespace pipit::protocol
