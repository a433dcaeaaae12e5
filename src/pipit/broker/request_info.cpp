// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/request_info.hpp>

#include <pipit/broker/account.hpp>
#include <pipit/protocol/go_text.hpp>

namespace pipit::broker {
namespace {

constexpr bytes_view status_line = "NATS/1.0\r\n";
constexpr bytes_view line_end = "\r\n";
/// Most texts about a client fit into that.
constexpr std::size_t usual_text_bytes = 512;

} // namespace

client_facts facts_of(const session& session, const server_identity& server, bool shares) {
    client_facts facts;
    if (session.of != nullptr) facts.account = session.of->config->name;
    facts.round_trip = session.round_trip;
    if (!shares) return facts;
    const auto& details = *session.details;
    facts.server = server.name;
    facts.shared = {.start = details.start.wall,
                    .host = details.origin.ip,
                    .client_id = session.client_id,
                    .user = details.user,
                    .name = details.options.name,
                    .language = details.options.lang,
                    .version = details.options.version,
                    .claims = details.identity ? details.identity->claims : nullptr,
                    .is_websocket = details.origin.is_websocket};
    return facts;
}

void write_members(protocol::json_writer& json, const client_facts& facts) {
    const auto& shared = facts.shared;
    if (shared) {
        json.member("start", protocol::rfc3339(shared->start));
        json.optional_member("host", shared->host);
        json.member("id", shared->client_id);
    }
    json.optional_member("acc", facts.account);
    json.optional_member("svc", facts.service);
    if (shared) {
        json.optional_member("user", shared->user);
        json.optional_member("name", shared->name);
        json.optional_member("lang", shared->language);
        json.optional_member("ver", shared->version);
    }
    json.optional_member("rtt", facts.round_trip.count());
    json.optional_member("server", facts.server);
    if (shared) {
        // Not the JWT itself, as nats-server: a bearer's would let the exporter sign in with it.
        if (const auto& claims = shared->claims) {
            json.optional_member("issuer_key", claims->issuer);
            json.optional_member("name_tag", claims->name);
            json.optional_member("tags", claims->tags);
        }
        json.member("kind", "Client");
        json.member("client_type", shared->is_websocket ? "websocket" : "nats");
    }
}

std::string text_of(const client_facts& facts) {
    std::string text;
    text.reserve(usual_text_bytes);
    protocol::json_writer json(text);
    json.begin_object();
    write_members(json, facts);
    json.end_object();
    return text;
}

std::string with_header(bytes_view headers, std::string_view name, std::string_view value) {
    std::string result;
    result.reserve(status_line.size() + headers.size() + name.size() + value.size() + 8);
    result = status_line;
    auto left = headers;
    if (left.size() > line_end.size()) {
        left.remove_suffix(line_end.size());
        const auto first = left.find(line_end);
        const auto status_size = first == bytes_view::npos ? left.size() : first + line_end.size();
        result = left.substr(0, status_size);
        left.remove_prefix(status_size);
        while (!left.empty()) {
            const auto end = left.find(line_end);
            const auto line = left.substr(0, end == bytes_view::npos ? end : end + line_end.size());
            left.remove_prefix(line.size());
            const bool replaced =
                line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':';
            if (!replaced) result += line;
        }
        if (!result.ends_with(line_end)) result += line_end;
    }
    result.append(name).append(": ").append(value).append("\r\n\r\n");
    return result;
}

} // namespace pipit::broker
