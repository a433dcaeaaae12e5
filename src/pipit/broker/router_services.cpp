// SPDX-License-Identifier: Apache-2.0
// Imports of services: a request goes into the exporter's account with a reply subject of this
// loop's own, and its answer goes back from there.
#include <pipit/broker/router.hpp>

#include <pipit/base/limits.hpp>
#include <pipit/broker/hash.hpp>
#include <pipit/broker/message_sizes.hpp>
#include <pipit/broker/planted_bug.hpp>
#include <pipit/protocol/subject.hpp>
#include <pipit/protocol/weighted_mapping.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace pipit::broker {
namespace {

constexpr bytes_view answer_prefix = "_R_.";
constexpr std::size_t token_size = 6;

void append_token(std::string& to, std::uint64_t number, std::size_t size = token_size) {
    constexpr std::string_view digits =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (std::size_t i = 0; i < size; ++i) {
        to += digits[number % digits.size()];
        number /= digits.size();
    }
}

bytes_view bytes_of(const std::uint64_t& number) noexcept {
    return {reinterpret_cast<const char*>(&number), sizeof number};
}

/// JetStream's acknowledgements keep their reply: servers read it.
bool keeps_its_reply(bytes_view reply) noexcept { return reply.starts_with("$JS.ACK."); }

} // namespace

bytes_view router::map_subject(const account& of, bytes_view subject, std::string& scratch) {
    for (const auto& mapping : of.config->mappings) {
        if (!mapping->matches(subject)) continue;
        // What the weights leave over may be lost on purpose: the empty subject, which nobody has.
        if (!mapping->apply(subject, random_, scratch)) return {};
        return scratch;
    }
    return subject;
}

// --- What this loop wants under its own bit ---

void router::want(account& of, bytes_view subject, bool wanted) {
    of.index.set_peer_interest(subject, peers_.loop(), wanted);
    if (protocol::is_literal(subject)) cache_.drop(of, subject, of.index.hash(subject));
}

/// Requests are compared by their service when they might go in a circle: one object for each.
std::shared_ptr<const service_export> router::shared_service(const account_configuration& exporter,
                                                             const service_export* service) {
    if (service == nullptr) return nullptr;
    auto& known = services_[{exporter.id, service->subject}];
    if (!known || *known != *service) known = std::make_shared<const service_export>(*service);
    return known;
}

void router::link_services(account& of) {
    note_exporters(of);
    std::vector<service_route> next;
    for (const auto& import : of.config->service_imports) {
        const auto exporter = configured_accounts_.find(import->exporter);
        if (exporter == configured_accounts_.end()) continue;
        const auto* service = service_of(*exporter->second, import->subjects.exported());
        next.push_back({import, shared_service(*exporter->second, service)});
    }
    if (std::ranges::equal(next, of.services, [](const auto& a, const auto& b) {
            return *a.import == *b.import && a.service == b.service;
        })) {
        return;
    }
    for (const auto& old : of.services) want(of, old.import->subjects.local(), false);
    of.services = std::move(next);
    for (const auto& made : of.services) want(of, made.import->subjects.local(), true);
}

/// Remembers who is to be linked again when an account changes.
void router::note_exporters(account& of) {
    std::vector<account_id> exporters;
    for (const auto& import : of.config->service_imports) exporters.push_back(import->exporter);
    std::ranges::sort(exporters);
    exporters.erase(std::unique(exporters.begin(), exporters.end()), exporters.end());
    if (exporters == of.exporters) return;
    for (const auto id : of.exporters) {
        const auto importers = importers_.find(id);
        importers->second.erase(of.id);
        if (importers->second.empty()) importers_.erase(importers);
    }
    for (const auto id : exporters) importers_[id].insert(of.id);
    of.exporters = std::move(exporters);
}

/// After one account's configuration has changed: what it exports is what others import.
void router::link_services_around(account_id changed) {
    std::vector<account_id> exporters{changed};
    if (auto* of = find_account(changed)) {
        exporters.insert(exporters.end(), of->exporters.begin(), of->exporters.end());
        link_services(*of);
    }
    const auto importers = importers_.find(changed);
    if (importers != importers_.end()) {
        for (const auto id : importers->second) link_services(*find_account(id));
    }
    for (const auto id : exporters) forget_services_of(id);
}

/// Those that nobody imports any more, and of which no answer is awaited.
void router::forget_services_of(account_id exporter) {
    auto known = services_.lower_bound({exporter, {}});
    while (known != services_.end() && known->first.first == exporter) {
        known = known->second.use_count() == 1 ? services_.erase(known) : std::next(known);
    }
}

/// After many accounts' configurations have changed.
void router::link_all_services() {
    for (auto& [id, of] : accounts_) {
        if (!of->config->service_imports.empty() || !of->services.empty()) link_services(*of);
    }
    std::erase_if(services_, [](const auto& known) { return known.second.use_count() == 1; });
}

/// Hard to guess, as whoever knows it may answer in the name of the service; and this loop's own,
/// so that the answer comes here, from whatever loop.
std::string router::new_answer_subject(account& exporter, bool measured) {
    if (exporter.answers_subject.empty()) {
        const std::uint64_t names[] = {static_cast<std::uint64_t>(exporter.id), answers_secret_};
        exporter.answers_subject = answer_prefix;
        append_token(
            exporter.answers_subject,
            hash_bytes({reinterpret_cast<const char*>(names), sizeof names}, answers_secret_));
        exporter.answers_subject += ".>";
        want(exporter, exporter.answers_subject, true);
        if (!peers_.alone()) announce_interest(exporter, exporter.answers_subject, true);
    }
    for (;;) {
        auto subject = exporter.answers_subject.substr(0, exporter.answers_subject.size() - 1);
        const auto number = next_answer_++;
        append_token(subject, hash_bytes(bytes_of(number), answers_secret_));
        if (measured) {
            subject += '.';
            append_token(subject, hash_bytes(identity_->id, 0), 8);
            subject += ".T";
        }
        if (responses_.find(subject) == nullptr) return subject;
    }
}

bool router::is_in_chain(const service_export* service) const noexcept {
    if (chain_.size() >= limits::import_chain) return true;
    return service != nullptr && std::ranges::any_of(chain_, [&](const chain_link& passed) {
               return passed.service.get() == service;
           });
}

/// What entered this loop in an account, and this loop wants itself. False: nobody gets it.
bool router::serve(const dispatch& asked, bool sole, message_trace* trace) {
    if (asked.subject.starts_with(answer_prefix) && answer(asked)) return true;
    const auto is_for = [&](const service_route& each) {
        return protocol::subject_matches(each.import->subjects.local(), asked.subject);
    };
    const auto& all = asked.of.services;
    const bool goes_to_one = sole && std::ranges::count_if(all, is_for) == 1;
    bool served = false;
    for (const auto& each : all) {
        if (is_for(each)) served |= ask(each, asked, goes_to_one, trace);
    }
    return served;
}

/// Who asks, as far as the exporter is told: nothing of a part of the server itself.
std::optional<client_facts> router::facts_for(const service_import& import,
                                              const dispatch& asked) const {
    const bool to_system = import.exporter == system_account_;
    std::optional<client_facts> facts;
    if (!chain_.empty() && chain_.back().facts) {
        facts = chain_.back().facts;
        facts->service = asked.of.config->name;
        if (!chain_.back().share && (import.share || to_system)) facts->server = identity_->name;
    } else if (asked.publisher != nullptr) {
        const bool share = chain_.empty() ? import.share : chain_.back().share;
        facts = facts_of(*asked.publisher, *identity_, share);
        if (to_system) facts->server = identity_->name;
    }
    return facts;
}

/// Null: the request is not measured.
std::unique_ptr<request_measurement> router::measurement_of(const service_route& by,
                                                            const dispatch& asked) {
    if (!by.service || !by.service->latency) return nullptr;
    auto headers = sampled(*by.service->latency, asked.message.headers, random_);
    if (!headers) return nullptr;
    auto measured = std::make_unique<request_measurement>();
    measured->headers = std::move(*headers);
    measured->begun = asked.now;
    if (asked.publisher != nullptr) {
        measured->requestor = facts_of(*asked.publisher, *identity_, by.import->share);
    }
    return measured;
}

/// Where the exporter is to answer; empty: nobody waits for an answer that could be passed on.
std::string router::answer_subject_for(account& exporter, const service_route& by,
                                       const dispatch& asked) {
    auto measured = measurement_of(by, asked);
    const auto reply = asked.message.reply;
    if (!reply.empty() && !keeps_its_reply(reply)) {
        return await_answer(exporter, asked, by.import->share, by.service, std::move(measured));
    }
    if (measured) {
        service_response unanswerable{.exporter = exporter.id, .service = by.service};
        unanswerable.measured = std::move(measured);
        tell_latency(unanswerable, request_outcomes::no_reply_subject, nullptr, asked.now);
    }
    return {};
}

/// Sends a request on to the account that it is imported from. False: nobody is there.
bool router::ask(const service_route& by, const dispatch& asked, bool sole, message_trace* trace) {
    const auto import = by.import;
    const auto service = by.service;
    auto* exporter = account_of(import->exporter);
    if (exporter == nullptr || is_in_chain(service.get())) return false;
    if (import->expires && *import->expires <= asked.now.wall) return false;
    auto facts = facts_for(*import, asked);
    const auto answer_subject = answer_subject_for(*exporter, by, asked);
    const bool waits = !answer_subject.empty();

    std::string exported, scratch, told, traced;
    protocol::message_operation inner;
    inner.subject =
        map_subject(*exporter, import->subjects.to_exported(asked.subject, exported), scratch);
    inner.reply = waits ? bytes_view(answer_subject) : asked.message.reply;
    inner.headers = asked.message.headers;
    inner.payload = asked.message.payload;
    if (facts) {
        inner.headers = told = with_header(inner.headers, request_info_header, text_of(*facts));
    }
    auto* events = asked.trace;
    const bool only_traced = events != nullptr && events->only();
    const bool ends_trace = events != nullptr && (!service || !service->allow_trace);
    if (events != nullptr) {
        events->add_service_import(exporter->config->name, asked.subject, inner.subject,
                                   asked.now.wall);
        // As in nats-server: it is the importer's own business where events go. Nobody else traces
        // this message any further, so that nothing waits for them there.
        const auto shown =
            ends_trace ? std::string(trace_disabled) : new_answer_subject(*exporter, false);
        inner.headers = traced = with_header(inner.headers, trace_destination_header, shown);
    }
    if (ends_trace) {
        events = nullptr;
        trace = nullptr;
    }
    bool given = false;
    if (!ends_trace || !only_traced) {
        given = pass_into(*exporter, inner, asked,
                          {.by = {service, import->share, std::move(facts)},
                           .events = events,
                           .trace = trace,
                           .sole = sole});
    }
    if (waits && only_traced) {
        (void)responses_.take(answer_subject);
    } else if (waits && !given) {
        give_up(answer_subject, request_outcomes::nobody_there, asked.now);
    }
    return given;
}

/// Routes a message in the account that it passes into from another; its sizes are made here.
bool router::pass_into(account& to, protocol::message_operation& message, const dispatch& from,
                       passage how) {
    const message_sizes sizes(message);
    dispatch dispatch{.of = to,
                      .subject = message.subject,
                      .message = message,
                      .tail = canonical_tail(message),
                      .publisher = from.publisher,
                      .special = special_flags(message),
                      .now = from.now,
                      .size = message.headers.size() + message.payload.size(),
                      .trace = how.events,
                      .imported = true,
                      .sole = how.sole};
    chain_.push_back(std::move(how.by));
    const bool given = route(dispatch, how.trace);
    chain_.pop_back();
    return given;
}

/// Returns where the answer is to be sent in the exporter's account.
std::string router::await_answer(account& exporter, const dispatch& asked, bool share,
                                 std::shared_ptr<const service_export> service,
                                 std::unique_ptr<request_measurement> measured) {
    service_response response;
    response.subject = new_answer_subject(exporter, measured != nullptr);
    response.exporter = exporter.id;
    response.importer = asked.of.id;
    response.reply = asked.message.reply;
    response.requested = asked.subject;
    response.share = share;
    response.service = std::move(service);
    const bool once = response.type() == response_type::singleton;
    if (once) response.measured = std::move(measured);
    auto subject = response.subject;
    responses_.add(std::move(response), asked.now.steady);
    expire_responses(asked.now);
    return subject;
}

/// Passes an answer on to who asked. False: nobody waits for it.
bool router::answer(const dispatch& given) {
    auto* waiting = responses_.find(given.subject);
    if (waiting == nullptr || waiting->exporter != given.of.id) return false;
    const auto service = waiting->service;
    auto* importer = account_of(waiting->importer);
    if (importer == nullptr || is_in_chain(service.get())) return false;
    if (waiting->measured) {
        const auto responder = responder_of(given);
        tell_latency(*waiting, request_outcomes::answered, &responder, given.now);
        waiting->measured.reset();
    }
    // What is delivered may end what waits: from here on it is found anew.
    const auto wanted = waiting->reply;
    const auto share = waiting->share;
    const auto type = waiting->type();
    std::string scratch, untraced;
    protocol::message_operation inner = given.message;
    inner.subject = map_subject(*importer, wanted, scratch);
    if (given.trace != nullptr) {
        // Who answers is not shown what becomes of it in an account that is not his.
        given.trace->add_service_import(importer->config->name, given.subject, inner.subject,
                                        given.now.wall);
        if (given.trace->only()) return true;
        inner.headers = untraced =
            with_header(inner.headers, trace_destination_header, trace_disabled);
    }
    std::string reply(given.message.reply);
    if (!reply.empty() && !keeps_its_reply(reply)) {
        reply = await_answer(*importer, given, share, service, nullptr);
    }
    inner.reply = reply;
    inner.whole = nullptr;
    const bool delivered = pass_into(
        *importer, inner, given,
        {.by = {service, share, std::nullopt}, .events = nullptr, .trace = nullptr, .sole = false});
    const bool last = inner.headers.empty() && inner.payload.empty();
    const bool once =
        type == response_type::singleton && !planted::is(planted::bug::keeps_answered_requests);
    if (!delivered || last || once) {
        (void)responses_.take(given.subject);
        if (!delivered && reply != given.message.reply) (void)responses_.take(reply);
    } else {
        responses_.renew(given.subject, given.now.steady);
    }
    return delivered;
}

// --- The end of a wait ---

void router::give_up(bytes_view subject, request_outcome outcome, moment now) {
    if (const auto response = responses_.take(subject)) {
        tell_latency(*response, outcome, nullptr, now);
    }
}

void router::expire_responses(moment now) {
    while (const auto response = responses_.take_due(now.steady)) {
        tell_latency(*response, request_outcomes::timed_out, nullptr, now);
    }
}

/// Nobody waits for an answer whose subject lost its last subscription.
void router::on_interest_lost(const account& of, bytes_view subject) {
    const auto here = std::uint64_t{1} << peers_.loop();
    match_result targets;
    for (const auto& waiting : responses_.waiting_for(of.id, subject)) {
        const auto* response = responses_.find(waiting);
        targets.clear();
        of.index.match(response->reply, targets);
        if (!targets.plain.empty() || !targets.groups.empty() || (targets.peers & ~here) != 0) {
            continue;
        }
        if (auto lost = responses_.take(waiting); lost && lost->measured) {
            lost_.push_back(std::move(*lost));
        }
    }
}

// --- Metrics ---

responder_facts router::responder_of(const dispatch& given) const {
    if (given.responder != nullptr) return *given.responder;
    if (given.publisher == nullptr) return {};
    const auto facts = facts_of(*given.publisher, *identity_, true);
    return {text_of(facts), facts.round_trip};
}

/// Kept until the batch is done: whoever gets them may change what is being worked on.
void router::tell_latency(const service_response& response, request_outcome outcome,
                          const responder_facts* responder, moment now) {
    if (!response.measured || !response.service || !response.service->latency) return;
    metrics_.push_back(
        {response.exporter, response.service->latency->subject,
         latency_metric(*response.measured, outcome, responder, metric_ids_.next(), now)});
}

void router::publish_metrics(moment now) {
    for (const auto& each : std::exchange(lost_, {})) {
        tell_latency(each, request_outcomes::requester_gone, nullptr, now);
    }
    // Publishing may end waits of its own, and so bring more.
    while (!metrics_.empty()) {
        for (const auto& each : std::exchange(metrics_, {})) {
            auto* exporter = account_of(each.exporter);
            if (exporter == nullptr) continue;
            protocol::message_operation message;
            message.subject = each.subject;
            message.payload = each.body;
            const message_sizes sizes(message);
            publish(*exporter, message, now);
        }
    }
}

} // namespace pipit::broker
