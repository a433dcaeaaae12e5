// SPDX-License-Identifier: Apache-2.0
// What those cost who have not said who they are: it is counted whenever one of them has to be
// waited for, and some of them go when it is too much.
#include <pipit/protocol/error_texts.hpp>
#include <pipit/server/detail/loop_state.hpp>

#include <utility>

namespace pipit::server {

using broker::close_reason;

void loop::state::count_stranger(connection& of) {
    const auto& session = *of.session;
    if (!of.before_session && !broker.is_stranger(session)) return of.stay.reset();
    auto kept = broker.bytes_before_login(session);
    if (of.before_session) kept += net::memory_of(of.before_session->bytes);
    if (const auto* const filtered = dynamic_cast<net::filtered_transport*>(of.transport.get())) {
        kept += filtered->kept_bytes();
    }
    if (kept == 0) return of.stay.reset();
    if (!of.stay) {
        of.stay = std::make_unique<strangers::stay>(guests, party(broker.address_of(session)),
                                                    [this, &of] { turn_away(of); });
    }
    of.stay->keeps(kept);
}

/// As if its time were over: it may try again.
void loop::state::turn_away(connection& stranger) {
    const auto now = clock.now();
    auto& session = *stranger.session;
    if (stranger.before_session) {
        broker.note(session, log_level::debug, "Turned away before it has arrived");
        return lose(stranger, close_reason::authentication_timeout, now);
    }
    broker.note(session, log_level::debug, "Turned away before it has logged in");
    broker.turn_away(session, protocol::error_texts::authentication_timeout,
                     close_reason::authentication_timeout, now);
}

/// Between two batches: whoever is counted is being worked on.
void loop::state::make_room() {
    if (std::exchange(makes_room, true)) return;
    events.post([this] {
        makes_room = false;
        strangers_turned_away += guests.make_room();
        const auto now = clock.now();
        finish_batch(now);
        if (strangers_turned_away == 0 || now.steady - told_of_strangers < std::chrono::seconds(1))
            return;
        told_of_strangers = now.steady;
        log.warning("Turned away " + std::to_string(std::exchange(strangers_turned_away, 0)) +
                    " connections before they logged in: together they kept too much memory");
    });
}

} // namespace pipit::server
