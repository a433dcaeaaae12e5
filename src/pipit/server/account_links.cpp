// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/account_links.hpp>

#include <pipit/protocol/go_text.hpp>
#include <pipit/protocol/subject.hpp>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace pipit::server {
namespace {

using protocol::quoted;

/// Adds exports, and then imports, as these are checked against those.
class account_linker {
public:
    account_linker(const server_options& options,
                   std::vector<broker::account_configuration>& accounts)
        : options_(options), by_id_(accounts) {
        std::unordered_set<std::string_view> named;
        for (const auto& each : options.accounts) named.insert(each.name);
        for (auto& each : accounts) {
            if (named.contains(each.name)) by_name_.emplace(each.name, &each);
        }
    }

    std::vector<std::string> link() {
        for_each_export([this](auto& account, const auto& each) {
            if (!each.is_service) add_stream_export(account, each);
        });
        for_each_export([this](auto& account, const auto& each) {
            if (each.is_service) add_service_export(account, each);
        });
        // An import is refused for what is missing; with too much missing, the first reason counts.
        if (!problems_.empty()) return std::move(problems_);
        for (const bool services : {false, true}) {
            for (const auto& account : options_.accounts) {
                for (const auto& each : account.imports) {
                    if (each.is_service == services) add_import(account.name, each);
                }
            }
        }
        return std::move(problems_);
    }

private:
    template <class Visit>
    void for_each_export(Visit visit) {
        for (const auto& account : options_.accounts) {
            auto* configured = find(account.name);
            if (configured == nullptr) continue;
            for (const auto& each : account.exports) visit(*configured, each);
        }
    }

    /// Of the accounts that a configuration names; the others exist, but nobody may refer to them.
    broker::account_configuration* find(std::string_view name) {
        const auto found = by_name_.find(name);
        return found == by_name_.end() ? nullptr : found->second;
    }

    broker::export_audience audience_of(const export_options& options, std::string_view kind) {
        broker::export_audience audience;
        audience.account_token_position = options.account_token_position;
        for (const auto& name : options.accounts) {
            if (const auto* account = find(name)) {
                audience.accounts.push_back(account->id);
            } else {
                problems_.push_back(quoted(name) + " account not defined for " + std::string(kind) +
                                    " export");
            }
        }
        const auto problem = broker::problem_of(options.subject, audience);
        if (!problem.empty()) {
            problems_.push_back("Error adding " + std::string(kind) + " export " +
                                quoted(options.subject) + ": " + problem);
        }
        return audience;
    }

    void add_stream_export(broker::account_configuration& account, const export_options& options) {
        auto made = broker::stream_export{options.subject, audience_of(options, "stream")};
        put(account.stream_exports, std::move(made));
    }

    void add_service_export(broker::account_configuration& account, const export_options& options) {
        broker::service_export made;
        made.subject = options.subject;
        made.audience = audience_of(options, "service");
        made.response = options.response;
        if (options.response_threshold != nanoseconds(0)) {
            made.response_threshold = options.response_threshold;
        }
        made.latency = options.latency;
        made.allow_trace = options.allow_trace;
        put(account.service_exports, std::move(made));
        if (options.latency) check_latency(account, options);
    }

    /// Of two exports of one subject the later one counts.
    template <class Export>
    static void put(std::vector<Export>& exports, Export made) {
        const auto same = std::ranges::find(exports, made.subject, &Export::subject);
        if (same == exports.end()) {
            exports.push_back(std::move(made));
        } else {
            *same = std::move(made);
        }
    }

    void check_latency(const broker::account_configuration& account,
                       const export_options& options) {
        const auto& results = options.latency->subject;
        auto text = "Error adding service latency sampling for " + quoted(options.subject);
        if (options_.no_system_account) {
            problems_.push_back(text + ": system account not setup");
            return;
        }
        text += " on subject " + quoted(results) + ": ";
        if (!protocol::is_valid_publish_subject(results) ||
            broker::service_of(account, results) != nullptr) {
            problems_.push_back(text + "invalid publish subject");
        } else if (options.response != broker::response_type::singleton) {
            problems_.push_back(text + "bad service response type");
        }
    }

    void add_import(std::string_view importer, const import_options& options) {
        const std::string kind = options.is_service ? "service" : "stream";
        const auto* from = find(options.account);
        const auto* to = find(importer);
        if (to == nullptr) return;
        if (from == nullptr) {
            problems_.push_back(quoted(options.account) + " account not defined for " + kind +
                                " import");
            return;
        }
        const auto refuse = [&](const std::string& why) {
            problems_.push_back("Error adding " + kind + " import " + quoted(options.subject) +
                                ": " + why);
        };
        auto local = options.local_subject;
        if (!options.is_service && !options.prefix.empty()) {
            if (!protocol::is_literal(options.prefix)) {
                return refuse("stream import prefix can not contain wildcard tokens");
            }
            local = options.prefix + (options.prefix.ends_with('.') ? "" : ".") + options.subject;
        }
        auto subjects = broker::import_subjects::make(options.subject, local);
        if (!subjects) {
            const auto& first = options.is_service ? local : options.subject;
            const auto& second = options.is_service ? options.subject : local;
            return refuse("failed to create mapping transform for " + kind +
                          " import subject from " + quoted(first) + " to " + quoted(second) + ": " +
                          std::string(subjects.error().detail()));
        }
        const auto importer_id = to->id;
        const auto problem =
            options.is_service
                ? broker::add_import(
                      by_id_, importer_id,
                      broker::service_import{from->id, std::move(*subjects), options.share})
                : broker::add_import(
                      by_id_, importer_id,
                      broker::stream_import{from->id, std::move(*subjects), options.allow_trace});
        if (!problem.empty()) refuse(problem);
    }

    const server_options& options_;
    const broker::account_index by_id_;
    std::unordered_map<std::string_view, broker::account_configuration*> by_name_;
    std::vector<std::string> problems_;
};

} // namespace

std::vector<std::string> link_accounts(const server_options& options,
                                       std::vector<broker::account_configuration>& accounts) {
    return account_linker(options, accounts).link();
}

std::vector<std::string> problems_of_links(const server_options& options) {
    std::vector<broker::account_configuration> accounts;
    for (const auto& each : options.accounts) {
        auto& made = accounts.emplace_back();
        made.id = static_cast<broker::account_id>(accounts.size() - 1);
        made.name = each.name;
    }
    return link_accounts(options, accounts);
}

} // namespace pipit::server
