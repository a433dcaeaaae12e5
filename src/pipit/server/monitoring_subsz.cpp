// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/subject.hpp>
#include <pipit/server/detail/monitoring_documents.hpp>
#include <pipit/server/detail/monitoring_text.hpp>

#include <algorithm>

namespace pipit::server {
namespace {

constexpr std::int64_t default_limit = 1024;

struct subsz_options {
    bool subscriptions = false;
    std::int64_t offset = 0;
    std::int64_t limit = default_limit;
    std::string account;
    std::string test;
};

subsz_options read_options(parameters& query) {
    subsz_options options;
    options.subscriptions = query.flag("subs");
    options.offset = std::max<std::int64_t>(query.integer("offset"), 0);
    options.limit = query.integer("limit");
    if (options.limit <= 0) options.limit = default_limit;
    options.account = query.text("acc");
    options.test = query.text("test");
    if (!options.test.empty() && !protocol::is_valid_literal_subject(options.test)) {
        query.complain("invalid test subject, must be valid publish subject: " + options.test);
    }
    return options;
}

/// Of one account only what is counted per account is known: how many subscriptions it has.
broker::broker_statistics statistics_of(const monitoring_snapshot& snapshot,
                                        const subsz_options& options) {
    if (options.account.empty()) return total_statistics(snapshot);
    broker::broker_statistics statistics;
    const auto* const account = account_named(*snapshot.configuration, options.account);
    if (account == nullptr) return statistics;
    for (const auto& each : total_accounts(snapshot)) {
        if (each.id == account->id) statistics.subscriptions = each.subscriptions;
    }
    return statistics;
}

/// Only the configuration knows an account's number; nothing for one that is not there.
result<std::optional<broker::account_id>> account_number(const document_request& request,
                                                         const std::string& name) {
    const auto snapshot = request.collect({});
    if (!snapshot) return snapshot.error();
    const auto* account = account_named(*snapshot->configuration, name);
    if (account == nullptr) return std::optional<broker::account_id>();
    return std::optional(account->id);
}

/// What to ask of the loops.
result<monitoring_query> query_for(const document_request& request, const subsz_options& options) {
    monitoring_query query{.accounts = !options.account.empty()};
    if (!options.subscriptions) return query;
    broker::subscription_query subscriptions;
    subscriptions.test = options.test;
    subscriptions.offset = static_cast<std::uint64_t>(options.offset);
    subscriptions.limit = static_cast<std::uint64_t>(options.limit);
    if (!options.account.empty()) {
        const auto number = account_number(request, options.account);
        if (!number) return number.error();
        if (!*number) return query;
        subscriptions.account = **number;
    }
    query.subscriptions = std::move(subscriptions);
    return query;
}

void write_page(json_writer& json, const monitoring_snapshot& snapshot) {
    auto begun = false;
    // They stand by their connections: mostly it is the account of the one before.
    broker::account_id looked_up{};
    auto account = named_account(*snapshot.configuration, looked_up);
    for (const auto& loop : snapshot.loops) {
        for (const auto& subscription : loop.subscriptions.page) {
            if (!begun) json.begin_array("subscriptions_list");
            begun = true;
            json.element();
            if (looked_up != subscription.account) {
                looked_up = subscription.account;
                account = named_account(*snapshot.configuration, subscription.account);
            }
            write_subscription(json, subscription, account);
        }
    }
    if (begun) json.end_array();
}

} // namespace

net::http_response subsz(const document_request& request) {
    const auto options = read_options(request.query);
    if (!request.query.problem().empty()) return bad_request(request.query.problem());
    const auto query = query_for(request, options);
    if (!query) return unavailable(query.error());
    const auto snapshot = request.collect(*query);
    if (!snapshot) return unavailable(snapshot.error());

    std::uint64_t total = 0;
    for (const auto& loop : snapshot->loops) total += loop.subscriptions.total;
    std::string text;
    json_writer json(text, page_indent);
    json.begin_object();
    json.member("server_id", snapshot->configuration->identity.id);
    json.member("now", rfc3339(snapshot->server.now.wall));
    write_index_statistics(json, statistics_of(*snapshot, options));
    json.member("total", total);
    json.member("offset", options.offset);
    json.member("limit", options.limit);
    write_page(json, *snapshot);
    json.end_object();
    return json_answer(std::move(text));
}

std::vector<page_part> parts_of_page(std::span<const std::uint64_t> totals, page_part page) {
    std::vector<page_part> parts;
    for (const auto total : totals) {
        const auto skipped = std::min(page.offset, total);
        const auto count = std::min(page.limit, total - skipped);
        parts.push_back({skipped, count});
        page.offset -= skipped;
        page.limit -= count;
    }
    return parts;
}

void write_index_statistics(json_writer& json, const broker::broker_statistics& statistics) {
    const auto ratio = [](std::uint64_t part, std::uint64_t whole) {
        return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
    };
    json.member("num_subscriptions", statistics.subscriptions);
    json.member("num_cache", statistics.cache_entries);
    json.member("num_inserts", statistics.subscription_inserts);
    json.member("num_removes", statistics.subscription_removes);
    json.member("num_matches", statistics.matches);
    json.member("cache_hit_rate", ratio(statistics.cache_hits, statistics.matches));
    json.member("max_fanout", statistics.max_fanout);
    json.member("avg_fanout", ratio(statistics.cached_fanout, statistics.cache_entries));
}

account_names named_account(const broker::configuration& configuration, broker::account_id id) {
    const auto found =
        std::ranges::find(configuration.accounts, id, &broker::account_configuration::id);
    if (found == configuration.accounts.end()) return {};
    return {found->name, account_tag(*found)};
}

void write_subscription(json_writer& json, const broker::subscription_snapshot& subscription,
                        account_names account) {
    json.begin_object();
    json.optional_member("account", account.name);
    json.optional_member("account_tag", account.tag);
    json.member("subject", subscription.subject);
    json.optional_member("qgroup", subscription.queue);
    json.member("sid", subscription.sid);
    json.member("msgs", subscription.delivered);
    json.optional_member("max", subscription.max);
    json.member("cid", subscription.client_id);
    json.end_object();
}

} // namespace pipit::server
