// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/request_info.hpp>

#include <pipit/broker/account.hpp>
#include <pipit/protocol/go_text.hpp>

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>

namespace pipit::broker {
namespace {

constexpr bytes_view status_line = "NATS/1.0\r\n";
constexpr bytes_view line_end = "\r\n";

void set_unless_empty(boost::json::object& object, std::string_view key, std::string_view value) {
    if (!value.empty()) object[key] = value;
}

void write(boost::json::object& object, const client_facts& facts) {
    const auto& shared = facts.shared;
    if (shared) {
        object["start"] = protocol::rfc3339(shared->start);
        set_unless_empty(object, "host", shared->host);
        object["id"] = shared->client_id;
    }
    set_unless_empty(object, "acc", facts.account);
    set_unless_empty(object, "svc", facts.service);
    if (shared) {
        set_unless_empty(object, "user", shared->user);
        set_unless_empty(object, "name", shared->name);
        set_unless_empty(object, "lang", shared->language);
        set_unless_empty(object, "ver", shared->version);
    }
    if (facts.round_trip != nanoseconds::zero()) object["rtt"] = facts.round_trip.count();
    set_unless_empty(object, "server", facts.server);
    if (shared) {
        // Not the JWT itself, as nats-server: a bearer's would let the exporter sign in with it.
        if (const auto& claims = shared->claims) {
            set_unless_empty(object, "issuer_key", claims->issuer);
            set_unless_empty(object, "name_tag", claims->name);
            if (!claims->tags.empty()) {
                object["tags"] = boost::json::array(claims->tags.begin(), claims->tags.end());
            }
        }
        object["kind"] = "Client";
        object["client_type"] = shared->is_websocket ? "websocket" : "nats";
    }
}

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

boost::json::object to_json(const client_facts& facts) {
    boost::json::object object;
    write(object, facts);
    return object;
}

std::string text_of(const client_facts& facts) {
    // Most fits in here, so that a request need not allocate for it.
    std::array<unsigned char, 2048> space;
    boost::json::monotonic_resource memory(space.data(), space.size());
    boost::json::object object(&memory);
    write(object, facts);
    return boost::json::serialize(object);
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
