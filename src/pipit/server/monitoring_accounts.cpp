// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/jwt.hpp>
#include <pipit/base/unix_time.hpp>
#include <pipit/protocol/weighted_mapping.hpp>
#include <pipit/server/detail/monitoring_documents.hpp>
#include <pipit/server/detail/monitoring_text.hpp>

#include <algorithm>
#include <map>

namespace pipit::server {
namespace {

void write_head(json_writer& json, const monitoring_snapshot& snapshot) {
    json.member("server_id", snapshot.configuration->identity.id);
    json.member("now", rfc3339(snapshot.server.now.wall));
}

/// What an account's messages are mapped to. As nats-server shows it, a weight is the sum of those
/// before it and its own, for every cluster.
void write_mappings(json_writer& json, const broker::account_configuration& account) {
    if (account.mappings.empty()) return;
    std::map<std::string_view, const protocol::weighted_mapping*> by_source;
    for (const auto& mapping : account.mappings) by_source[mapping->source()] = mapping.get();
    json.begin_object("mappings");
    for (const auto& [source, mapping] : by_source) {
        json.begin_array(source);
        std::map<std::string_view, int> weights;
        for (const auto& destination : mapping->destinations()) {
            json.element();
            json.begin_object();
            json.member("subject", destination.subject);
            json.member("weight", weights[destination.cluster] += destination.weight_percent);
            json.optional_member("cluster", destination.cluster);
            json.end_object();
        }
        json.end_array();
    }
    json.end_object();
}

/// What the account's JWT says, as it was signed and for people.
void write_claims(json_writer& json, const broker::account_claims& claims) {
    json.member("jwt", claims.jwt);
    json.member("issuer_key", claims.issuer);
    json.optional_member("name_tag", std::string_view(claims.name));
    json.optional_member("tags", claims.tags);
    if (const auto decoded = auth::claims_json(claims.jwt)) {
        json.json_member("decoded_jwt", *decoded);
    }
    if (claims.revocations.empty()) return;
    json.begin_object("revoked_user");
    for (const auto& [user, until] : claims.revocations) {
        json.member(user, rfc3339(wall_time_of(until)));
    }
    json.end_object();
}

std::string_view text_of(broker::response_type type) noexcept {
    switch (type) {
    case broker::response_type::singleton: break;
    case broker::response_type::stream: return "Streamed";
    case broker::response_type::chunked: return "Chunked";
    }
    return "Singleton";
}

void write_latency(json_writer& json, std::string_view name,
                   const std::optional<broker::service_latency>& latency) {
    if (!latency) return;
    json.begin_object(name);
    if (latency->sampling_percent == 0) {
        json.member("sampling", "headers");
    } else {
        json.member("sampling", latency->sampling_percent);
    }
    json.member("results", latency->subject);
    json.end_object();
}

void write_export(json_writer& json, const broker::configuration& configuration,
                  std::string_view subject, const broker::export_audience& audience,
                  const broker::service_export* service) {
    json.element();
    json.begin_object();
    json.member("subject", subject);
    json.member("type", service != nullptr ? "service" : "stream");
    json.optional_member("token_req", audience.activation_required);
    if (service != nullptr) {
        json.member("response_type", text_of(service->response));
        write_latency(json, "service_latency", service->latency);
    }
    if (!audience.accounts.empty()) {
        json.begin_array("approved_accounts");
        for (const auto id : audience.accounts) json.element(account_name(configuration, id));
        json.end_array();
    }
    json.end_object();
}

void write_exports(json_writer& json, const broker::configuration& configuration,
                   const broker::account_configuration& account) {
    if (account.service_exports.empty() && account.stream_exports.empty()) return;
    json.begin_array("exports");
    for (const auto& each : account.service_exports) {
        write_export(json, configuration, each.subject, each.audience, &each);
    }
    for (const auto& each : account.stream_exports) {
        write_export(json, configuration, each.subject, each.audience, nullptr);
    }
    json.end_array();
}

void write_service(json_writer& json, const broker::configuration& configuration,
                   broker::account_id of, std::string_view subject, std::string_view local,
                   bool share, bool tracking) {
    json.member("subject", subject);
    json.member("account", account_name(configuration, of));
    json.member("to", local);
    json.member("local_subject", local);
    json.member("type", "service");
    json.member("invalid", false);
    json.member("share", share);
    json.member("tracking", tracking);
}

void write_imports(json_writer& json, const broker::configuration& configuration,
                   const broker::account_configuration& account) {
    if (account.stream_imports.empty() && account.service_imports.empty()) return;
    json.begin_array("imports");
    for (const auto& each : account.stream_imports) {
        json.element();
        json.begin_object();
        json.member("subject", each->subjects.exported());
        json.member("account", account_name(configuration, each->exporter));
        json.member("local_subject", each->subjects.local());
        json.member("type", "stream");
        json.member("invalid", false);
        json.member("share", false);
        json.member("tracking", false);
        json.end_object();
    }
    for (const auto& each : account.service_imports) {
        json.element();
        json.begin_object();
        write_service(json, configuration, each->exporter, each->subjects.exported(),
                      each->subjects.local(), each->share, false);
        const auto exporter = std::ranges::find(configuration.accounts, each->exporter,
                                                &broker::account_configuration::id);
        if (exporter != configuration.accounts.end()) {
            const auto* service = broker::service_of(*exporter, each->subjects.exported());
            if (service != nullptr) write_latency(json, "latency", service->latency);
        }
        json.end_object();
    }
    json.end_array();
}

/// Where answers of this account are awaited, on all loops.
void write_responses(json_writer& json, const monitoring_snapshot& snapshot) {
    std::map<std::string_view, const broker::response_snapshot*> by_subject;
    for (const auto& loop : snapshot.loops) {
        for (const auto& each : loop.responses) by_subject[each.subject] = &each;
    }
    if (by_subject.empty()) return;
    json.begin_object("responses");
    for (const auto& [subject, response] : by_subject) {
        json.begin_object(subject);
        write_service(json, *snapshot.configuration, response->importer, response->reply, subject,
                      response->share, response->measured);
        json.end_object();
    }
    json.end_object();
}

void write_account_detail(json_writer& json, const monitoring_snapshot& snapshot,
                          const broker::account_configuration& account) {
    const auto totals = total_accounts(snapshot);
    const auto total = *std::ranges::find(totals, account.id, &broker::account_snapshot::id);
    json.member("account_name", account.name);
    json.member("update_time",
                rfc3339(account.claims == nullptr ? snapshot.server.configuration_loaded
                                                  : account.claims->updated));
    json.optional_member("is_system", snapshot.configuration->system_account == account.id);
    json.member("expired", account.expires && *account.expires <= snapshot.server.now.wall);
    json.member("complete", true);
    json.member("jetstream_enabled", false);
    json.member("leafnode_connections", 0);
    json.member("client_connections", total.connections);
    json.member("subscriptions", total.subscriptions);
    write_mappings(json, account);
    write_exports(json, *snapshot.configuration, account);
    write_imports(json, *snapshot.configuration, account);
    if (account.claims == nullptr) {
        json.member("name_tag", account.name);
    } else {
        write_claims(json, *account.claims);
    }
    json.begin_object("sublist_stats");
    broker::broker_statistics known;
    known.subscriptions = total.subscriptions;
    write_index_statistics(json, known);
    json.end_object();
    write_responses(json, snapshot);
}

void write_count(json_writer& json, const broker::traffic& count) {
    json.member("msgs", count.messages);
    json.member("bytes", count.bytes);
}

void write_traffic(json_writer& json, std::string_view name, const broker::traffic& of_clients) {
    json.begin_object(name);
    write_count(json, of_clients);
    for (const auto* absent : {"gateways", "routes", "leafs"}) {
        json.begin_object(absent);
        write_count(json, {});
        json.end_object();
    }
    json.end_object();
}

} // namespace

void write_account_statistics(json_writer& json, const broker::account_snapshot& account,
                              account_names names) {
    json.member("acc", names.name);
    json.member("name", names.tag);
    json.member("conns", account.connections);
    json.member("leafnodes", 0);
    // Of all kinds, now; what clients there have been is for /metrics.
    json.member("total_conns", account.connections);
    json.member("num_subscriptions", account.subscriptions);
    write_traffic(json, "sent", account.sent);
    write_traffic(json, "received", account.received);
    json.member("slow_consumers", account.slow_consumers);
}

std::string account_information(const monitoring_snapshot& snapshot,
                                const broker::account_configuration& account) {
    std::string text;
    json_writer json(text);
    json.begin_object();
    write_account_detail(json, snapshot, account);
    json.end_object();
    return text;
}

net::http_response accountz(const document_request& request) {
    const auto name = request.query.text("acc");
    const auto snapshot = request.collect({.accounts = true, .responses_of = name});
    if (!snapshot) return unavailable(snapshot.error());
    const auto& configuration = *snapshot->configuration;
    const auto* account = account_named(configuration, name);
    if (!name.empty() && account == nullptr) {
        return bad_request("Account " + name + " does not exist");
    }

    std::string text;
    json_writer json(text, page_indent);
    json.begin_object();
    write_head(json, *snapshot);
    json.optional_member("system_account", system_account_name(configuration));
    if (account != nullptr) {
        json.begin_object("account_detail");
        write_account_detail(json, *snapshot, *account);
        json.end_object();
    } else if (!configuration.accounts.empty()) {
        json.begin_array("accounts");
        for (const auto& known : configuration.accounts) json.element(known.name);
        json.end_array();
    }
    json.end_object();
    return json_answer(std::move(text));
}

net::http_response accstatz(const document_request& request) {
    const auto include_unused = request.query.flag("unused");
    if (!request.query.problem().empty()) return bad_request(request.query.problem());
    const auto snapshot = request.collect({.accounts = true});
    if (!snapshot) return unavailable(snapshot.error());

    std::string text;
    json_writer json(text, page_indent);
    json.begin_object();
    write_head(json, *snapshot);
    json.begin_array("account_statz");
    const auto totals = total_accounts(*snapshot);
    for (std::size_t i = 0; i < totals.size(); ++i) {
        if (!include_unused && totals[i].connections == 0) continue;
        const auto& account = snapshot->configuration->accounts[i];
        const auto wanted = request.only_accounts;
        if (!wanted.empty() && std::ranges::find(wanted, account.name) == wanted.end()) continue;
        json.element();
        json.begin_object();
        write_account_statistics(json, totals[i], {account.name, account_tag(account)});
        json.end_object();
    }
    json.end_array();
    json.end_object();
    return json_answer(std::move(text));
}

} // namespace pipit::server
