// SPDX-License-Identifier: Apache-2.0
// What comes before a connection's protocol: a PROXY header, TLS. Everything here is written as if
// whoever connects means harm: it has its time, and its bytes are bounded.
#include <pipit/base/limits.hpp>
#include <pipit/broker/tls_facts.hpp>
#include <pipit/net/error.hpp>
#include <pipit/net/proxy_protocol.hpp>
#include <pipit/protocol/error_texts.hpp>
#include <pipit/server/detail/loop_state.hpp>

#include <functional>
#include <memory>
#include <utility>

namespace pipit::server {
namespace {

using broker::close_reason;

/// A record of TLS that begins a handshake.
constexpr char tls_first_byte = 0x16;

} // namespace

/// INFO may still come before TLS.
bool loop::state::may_fall_back(const arrival& before) noexcept {
    return before.holds_info && before.bytes.empty() && before.rules.tls->fallback != nanoseconds{};
}

void loop::state::begin_arrival(connection& of, arrival_rules rules, std::string place,
                                moment now) {
    auto before = std::make_unique<arrival>();
    before->place = std::move(place);
    before->awaits_proxy_header = rules.behind_proxy;
    before->header_deadline = now.steady + limits::proxy_header_deadline;
    before->holds_info = rules.tls && rules.tls->before_info;
    before->rules = std::move(rules);
    // What waits for a socket is not written.
    of.waits_to_write = before->holds_info && !broker.closing(*of.session);
    of.before_session = std::move(before);
    if (finish_batch_of(of, now)) go_on(of, now);
}

/// Decides what comes next; ends when it must wait for the other side.
void loop::state::go_on(connection& of, moment now) {
    auto& before = *of.before_session;
    const auto* tls = before.rules.tls.get();
    if (before.awaits_proxy_header && !take_proxy_header(of, now)) return;
    if (before.holds_info) {
        if (!may_fall_back(before)) return begin_tls(of, now);
        set_deadline(of, now.steady + tls->fallback);
        return wait_for_arrival(of);
    }
    drop_deadline(of);
    if (tls != nullptr && tls->required) return begin_tls(of, now);
    if (tls != nullptr && before.bytes.empty()) return wait_for_arrival(of);
    if (tls != nullptr && before.bytes.front() == tls_first_byte) return begin_tls(of, now);
    const auto bytes = std::move(before.bytes);
    end_arrival(of);
    if (hand_over(of, 0, bytes, now)) wait_for_more(of);
}

void loop::state::read_arrival(connection& from) {
    auto& before = *from.before_session;
    if (before.secured != nullptr) return handshakes.ask(before.from, before.next_step);
    const auto now = clock.now();
    const auto wanted = net::proxy_header_bytes_max - before.bytes.size();
    const auto [status, bytes] = from.transport->read({}, {scratch.get(), wanted});
    if (status == net::io_status::would_block) return wait_for_arrival(from);
    if (status == net::io_status::closed) {
        if (before.awaits_proxy_header) {
            log.warning("Error reading PROXY protocol header from " + before.place + ": " +
                        net::unfinished_proxy_header_text(before.bytes));
        }
        return lose(from, close_reason::client_closed, now);
    }
    if (status == net::io_status::failed) return lose(from, close_reason::read_error, now);
    before.bytes.append(scratch.get(), bytes);
    go_on(from, now);
}

// --- Who is behind a proxy ---

/// False: there is more to wait for, or the connection has ended.
bool loop::state::take_proxy_header(connection& of, moment now) {
    auto& before = *of.before_session;
    const auto header = net::parse_proxy_header(before.bytes);
    if (!header) {
        log.warning("Error reading PROXY protocol header from " + before.place + ": " +
                    std::string(header.error().detail()));
        lose(of, close_reason::protocol_violation, now);
        return false;
    }
    if (header->state == net::proxy_header::status::incomplete) {
        set_deadline(of, may_fall_back(before) ? now.steady + before.rules.tls->fallback
                                               : before.header_deadline);
        wait_for_arrival(of);
        return false;
    }
    if (header->source) {
        broker.set_origin(*of.session, header->source->ip, header->source->port);
    }
    std::string(before.bytes, header->size).swap(before.bytes);
    of.stay.reset(); // What it keeps from now on is somebody else's.
    before.awaits_proxy_header = false;
    return true;
}

// --- TLS ---

void loop::state::begin_tls(connection& of, moment now) {
    auto& before = *of.before_session;
    auto& session = *of.session;
    const auto& rules = *before.rules.tls;
    before.ends_output = !before.holds_info && broker.has_output(session);
    if (before.ends_output) return; // `write_on` comes back.
    if (rules.rate && !rules.rate->allow(now.steady)) {
        if (const auto blocked = rules.rate->take_blocked(now.steady); blocked > 0) {
            log.warning("Rejected " + std::to_string(blocked) +
                        " connections due to TLS rate limiting");
        }
        drop_deadline(of);
        of.waits_to_write = false;
        broker.turn_away(session, protocol::error_texts::connection_throttled,
                         close_reason::max_connections_exceeded, now);
        return finish_batch(now);
    }
    broker.note(session, log_level::debug, "Starting TLS client connection handshake");
    before.from = party(broker.address_of(session));
    before.next_step =
        std::make_shared<const std::function<void()>>([this, &of] { shake_hands(of); });
    auto tls = std::make_unique<net::tls_filter>(rules.context, before.from);
    before.tls = tls.get();
    const auto bytes = std::exchange(before.bytes, {});
    auto secured = net::filtered_transport::over(std::move(of.transport), std::move(tls), events,
                                                 buffers, of, bytes);
    before.secured = secured.get();
    of.transport = std::move(secured);
    if (of.waits_to_write) of.transport->wait_writable();
    set_deadline(of, now.steady + rules.timeout);
    wait_for_arrival(of);
}

void loop::state::shake_hands(connection& of) {
    const auto now = clock.now();
    auto& before = *of.before_session;
    const auto [status, bytes] =
        of.transport->read({}, {scratch.get(), broker.read_bytes_max(*of.session)});
    if (!before.secured->is_open()) {
        if (status == net::io_status::would_block) return wait_for_arrival(of);
        return fail_tls(of, status, now);
    }
    finish_tls(of, now);
    if (!finish_batch_of(of, now)) return;
    if (status == net::io_status::closed) return lose(of, close_reason::client_closed, now);
    if (status == net::io_status::failed) return lose(of, close_reason::read_error, now);
    if (hand_over(of, 0, {scratch.get(), bytes}, now)) wait_for_more(of);
}

void loop::state::finish_tls(connection& of, moment now) {
    auto& before = *of.before_session;
    auto facts = facts_of(*before.tls, before.holds_info);
    end_arrival(of);
    broker.secured(*of.session, std::move(facts), now);
}

void loop::state::fail_tls(connection& of, net::io_status status, moment now) {
    const auto& failure = of.before_session->secured->failure();
    const auto why = failure                            ? std::string(failure->detail())
                     : status == net::io_status::closed ? std::string("EOF")
                                                        : std::string("connection reset by peer");
    // Who does not speak TLS at all is a probe, or somebody at the wrong port.
    const bool is_probe = failure && *failure == net::errc::not_tls;
    broker.note(*of.session, is_probe ? log_level::debug : log_level::error,
                "TLS handshake error: " + why);
    lose(of, close_reason::tls_handshake_failure, now);
}

// --- The end, and time ---

void loop::state::end_arrival(connection& of) {
    drop_deadline(of);
    of.before_session.reset();
}

void loop::state::set_deadline(connection& of, steady_time at) {
    drop_deadline(of);
    of.before_session->deadline = arrivals.emplace(at, &of);
    of.before_session->has_deadline = true;
    events.wake_at(at);
}

void loop::state::drop_deadline(connection& of) {
    if (std::exchange(of.before_session->has_deadline, false)) {
        arrivals.erase(of.before_session->deadline);
    }
}

void loop::state::wait_for_arrival(connection& of) {
    count_stranger(of);
    of.transport->wait_readable();
}

void loop::state::expire_arrivals(moment now) {
    while (!arrivals.empty() && arrivals.begin()->first <= now.steady) {
        auto& late = *arrivals.begin()->second;
        drop_deadline(late);
        expire_arrival(late, now);
    }
    if (!arrivals.empty()) events.wake_at(arrivals.begin()->first);
}

void loop::state::expire_arrival(connection& late, moment now) {
    auto& before = *late.before_session;
    if (before.secured != nullptr) {
        broker.note(*late.session, log_level::debug, "TLS handshake timeout");
        return lose(late, close_reason::tls_handshake_failure, now);
    }
    if (may_fall_back(before)) {
        // It waits for INFO: it gets it, and shakes hands afterwards.
        before.holds_info = late.waits_to_write = false;
        broker.greet(*late.session);
        if (!before.rules.tls->required) broker.goes_without_tls(*late.session, now);
        if (flush_and_finish(late, now)) go_on(late, now);
        return;
    }
    log.warning("Error reading PROXY protocol header from " + before.place +
                ": timeout reading PROXY protocol header");
    lose(late, close_reason::protocol_violation, now);
}

} // namespace pipit::server
