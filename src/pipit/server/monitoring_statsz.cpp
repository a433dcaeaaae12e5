// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/monitoring_documents.hpp>
#include <pipit/server/detail/monitoring_text.hpp>

#include <algorithm>

namespace pipit::server {
namespace {

void write_count(json_writer& json, std::string_view name, const broker::traffic& count) {
    json.begin_object(name);
    json.member("msgs", count.messages);
    json.member("bytes", count.bytes);
    json.end_object();
}

void write_by_kind(json_writer& json, std::string_view name, std::uint64_t of_clients) {
    if (of_clients == 0) return;
    json.begin_object(name);
    json.member("clients", of_clients);
    for (const auto* absent : {"routes", "gateways", "leafs"}) json.member(absent, 0);
    json.end_object();
}

/// The system account is always in use.
std::ptrdiff_t active_accounts(const monitoring_snapshot& snapshot) {
    const auto system = snapshot.configuration->system_account;
    return std::ranges::count_if(total_accounts(snapshot), [&](const auto& account) {
        return account.connections != 0 || account.id == system;
    });
}

} // namespace

std::string statsz(const monitoring_snapshot& snapshot) {
    const auto& server = snapshot.server;
    const auto total = total_statistics(snapshot);
    std::string text;
    json_writer json(text);
    json.begin_object();
    json.member("start", rfc3339(server.start));
    json.member("mem", server.memory_bytes);
    json.member("cores", server.cores);
    json.member("cpu", server.cpu_percent);
    json.member("connections", total.connections);
    json.member("total_connections", total.total_connections);
    json.member("active_accounts", active_accounts(snapshot));
    json.member("subscriptions", total.subscriptions);
    write_count(json, "sent", total.out);
    write_count(json, "sent_to_clients", total.out);
    write_count(json, "received", total.in);
    write_count(json, "received_from_clients", total.in);
    json.member("slow_consumers", total.slow_consumers);
    write_by_kind(json, "slow_consumer_stats", total.slow_consumers);
    json.optional_member("stale_connections", total.stale_connections);
    write_by_kind(json, "stale_connection_stats", total.stale_connections);
    json.optional_member("stalled_clients", total.stalled_clients);
    json.member("active_servers", 1);
    json.member("gomaxprocs", server.cores);
    json.end_object();
    return text;
}

} // namespace pipit::server
