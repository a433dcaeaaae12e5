// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/broker.hpp>

#include <pipit/base/join_host_port.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/broker/message_sizes.hpp>
#include <pipit/broker/planted_bug.hpp>
#include <pipit/broker/state.hpp>
#include <pipit/protocol/error_texts.hpp>
#include <pipit/protocol/go_text.hpp>

#include <array>
#include <utility>

namespace pipit::broker {
namespace {

std::string missed_deadline_text(const session& session, const configuration& configuration) {
    const auto deadline =
        std::chrono::ceil<std::chrono::milliseconds>(configuration.write_deadline);
    const auto milliseconds = deadline.count();
    const auto in_seconds = milliseconds % 1000 == 0;
    std::array<bytes_view, 1024> chunks; // What nats-server writes at once.
    const auto count = session.out == nullptr ? 0 : session.out->gather(chunks);
    return std::string("Slow Consumer ").append(session.slow ? "State" : "Detected") +
           ": WriteDeadline of " + std::to_string(in_seconds ? milliseconds / 1000 : milliseconds) +
           (in_seconds ? "s" : "ms") + " exceeded with " + std::to_string(count) + " chunks of " +
           std::to_string(session.pending_bytes()) + " total bytes.";
}

std::string slow_consumer_text(const session& session, const configuration& configuration) {
    if (session.reason == close_reason::slow_consumer_pending_bytes) {
        return "Slow Consumer Detected: MaxPending of " +
               std::to_string(configuration.max_pending_bytes) + " Exceeded";
    }
    return missed_deadline_text(session, configuration);
}

/// The line before a delivered message, as the log shows it.
std::string traced_delivery(const subscription& to, const dispatch& dispatch, bool strips) {
    const auto& message = dispatch.message;
    std::string line = message.has_headers && !strips ? "HMSG " : "MSG ";
    line += dispatch.subject;
    line += to.sid_with_blanks();
    if (!strips) return line.append(dispatch.tail.substr(0, dispatch.tail.find('\r')));
    if (!message.reply.empty()) line.append(message.reply).append(" ");
    return line.append(std::to_string(message.payload.size()));
}

std::string log_name(const session_origin& origin, std::uint64_t client_id) {
    const bool is_ipv6 = origin.forwarded_for.find(':') != std::string::npos;
    std::string name = is_ipv6 ? "[" + origin.forwarded_for + "]" : origin.forwarded_for;
    if (!name.empty()) name += '/';
    return name + join_host_port(origin.ip, origin.port) +
           (origin.is_websocket ? " - wid:" : " - cid:") + std::to_string(client_id);
}

} // namespace

broker_state::broker_state(unsigned loop, std::uint64_t its_seed,
                           std::shared_ptr<const configuration> its_config, mesh& mesh,
                           shared_counters& its_counters, const logger& logger)
    : config(std::move(its_config)),
      counters(its_counters),
      log_to(logger),
      out(*config),
      peers(mesh, loop),
      routing(out, peers, its_seed),
      internals(routing, its_seed),
      seed(its_seed) {
    routing.configure(*config);
    routing.find_session = [this](std::uint64_t client_id) -> session* {
        const auto found = sessions.find(client_id);
        return found == sessions.end() || found->second->ended() ? nullptr : found->second.get();
    };
    routing.stalled_from_afar = [this](session& publisher, moment now) {
        tell_of_stall(publisher, now);
        wake_at(publisher, publisher.stalled_until);
    };
    routing.log_delivery = [this](const session& to, const subscription& subscription,
                                  const dispatch& dispatch) {
        const auto& message = dispatch.message;
        const bool strips =
            message.has_headers && (to.delivery_flags & delivery::strips_headers) != 0;
        trace_out(to, traced_delivery(subscription, dispatch, strips));
        trace_payload(to, "->>", strips ? bytes_view() : message.headers, message.payload);
    };
    routing.log_unsubscribe = [this](const session& of, const subscription& subscription) {
        log(log_level::trace, of, "<-> [DELSUB " + std::string(subscription.sid()) + "]");
    };
    routing.log_alias = [this](const session& of, bytes_view subject, const account& exporter) {
        if (!log_to.debug_enabled()) return;
        std::string line = "Creating import subscription on ";
        protocol::append_quoted(line, subject);
        protocol::append_quoted(line.append(" from account "), exporter.config->name);
        log(log_level::debug, of, line);
    };
    routing.log_last_delivery = [this](const session& to, const subscription& subscription) {
        if (!log_to.debug_enabled()) return;
        log(log_level::debug, to,
            "Auto-unsubscribe limit of " + std::to_string(subscription.max) + " reached for sid '" +
                std::string(subscription.sid()) + "'");
    };
    out.trace_error = [this](const session& to, bytes_view text) {
        trace_out(to, "-ERR " + std::string(text));
    };
    routing.take_internally = [this](const subscription& to, const dispatch& dispatch) {
        internals.take(to, dispatch);
    };
    routing.trace_complete = [this](const message_trace& trace, moment now) {
        publish_event(trace, now);
    };
}

broker::broker(unsigned loop, std::uint64_t seed, std::shared_ptr<const configuration> config,
               mesh& mesh, shared_counters& counters, const logger& logger)
    : state_(
          std::make_unique<broker_state>(loop, seed, std::move(config), mesh, counters, logger)) {}

broker::~broker() {
    state_->routing.log_unsubscribe = nullptr; // As nats-server: a server that ends says less.
    state_->routing.finish_leaving();
    for (auto& [id, session] : state_->sessions) state_->routing.unsubscribe_all(*session);
}

// --- Sessions ---

session& broker::open(const session_origin& origin, void* driver, moment now) {
    auto& state = *state_;
    const auto id = state.counters.next_client_id++;
    auto& slot = state.sessions[id];
    slot = std::make_unique<session>(id, driver, state.seed);
    auto& opened = *slot;
    opened.details = std::make_unique<session_details>();
    opened.details->origin = origin;
    opened.details->start = now;
    opened.details->log_name = log_name(origin, id);
    opened.last_input = opened.last_activity = now.steady;
    ++state.total_connections;
    if (state.config->trace_protocol) opened.delivery_flags |= delivery::traced;
    state.log(log_level::debug, opened, "Client connection created");

    const auto& config = *state.config;
    state.apply_limits(opened);
    if (!origin.shakes_hands_first) state.send_info(opened, false);
    const auto connections_before = state.counters.connections++;
    opened.counted = true;
    ++state.connections;
    if (config.max_connections < 0 ||
        (config.max_connections > 0 && connections_before >= config.max_connections)) {
        state.out.end_with_error(opened, protocol::error_texts::max_connections,
                                 close_reason::max_connections_exceeded);
        state.log(log_level::error, opened, protocol::error_texts::max_connections);
        return opened;
    }
    if (config.authorization_for(origin.is_websocket).required()) {
        opened.awaiting_connect = true;
        if (!origin.shakes_hands) {
            opened.auth_deadline = now.steady + config.auth_timeout_for(origin.is_websocket);
        }
    } else {
        (void)state.bind(opened, nullptr, now);
    }
    opened.ping_deadline = now.steady + config.ping_interval_for(origin.is_websocket);
    state.reschedule(opened);
    return opened;
}

void broker::set_origin(session& session, std::string ip, std::uint16_t port) {
    auto& details = *session.details;
    details.origin.ip = std::move(ip);
    details.origin.port = port;
    details.log_name = log_name(details.origin, session.client_id);
}

void* broker::driver_of(const session& session) const noexcept { return session.driver; }

std::uint64_t broker::client_id(const session& session) const noexcept { return session.client_id; }

std::span<char> broker::direct_space(session& session) noexcept {
    return session.parser.direct_space();
}

std::optional<std::size_t> broker::receive(session& session, std::size_t direct_bytes,
                                           bytes_view scratch, moment now) {
    auto& state = *state_;
    // Who has let that go first is parsed now, however much else has come meanwhile.
    const bool was_put_off = std::exchange(state.put_off, 0) == session.client_id;
    if (!was_put_off && !planted::is(planted::bug::shows_effects_too_early)) {
        state.routing.take_from_peers(now);
        if (state.peers.has_rest()) {
            state.put_off = session.client_id;
            return std::nullopt;
        }
    }
    if (session.ended()) return scratch.size();
    if (session.awaiting_connect) [[unlikely]]
        session.bytes_before_login += scratch.size();
    if (direct_bytes != 0) session.parser.commit_direct(direct_bytes);
    if (session.awaiting_answer) {
        session.held_input += scratch;
        return scratch.size();
    }
    return state.parse(session, scratch, now);
}

void broker::lost(session& session, close_reason reason, moment now) {
    state_->out.end(session, reason, false);
    state_->settle(now);
}

bool broker::reading_paused(const session& session) const noexcept {
    return session.awaiting_answer || session.stalled_until != steady_time{};
}

// --- Output ---

void broker::append_batch(moment now) {
    do {
        state_->settle(now);
        state_->routing.publish_metrics(now);
    } while (state_->internals.hand_over(now) || state_->out.has_ended());
    state_->peers.append_batch();
    state_->out.begin_batch();
}

void broker::show_batch() { state_->peers.show_batch(); }

session* broker::next_touched() noexcept { return state_->out.take_touched(); }

std::size_t broker::gather(const session& session, std::span<bytes_view> pieces) const noexcept {
    return session.out == nullptr ? 0 : session.out->gather(pieces);
}

void broker::sent(session& session, std::size_t count, moment now) {
    if (session.out == nullptr) return;
    session.out->consume(count);
    if (session.deliveries_noticed != session.sent.messages) {
        session.deliveries_noticed = session.sent.messages;
        session.last_activity = now.steady;
    }
    const auto left = session.pending_bytes();
    if (left == 0) {
        state_->out.give_back_if_empty(session);
        session.delivery_flags &= static_cast<std::uint8_t>(~delivery::congested);
        if (session.write_mark != 0) state_->on_written(session);
        return;
    }
    session.out->keep_borrowed();
    state_->out.check_pending(session);
    session.write_progressed = session.write_progressed || count != 0;
    // As nats-server, everything that waited when the writing began has to go in time.
    if (session.write_mark > count) {
        session.write_mark -= count;
        return;
    }
    if (session.write_mark != 0) state_->on_written(session);
    state_->set_write_deadline(session, now);
    session.write_progressed = count != 0;
}

void broker_state::set_write_deadline(session& session, moment now) {
    session.write_mark = session.pending_bytes();
    session.write_deadline =
        now.steady + (session.ended() ? limits::last_flush_deadline : config->write_deadline);
    wake_at(session, session.write_deadline);
}

/// What waited when the write deadline was set has gone.
void broker_state::on_written(session& session) {
    session.write_deadline = {};
    session.write_mark = 0;
    if (!std::exchange(session.slow, false)) return;
    log(log_level::info, session, "Slow Consumer Recovered: it has read what waited for it.");
}

void broker_state::on_write_deadline(session& session, moment now) {
    session.write_deadline = {};
    if (session.ended()) { // Its last bytes do not go: the driver closes the socket now.
        if (session.out != nullptr) session.out->clear();
        return out.touch(session);
    }
    if (!config->retries_slow_writes || !session.write_progressed) {
        return out.end(session, close_reason::slow_consumer_write_deadline, false);
    }
    log(log_level::info, session, missed_deadline_text(session, *config));
    session.slow = true;
    ++slow_consumers;
    if (session.of != nullptr) ++session.of->slow_consumers;
    set_write_deadline(session, now);
    session.write_progressed = false;
}

bool broker::has_output(const session& session) const noexcept {
    return session.pending_bytes() != 0;
}

bool broker::closing(const session& session) const noexcept { return session.ended(); }

close_reason broker::reason_of(const session& session) const noexcept { return session.reason; }

void broker::release(session& session, moment now) {
    state_->out.end(session, close_reason::client_closed, false);
    state_->settle(now);
    state_->out.forget(session);
    const auto found = state_->sessions.find(session.client_id);
    state_->routing.keep_while_leaving(found->second);
    state_->sessions.erase(found);
}

/// The next part of what the sessions that leave have subscribed to.
void broker_state::go_on_leaving(moment now) {
    if (!routing.anybody_is_leaving() || leaving_goes_on_at > now.steady) return;
    leaving_goes_on_at = now.steady;
    routing.go_on_leaving();
}

/// Takes ended sessions out of everything but the list of sessions.
void broker_state::settle(moment now) {
    while (out.has_ended()) {
        for (auto* ended : out.take_ended()) {
            const auto slow = ended->reason == close_reason::slow_consumer_pending_bytes ||
                              ended->reason == close_reason::slow_consumer_write_deadline;
            if (slow) {
                ++slow_consumers;
                if (ended->of != nullptr) ++ended->of->slow_consumers;
                log(log_level::info, *ended, slow_consumer_text(*ended, *config));
            }
            if (ended->reason == close_reason::stale_connection) ++stale_connections;
            log(log_level::debug, *ended,
                std::string("Client connection closed: ").append(protocol::text(ended->reason)));
            remember_closed(*ended, now);
            tell(session_event::type::disconnected, *ended);
            if (!routing.anybody_is_leaving()) leaving_goes_on_at = now.steady;
            leave_account(*ended, true);
            if (std::exchange(ended->counted, false)) {
                --counters.connections;
                --connections;
            }
            ended->held_input = {};
            out.touch(*ended); // It may have ended while its socket was being written to.
            if (!ended->flush_before_close && ended->out != nullptr) ended->out->clear();
            if (ended->pending_bytes() != 0) {
                ended->write_deadline = now.steady + limits::last_flush_deadline;
                wake_at(*ended, ended->write_deadline);
            }
        }
    }
}

// --- The server's own part ---

std::uint64_t broker::subscribe(account_id of, bytes_view subject, internal_handler handler,
                                bytes_view queue) {
    auto* account = state_->routing.account_of(of);
    if (account == nullptr) return 0;
    return state_->internals.subscribe(*account, subject, queue, std::move(handler));
}

void broker::unsubscribe(std::uint64_t number) { state_->internals.unsubscribe(number); }

void broker::observe(session_observer observer) { state_->observer = std::move(observer); }

bool broker::is_wanted(account_id of, bytes_view subject) {
    auto* account = state_->routing.account_of(of);
    return account != nullptr && state_->routing.is_wanted(*account, subject);
}

void broker::publish(account_id of, const internal_publication& message, moment now) {
    auto* account = state_->routing.account_of(of);
    if (account == nullptr) return;
    protocol::message_operation made{.subject = message.subject,
                                     .reply = message.reply,
                                     .headers = message.headers,
                                     .payload = message.payload};
    const message_sizes sizes(made);
    state_->routing.publish(*account, made, now);
}

// --- Peers, time, questions ---

bool broker::take_from_peers(moment now) { return state_->routing.take_from_peers(now); }

bool broker::take_rest(moment now) { return state_->routing.take_rest(now); }

std::optional<steady_time> broker::next_deadline() const noexcept {
    auto next = state_->deadlines.next();
    const auto consider = [&next](std::optional<steady_time> at) {
        if (at && (!next || *at < *next)) next = at;
    };
    consider(state_->routing.next_response_deadline());
    if (state_->routing.anybody_is_leaving()) consider(state_->leaving_goes_on_at);
    return next;
}

void broker::expire(moment now) {
    auto& state = *state_;
    state.routing.take_from_peers(now);
    state.routing.expire_responses(now);
    state.go_on_leaving(now);
    while (const auto due = state.deadlines.take_due(now.steady)) {
        const auto found = state.sessions.find(due->client_id);
        if (found == state.sessions.end() || found->second->wakes_at != due->at) continue;
        found->second->wakes_at = {};
        state.on_due(*found->second, now);
    }
    state.tidy_deadlines();
}

std::optional<login_question> broker::next_question() {
    auto& unasked = state_->unasked;
    if (unasked.empty()) return std::nullopt;
    auto next = std::move(unasked.front());
    unasked.pop_front();
    return next;
}

void broker::answer(std::uint64_t question_id, login_answer answer, moment now) {
    state_->routing.take_from_peers(now);
    state_->on_answer(question_id, std::move(answer), now);
}

} // namespace pipit::broker
