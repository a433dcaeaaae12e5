// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/system_json.hpp>

#include <pipit/server/detail/monitoring_documents.hpp>
#include <pipit/server/detail/monitoring_text.hpp>

namespace pipit::server {
namespace {

void write_type(json_writer& json, std::string_view type, std::string_view id,
                message_stamp stamp) {
    json.member("type", "io.nats.server.advisory.v1." + std::string(type));
    json.member("id", id);
    json.member("timestamp", rfc3339(stamp.now));
}

void write_server(json_writer& json, const server_facts& facts, message_stamp stamp) {
    json.begin_object("server");
    write_server_members(json, facts, stamp);
    json.end_object();
}

void write_head(json_writer& json, const server_facts& facts, std::string_view type,
                std::string_view id, message_stamp stamp) {
    write_type(json, type, id, stamp);
    write_server(json, facts, stamp);
}

void write_certificate(json_writer& json, std::string_view name, const certificate_facts& about) {
    json.begin_object(name);
    json.optional_member("subject", about.subject);
    json.optional_member("issuer", about.issuer);
    json.optional_member("fingerprint", about.fingerprint);
    json.optional_member("raw", about.raw);
    json.end_object();
}

/// `stop` is when it ended, and null for one that begins.
void write_client(json_writer& json, const client_event& event, const wall_time* stop) {
    const auto& who = event.who;
    json.begin_object("client");
    json.member("start", rfc3339(who.start.wall));
    json.optional_member("host", who.ip);
    json.optional_member("id", who.client_id);
    json.optional_member("acc", event.account.name);
    json.optional_member("user", who.user);
    json.optional_member("name", who.name);
    json.optional_member("lang", who.language);
    json.optional_member("ver", who.version);
    if (stop != nullptr) {
        if (who.round_trip) json.member("rtt", shown_round_trip(*who.round_trip).count());
        json.member("stop", rfc3339(*stop));
    }
    if (who.claims) {
        json.optional_member("jwt", who.claims->jwt);
        json.optional_member("issuer_key", who.claims->issuer);
    }
    json.optional_member("name_tag", event.account.tag);
    if (who.claims) json.optional_member("tags", who.claims->tags);
    json.member("kind", "Client");
    json.member("client_type", who.is_websocket ? "websocket" : "nats");
    json.end_object();
}

void write_traffic(json_writer& json, std::string_view name, const broker::traffic& count) {
    json.begin_object(name);
    json.member("msgs", count.messages);
    json.member("bytes", count.bytes);
    json.end_object();
}

} // namespace

void write_server_members(json_writer& json, const server_facts& facts, message_stamp stamp) {
    json.member("name", facts.identity.name);
    json.member("host", facts.identity.host);
    json.member("id", facts.identity.id);
    json.member("ver", facts.identity.version);
    json.optional_member("tags", facts.tags);
    if (!facts.metadata.empty()) {
        json.begin_object("metadata");
        for (const auto& [key, value] : facts.metadata) json.member(key, value);
        json.end_object();
    }
    json.begin_object("feature_flags");
    for (const auto& [key, value] : merged_feature_flags(facts.feature_flags)) {
        json.member(key, value);
    }
    json.end_object();
    json.member("jetstream", false);
    json.member("flags", 0);
    json.member("seq", stamp.sequence);
    json.member("time", rfc3339(stamp.now));
}

std::string system_message(const server_facts& facts, message_stamp stamp, std::string_view name,
                           std::string_view data) {
    std::string text;
    json_writer json(text);
    json.begin_object();
    write_server(json, facts, stamp);
    if (!data.empty()) json.json_member(name, data);
    json.end_object();
    return text;
}

std::string system_error(const server_facts& facts, message_stamp stamp, int code,
                         std::string_view description, std::string_view data) {
    std::string text;
    json_writer json(text);
    json.begin_object();
    write_server(json, facts, stamp);
    if (!data.empty()) json.json_member("data", data);
    json.begin_object("error");
    json.member("code", code);
    json.optional_member("description", description);
    json.end_object();
    json.end_object();
    return text;
}

std::string connect_event(const server_facts& facts, const client_event& event) {
    std::string text;
    json_writer json(text);
    json.begin_object();
    write_head(json, facts, "client_connect", event.id, event.stamp);
    write_client(json, event, nullptr);
    json.end_object();
    return text;
}

std::string disconnect_event(const server_facts& facts, const client_event& event,
                             std::string_view reason) {
    std::string text;
    json_writer json(text);
    json.begin_object();
    write_head(json, facts, "client_disconnect", event.id, event.stamp);
    write_client(json, event, &event.stamp.now);
    // As the client saw it: it sent what came in.
    write_traffic(json, "sent", event.who.in);
    write_traffic(json, "received", event.who.out);
    json.member("reason", reason);
    json.end_object();
    return text;
}

std::string account_event(const server_facts& facts, std::string_view id, message_stamp stamp,
                          const broker::account_snapshot& account, account_names names) {
    std::string text;
    json_writer json(text);
    json.begin_object();
    write_head(json, facts, "account_connections", id, stamp);
    write_account_statistics(json, account, names);
    json.end_object();
    return text;
}

std::string ocsp_reject_event(const server_facts& facts, std::string_view id, message_stamp stamp,
                              const certificate_facts& peer, std::string_view reason) {
    std::string text;
    json_writer json(text);
    json.begin_object();
    write_type(json, "ocsp_peer_reject", id, stamp);
    json.member("kind", "Client");
    write_certificate(json, "peer", peer);
    write_server(json, facts, stamp);
    json.member("reason", reason);
    json.end_object();
    return text;
}

std::string ocsp_link_event(const server_facts& facts, std::string_view id, message_stamp stamp,
                            const certificate_facts& link, const certificate_facts& peer,
                            std::string_view reason) {
    std::string text;
    json_writer json(text);
    json.begin_object();
    write_type(json, "ocsp_peer_link_invalid", id, stamp);
    write_certificate(json, "link", link);
    write_certificate(json, "peer", peer);
    write_server(json, facts, stamp);
    json.member("reason", reason);
    json.end_object();
    return text;
}

std::string compact(std::string_view json) {
    std::string result;
    result.reserve(json.size());
    auto in_text = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const auto c = json[i];
        if (in_text && c == '\\' && i + 1 < json.size()) {
            result += c;
            result += json[++i];
            continue;
        }
        if (c == '"') in_text = !in_text;
        if (in_text || (c != ' ' && c != '\n')) result += c;
    }
    return result;
}

} // namespace pipit::server
