// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/server/detail/monitoring_documents.hpp>
#include <pipit/server/detail/monitoring_test_support.hpp>
#include <pipit/server/detail/system_json.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/system_requests.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

namespace pipit::server::testing {

/// The services of a server of which everything is known.
struct system_world {
    testing::monitored monitored = {};
    std::optional<broker::user_information> user = std::nullopt;
    std::string refusal = {}; ///< What commands fail with; empty: they succeed.
    std::uint64_t kicked = 0;
    std::uint64_t sequence = 0;

    result<> command() const {
        if (refusal.empty()) return {};
        return error(errc::invalid_request, refusal);
    }

    system_requests requests() {
        system_dependencies its;
        its.collect = [this](const monitoring_query& query) { return monitored.collect(query); };
        its.account = [this](std::string_view name) -> std::optional<account_total> {
            const auto& snapshot = monitored.snapshot;
            const auto* const account = account_named(*snapshot.configuration, name);
            if (account == nullptr) return std::nullopt;
            const auto totals = total_accounts(snapshot);
            return account_total{
                *std::ranges::find(totals, account->id, &broker::account_snapshot::id),
                std::string(account_tag(*account))};
        };
        its.facts = [this] {
            server_facts facts;
            facts.identity = monitored.snapshot.configuration->identity;
            facts.tags = {"az:1"};
            return std::make_shared<const server_facts>(std::move(facts));
        };
        its.next_sequence = [this] { return ++sequence; };
        its.next_id = [] { return std::string("ID"); };
        its.now = [] { return at(); };
        its.request_counts = [] { return std::map<std::string, std::uint64_t, std::less<>>(); };
        its.reload = [this] { return command(); };
        its.kick = [this](std::uint64_t id) {
            kicked = id;
            return command();
        };
        its.announce_lame_duck = [this](std::uint64_t) { return command(); };
        its.user_of = [this](std::uint64_t) { return user; };
        return system_requests(std::move(its), logger());
    }

    /// The body of the answer, each with the first sequence; empty: none.
    std::string ask(const std::string& service, const std::string& body = {},
                    const std::string& account = {}) {
        sequence = 0;
        const auto answer =
            requests().answer({.service = service, .account = account, .body = body, .sender = 7});
        return answer ? answer->body : "";
    }
};

} // namespace pipit::server::testing
