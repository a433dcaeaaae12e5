// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/random.hpp>
#include <pipit/broker/account.hpp>
#include <pipit/broker/match_cache.hpp>
#include <pipit/broker/message_trace.hpp>
#include <pipit/broker/outbox.hpp>
#include <pipit/broker/peer_link.hpp>
#include <pipit/broker/service_responses.hpp>
#include <pipit/protocol/nuid.hpp>
#include <pipit/protocol/operations.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace pipit::broker {

/// How long the bytes of a message live, hence how a large one may be delivered.
enum class tail_storage : std::uint8_t {
    scratch,   ///< Until the batch is flushed: borrowed.
    block,     ///< In `message.whole`: shared.
    transient, ///< Only for this dispatch: copied.
};

/// One message on its way to whoever wants it.
struct dispatch {
    account& of;
    bytes_view subject; ///< What it is delivered as: mapped, if there was a mapping.
    const protocol::message_operation& message;
    bytes_view tail; ///< What follows `MSG <subject> <sid> `, canonical.
    tail_storage storage = tail_storage::transient;
    session* publisher = nullptr; ///< Null when it is on another loop.
    std::uint8_t special = 0;     ///< The delivery flags that concern this message.
    moment now;
    std::uint64_t size = 0;                 ///< Headers and payload.
    std::uint64_t told = 0;                 ///< Loops that get it, a bit each.
    std::uint32_t delivered = 0;            ///< On this loop.
    std::uint32_t internal = 0;             ///< Of these, to the server itself: not sent anywhere.
    egress_events* trace = nullptr;         ///< Usually null.
    const peer_record* from_peer = nullptr; ///< What brought it from another loop.
    session* behind = nullptr; ///< A reader that is, where the publisher is not stalled here.
    bool imported = false;     ///< Came by an import of a service: streams' imports do not get it.
    bool sole = true; ///< Nobody else gets it; who asks is told when nobody is on other loops.
    const responder_facts* responder = nullptr; ///< Of a publisher on another loop.
};

/// The delivery flags that concern a message with these headers and this reply.
[[nodiscard]] std::uint8_t special_flags(const protocol::message_operation& message) noexcept;

/// Of a subscription to be. Made as soon as its line is read, so that both tables' slots are on
/// their way to the processor while it is checked: with very many subscriptions they are far.
struct subscribe_hashes {
    subscribe_hashes(const session& session,
                     const protocol::subscribe_operation& operation) noexcept;

    std::uint64_t sid;
    std::uint64_t subject;
};

/// Finds who wants a message and gives it to them; keeps the accounts' indexes.
class router {
public:
    router(outbox& outbox, peer_link& peers, std::uint64_t seed);

    /// Obeys a configuration, which lives until the next call.
    void configure(const configuration& configuration);

    /// Adds or replaces an account, which stays over every configuration. The other accounts cost
    /// nothing, but for those that import its services.
    void put_account(std::shared_ptr<const account_configuration> config);

    /// The account's part on this loop, made on first use; null when none is configured.
    account* account_of(account_id id);
    [[nodiscard]] account* find_account(account_id id) const noexcept;
    /// False: one that a reload has removed, if it has ever been there.
    [[nodiscard]] bool is_configured(account_id id) const {
        return configured_accounts_.contains(id);
    }
    /// Without those that this loop does not know yet.
    [[nodiscard]] const std::unordered_map<account_id, std::unique_ptr<account>>&
    accounts() const noexcept {
        return accounts_;
    }

    /// Adds a subscription that was allowed, with a valid subject and a sid that is free: it was
    /// looked up and is not at `where`.
    void subscribe(session& session, const protocol::subscribe_operation& operation,
                   const subscribe_hashes& hashes, session::subscription_table::place where);
    /// Ends a subscription now.
    void unsubscribe(subscription& subscription);
    /// Ends all subscriptions of a session.
    void unsubscribe_all(session& session);

    // --- Sessions that have ended with very many subscriptions ---

    /// Ends all subscriptions of a session that has ended. False: only when `go_on_leaving()` has
    /// been called often enough; until then the session lives, in its account.
    [[nodiscard]] bool leave(session& session);
    [[nodiscard]] bool anybody_is_leaving() const noexcept { return !leaving_.empty(); }
    /// Ends some more of them.
    void go_on_leaving();
    void finish_leaving();
    /// Takes over a session that is leaving; leaves any other one where it is.
    void keep_while_leaving(std::unique_ptr<session>& session);

    /// Routes a message of a client that was allowed and counted. `subject` is the mapped one.
    void publish(session& publisher, bytes_view subject, const protocol::message_operation& message,
                 moment now) {
        publish(publisher, subject, message, now, nullptr);
    }
    /// The same; calls `trace_complete` when it is known on all loops what became of the message.
    void publish_traced(session& publisher, bytes_view subject,
                        const protocol::message_operation& message, moment now,
                        std::unique_ptr<message_trace> trace);
    /// Routes a message of the server itself.
    void publish(account& of, const protocol::message_operation& message, moment now);
    /// Somebody on any loop would get a message with this subject.
    [[nodiscard]] bool is_wanted(account& of, bytes_view subject) {
        return !cache_.find(of, subject).empty();
    }
    /// Takes what other loops sent, until there is so much output that it should be flushed first.
    /// False: nothing was there.
    bool take_from_peers(moment now);
    /// Goes on with that. False: nothing is left.
    bool take_rest(moment now);

    // --- What accounts import from each other ---

    /// Where the account's mappings send a subject now; the subject itself when none is for it.
    /// Lifetime: of `scratch`.
    [[nodiscard]] bytes_view map_subject(const account& of, bytes_view subject,
                                         std::string& scratch);
    /// After `configure()`: a session whose account imports other streams now gets those.
    void renew_aliases(session& session);
    /// After all sessions of the loop.
    void aliases_are_renewed() noexcept;
    /// Gives up what has waited too long for its answer; `next_response_deadline()` says when.
    void expire_responses(moment now);
    [[nodiscard]] std::optional<steady_time> next_response_deadline() const noexcept {
        return responses_.next_deadline();
    }
    /// Publishes what is to be told of measured requests.
    void publish_metrics(moment now);
    [[nodiscard]] const service_responses& responses() const noexcept { return responses_; }

    /// Finds an open session by its number; set once by the broker.
    std::function<session*(std::uint64_t client_id)> find_session;
    /// A publisher is to be read later, as `stalled_until` says, and not because of what it has
    /// just sent.
    std::function<void(session&, moment)> stalled_from_afar;
    /// Logs a delivery; called for sessions with `delivery::traced`.
    std::function<void(const session&, const subscription&, const dispatch&)> log_delivery;
    /// Logs the end of a subscription; called for sessions with `delivery::traced`.
    std::function<void(const session&, const subscription&)> log_unsubscribe;
    /// A subscription has become one of another account's stream.
    std::function<void(const session&, bytes_view subject, const account&)> log_alias;
    /// Logs that a subscription had its last message.
    std::function<void(const session&, const subscription&)> log_last_delivery;
    /// A subscription of the server's own (`delivery::internal`) got a message.
    std::function<void(const subscription&, const dispatch&)> take_internally;
    /// Publishes the event about a message.
    std::function<void(const message_trace&, moment)> trace_complete;

    [[nodiscard]] const match_cache& cache() const noexcept { return cache_; }
    [[nodiscard]] std::uint64_t stalled_clients() const noexcept { return stalled_clients_; }
    [[nodiscard]] random_source& random() noexcept { return random_; }

private:
    void use(const account_configuration& config);
    void publish(session& publisher, bytes_view subject, const protocol::message_operation& message,
                 moment now, message_trace* trace) {
        const auto& targets = cache_.find(*publisher.of, subject);
        if (!targets.empty() && give(targets, publisher, subject, message, now, trace)) return;
        const bool asks = publisher.no_responders && !message.reply.empty();
        if (asks) tell_nobody(publisher, message.reply, subject);
    }
    bool give(const match_result& targets, session& publisher, bytes_view subject,
              const protocol::message_operation& message, moment now, message_trace* trace);
    bool route(dispatch& dispatch, message_trace* trace);
    bool pass_on(dispatch& dispatch, std::uint64_t plain_peers, message_trace* trace);
    bool deliver(subscription& to, dispatch& dispatch);
    bool deliver_specially(subscription& to, dispatch& dispatch);
    bool deliver_internally(subscription& to, dispatch& dispatch);
    bool deliver_checked(subscription& to, dispatch& dispatch, const subscription& matched);
    void discard(account& of, subscription& subscription);
    void link(account& of, subscription& made, std::uint64_t subject_hash);
    void unlink(account& of, subscription& subscription);
    void write(subscription& to, session& session, const dispatch& dispatch);
    void write_without_headers(subscription& to, session& session, const dispatch& dispatch);
    bool deliver_to_member(queue_group& group, dispatch& dispatch);
    bool deliver_to_group(queue_group& group, dispatch& dispatch, std::uint64_t tried);
    void deliver_to_groups(std::span<queue_group* const> groups, dispatch& dispatch);
    bool deliver_to_namesakes(std::span<queue_group* const> groups, dispatch& dispatch,
                              std::uint64_t tried);
    void finish(const dispatch& dispatch);
    void remove_finished();
    void stall(session& publisher, const session& slow, moment now);
    [[nodiscard]] bytes_view canonical_tail(const protocol::message_operation& message);
    void tell_nobody(session& requester, bytes_view reply, bytes_view subject);

    // router_streams.cpp
    void add_aliases(subscription& original);
    void remove_aliases(subscription& original);
    bool deliver_alias(subscription& to, dispatch& dispatch);

    // router_services.cpp
    void follow(account& of, const account_configuration& next);
    void link_services(account& of);
    void link_all_services();
    void link_services_around(account_id changed);
    void note_exporters(account& of);
    void forget_services_of(account_id exporter);
    [[nodiscard]] std::shared_ptr<const service_export>
    shared_service(const account_configuration& exporter, const service_export* service);
    void want(account& of, bytes_view subject, bool wanted);
    [[nodiscard]] std::string new_answer_subject(account& exporter, bool measured);
    /// A service by which a message has come into an account, or its answer back.
    struct chain_link {
        std::shared_ptr<const service_export> service;
        bool share;
        std::optional<client_facts> facts;
    };
    struct passage {
        chain_link by;
        egress_events* events; ///< Null: nobody is told what becomes of the message there.
        message_trace* trace;
        bool sole;
    };
    bool serve(const dispatch& asked, bool sole, message_trace* trace);
    bool ask(const service_route& by, const dispatch& asked, bool sole, message_trace* trace);
    bool answer(const dispatch& given);
    bool pass_into(account& to, protocol::message_operation& message, const dispatch& from,
                   passage how);
    [[nodiscard]] std::unique_ptr<request_measurement> measurement_of(const service_route& by,
                                                                      const dispatch& asked);
    std::string answer_subject_for(account& exporter, const service_route& by,
                                   const dispatch& asked);
    std::string await_answer(account& exporter, const dispatch& asked, bool share,
                             std::shared_ptr<const service_export> service,
                             std::unique_ptr<request_measurement> measured);
    void give_up(bytes_view subject, request_outcome outcome, moment now);
    void tell_latency(const service_response& response, request_outcome outcome,
                      const responder_facts* responder, moment now);
    void on_interest_lost(const account& of, bytes_view subject);
    [[nodiscard]] bool is_in_chain(const service_export* service) const noexcept;
    [[nodiscard]] std::optional<client_facts> facts_for(const service_import& import,
                                                        const dispatch& asked) const;
    [[nodiscard]] responder_facts responder_of(const dispatch& given) const;

    // router_peers.cpp
    void announce_interest(const account& of, bytes_view subject, bool interested);
    void announce_members(const account& of, const queue_group& group);
    void send_to_peers(dispatch& dispatch, std::uint64_t plain_peers, message_trace* trace);
    [[nodiscard]] account* account_told_of(account_id id);
    void forget_if_unknown(const account& of);
    void on_interest(unsigned source, const interest_change& change);
    void on_members(unsigned source, const members_change& change);
    void on_message(unsigned source, const peer_record& record, moment now);
    void on_returned(const peer_record& record, moment now);
    [[nodiscard]] bool have_all_answered(const peer_record& record);
    void on_nobody(const peer_record& record, moment now);
    void on_responder(const peer_responder& responder);
    void on_congested(std::uint64_t publisher, moment now);
    void on_traced(const peer_trace& traced, moment now);
    [[nodiscard]] message_trace* open_trace(std::uint64_t number) noexcept;
    void complete(std::uint64_t trace_number, moment now);
    void retire(account& of, queue_group& group);
    [[nodiscard]] std::string queue_of_group(std::uint64_t id) const;
    bool deliver_to_name(std::uint64_t group_id, dispatch& dispatch);

    outbox& outbox_;
    peer_link& peers_;
    random_source random_;
    std::uint64_t hash_seed_;
    std::unordered_map<account_id, const account_configuration*> configured_accounts_;
    std::unordered_map<account_id, std::shared_ptr<const account_configuration>> put_accounts_;
    std::unordered_map<account_id, std::unique_ptr<account>> accounts_;
    /// Those that others know, and this loop not yet: what others want there. One goes with the
    /// last interest in it, so that there are no more than others have.
    std::unordered_map<account_id, std::unique_ptr<account>> unknown_accounts_;
    match_cache cache_;
    match_result reply_targets_;
    std::string tail_scratch_;
    std::vector<subscription*> finished_;
    struct leaving_session {
        session* who;
        std::size_t slots_done; ///< Of the table of its subscriptions.
        std::unique_ptr<session> kept;
    };
    bool go_on_leaving(leaving_session& next);
    void finish_leaving(account_id changed);
    std::deque<leaving_session> leaving_;
    std::size_t leaving_subscriptions_ = 0; ///< Of all of them.
    std::size_t ended_at_a_time_ = 1;       ///< Subscriptions of those.
    std::uint64_t stalled_clients_ = 0;
    bool stalls_fast_producers_ = true;

    // Imports of streams.
    struct alias_of {
        subscription* original = nullptr; ///< Null: the number is free.
        subscription* alias = nullptr;
        account* exporter = nullptr;
        std::shared_ptr<const stream_import> import;
    };
    std::vector<alias_of> aliases_; ///< By number.
    std::vector<std::uint32_t> free_aliases_;
    std::unordered_map<const subscription*, std::vector<std::uint32_t>> aliases_by_original_;
    std::string local_subject_; ///< Of the delivery to an alias that is under way.

    // Imports of services.
    struct metric {
        account_id exporter;
        std::string subject;
        std::string body;
    };
    const server_identity* identity_ = nullptr;
    std::optional<account_id> system_account_;
    account_configuration gone_; ///< Of accounts that are not configured any more.
    std::map<std::pair<account_id, std::string>, std::shared_ptr<const service_export>> services_;
    std::unordered_map<account_id, std::set<account_id>> importers_; ///< Of services, by exporter.
    service_responses responses_;
    std::vector<chain_link> chain_; ///< What the message that is routed now has come through.
    std::vector<metric> metrics_;
    std::vector<service_response> lost_; ///< Measured, and their requesters have gone.
    std::uint64_t answers_secret_;
    std::uint64_t next_answer_ = 1;
    protocol::nuid metric_ids_;
    std::optional<responder_facts> peer_responder_; ///< Of the next message of a peer.

    // With peers only.
    std::uint64_t next_group_id_ = 1;
    std::unordered_map<std::uint64_t, queue_group*> groups_by_id_;
    /// The names of the last groups that went: their messages may come back.
    std::deque<std::pair<std::uint64_t, std::string>> retired_groups_;
    std::vector<std::vector<peer_record::chosen_group>> chosen_; ///< One for each loop.
    std::uint64_t told_of_congestion_ = 0;  ///< The last publisher whose loop was; 0: nobody's.
    std::vector<std::uint64_t> memberless_; ///< Groups of one message, by the origin's number.
    /// A request that went to other loops and of which some, but not all, had nobody.
    struct unanswered_request {
        std::uint64_t number = 0;
        std::uint32_t nobody_count = 0;
    };
    std::uint64_t next_request_number_ = 1;
    std::vector<unanswered_request> unanswered_; ///< A slot by number; the newest wins. Made late.
    /// Traces of which other loops have not said yet what became of the message there. With too
    /// many of them, the oldest is completed as it is.
    static constexpr std::size_t open_traces_max = 4096;
    std::uint64_t next_trace_number_ = 1;
    std::map<std::uint64_t, std::unique_ptr<message_trace>> open_traces_;
};

} // namespace pipit::broker
