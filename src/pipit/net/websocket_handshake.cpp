// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/websocket_handshake.hpp>

#include <pipit/base/ascii_case.hpp>
#include <pipit/base/assert.hpp>
#include <pipit/base/base64.hpp>
#include <pipit/base/trimmed.hpp>
#include <pipit/base/websocket_limits.hpp>
#include <pipit/net/error.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace pipit::net {
namespace {

constexpr std::string_view blanks = " \t";
constexpr std::string_view compression = "permessage-deflate";
constexpr std::string_view server_alone = "server_no_context_takeover";
constexpr std::string_view client_alone = "client_no_context_takeover";
constexpr std::string_view extensions_line =
    "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
    "client_no_context_takeover\r\n";

/// Takes what stands before the next separator.
bytes_view take_item(bytes_view& list, char separator) noexcept {
    const auto end = std::min(list.find(separator), list.size());
    const auto item = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    return trimmed(item, blanks);
}

bool is_token_character(char c) noexcept {
    return (c >= '0' && c <= '9') || (lower_letter(c) >= 'a' && lower_letter(c) <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_printable(bytes_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

/// Source: RFC 6265, as Go reads them: one that is malformed is left out alone.
void append_cookies(std::vector<http_cookie>& cookies, bytes_view list) {
    while (!list.empty()) {
        const auto item = take_item(list, ';');
        const auto equals = item.find('=');
        if (equals == bytes_view::npos) continue;
        const auto name = trimmed(item.substr(0, equals), blanks);
        auto value = item.substr(equals + 1);
        if (value.size() > 1 && value.front() == '"' && value.back() == '"') {
            value = value.substr(1, value.size() - 2);
        }
        const bool is_valid = std::all_of(value.begin(), value.end(), [](char c) {
            return c >= ' ' && c < '\x7f' && c != '"' && c != ';' && c != '\\';
        });
        if (is_http_token(name) && is_valid)
            cookies.push_back({std::string(name), std::string(value)});
    }
}

/// Sixteen bytes in base64.
bool is_key(bytes_view text) noexcept {
    constexpr std::size_t digits = 22;
    if (text.size() != digits + 2 || !text.ends_with("==")) return false;
    return std::all_of(text.begin(), text.begin() + digits, [](char c) {
        return (c >= '0' && c <= '9') || (lower_letter(c) >= 'a' && lower_letter(c) <= 'z') ||
               c == '+' || c == '/';
    });
}

std::string_view status_text(int status) noexcept {
    switch (status) {
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    default: return "Bad Request";
    }
}

/// `/path`, or a whole URL as those to proxies have.
std::optional<bytes_view> path_of(bytes_view target) noexcept {
    if (!is_printable(target)) return std::nullopt;
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!starts_without_case(target, scheme)) continue;
        const auto slash = target.find('/', scheme.size());
        target = slash == bytes_view::npos ? "/" : target.substr(slash);
    }
    if (!target.starts_with('/')) return std::nullopt;
    return target.substr(0, target.find_first_of("?#"));
}

/// Whether an offer or an answer of the extensions has permessage-deflate, and both parameters.
struct deflate_terms {
    bool is_named = false;
    bool keeps_no_context = false;
    bool is_alone = true; ///< No other extension, and no parameter but those.
};
deflate_terms deflate_terms_of(const http_head& head) {
    deflate_terms terms;
    for (const auto& [name, value] : head.fields) {
        if (!equal_without_case(name, "Sec-WebSocket-Extensions")) continue;
        auto list = value;
        while (!list.empty()) {
            auto extension = take_item(list, ',');
            if (!equal_without_case(take_item(extension, ';'), compression)) {
                terms.is_alone = false;
                continue;
            }
            bool server = false;
            bool client = false;
            while (!extension.empty()) {
                const auto parameter = take_item(extension, ';');
                const bool is_server = equal_without_case(parameter, server_alone);
                const bool is_client = equal_without_case(parameter, client_alone);
                server = server || is_server;
                client = client || is_client;
                terms.is_alone = terms.is_alone && (is_server || is_client);
            }
            terms.is_named = true;
            terms.keeps_no_context = server && client;
        }
    }
    return terms;
}

} // namespace

bool is_http_token(bytes_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

/// Text, blanks, and bytes above ASCII.
bool is_http_text(bytes_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
    });
}

std::optional<bytes_view> http_head::value(std::string_view name) const noexcept {
    for (const auto& [field, text] : fields) {
        if (equal_without_case(field, name)) return text;
    }
    return std::nullopt;
}

std::size_t http_head::count(std::string_view name) const noexcept {
    return static_cast<std::size_t>(
        std::count_if(fields.begin(), fields.end(),
                      [&](const auto& field) { return equal_without_case(field.first, name); }));
}

bool http_head::lists(std::string_view name, std::string_view token) const noexcept {
    return std::any_of(fields.begin(), fields.end(), [&](const auto& field) {
        if (!equal_without_case(field.first, name)) return false;
        auto list = field.second;
        while (!list.empty()) {
            if (equal_without_case(take_item(list, ','), token)) return true;
        }
        return false;
    });
}

result<std::optional<http_head>> parse_http_head(bytes_view text) {
    constexpr bytes_view line_end = "\r\n";
    const auto end = text.find("\r\n\r\n");
    if (end == bytes_view::npos) return std::nullopt;
    http_head head;
    head.bytes = end + 2 * line_end.size();
    auto lines = text.substr(0, end + line_end.size());
    for (bool is_first = true; !lines.empty(); is_first = false) {
        const auto line = lines.substr(0, lines.find(line_end));
        lines.remove_prefix(line.size() + line_end.size());
        if (!is_http_text(line)) return errc::invalid_http;
        if (is_first) {
            head.start_line = line;
            continue;
        }
        const auto colon = line.find(':');
        if (colon == bytes_view::npos || !is_http_token(line.substr(0, colon)) ||
            head.fields.size() == limits::http_head_fields) {
            return errc::invalid_http;
        }
        head.fields.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1), blanks));
    }
    return head;
}

boost::system::result<websocket_request, http_refusal>
read_websocket_request(const http_head& head) {
    auto line = head.start_line;
    const auto method = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(method.size() + 1, line.size()));
    const auto target = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(target.size() + 1, line.size()));
    const auto path = path_of(target);
    if (!is_http_token(method) || !path || line != "HTTP/1.1") {
        return http_refusal{400, "malformed request line"};
    }
    // Two parts of the way must not read a request differently.
    for (const auto* const once : {"Host", "Sec-WebSocket-Key", "Origin"}) {
        if (head.count(once) > 1) {
            return http_refusal{400, std::string("'") + once + "' is repeated in request"};
        }
    }
    if (head.value("Transfer-Encoding") || head.value("Content-Length").value_or("0") != "0") {
        return http_refusal{400, "request has a body"};
    }
    if (method != "GET") return http_refusal{405, "request method must be GET"};
    const auto host = head.value("Host").value_or(bytes_view());
    if (host.empty()) return http_refusal{400, "'Host' missing in request"};
    if (!head.lists("Upgrade", "websocket")) {
        return http_refusal{400, "invalid value for header 'Upgrade'"};
    }
    if (!head.lists("Connection", "Upgrade")) {
        return http_refusal{400, "invalid value for header 'Connection'"};
    }
    const auto key = head.value("Sec-WebSocket-Key").value_or(bytes_view());
    if (key.empty()) return http_refusal{400, "key missing"};
    if (!is_key(key)) return http_refusal{400, "invalid websocket key"};
    if (!head.lists("Sec-WebSocket-Version", "13")) return http_refusal{400, "invalid version"};

    websocket_request request;
    request.path = *path;
    request.host = host;
    request.key = key;
    // Source: the name that browsers gave it before the RFC.
    for (const auto* const name : {"Origin", "Sec-WebSocket-Origin"}) {
        const auto origin = head.value(name);
        if (!request.origin && origin && !origin->empty()) request.origin = std::string(*origin);
    }
    request.user_agent = head.value("User-Agent").value_or(bytes_view());
    request.forwarded_for = head.value("X-Forwarded-For").value_or(bytes_view());
    for (const auto& [name, value] : head.fields) {
        if (equal_without_case(name, "Cookie")) append_cookies(request.cookies, value);
    }
    request.offers_compression = deflate_terms_of(head).is_named;
    request.wants_no_masking = head.value("Nats-No-Masking") == "true";
    return request;
}

std::string http_refusal_text(int status) {
    const auto text = std::string(status_text(status));
    return "HTTP/1.1 " + std::to_string(status) + ' ' + text +
           "\r\nContent-Type: text/plain; charset=utf-8\r\nSec-Websocket-Version: 13\r\n"
           "X-Content-Type-Options: nosniff\r\nConnection: close\r\nContent-Length: " +
           std::to_string(text.size() + 1) + "\r\n\r\n" + text + '\n';
}

std::string websocket_response(std::string_view key, const websocket_acceptance& accepted) {
    std::string text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Accept: " +
                       websocket_accept(key) + "\r\n";
    if (accepted.compresses) text += extensions_line;
    if (accepted.without_masking) text += "Nats-No-Masking: true\r\n";
    return text.append(accepted.extra_fields).append("\r\n");
}

result<std::string> websocket_request_text(const websocket_demand& demand) {
    const std::string path = demand.path.empty() ? "/" : demand.path;
    if (!is_printable(path) || !path.starts_with('/') || !is_printable(demand.host) ||
        demand.host.empty()) {
        return errc::invalid_http;
    }
    std::string text =
        "GET " + path + " HTTP/1.1\r\nHost: " + demand.host +
        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + demand.key +
        "\r\nSec-WebSocket-Version: 13\r\n";
    if (demand.offers_compression) text += extensions_line;
    return text + "\r\n";
}

result<websocket_acceptance> read_websocket_response(const http_head& head,
                                                     const websocket_demand& demand) {
    const auto refused = [](std::string why) {
        return error(errc::websocket_refused, std::move(why));
    };
    constexpr bytes_view version = "HTTP/1.1 ";
    if (!head.start_line.starts_with(version)) return refused("the answer is not HTTP/1.1");
    const auto status = head.start_line.substr(version.size());
    if (status != "101" && !status.starts_with("101 ")) {
        return refused("the server answered: " + std::string(status));
    }
    if (!head.lists("Upgrade", "websocket") || !head.lists("Connection", "Upgrade")) {
        return refused("the server did not upgrade");
    }
    if (head.count("Sec-WebSocket-Accept") != 1 ||
        head.value("Sec-WebSocket-Accept") != websocket_accept(demand.key)) {
        return refused("the server's Sec-WebSocket-Accept is wrong");
    }
    const auto terms = deflate_terms_of(head);
    if (!terms.is_alone ||
        (terms.is_named && !(demand.offers_compression && terms.keeps_no_context))) {
        return refused("the server wants extensions that were not offered");
    }
    if (head.value("Sec-WebSocket-Protocol")) {
        return refused("the server wants a protocol that was not offered");
    }
    return websocket_acceptance{.compresses = terms.is_named};
}

std::string websocket_accept(std::string_view key) {
    const auto text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, 20> digest;
    unsigned size = 0;
    const auto hashed =
        EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
    PIPIT_ASSERT(hashed == 1 && size == digest.size());
    return to_base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

} // namespace pipit::net
