// SPDX-License-Identifier: Apache-2.0
// Messages whose way is written down and published to whoever asked for it (ADR-41).
#include <pipit/broker/message_sizes.hpp>
#include <pipit/broker/request_info.hpp>
#include <pipit/broker/state.hpp>
#include <pipit/broker/trace_too_large.hpp>

#include <pipit/protocol/go_text.hpp>
#include <pipit/protocol/subject.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <utility>

namespace pipit::broker {
namespace {

/// Of servers that are no more; no client of today has it.
constexpr std::string_view origin_header = "Nats-Trace-Origin-Account";

enum class tracing : std::uint8_t { unwanted, wanted, refused, disabled };

/// Completes the request. `refused`: the message goes nowhere, traced or not. `disabled`: it goes
/// on, and is not to be traced further on either.
tracing judge(broker_state& state, session& session, trace_request& request, moment now) {
    auto& of = *session.of;
    const bool only = request.only;
    if (const auto origin = request.headers.find(std::string(origin_header));
        origin != request.headers.end()) {
        std::string line = "Message tracing disabled because of header ";
        protocol::append_quoted(line, origin_header);
        protocol::append_quoted(line += " with value=", origin->second.front());
        state.log(log_level::error, session, line);
        return only ? tracing::refused : tracing::disabled;
    }
    if (request.external) {
        request.destination = of.config->trace_destination;
        if (request.destination.empty()) return tracing::unwanted;
        const auto percent = of.config->trace_sampling_percent;
        const bool sampled =
            percent <= 0 || percent >= 100 ||
            state.routing.random().below(100) <= static_cast<std::uint32_t>(percent);
        if (!sampled) return tracing::disabled;
    }
    if (!protocol::is_valid_publish_subject(request.destination)) {
        std::string line = "Destination ";
        protocol::append_quoted(line, request.destination);
        state.log(log_level::error, session, line + " is not valid, won't be able to trace events");
        return only ? tracing::refused : tracing::unwanted;
    }
    const auto refusal = state.refusal_of(session, request.destination, {}, now);
    return refusal.empty() ? tracing::wanted : tracing::refused;
}

bytes_view take_word(bytes_view& line) noexcept {
    constexpr bytes_view blanks = " \t\r\n";
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    const auto word = line.substr(0, line.find_first_of(blanks));
    line.remove_prefix(word.size());
    return word;
}

/// The line of an HPUB that ends where the parser stopped, with what came of its headers.
protocol::message_operation message_at(const parse_stop& stop) noexcept {
    protocol::message_operation message;
    if (stop.at == 0 || stop.input[stop.at - 1] != '\n') return message;
    const auto before = stop.at > 1 ? stop.input.rfind('\n', stop.at - 2) : bytes_view::npos;
    const auto begin = before == bytes_view::npos ? 0 : before + 1;
    if (begin == 0 && !stop.begins_operation) return message;
    auto line = stop.input.substr(begin, stop.at - begin);
    const auto name = take_word(line);
    if (name.empty() || (name.front() | 0x20) != 'h') return message;
    std::array<bytes_view, 4> words;
    std::size_t count = 0;
    for (auto word = take_word(line); !word.empty() && count < words.size();
         word = take_word(line)) {
        words[count++] = word;
    }
    if (count < 3) return message;
    message.subject = words[0];
    message.header_size_text = words[count - 2];
    message.size_text = words[count - 1];
    std::size_t header_bytes = 0;
    const auto digits = message.header_size_text;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), header_bytes).ec ==
        std::errc()) {
        message.headers = stop.input.substr(stop.at, header_bytes);
    }
    return message;
}

/// Its header says that nobody is to trace it on its way.
void publish_untraceable(broker_state& state, session& session, bytes_view subject,
                         const protocol::message_operation& message, moment now) {
    const auto headers = with_header(message.headers, trace_destination_header, trace_disabled);
    protocol::message_operation changed{.subject = message.subject,
                                        .reply = message.reply,
                                        .headers = headers,
                                        .payload = message.payload};
    const message_sizes sizes(changed);
    state.routing.publish(session, subject, changed, now);
}

} // namespace

/// False: the headers ask for no trace, and nothing was done.
bool broker_state::publish_if_traced(session& session, const protocol::message_operation& message,
                                     moment now) {
    auto request = read_trace_request(message.headers);
    if (!request.wanted()) return false;
    publish_traced(session, message, std::move(request), now);
    return true;
}

void broker_state::publish_traced(session& session, const protocol::message_operation& message,
                                  trace_request request, moment now) {
    const auto verdict = judge(*this, session, request, now);
    if (verdict == tracing::refused) return;
    std::unique_ptr<message_trace> trace;
    if (verdict == tracing::wanted) {
        trace = std::make_unique<message_trace>(std::move(request), session, message, now.wall);
    }
    const auto found = mapped_subject(*session.of, message.subject);
    const auto is_mapped = found.data() != message.subject.data(); // Perhaps to itself.
    const auto subject = std::string(found);
    if (trace && is_mapped) trace->map(subject);
    if ((session.delivery_flags & delivery::traced) != 0) trace_mapped(session, message, subject);
    const auto refusal = refusal_of(session, subject, message.reply, now);
    if (!refusal.empty()) {
        if (!trace) return;
        trace->refuse(refusal);
        return publish_event(*trace, now);
    }
    if (session.verbose) send_ok(session);
    if (trace) {
        routing.publish_traced(session, subject, message, now, std::move(trace));
    } else if (verdict == tracing::disabled) {
        publish_untraceable(*this, session, subject, message, now);
    } else {
        routing.publish(session, subject, message, now);
    }
}

void broker_state::publish_event(const message_trace& trace, moment now) {
    const auto encoding = trace.request().encoding;
    const auto body =
        encode(encoding, trace.event(config->identity, ++counters.trace_events, now.wall));
    std::string headers;
    if (encoding != content_encoding::none) {
        headers.append("NATS/1.0\r\nContent-Encoding: ").append(name(encoding)).append("\r\n\r\n");
    }
    protocol::message_operation message{
        .subject = trace.request().destination, .headers = headers, .payload = body};
    const message_sizes sizes(message);
    routing.publish(trace.of(), message, now);
}

void trace_too_large(broker_state& state, session& from, const parse_stop& stop, moment now) {
    const auto message = message_at(stop);
    auto request = read_trace_request(message.headers);
    if (!request.wanted() || judge(state, from, request, now) != tracing::wanted) return;
    message_trace trace(std::move(request), from, message, now.wall);
    trace.refuse("maximum payload exceeded");
    state.publish_event(trace, now);
}

} // namespace pipit::broker
