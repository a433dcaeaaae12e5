// SPDX-License-Identifier: Apache-2.0
// What is seen of a server from outside.
#include <pipit/base/limits.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/net/error.hpp>
#include <pipit/server/detail/monitoring_documents.hpp>
#include <pipit/server/detail/server_state.hpp>
#include <pipit/server/host_port.hpp>
#include <pipit/server/start_by_clock.hpp>
#include <pipit/server/system_requests.hpp>
#include <pipit/server/version.hpp>

#include <algorithm>
#include <iterator>
#include <span>
#include <thread>

namespace pipit::server {

void note_options(server_snapshot& facts, const server_options& options) {
    facts.configuration_digest = options.config_digest;
    facts.tags = options.server_tags;
    facts.operators = options.operators;
    facts.metadata = options.server_metadata;
    facts.feature_flags = options.feature_flags;
    facts.write_timeout = to_text(options.write_timeout);
    facts.trusted_proxies = options.trusted_proxies;
    facts.websocket = options.websocket;
    for (auto* secret : {&facts.websocket.password, &facts.websocket.token}) secret->clear();
    facts.asks_about_peers = asks_about_peers(options.tls);
    facts.tls_timeout = options.tls ? options.tls->timeout : nanoseconds(limits::tls_timeout);
}

void note_tls(server_snapshot& facts, const tls_rules* rules) {
    facts.tls_valid_until = rules != nullptr ? rules->context->valid_until() : std::nullopt;
}

result<> server::state::start_monitoring() {
    auto& facts = seen.server;
    facts.configuration_loaded = facts.start;
    note_options(facts, options);
    note_tls(facts, client_rules.tls.get());
    facts.pipit_version = pipit_version();
    facts.http_host = options.http_host.empty() ? options.host : options.http_host;
    facts.http_port = options.http_port;
    facts.https_port = options.https_port;
    facts.http_base_path = options.http_base_path;
    facts.command_line = setup.command_line;
    facts.not_ready = "the server is starting";
    facts.cores = std::thread::hardware_concurrency();
    const bool is_secure = options.https_port != 0;
    if (options.http_port == 0 && !is_secure) return {};

    documents = std::make_unique<monitor>(
        options.http_base_path, [this](const monitoring_query& query) { return collect(query); },
        log);
    net::http_server_options wanted;
    wanted.name = "Monitoring";
    wanted.log = log;
    wanted.host = facts.http_host;
    const auto port = is_secure ? options.https_port : options.http_port;
    wanted.port = static_cast<std::uint16_t>(std::max(port, 0)); // -1: any free one.
    if (is_secure) {
        wanted.tls = [this] {
            const std::lock_guard guard(seen.lock);
            return seen.monitoring_tls;
        };
    }
    auto serving = net::http_server::listen(
        wanted, [this](std::string_view target) { return documents->respond(target); });
    if (!serving) {
        const auto place = join_host_port(wanted.host, wanted.port);
        log.fatal("Can't start monitoring: can't listen to the monitor port: listen tcp " + place +
                  ": bind: " + system_reason(serving.error().code().value()));
        return serving.error();
    }
    http = std::move(*serving);
    log.info("Starting http" + std::string(is_secure ? "s" : "") + " monitor on " +
             join_host_port(facts.http_host, http->port()));
    return {};
}

/// On the HTTP server's thread.
result<monitoring_snapshot> server::state::collect(const monitoring_query& query) {
    monitoring_snapshot snapshot;
    {
        const std::lock_guard guard(seen.lock);
        if (seen.is_closing) return error(net::errc::closed, "the server is closing");
        const moment now{net::steady_now(), net::wall_now()};
        seen.server.start = start_by_clock({seen.started, seen.server.start}, now);
        snapshot.server = seen.server;
        snapshot.server.now = now;
        snapshot.configuration = seen.config;
        const auto usage = read_process_usage();
        snapshot.server.memory_bytes = usage.memory_bytes;
        snapshot.server.cpu_percent = seen.meter.percent(usage.cpu_time, now.steady);
    }
    snapshot.server.ocsp_cache = ocsp.statistics();
    if (jwt_accounts) snapshot.server.refused_unpinned = jwt_accounts->refused_unpinned();
    snapshot.configuration = with_known_accounts(std::move(snapshot.configuration));
    std::optional<broker::account_id> exporter;
    for (const auto& account : snapshot.configuration->accounts) {
        if (!query.responses_of.empty() && account.name == query.responses_of)
            exporter = account.id;
    }
    auto answers =
        ask_every_loop([with_accounts = query.accounts, exporter](unsigned, broker::broker& one) {
            loop_snapshot answer;
            answer.statistics = one.statistics();
            if (with_accounts) answer.accounts = one.accounts();
            if (exporter) answer.responses = one.responses(*exporter, limits::shown_responses);
            return answer;
        });
    if (!answers || (query.sessions && !collect_sessions(*query.sessions, *answers)) ||
        (query.subscriptions && !collect_page(*query.subscriptions, *answers))) {
        return error(net::errc::timeout, "a loop did not answer in time");
    }
    snapshot.loops = std::move(*answers);
    return snapshot;
}

/// What the loops say of one account, added up; nothing when none of them knows it.
std::optional<broker::account_snapshot> server::state::total_of(broker::account_id account) {
    const auto answers = ask_every_loop(
        [account](unsigned, broker::broker& one) { return one.numbers_of(account); });
    std::optional<broker::account_snapshot> total;
    if (!answers) return total;
    for (const auto& each : *answers) {
        if (!each) continue;
        if (!total) total.emplace().id = account;
        *total += *each;
    }
    return total;
}

std::optional<account_total> server::state::total_of(std::string_view account) {
    const auto with_all = with_known_accounts(seen.configuration());
    const auto* const found = account_named(*with_all, account);
    if (found == nullptr) return std::nullopt;
    const auto numbers = total_of(found->id);
    if (!numbers) return std::nullopt;
    return account_total{*numbers, std::string(account_tag(*found))};
}

/// Who all of them are, and then some at a time.
bool server::state::collect_sessions(const session_query& query, std::vector<loop_snapshot>& into) {
    using id_lists = std::vector<std::vector<std::uint64_t>>;
    auto numbers = std::make_shared<id_lists>(into.size());
    if (query.client_id) {
        for (auto& ids : *numbers) ids = {*query.client_id};
    } else {
        auto answers = ask_every_loop(
            [state = query.state](unsigned, broker::broker& one) { return one.client_ids(state); });
        if (!answers) return false;
        *numbers = std::move(*answers);
    }
    std::size_t longest = 0;
    for (const auto& ids : *numbers) longest = std::max(longest, ids.size());
    for (std::size_t begin = 0; begin < longest; begin += limits::sessions_at_a_time) {
        auto some = ask_every_loop([=, state = query.state](unsigned loop, broker::broker& one) {
            const std::span<const std::uint64_t> ids((*numbers)[loop]);
            const auto part = ids.subspan(std::min(begin, ids.size()));
            return one.sessions(part.first(std::min(limits::sessions_at_a_time, part.size())),
                                state);
        });
        if (!some) return false;
        for (std::size_t loop = 0; loop < into.size(); ++loop) {
            std::ranges::move((*some)[loop], std::back_inserter(into[loop].sessions));
        }
    }
    return true;
}

/// How many there are, and then some at a time. What comes or goes meanwhile may be missed or
/// shown twice.
bool server::state::collect_page(const broker::subscription_query& query,
                                 std::vector<loop_snapshot>& into) {
    auto part = query;
    part.offset = part.limit = 0;
    const auto counted = ask_every_loop(
        [part](unsigned, broker::broker& one) { return one.subscriptions(part).total; });
    if (!counted) return false;
    const auto wanted = std::min(query.limit, limits::shown_subscriptions);
    const auto parts = parts_of_page(*counted, {query.offset, wanted});
    std::uint64_t longest = 0;
    for (std::size_t loop = 0; loop < into.size(); ++loop) {
        into[loop].subscriptions.total = (*counted)[loop];
        longest = std::max(longest, parts[loop].limit);
    }
    for (std::uint64_t begin = 0; begin < longest; begin += limits::subscriptions_at_a_time) {
        auto some = ask_every_loop([=](unsigned loop, broker::broker& one) {
            auto slice = part;
            slice.offset = parts[loop].offset + begin;
            slice.limit = std::min(parts[loop].limit - std::min(parts[loop].limit, begin),
                                   limits::subscriptions_at_a_time);
            return slice.limit == 0 ? broker::subscription_list{} : one.subscriptions(slice);
        });
        if (!some) return false;
        for (std::size_t loop = 0; loop < into.size(); ++loop) {
            std::ranges::move((*some)[loop].page,
                              std::back_inserter(into[loop].subscriptions.page));
        }
    }
    return true;
}

} // namespace pipit::server
