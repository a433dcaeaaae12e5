// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/join_host_port.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/server/authenticator.hpp>
#include <pipit/server/detail/loop_state.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <pthread.h>

namespace pipit::server {
namespace {

using broker::close_reason;

/// Pieces of one gather write: more than a full read of large payloads makes.
constexpr std::size_t pieces_max = 256;

/// What was wrong with a WebSocket's frames, or with what they pack; empty: nothing.
std::string framing_failure(const net::websocket_server_filter* websocket) {
    if (websocket == nullptr || !websocket->failure().code()) return {};
    const auto& why = websocket->failure();
    return why.detail().empty() ? why.code().message() : std::string(why.detail());
}

/// Source: client-protocol, section 13.
std::uint16_t websocket_status_of(close_reason reason) noexcept {
    namespace status = net::websocket_status;
    switch (reason) {
    case close_reason::client_closed: return status::normal;
    case close_reason::authentication_timeout:
    case close_reason::authentication_failure:
    case close_reason::authentication_expired:
    case close_reason::credentials_revoked:
    case close_reason::slow_consumer_pending_bytes:
    case close_reason::slow_consumer_write_deadline:
    case close_reason::max_account_connections_exceeded:
    case close_reason::max_connections_exceeded:
    case close_reason::max_control_line_exceeded:
    case close_reason::max_subscriptions_exceeded:
    case close_reason::missing_account: return status::policy_violation;
    case close_reason::tls_handshake_failure: return status::tls_handshake;
    case close_reason::parse_error:
    case close_reason::protocol_violation:
    case close_reason::bad_client_protocol_version: return status::protocol_error;
    case close_reason::max_payload_exceeded: return status::too_big;
    case close_reason::write_error:
    case close_reason::read_error:
    case close_reason::stale_connection:
    case close_reason::server_shutdown: return status::going_away;
    default: return status::internal_error;
    }
}

} // namespace

loop::state::state(unsigned its_index, std::uint64_t seed,
                   std::shared_ptr<const broker::configuration> config,
                   loop_dependencies its_dependencies, logger its_log)
    : index(its_index),
      dependencies(its_dependencies),
      log(std::move(its_log)),
      broker(its_index, seed, std::move(config), its_dependencies.mesh, its_dependencies.counters,
             log),
      scratch(std::make_unique_for_overwrite<char[]>(limits::read_scratch_bytes)) {
    events.on_deadline([this] { expire(); });
    dependencies.mesh.on_wake(index, [this] { events.post([this] { take_from_peers(); }); });
}

// --- Connections ---

loop::state::connection& loop::state::adopt(const broker::session_origin& origin, moment now) {
    auto& made = *connections.emplace_back(std::make_unique<connection>(*this));
    made.session = &broker.open(origin, &made, now);
    made.place = static_cast<std::uint32_t>(connections.size() - 1);
    connection_count.store(connections.size(), std::memory_order_relaxed);
    return made; // Until `end()`.
}

/// Begins the session of somebody whose WebSocket is open.
void loop::state::welcome(websocket_guest guest) {
    const auto now = clock.now();
    auto& made = adopt(guest.origin, now);
    made.transport = std::move(guest.transport);
    made.transport->set_user(made);
    made.websocket = guest.filter;
    if (guest.tls) broker.secured(*made.session, std::move(*guest.tls), now);
    guest.first_bytes.copy(scratch.get(), guest.first_bytes.size());
    if (hand_over(made, 0, {scratch.get(), guest.first_bytes.size()}, now)) wait_for_more(made);
}

void loop::state::lose(connection& from, close_reason reason, moment now) {
    broker.lost(*from.session, reason, now);
    finish_batch(now);
}

void loop::state::end(connection& ended, moment now) {
    if (reading == &ended) reading = nullptr;
    if (ended.before_session) drop_deadline(ended);
    if (ended.websocket != nullptr) {
        const auto reason = broker.reason_of(*ended.session);
        ended.websocket->close_with(websocket_status_of(reason), protocol::text(reason));
    }
    ended.transport.reset();
    broker.release(*ended.session, now);
    const auto place = ended.place;
    std::swap(connections[place], connections.back());
    connections[place]->place = place;
    const auto gone = std::move(connections.back()); // With this call.
    connections.pop_back();
    connection_count.store(connections.size(), std::memory_order_relaxed);
    some_ended = true;
}

// --- Reading ---

void loop::state::read(connection& from) {
    if (from.before_session) return read_arrival(from);
    if (broker.reading_paused(*from.session))
        return wait_for_more(from); // Since it was waited for.
    auto now = clock.now();
    const auto begun = now.steady;
    for (int i = 0; i < limits::reads_in_a_row && now.steady - begun < limits::turn; ++i) {
        if (from.websocket != nullptr) {
            from.websocket->set_message_bytes_max(broker.message_bytes_max(*from.session));
        }
        const auto direct = broker.direct_space(*from.session);
        const auto wanted = std::min(from.next_read.bytes(), broker.read_bytes_max(*from.session));
        const auto [status, bytes] = from.transport->read(direct, {scratch.get(), wanted});
        if (status == net::io_status::would_block) break;
        if (status == net::io_status::closed) return lose(from, close_reason::client_closed, now);
        if (status == net::io_status::failed) {
            if (const auto why = framing_failure(from.websocket); !why.empty()) {
                broker.note(*from.session, log_level::error, "read error: " + why);
            }
            return lose(from, close_reason::read_error, now);
        }
        const auto direct_bytes = std::min(bytes, direct.size());
        const bytes_view rest(scratch.get(), bytes - direct_bytes);
        if (!hand_over(from, direct_bytes, rest, now)) return;
        const auto after = clock.now();
        from.next_read.note(rest.size(), after.steady - now.steady);
        now = after;
        if (bytes < direct.size() + wanted || broker.reading_paused(*from.session)) break;
    }
    wait_for_more(from);
}

bool loop::state::hand_over(connection& from, std::size_t direct_bytes, bytes_view scratch_bytes,
                            moment now) {
    reading = &from;
    bool some_is_left = true;
    while (reading != nullptr && some_is_left) {
        const auto taken = broker.receive(*from.session, direct_bytes, scratch_bytes, now);
        if (taken) {
            direct_bytes = 0;
            scratch_bytes.remove_prefix(*taken);
        }
        some_is_left = !taken || !scratch_bytes.empty();
        finish_batch(now);
    }
    return std::exchange(reading, nullptr) != nullptr;
}

void loop::state::wait_for_more(connection& from) {
    from.reading_paused = broker.reading_paused(*from.session);
    if (!from.reading_paused && !broker.closing(*from.session)) from.transport->wait_readable();
    if (from.stay != nullptr || broker.is_stranger(*from.session)) count_stranger(from);
}

// --- Writing ---

void loop::state::write_on(connection& to) {
    const auto now = clock.now();
    if (!flush_and_finish(to, now)) return;
    if (to.before_session && to.before_session->ends_output) go_on(to, now);
}

void loop::state::flush(broker::session& session, moment now) {
    auto& to = *static_cast<connection*>(broker.driver_of(session));
    if (to.waits_to_write) {
        broker.sent(session, 0, now);
    } else {
        write(to, now);
    }
    if (broker.closing(session)) {
        if (!broker.has_output(session)) return end(to, now);
        some_ended = true; // Its output may be for nobody any more.
    } else if (to.reading_paused) {
        wait_for_more(to);
    }
}

void loop::state::write(connection& to, moment now) {
    auto& session = *to.session;
    std::array<bytes_view, pieces_max> pieces;
    while (broker.has_output(session)) {
        const auto count = broker.gather(session, pieces);
        std::size_t offered = 0;
        for (std::size_t i = 0; i < count; ++i) offered += pieces[i].size();
        const auto [status, bytes] = to.transport->write(std::span(pieces).first(count));
        if (status == net::io_status::failed) {
            return broker.lost(session, close_reason::write_error, now);
        }
        broker.sent(session, bytes, now);
        if (bytes < offered) {
            to.waits_to_write = true;
            return to.transport->wait_writable();
        }
    }
}

// --- Batches ---

void loop::state::finish_batch(moment now) {
    do {
        some_ended = false;
        broker.end_batch(now);
        while (auto* touched = broker.next_touched()) flush(*touched, now);
    } while (some_ended || broker.take_rest(now));
    while (auto question = broker.next_question()) {
        dependencies.logins.ask(std::move(*question),
                                [this](std::uint64_t id, broker::login_answer answer) {
                                    events.post([this, id, answer = std::move(answer)]() mutable {
                                        const auto answered = clock.now();
                                        broker.answer(id, std::move(answer), answered);
                                        finish_batch(answered);
                                    });
                                });
    }
    if (const auto deadline = broker.next_deadline()) events.wake_at(*deadline);
}

bool loop::state::finish_batch_of(connection& one, moment now) {
    reading = &one;
    finish_batch(now);
    return std::exchange(reading, nullptr) != nullptr;
}

bool loop::state::flush_and_finish(connection& one, moment now) {
    reading = &one;
    flush(*one.session, now);
    finish_batch(now);
    return std::exchange(reading, nullptr) != nullptr;
}

void loop::state::take_from_peers() {
    const auto now = clock.now();
    if (broker.take_from_peers(now)) finish_batch(now);
}

void loop::state::expire() {
    const auto now = clock.now();
    broker.expire(now);
    expire_arrivals(now);
    websockets.expire(now.steady);
    if (const auto next = websockets.next_deadline()) events.wake_at(*next);
    finish_batch(now);
}

void loop::state::close_everything() {
    const auto now = clock.now();
    while (!connections.empty()) {
        auto& left = *connections.back();
        broker.lost(*left.session, close_reason::server_shutdown, now);
        end(left, now);
    }
}

// --- The loop as others see it ---

loop::loop(unsigned index, std::uint64_t seed, std::shared_ptr<const broker::configuration> config,
           loop_dependencies dependencies, logger log)
    : state_(
          std::make_unique<state>(index, seed, std::move(config), dependencies, std::move(log))) {}

loop::~loop() {
    stop();
    state_->close_everything();
}

void loop::stop() {
    state_->events.stop();
    if (state_->thread.joinable()) state_->thread.join();
    state_->websockets.close(); // Nobody else knows of them.
}

void loop::start() {
    state_->thread = std::thread([this] {
        ::pthread_setname_np(::pthread_self(), ("loop " + std::to_string(state_->index)).c_str());
        clockid_t own{};
        if (::pthread_getcpuclockid(::pthread_self(), &own) == 0) state_->cpu_clock = own;
        state_->events.run();
    });
}

void loop::adopt(net::accepted_socket accepted, const arrival_rules& rules) {
    auto carried = std::make_shared<net::accepted_socket>(std::move(accepted));
    state_->events.post([state = state_.get(), carried, rules] {
        const auto now = state->clock.now();
        const bool first = rules.tls && rules.tls->before_info;
        const bool shakes_hands = first || (rules.tls && rules.tls->required);
        auto& made = state->adopt({.ip = carried->ip,
                                   .port = carried->port,
                                   .behind_proxy = rules.behind_proxy,
                                   .shakes_hands = shakes_hands,
                                   .shakes_hands_first = first},
                                  now);
        made.transport = net::make_tcp_transport(state->events, std::move(carried->socket), made);
        if (rules.behind_proxy || rules.tls) {
            auto place = join_host_port(carried->ip, carried->port);
            return state->begin_arrival(made, rules, std::move(place), now);
        }
        made.transport->wait_readable();
        state->finish_batch(now);
    });
}

void loop::adopt(net::accepted_socket accepted, const websocket_policy& policy,
                 std::shared_ptr<const tls_rules> tls) {
    auto carried = std::make_shared<net::accepted_socket>(std::move(accepted));
    state_->events.post([state = state_.get(), carried, &policy, tls = std::move(tls)] {
        state->websockets.begin(std::move(*carried), policy, tls, state->clock.now().steady);
        if (const auto next = state->websockets.next_deadline()) state->events.wake_at(*next);
    });
}

void loop::adopt(net::pipe_offer offer) {
    auto carried = std::make_shared<net::pipe_offer>(std::move(offer));
    state_->events.post([state = state_.get(), carried] {
        const auto now = state->clock.now();
        auto& made = state->adopt({.in_process = true}, now);
        made.transport = std::move(*carried).accept(state->events, made);
        made.transport->wait_readable();
        state->finish_batch(now);
    });
}

void loop::post(task run) {
    state_->events.post([state = state_.get(), run = std::move(run)] {
        const auto now = state->clock.now();
        run(state->broker, now);
        state->finish_batch(now);
    });
}

void loop::set_log(logger log) {
    state_->events.post([state = state_.get(), log = std::move(log)] { state->log = log; });
}

std::size_t loop::connection_count() const noexcept {
    return state_->connection_count.load(std::memory_order_relaxed);
}

nanoseconds loop::cpu_time() const noexcept {
    timespec used{};
    const clockid_t clock = state_->cpu_clock;
    if (clock == 0 || ::clock_gettime(clock, &used) != 0) return {};
    return std::chrono::seconds(used.tv_sec) + nanoseconds(used.tv_nsec);
}

net::event_loop& loop::events() noexcept { return state_->events; }

void post_to_all(const std::vector<std::unique_ptr<loop>>& loops, loop_task task,
                 std::function<void()> then) {
    struct progress {
        loop_task task;
        std::function<void()> then;
        std::atomic<std::size_t> left;
    };
    if (loops.empty()) return then();
    auto shared = std::make_shared<progress>();
    shared->task = std::move(task);
    shared->then = std::move(then);
    shared->left = loops.size();
    for (unsigned i = 0; i < loops.size(); ++i) {
        loops[i]->post([shared, i](broker::broker& broker, moment now) {
            shared->task(i, broker, now);
            if (--shared->left == 0) shared->then();
        });
    }
}

} // namespace pipit::server
