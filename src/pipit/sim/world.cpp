// SPDX-License-Identifier: Apache-2.0
#include <pipit/sim/world.hpp>

#include <pipit/base/assert.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace pipit::sim {

std::uint64_t seed_from_environment(std::uint64_t otherwise) {
    const char* text = std::getenv("PIPIT_SEED");
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::shared_ptr<broker::configuration> open_configuration() {
    auto config = std::make_shared<broker::configuration>();
    config->identity.id = "NSIMULATED";
    config->identity.name = "simulated";
    broker::account_configuration global;
    global.id = broker::account_id{1};
    global.name = "$G";
    config->accounts.push_back(global);
    config->global_account = global.id;
    config->subscriptions_ended_at_a_time = 1; // As of very many.
    config->batch_output_bytes = 1;            // The same.
    return config;
}

world::world(settings chosen)
    : settings_(std::move(chosen)),
      random_(settings_.seed),
      now_{steady_time(std::chrono::hours(1)), wall_time(std::chrono::hours(1))},
      mesh_(settings_.loops),
      loops_(settings_.loops) {
    for (unsigned i = 0; i < settings_.loops; ++i) {
        loops_[i].broker = std::make_unique<broker::broker>(i, random_(), settings_.configuration,
                                                            mesh_, counters_, logger_);
        mesh_.on_wake(i, [this, i] { loops_[i].woken = true; });
    }
}

world::~world() = default;

client& world::connect(unsigned loop) {
    auto& made = links_.emplace_back(loop);
    made.session = &loops_[loop].broker->open({.ip = "192.0.2.1", .port = 1}, &made, now_);
    if (settings_.websockets && random_.below(4) != 0) {
        made.web = std::make_unique<web_link>(random_, random_.below(2) == 0);
        send_to_server(made, made.web->request());
    }
    // Its INFO goes with the next flush of that loop.
    loops_[loop].woken = true;
    return made.end;
}

world::connection& world::link_of(client& client) {
    const auto found = std::find_if(links_.begin(), links_.end(),
                                    [&](const connection& each) { return &each.end == &client; });
    PIPIT_ASSERT(found != links_.end());
    return *found;
}

void world::cut(client& client) {
    auto& link = link_of(client);
    link.cut = true;
    link.end.closed = true;
    link.to_server.clear();
    link.to_client.clear();
    link.in_socket = 0;
}

void world::stop_reading(client& client) { link_of(client).reads = false; }

void world::read_again(client& client) { link_of(client).reads = true; }

void world::reconfigure(const std::shared_ptr<const broker::configuration>& config) {
    for (auto& loop : loops_) {
        loop.next_configuration = config;
        loop.obeys_at = now_.steady + some_delay();
    }
}

void world::after(nanoseconds delay, std::function<void()> action) {
    timed_.push({now_.steady + delay, next_order_++, std::move(action)});
}

/// Half of what takes time comes at once, so that what it causes races with what the loops have
/// not yet told each other.
nanoseconds world::some_delay() {
    const auto delay_max = static_cast<std::uint64_t>(settings_.delay_max.count());
    return nanoseconds(random_.below(2) == 0 ? 0 : random_() % delay_max);
}

/// Chunks of one direction never overtake each other.
steady_time world::arrival(const std::deque<travelling>& before) {
    const auto due = now_.steady + some_delay();
    return before.empty() ? due : std::max(due, before.back().due);
}

void world::send_from_client(connection& link) {
    auto bytes = link.end.take_outgoing();
    send_to_server(link, link.web ? link.web->from_client(bytes) : std::move(bytes));
}

void world::send_to_server(connection& link, std::string bytes) {
    // Cut anywhere: a socket keeps no boundaries.
    while (!bytes.empty()) {
        const auto size = random_.below(4) == 0
                              ? 1 + random_.below(static_cast<std::uint32_t>(bytes.size()))
                              : bytes.size();
        link.to_server.push_back({arrival(link.to_server), bytes.substr(0, size)});
        bytes.erase(0, size);
    }
}

void world::deliver_to_client(connection& link) {
    auto next = std::move(link.to_client.front());
    link.to_client.pop_front();
    link.in_socket -= next.bytes.size();
    if (!link.web) return link.end.receive(next.bytes);
    auto arrived = link.web->to_client(next.bytes);
    if (!arrived.plain.empty()) link.end.receive(arrived.plain);
    if (arrived.failed) link.end.errors.emplace_back("what the server wrote are no frames");
    if (!link.cut && !arrived.answer.empty()) send_to_server(link, std::move(arrived.answer));
}

void world::send_to_client(connection& link, std::string bytes) {
    if (bytes.empty()) return;
    link.in_socket += bytes.size();
    link.to_client.push_back({arrival(link.to_client), std::move(bytes)});
}

/// Until a WebSocket is open, what there is for it waits.
bool world::may_write(const connection& to) const noexcept {
    return (!to.web || to.web->server_is_open()) && to.in_socket < settings_.socket_bytes;
}

void world::read(unsigned index, connection& from) {
    auto& loop = loops_[index];
    if (from.web && !from.cut) {
        if (!read_web(index, from)) return;
    } else if (from.cut) {
        loop.broker->lost(*from.session, protocol::close_reason::read_error, now_);
    } else {
        loop.scratch = std::move(from.to_server.front().bytes);
        from.to_server.pop_front();
        loop.reading = &from;
        loop.taken = 0;
        receive(loop);
    }
    loop.phase = simulated_loop::phase::batch_open;
}

/// Hands over what was read and is not taken yet.
void world::receive(simulated_loop& loop) {
    const auto rest = bytes_view(loop.scratch).substr(loop.taken);
    const auto taken = loop.broker->receive(*loop.reading->session, 0, rest, now_);
    loop.was_put_off = !taken;
    loop.taken += taken.value_or(0);
}

/// False: there was nothing in it for the broker.
bool world::read_web(unsigned index, connection& from) {
    auto& loop = loops_[index];
    std::string wire;
    if (!from.web->server_holds_more()) {
        wire = std::move(from.to_server.front().bytes);
        from.to_server.pop_front();
    }
    auto arrived = from.web->to_server(wire, loop.broker->message_bytes_max(*from.session));
    send_to_client(from, std::move(arrived.answer));
    if (arrived.plain.empty() && !arrived.ended) return false;
    loop.scratch = std::move(arrived.plain);
    loop.reading = &from;
    loop.reading_ends = arrived.ended;
    loop.taken = 0;
    receive(loop);
    return true;
}

void world::ask_workers(simulated_loop& loop) {
    while (auto question = loop.broker->next_question()) {
        PIPIT_ASSERT(settings_.answer_login);
        auto answer = settings_.answer_login(*question);
        if (!answer) continue;
        const auto delay_max = static_cast<std::uint64_t>(settings_.answer_delay_max.count());
        const auto delay = nanoseconds(random_.below(4) == 0 ? 0 : random_() % delay_max);
        loop.verdicts.push_back({now_.steady + delay, question->id, std::move(*answer)});
    }
}

void world::take_verdict(unsigned index, std::size_t which) {
    auto& loop = loops_[index];
    const auto at = loop.verdicts.begin() + static_cast<std::ptrdiff_t>(which);
    auto taken = std::move(*at);
    loop.verdicts.erase(at);
    loop.broker->answer(taken.question, std::move(taken.answer), now_);
    loop.phase = simulated_loop::phase::batch_open;
}

/// The next part of the batch that the loop is in.
void world::advance_loop(unsigned index) {
    auto& loop = loops_[index];
    auto& broker = *loop.broker;
    if (loop.phase == simulated_loop::phase::batch_open) {
        broker.append_batch(now_);
        loop.goes_on_at = now_.steady + some_delay();
        loop.phase = simulated_loop::phase::batch_hidden;
        return;
    }
    if (loop.phase == simulated_loop::phase::batch_hidden) {
        broker.show_batch();
        ask_workers(loop);
        loop.phase = simulated_loop::phase::flushing;
        return;
    }
    if (auto* session = broker.next_touched()) return flush(broker, *session);
    loop.phase = simulated_loop::phase::batch_open;
    if (broker.take_rest(now_)) return;
    if (loop.reading != nullptr && loop.reading->session != nullptr) {
        if (loop.was_put_off || loop.taken < loop.scratch.size()) return receive(loop);
        if (std::exchange(loop.reading_ends, false)) {
            return broker.lost(*loop.reading->session, protocol::close_reason::read_error, now_);
        }
    }
    loop.reading = nullptr;
    loop.reading_ends = false;
    loop.phase = simulated_loop::phase::idle;
}

void world::flush(broker::broker& broker, broker::session& session) {
    auto& link = *static_cast<connection*>(broker.driver_of(session));
    while (broker.has_output(session)) {
        std::array<bytes_view, 4> pieces;
        const auto count = broker.gather(session, pieces);
        const auto room =
            link.cut || !may_write(link) ? 0 : settings_.socket_bytes - link.in_socket;
        std::size_t size = 0;
        for (std::size_t i = 0; i < count; ++i) {
            pieces[i] = pieces[i].substr(0, room - size);
            size += pieces[i].size();
        }
        const auto taken = std::span(pieces).first(count);
        std::string written;
        if (link.web && size != 0) {
            written = link.web->from_server(taken);
        } else {
            for (const auto piece : taken) written += piece;
        }
        broker.sent(session, size, now_);
        link.wants_flush = size == 0;
        if (size == 0) break;
        send_to_client(link, std::move(written));
    }
    if (!broker.closing(session) || (broker.has_output(session) && !link.cut)) return;
    if (link.web && !link.cut) send_to_client(link, link.web->end_of_server());
    broker.release(session, now_);
    link.session = nullptr;
    link.server_closed = true;
}

void world::collect_actions_of(unsigned index) {
    auto& loop = loops_[index];
    if (loop.goes_on_at > now_.steady) return;
    if (loop.phase != simulated_loop::phase::idle) {
        actions_.push_back([this, index] { advance_loop(index); });
        return;
    }
    if (loop.woken) {
        actions_.push_back([this, index] {
            loops_[index].woken = false;
            loops_[index].broker->take_from_peers(now_);
            loops_[index].phase = simulated_loop::phase::batch_open;
        });
    }
    if (loop.next_configuration && loop.obeys_at <= now_.steady) {
        actions_.push_back([this, index] {
            auto& obeys = loops_[index];
            obeys.broker->reconfigure(std::exchange(obeys.next_configuration, nullptr), now_);
            obeys.phase = simulated_loop::phase::batch_open;
        });
    }
    for (std::size_t i = 0; i < loop.verdicts.size(); ++i) {
        if (loop.verdicts[i].due > now_.steady) continue;
        actions_.push_back([this, index, i] { take_verdict(index, i); });
    }
    const auto deadline = loop.broker->next_deadline();
    if (deadline && *deadline <= now_.steady) {
        actions_.push_back([this, index] {
            loops_[index].broker->expire(now_);
            loops_[index].phase = simulated_loop::phase::batch_open;
        });
    }
    for (auto& link : links_) {
        if (link.loop != index || link.session == nullptr) continue;
        const bool readable =
            (!link.to_server.empty() && link.to_server.front().due <= now_.steady) ||
            (link.web && link.web->server_holds_more());
        if (link.cut || (readable && !loop.broker->reading_paused(*link.session))) {
            actions_.push_back([this, index, &link] { read(index, link); });
        }
        if (link.wants_flush && may_write(link)) {
            actions_.push_back([this, index, &link] {
                flush(*loops_[index].broker, *link.session);
                loops_[index].phase = simulated_loop::phase::batch_open;
            });
        }
    }
}

void world::collect_actions() {
    actions_.clear();
    for (unsigned i = 0; i < loop_count(); ++i) collect_actions_of(i);
    for (auto& link : links_) {
        const bool is_open = !link.web || link.web->client_is_open();
        if (!link.cut && is_open && link.end.has_outgoing()) {
            actions_.push_back([this, &link] { send_from_client(link); });
        }
        if (link.reads && !link.to_client.empty() && link.to_client.front().due <= now_.steady) {
            actions_.push_back([this, &link] { deliver_to_client(link); });
        }
        if (link.server_closed && link.to_client.empty()) link.end.closed = true;
    }
    if (!timed_.empty() && timed_.top().at <= now_.steady) {
        actions_.push_back([this] {
            const auto run = timed_.top().run;
            timed_.pop();
            run();
        });
    }
}

/// To the next moment at which something can happen.
bool world::advance_time() {
    auto next = steady_time::max();
    const auto consider = [&](steady_time at) {
        if (at > now_.steady) next = std::min(next, at);
    };
    for (const auto& loop : loops_) {
        if (const auto deadline = loop.broker->next_deadline()) consider(*deadline);
        for (const auto& verdict : loop.verdicts) consider(verdict.due);
        if (loop.next_configuration) consider(loop.obeys_at);
        consider(loop.goes_on_at);
    }
    for (const auto& link : links_) {
        if (!link.to_server.empty()) consider(link.to_server.front().due);
        if (!link.to_client.empty() && link.reads) consider(link.to_client.front().due);
    }
    if (!timed_.empty()) consider(timed_.top().at);
    if (next == steady_time::max()) return false;
    now_.wall += next - now_.steady;
    now_.steady = next;
    return true;
}

bool world::step() {
    collect_actions();
    if (actions_.empty()) return false;
    ++steps_;
    actions_[random_.below(static_cast<std::uint32_t>(actions_.size()))]();
    return true;
}

void world::run(nanoseconds limit) {
    const auto end = now_.steady + limit;
    for (;;) {
        if (step()) continue;
        if (!advance_time() || now_.steady > end) return;
    }
}

} // namespace pipit::sim
