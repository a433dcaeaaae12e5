// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/system_requests.hpp>

#include <pipit/auth/permissions.hpp>
#include <pipit/base/ascii_case.hpp>
#include <pipit/broker/content_encoding.hpp>
#include <pipit/protocol/subject.hpp>
#include <pipit/server/detail/monitoring_documents.hpp>
#include <pipit/server/detail/system_json.hpp>
#include <pipit/server/detail/system_request.hpp>
#include <pipit/server/detail/system_services.hpp>
#include <pipit/server/error.hpp>

#include <algorithm>

namespace pipit::server {
namespace {

/// As nats-server; there is no cluster and no domain here.
bool is_meant(const server_filter& filter, const server_facts& facts) {
    const auto fits = [&](const std::string& wanted, const std::string& own) {
        if (wanted.empty()) return true;
        return filter.exact_match ? wanted == own : own.find(wanted) != std::string::npos;
    };
    const auto has_tag = [&](const std::string& tag) {
        return std::ranges::find(facts.tags, lower_case(tag)) != facts.tags.end();
    };
    return fits(filter.name, facts.identity.name) && fits(filter.host, facts.identity.host) &&
           fits(filter.cluster, {}) && filter.domain.empty() &&
           std::ranges::all_of(filter.tags, has_tag);
}

/// JSON, or what went wrong.
struct outcome {
    std::string data = {};
    int error_code = 0; ///< 0: none.
    std::string problem = {};
    bool silent = false; ///< Nothing is answered.
};

outcome failed(int code, std::string problem) {
    return {.error_code = code, .problem = std::move(problem)};
}

/// As nats-server, which has a document to give then, and gives none.
outcome no_document(std::string problem) {
    return {.data = "null", .error_code = 500, .problem = std::move(problem)};
}

void write_permissions(json_writer& json, const auth::permissions& rules) {
    const auto& lists = rules.lists();
    json.begin_object("permissions");
    json.begin_object("publish");
    json.optional_member("allow", lists.publish_allow);
    json.optional_member("deny", lists.publish_deny);
    json.end_object();
    json.begin_object("subscribe");
    json.optional_member("allow", lists.subscribe_allow);
    json.optional_member("deny", lists.subscribe_deny);
    json.end_object();
    if (lists.allow_responses) {
        json.begin_object("responses");
        json.member("max", lists.allow_responses->max);
        json.member("ttl", lists.allow_responses->expires.count());
        json.end_object();
    }
    json.end_object();
}

std::uint64_t client_of(const system_request& request) {
    return parameters(request.parameters).natural("cid");
}

outcome done(const result<>& it) {
    return it ? outcome{} : failed(500, std::string(it.error().detail()));
}

/// One question on its way to its answer.
class service_call {
public:
    service_call(const system_dependencies& its, const logger& log, const system_question& question)
        : its_(its), log_(log), question_(question) {}

    outcome run(const system_request& request) {
        request_ = &request;
        const auto service = std::string_view(question_.service);
        if (service == "USER.INFO") return user_information();
        if (service == "RELOAD") return done(its_.reload());
        if (service == "KICK") return done(its_.kick(client_of(request)));
        if (service == "LDM") return done(its_.announce_lame_duck(client_of(request)));
        if (service == "STATZ") return statz();
        if (service == "INFO") return account_info();
        if (service == "JSZ" && !question_.account.empty()) {
            return no_document("jetstream not enabled");
        }
        const bool leader_only = parameters(request.parameters).flag("leader-only");
        if (service == "JSZ" && leader_only) return {.silent = true}; // Nobody leads here.
        return document_of(*service_named(service));
    }

private:
    outcome document_of(const system_service& service) {
        auto values = request_->parameters;
        if (!question_.account.empty()) {
            const bool lists_always = service.name == "SUBSZ";
            std::erase_if(values, [&](const auto& each) {
                return each.first == "acc" || (lists_always && each.first == "subs");
            });
            values.emplace_back("acc", question_.account);
            if (lists_always) values.emplace_back("subs", "1");
        }
        const auto is_detail = [](const auto& each) { return each.first == "subs_detail"; };
        if (std::ranges::any_of(values, is_detail)) {
            std::erase_if(values, [](const auto& each) { return each.first == "subs"; });
            values.emplace_back("subs", "detail");
        }
        parameters query(std::move(values));
        const auto counts = its_.request_counts();
        const std::string base_path = "/";
        const auto made =
            service.make({query, its_.collect, counts, base_path, log_, /*as_message=*/true});
        if (made.content_type.starts_with("application/json")) return {compact(made.body)};
        return no_document(made.body);
    }

    outcome statz() {
        std::vector<std::string> accounts = request_->accounts;
        if (question_.account == "PING") return {.silent = true}; // Its own service answers.
        if (!question_.account.empty()) accounts = {question_.account};
        parameters query(std::vector<std::pair<std::string, std::string>>{});
        if (request_->include_unused) query = parameters("unused=1");
        const auto counts = its_.request_counts();
        const std::string base_path = "/";
        const auto made = accstatz({query, its_.collect, counts, base_path, log_, true, accounts});
        if (!made.content_type.starts_with("application/json")) return no_document(made.body);
        auto data = compact(made.body);
        if (!request_->include_unused && data.ends_with("\"account_statz\":[]}")) {
            return {.silent = true};
        }
        return {std::move(data)};
    }

    outcome account_info() {
        const auto snapshot = its_.collect({.accounts = true, .responses_of = question_.account});
        if (!snapshot) return no_document(snapshot.error().message());
        const auto* account = account_named(*snapshot->configuration, question_.account);
        if (account == nullptr) {
            return no_document("Account " + question_.account + " does not exist");
        }
        return {account_information(*snapshot, *account)};
    }

    outcome user_information() {
        const auto user = its_.user_of(question_.sender);
        if (!user) return failed(400, {});
        std::string text;
        json_writer json(text);
        json.begin_object();
        json.member("user", question_.hides_user ? std::string() : user->user);
        json.member("account", user->account);
        json.optional_member("account_name", user->account_name);
        if (!question_.hides_user) json.optional_member("user_name", user->user_name);
        if (user->permissions) write_permissions(json, *user->permissions);
        if (user->expires) json.member("expires", (*user->expires - its_.now()).count());
        json.end_object();
        return {std::move(text)};
    }

    const system_dependencies& its_;
    const logger& log_;
    const system_question& question_;
    const system_request* request_ = nullptr;
};

std::string id_document(const server_facts& facts) {
    std::string text;
    json_writer json(text);
    json.begin_object();
    json.member("name", facts.identity.name);
    json.member("host", facts.identity.host);
    json.member("id", facts.identity.id);
    json.end_object();
    return text;
}

template <class Condition>
std::vector<std::string_view> names_of(Condition holds) {
    std::vector<std::string_view> names;
    for (const auto& each : system_services()) {
        if (holds(each)) names.push_back(each.name);
    }
    return names;
}

bool is_about_a_client(const system_question& question) {
    return question.service == "KICK" || question.service == "LDM";
}

result<system_request> read_request(const system_question& question) {
    // Who somebody is depends on nothing that he says.
    if (question.service == "USER.INFO") return system_request();
    if (question.body.empty() && is_about_a_client(question)) {
        return error(errc::invalid_request, "unexpected end of JSON input");
    }
    const auto* const service = service_named(question.service);
    const auto options = service == nullptr ? std::span<const request_option>() : service->options;
    return read_system_request(question.body, options);
}

/// Compressed as the asker accepts it.
system_answer encoded(std::string body, const std::string& request_headers) {
    const auto encoding = broker::accepted_encoding(request_headers);
    if (encoding == broker::content_encoding::none) return {{}, std::move(body)};
    std::string headers = "NATS/1.0\r\nContent-Encoding: ";
    headers.append(broker::name(encoding)).append("\r\n\r\n");
    return {std::move(headers), broker::encode(encoding, body)};
}

} // namespace

system_requests::system_requests(system_dependencies dependencies, logger log)
    : its_(std::move(dependencies)), log_(std::move(log)) {}

std::optional<system_answer> system_requests::answer(const system_question& question) const {
    const auto facts = its_.facts();
    const auto stamp = [&] { return message_stamp{its_.next_sequence(), its_.now()}; };
    if (question.service == "IDZ") return system_answer{{}, id_document(*facts)};
    if (question.service == "SUBSCRIBERS") {
        const auto count = subscribers(question);
        if (!count) return std::nullopt;
        return system_answer{{}, std::to_string(*count)};
    }
    const auto request = read_request(question);
    if (!request) {
        const auto drop = [&](std::string_view what) {
            log_.error("Error unmarshalling " + std::string(what) + ": " +
                       std::string(request.error().detail()));
            return std::nullopt;
        };
        if (is_about_a_client(question)) return drop("kick client request");
        if (question.service == "CONNS") return drop("account connections request message");
        return system_answer{{}, system_error(*facts, stamp(), 400, request.error().detail())};
    }
    if (question.service == "CONNS") return connections_for(question, *request);
    if (!request->filter_problem.empty()) {
        return system_answer{{}, system_error(*facts, stamp(), 400, request->filter_problem)};
    }
    if (!is_meant(request->filter, *facts)) return std::nullopt;
    if (question.service == "STATSZ") {
        auto body = statistics();
        if (!body) return std::nullopt;
        return system_answer{{}, std::move(*body)};
    }
    auto made = service_call(its_, log_, question).run(*request);
    if (made.silent) return std::nullopt;
    if (made.error_code != 0) {
        return system_answer{
            {}, system_error(*facts, stamp(), made.error_code, made.problem, made.data)};
    }
    return encoded(system_message(*facts, stamp(), "data", made.data), question.headers);
}

/// As servers ask it of one another: it may name the account once more, and filters no server.
std::optional<system_answer> system_requests::connections_for(const system_question& question,
                                                              const system_request& request) const {
    const auto is_another = [&](const auto& named) { return named.second != question.account; };
    if (std::ranges::any_of(request.parameters, is_another)) {
        log_.error("Error unmarshalled account does not match subject");
        return std::nullopt;
    }
    const auto total = its_.account(question.account);
    if (!total || total->numbers.connections == 0) return std::nullopt;
    return system_answer{{}, connections_in(total->numbers, {question.account, total->tag})};
}

/// How many subscriptions of the asker's account want `subject`, or are covered by that pattern,
/// or are members of the group in `subject queue`.
std::optional<std::uint64_t> system_requests::subscribers(const system_question& question) const {
    constexpr std::uint64_t page = 1024;
    const auto text = std::string_view(question.body);
    const auto space = text.find(' ');
    const auto subject = text.substr(0, space);
    const auto queue = space == std::string_view::npos ? "" : text.substr(space + 1);
    const bool is_literal = protocol::is_valid_literal_subject(subject);
    if (!is_literal && !protocol::is_valid_subject(subject)) return 0;
    monitoring_query query;
    auto& wanted = query.subscriptions.emplace();
    wanted.account = question.sender_account;
    wanted.limit = page;
    if (is_literal) wanted.test = subject;
    std::uint64_t count = 0;
    for (std::uint64_t seen = page; seen == page; wanted.offset += page) {
        const auto snapshot = its_.collect(query);
        if (!snapshot) return std::nullopt;
        seen = 0;
        for (const auto& loop : snapshot->loops) {
            seen += loop.subscriptions.page.size();
            count += static_cast<std::uint64_t>(
                std::ranges::count_if(loop.subscriptions.page, [&](const auto& each) {
                    return (queue.empty() || each.queue == queue) &&
                           (is_literal || protocol::is_subset(each.subject, subject));
                }));
        }
    }
    return count;
}

std::optional<std::string> system_requests::statistics() const {
    const auto snapshot = its_.collect({.accounts = true});
    if (!snapshot) return std::nullopt;
    return system_message(*its_.facts(), {its_.next_sequence(), its_.now()}, "statsz",
                          statsz(*snapshot));
}

std::string system_requests::connections_in(const broker::account_snapshot& total,
                                            account_names account) const {
    return account_event(*its_.facts(), its_.next_id(), {its_.next_sequence(), its_.now()}, total,
                         account);
}

std::vector<std::string_view> server_services() {
    return names_of([](const system_service& each) { return each.by_id && each.by_ping; });
}
std::vector<std::string_view> server_commands() {
    return names_of([](const system_service& each) { return each.by_id && !each.by_ping; });
}
std::vector<std::string_view> account_services() {
    return names_of([](const system_service& each) { return each.about_accounts; });
}

} // namespace pipit::server
