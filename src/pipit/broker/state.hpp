// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/party.hpp>
#include <pipit/broker/account_update.hpp>
#include <pipit/broker/broker.hpp>
#include <pipit/broker/internal_clients.hpp>
#include <pipit/broker/parse_report.hpp>
#include <pipit/broker/router.hpp>
#include <pipit/broker/schedule.hpp>
#include <pipit/broker/session.hpp>
#include <pipit/protocol/connect.hpp>
#include <pipit/protocol/info.hpp>

#include <deque>
#include <map>
#include <memory>
#include <unordered_map>

namespace pipit::broker {

/// The parts of one broker, wired together. Its functions are grouped by file: `broker.cpp` has the
/// driver's side, `operations.cpp` what a client asks for, `login.cpp` who it is, `membership.cpp`
/// what follows from that, `trusted_proxy.cpp` by whom it came, `live_permissions.cpp` what changes
/// of it, `account_limits.cpp` who has to go when less is allowed, `greeting.cpp` what it is told,
/// `keepalive.cpp` what time brings, `put_account.cpp`, `reconfigure.cpp` and `monitoring.cpp` what
/// their names say.
struct broker_state {
    broker_state(unsigned loop, std::uint64_t its_seed,
                 std::shared_ptr<const configuration> its_config, mesh& mesh,
                 shared_counters& its_counters, const logger& logger);

    // operations.cpp
    std::size_t parse(session& session, bytes_view input, moment now);
    [[nodiscard]] protocol::parser_limits limits_of(const session& session) const noexcept;
    void on_outcome(session& session, protocol::parse_status status, const parse_stop& stop);
    void end_long_line(session& session);
    void on_publish(session& session, const protocol::message_operation& message, moment now);
    [[nodiscard]] bool publish_if_traced(session& session,
                                         const protocol::message_operation& message, moment now);
    void publish_traced(session& session, const protocol::message_operation& message,
                        trace_request request, moment now);
    void publish_event(const message_trace& trace, moment now);
    [[nodiscard]] std::string refusal_of(session& session, bytes_view subject, bytes_view reply,
                                         moment now);
    [[nodiscard]] bool is_refused(session& session, bytes_view subject, bytes_view reply,
                                  moment now);
    void on_subscribe(session& session, const protocol::subscribe_operation& operation);
    void on_unsubscribe(session& session, const protocol::unsubscribe_operation& operation);
    void on_ping(session& session, moment now);
    void on_pong(session& session, moment now);
    [[nodiscard]] bytes_view mapped_subject(const account& of, bytes_view subject);

    // login.cpp
    [[nodiscard]] bool admit_without_connect(session& session, moment now);
    void on_connect(session& session, bytes_view json, moment now);
    void on_answer(std::uint64_t question_id, login_answer answer, moment now);
    void authenticate(session& session, const protocol::connect_options& options, moment now);
    void identify(session& session, const protocol::connect_options& options, moment now);
    void ask(session& session, login_question question, moment now);
    [[nodiscard]] std::uint64_t enqueue(const session& session, login_question question);
    void conclude(session& session, login_answer answer, moment now);
    void settle_login(session& session, login_answer answer, moment now,
                      const callout_configuration* decided_by = nullptr);
    void finish_connect(session& session, user_pointer user, moment now);
    void refuse_login(session& session, close_reason reason = close_reason::authentication_failure,
                      const service_refusal* by_service = nullptr);

    // trusted_proxy.cpp
    [[nodiscard]] bool asks_about_proxy(session& session, const protocol::connect_options& options,
                                        moment now);
    void on_proxy_answer(session& session, login_answer answer, moment now);
    void refuse_without_proxy(session& session, moment now);
    void log_lack_of_proxy(const session& session) const;
    [[nodiscard]] bool trusts_proxy_of(const session& session) const noexcept;

    // membership.cpp
    [[nodiscard]] bool bind(session& session, user_pointer user, moment now);
    void leave_account(session& session, bool ended = false);
    void set_permissions(session& session, std::shared_ptr<const auth::permissions> rules);
    void update_shortcuts(session& session);
    void apply_limits(session& session);
    void set_expiry(session& session, moment now);
    void expire_login(session& session, moment now);

    // broker.cpp
    void set_write_deadline(session& session, moment now);
    void on_write_deadline(session& session, moment now);
    void on_written(session& session);

    // keepalive.cpp
    void wake_at(session& session, steady_time at);
    void tell_of_stall(const session& session, moment now);
    void reschedule(session& session);
    void tidy_deadlines();
    void on_due(session& session, moment now);
    void on_ping_due(session& session, moment now);

    // reconfigure.cpp
    void reconfigure(session& session, const configuration& before, moment now);

    // live_permissions.cpp
    void change_user(session& session, user_pointer user, moment now);
    void change_permissions(session& session, std::shared_ptr<const auth::permissions> rules);
    [[nodiscard]] bool brings_own_jwt(const session& session) const noexcept;
    [[nodiscard]] bool goes_on_as(const session& session, const user_pointer& user) const noexcept;
    void begin_refreshes(session& session, std::unique_ptr<callout_check> about,
                         const login_answer& answer, moment now);
    [[nodiscard]] nanoseconds until_next_refresh(nanoseconds interval);
    void ask_again(session& session, moment now);
    void on_refresh(session& session, std::uint64_t question_id, login_answer answer,
                    bool asked_under_this, moment now);
    void withdraw_subscriptions(session& session);

    // put_account.cpp
    void apply_account(session& session, const session_judge& judge, moment now);

    // account_limits.cpp
    void end_as_excess(session& session);
    /// Ends a session that has as many subscriptions as it may have now, or more, as nats-server
    /// does when limits change. True: it ended.
    bool end_when_full(session& session);

    // greeting.cpp
    void send_info(session& session, bool with_account, bool as_lame_duck = false);
    [[nodiscard]] std::string info_line(const session& session, bool with_account,
                                        bool as_lame_duck) const;
    [[nodiscard]] std::string nonce_of(const session& session) const;

    void go_on_leaving(moment now);
    void tell(session_event::type what, const session& about,
              const service_refusal* by_service = nullptr) const;
    void settle(moment now);
    void remember_closed(const session& session, moment now);
    [[nodiscard]] session_snapshot snapshot_of(const session& session) const;

    void log(log_level level, const session& session, std::string_view text) const;
    void trace_in(const session& session, std::string_view operation, bytes_view arguments) const;
    void trace_publish(const session& session, const protocol::message_operation& message) const;
    void trace_mapped(const session& session, const protocol::message_operation& message,
                      bytes_view subject) const;
    void trace_payload(const session& session, std::string_view direction, bytes_view headers,
                       bytes_view payload) const;
    void trace_out(const session& session, std::string_view line) const;
    void send_ok(session& session);

    /// Who may connect in the way that this session does.
    [[nodiscard]] const authorization& authorization_of(const session& session) const noexcept {
        return config->authorization_for(session.details->origin.is_websocket);
    }

    std::shared_ptr<const configuration> config;
    shared_counters& counters;
    const logger& log_to;
    outbox out;
    peer_link peers;
    router routing;
    internal_clients internals;
    schedule deadlines;
    std::uint64_t seed;
    bool lame_duck = false;
    std::uint64_t put_off = 0; ///< Whose input waits for what other loops sent before; 0: nobody's.
    session_observer observer; ///< May be empty.

    std::unordered_map<std::uint64_t, std::unique_ptr<session>> sessions;
    struct closed_session {
        session_snapshot shown;
        std::vector<subscription_snapshot> subscriptions;
        std::size_t bytes = 0; ///< Of its texts.
    };
    std::deque<closed_session> closed; ///< The last ones.
    std::size_t closed_bytes = 0;
    steady_time stall_told_again_at{};
    steady_time leaving_goes_on_at{}; ///< While anybody leaves with very many subscriptions.
    std::string mapped_scratch;

    /// How many questions wait, and how large they are together.
    struct question_load {
        std::size_t count = 0;
        std::size_t bytes = 0;
    };
    struct open_question {
        std::uint64_t client_id;
        std::size_t bytes; ///< Of what was asked.
        std::shared_ptr<const configuration> asked_under;
        party from;
        bool is_refresh;
        bool is_about_proxy;
        std::unique_ptr<callout_check> again; ///< For the next time; null: there is none.
        std::shared_ptr<const callout_configuration> service = nullptr; ///< That was asked.
    };
    std::uint64_t next_question_id = 1;
    std::unordered_map<std::uint64_t, open_question> open_questions;
    question_load all_questions;
    std::map<party, question_load> questions_of_party;
    std::size_t open_refreshes = 0; ///< Among the open questions.
    std::deque<login_question> unasked;

    std::uint64_t connections = 0; ///< Open ones.
    std::uint64_t total_connections = 0;
    std::uint64_t slow_consumers = 0;
    std::uint64_t stale_connections = 0;
};

} // namespace pipit::broker
