// SPDX-License-Identifier: Apache-2.0
// What a client asks for.
#include <pipit/broker/state.hpp>

#include <pipit/base/identity_limits.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/broker/trace_too_large.hpp>
#include <pipit/protocol/error_texts.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/protocol/subject.hpp>

namespace pipit::broker {
namespace {

namespace texts = protocol::error_texts;
using protocol::flow;

/// Replies to gateways, which clients may not publish to.
bool is_gateway_reply(bytes_view subject) noexcept {
    return (subject.starts_with("_GR_.") && subject.size() > 5) ||
           (subject.starts_with("$GR.") && subject.size() > 4);
}

/// Replies that only servers may give: service imports, JetStream acknowledgements, gateways.
bool is_reserved_reply(bytes_view reply) noexcept {
    return reply.starts_with("_R_.") || (reply.starts_with("$JS.ACK.") && reply.size() > 8) ||
           is_gateway_reply(reply);
}

/// `_` and `$` begin everything that is reserved.
bool may_be_reserved(bytes_view subject) noexcept {
    return !subject.empty() && (subject.front() == '_' || subject.front() == '$');
}

/// Hands the operations of one client to the broker.
struct operation_visitor {
    broker_state& state;
    session& from;
    protocol::parser_limits& limits;
    moment now;
    bool interest_changed = false;

    flow next() const noexcept {
        const bool stops = from.ended() || from.awaiting_answer || state.out.wants_flush();
        return stops ? flow::pause : flow::proceed;
    }
    void trace(std::string_view operation, bytes_view arguments) const {
        if ((from.delivery_flags & delivery::traced) != 0) {
            state.trace_in(from, operation, arguments);
        }
    }

    flow on_message(const protocol::message_operation& message) {
        if ((from.delivery_flags & delivery::traced) != 0) state.trace_publish(from, message);
        state.on_publish(from, message, now);
        return next();
    }
    flow on_subscribe(const protocol::subscribe_operation& operation) {
        if ((from.delivery_flags & delivery::traced) != 0) {
            const auto* const end = operation.sid.data() + operation.sid.size();
            trace("SUB", {operation.subject.data(),
                          static_cast<std::size_t>(end - operation.subject.data())});
        }
        interest_changed = true;
        state.on_subscribe(from, operation);
        return next();
    }
    flow on_unsubscribe(const protocol::unsubscribe_operation& operation) {
        if ((from.delivery_flags & delivery::traced) != 0) {
            std::string arguments(operation.sid);
            if (operation.max > 0) arguments.append(" ").append(std::to_string(operation.max));
            trace("UNSUB", arguments);
        }
        interest_changed = true;
        state.on_unsubscribe(from, operation);
        return next();
    }
    flow on_connect(bytes_view json) {
        state.on_connect(from, json, now);
        limits = state.limits_of(from);
        return next();
    }
    flow on_ping() {
        trace("PING", {});
        state.on_ping(from, now);
        return next();
    }
    flow on_pong() {
        trace("PONG", {});
        state.on_pong(from, now);
        return next();
    }
    flow on_info(bytes_view json) {
        if (!protocol::parse_info(json)) state.out.end(from, close_reason::protocol_violation);
        return next();
    }
    flow on_ok() { return next(); }
    flow on_error(bytes_view text) {
        state.log(log_level::error, from, std::string("Client Error ").append(text));
        state.out.end(from, close_reason::parse_error);
        return next();
    }
    void on_invalid_publish_subject() {
        state.out.send_error(from, texts::invalid_publish_subject);
    }
};

} // namespace

protocol::parser_limits broker_state::limits_of(const session& session) const noexcept {
    // Nothing but a CONNECT is taken then.
    const auto line_bytes = session.awaiting_connect
                                ? std::max(config->max_control_line_bytes, limits::connect_bytes)
                                : config->max_control_line_bytes;
    return {.max_control_line_bytes = line_bytes,
            .max_payload_bytes = session.max_payload_bytes,
            .headers_allowed = (session.delivery_flags & delivery::strips_headers) == 0,
            .connect_required = session.awaiting_connect,
            .pedantic = session.pedantic};
}

/// Returns how far it came: less than everything when the output should be flushed first.
std::size_t broker_state::parse(session& session, bytes_view input, moment now) {
    const auto messages_before = session.in.messages;
    auto limits = limits_of(session);
    operation_visitor visitor{.state = *this, .from = session, .limits = limits, .now = now};
    std::size_t consumed = 0;
    const bool begins_operation = session.parser.idle();
    for (;;) {
        const auto outcome = session.parser.parse(input.substr(consumed), limits, visitor);
        consumed += outcome.consumed;
        if (outcome.status == protocol::parse_status::connect_expected &&
            admit_without_connect(session, now)) {
            if (session.awaiting_answer || session.ended()) break;
            limits = limits_of(session);
            continue;
        }
        const parse_stop stop{.input = input,
                              .at = consumed,
                              .begins_operation = begins_operation,
                              .payload_bytes_max = session.max_payload_bytes};
        if (outcome.status == protocol::parse_status::payload_too_large) {
            trace_too_large(*this, session, stop, now);
        }
        on_outcome(session, outcome.status, stop);
        break;
    }
    if (visitor.interest_changed) session.wait_for_loops(peers.full_loops(), now.steady);
    if (session.in.messages != messages_before || visitor.interest_changed) {
        session.last_input = session.last_activity = now.steady;
    }
    if (session.ended()) return input.size();
    session.was_stalled = session.stalled_until != steady_time{};
    if (session.was_stalled) {
        tell_of_stall(session, now);
        wake_at(session, session.stalled_until);
    }
    if (session.awaiting_answer) {
        session.held_input = input.substr(consumed);
        return input.size();
    }
    return consumed;
}

/// Source: client-protocol, sections 3 and 5.
void broker_state::on_outcome(session& session, protocol::parse_status status,
                              const parse_stop& stop) {
    if (session.ended()) return;
    using protocol::parse_status;
    const bool is_whole_line =
        status == parse_status::payload_too_large || status == parse_status::invalid_arguments;
    if (is_whole_line && (session.delivery_flags & delivery::traced) != 0) {
        if (const auto line = refused_line(stop)) trace_in(session, *line, {});
    }
    switch (status) {
    case parse_status::need_more:
    case parse_status::paused: return;
    case parse_status::unknown_operation:
        out.end_with_error(session, texts::unknown_operation, close_reason::protocol_violation);
        log(log_level::error, session, unknown_operation_report(stop));
        return;
    case parse_status::control_line_too_long: return end_long_line(session);
    case parse_status::payload_too_large:
        log(log_level::error, session, payload_report(stop));
        out.end_with_error(session, texts::max_payload, close_reason::max_payload_exceeded);
        return;
    case parse_status::headers_not_allowed:
        log(log_level::error, session, "message headers not supported");
        out.end(session, close_reason::protocol_violation);
        return;
    case parse_status::invalid_arguments:
        log(log_level::error, session, arguments_report(stop));
        out.end(session, close_reason::protocol_violation);
        return;
    case parse_status::connect_expected: refuse_login(session); return;
    }
}

void broker_state::end_long_line(session& session) {
    std::string text(texts::max_control_line);
    // Who sends a large JWT wants to know how large it may be.
    if (session.awaiting_connect) {
        text += " (" + std::to_string(limits_of(session).max_control_line_bytes) + " bytes)";
    }
    out.end_with_error(session, text, close_reason::max_control_line_exceeded);
    log(log_level::error, session, text);
}

void broker_state::on_publish(session& session, const protocol::message_operation& message,
                              moment now) {
    const auto size = message.headers.size() + message.payload.size();
    ++session.in.messages;
    session.in.bytes += size;
    auto& of = *session.of;
    ++of.received.messages;
    of.received.bytes += size;
    if (message.has_headers && publish_if_traced(session, message, now)) [[unlikely]]
        return;
    // As nats-server: what is checked is the subject that the message is mapped to.
    const auto subject =
        of.config->mappings.empty() ? message.subject : mapped_subject(of, message.subject);
    if ((session.delivery_flags & delivery::traced) != 0) [[unlikely]] {
        trace_mapped(session, message, subject);
    }
    const bool reserved = may_be_reserved(subject) || may_be_reserved(message.reply);
    if (!session.publishes_plainly || reserved) [[unlikely]] {
        const bool is_allowed = !reserved && (session.permissions == nullptr ||
                                              session.permissions->allowed_last(subject));
        if (!is_allowed && is_refused(session, subject, message.reply, now)) return;
        if (session.verbose) send_ok(session);
    }
    routing.publish(session, subject, message, now);
}

/// Whether a message may be published; if not, tells the client and returns what it was told. The
/// order of the checks is nats-server's, which decides the text.
std::string broker_state::refusal_of(session& session, bytes_view subject, bytes_view reply,
                                     moment now) {
    const auto refuse = [&](std::string text, std::string_view what, bytes_view name) {
        out.send_error(session, text);
        std::string line = "Publish Violation - ";
        protocol::append_quoted(line.append(what), name);
        log(log_level::error, session, line);
        return text;
    };
    const bool denied = session.permissions != nullptr &&
                        !session.permissions->may_publish(subject, seed, now.steady);
    const bool reserved = subject.starts_with("$NRG.") && session.of->id != config->system_account;
    if (is_gateway_reply(subject) || denied || reserved) {
        return refuse(texts::publish_violation(subject), "Subject ", subject);
    }
    if (is_reserved_reply(reply)) return refuse(texts::reply_violation(reply), "Reply ", reply);
    return {};
}

bool broker_state::is_refused(session& session, bytes_view subject, bytes_view reply, moment now) {
    return !refusal_of(session, subject, reply, now).empty();
}

/// Lifetime: until the next call.
bytes_view broker_state::mapped_subject(const account& of, bytes_view subject) {
    return routing.map_subject(of, subject, mapped_scratch);
}

void broker_state::on_subscribe(session& session, const protocol::subscribe_operation& operation) {
    // References, as in `visit_canonical_subscribe`: a copy would wait for all stores before it.
    const auto& subject = operation.subject;
    const auto& queue = operation.queue;
    const auto& sid = operation.sid;
    const subscribe_hashes hashes(session, operation);
    const auto refuse = [&](const std::string& text) {
        out.send_error(session, text);
        std::string line = "Subscription Violation - Subject ";
        protocol::append_quoted(line, subject);
        if (!queue.empty()) protocol::append_quoted(line.append(", Queue: "), queue);
        log(log_level::error, session, line.append(", SID ").append(sid));
    };
    auto* permissions = session.permissions.get();
    if (queue == "_sys_" ||
        (permissions != nullptr && !permissions->rules().may_subscribe(subject, queue))) {
        return refuse(texts::subscription_violation(subject, queue));
    }
    if (config->max_subscription_tokens > 0 &&
        protocol::token_count(subject) >
            static_cast<std::size_t>(config->max_subscription_tokens)) {
        return refuse(texts::subscription_too_many_tokens(subject));
    }
    if (session.max_subscriptions >= 0 &&
        session.subscriptions.size() >= static_cast<std::size_t>(session.max_subscriptions)) {
        log(log_level::error, session, texts::max_subscriptions);
        out.send_error(session, texts::max_subscriptions);
        return;
    }
    const auto where = session.subscriptions.look_up(hashes.sid, sid);
    if (where.item == nullptr) {
        if (!protocol::is_valid_subject(subject)) {
            out.send_error(session, texts::invalid_subject);
            return;
        }
        if (permissions != nullptr && permissions->rules().needs_delivery_filter(subject)) {
            session.delivery_flags |= delivery::filtered;
        }
        routing.subscribe(session, operation, hashes, where);
    }
    if (session.verbose) send_ok(session);
}

void broker_state::on_unsubscribe(session& session,
                                  const protocol::unsubscribe_operation& operation) {
    if (session.verbose) send_ok(session);
    auto* found = session.find(operation.sid);
    if (found == nullptr) return;
    if (operation.max > 0 && static_cast<std::uint64_t>(operation.max) > found->delivered) {
        found->max = static_cast<std::uint32_t>(operation.max);
        found->limited = true;
    } else {
        routing.unsubscribe(*found);
    }
}

void broker_state::send_ok(session& session) {
    if ((session.delivery_flags & delivery::traced) != 0) trace_out(session, "OK");
    out.send(session, "+OK\r\n");
}

void broker_state::on_ping(session& session, moment now) {
    session.last_input = now.steady;
    if ((session.delivery_flags & delivery::traced) != 0) trace_out(session, "PONG");
    out.send(session, "PONG\r\n");
    if (!session.connect_received || session.pong_sent) return;
    session.pong_sent = true;
    if (session.information_wanted) send_info(session, true);
}

void broker_state::on_pong(session& session, moment now) {
    session.pings_out = 0;
    if (session.ping_sent == steady_time{}) return; // Nobody has asked.
    session.round_trip = std::max(now.steady - session.ping_sent, nanoseconds(1));
}

} // namespace pipit::broker
