// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/stranger_limits.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/net/filtered_transport.hpp>
#include <pipit/net/tls_filter.hpp>
#include <pipit/server/arrival.hpp>
#include <pipit/server/fair_turns.hpp>
#include <pipit/server/loop.hpp>
#include <pipit/server/read_size.hpp>
#include <pipit/server/strangers.hpp>
#include <pipit/server/websocket_arrivals.hpp>

#include <atomic>
#include <ctime>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace pipit::server {

/// The parts of one loop, wired together. Grouped by file: `loop.cpp` has what happens to a
/// connection whose protocol runs, `loop_arrival.cpp` what comes before that, and
/// `loop_strangers.cpp` what those cost who have not said who they are.
struct loop::state {
    struct connection;
    using deadlines = std::multimap<steady_time, connection*>;

    /// What comes before a connection's protocol: a PROXY header, TLS, or both, or neither after
    /// all. Goes as soon as the protocol begins.
    struct arrival {
        arrival_rules rules;
        std::string place; ///< `ip:port` of who connected, for the log.
        bool awaits_proxy_header = false;
        bool holds_info = false;  ///< INFO waits: TLS may come before it.
        bool ends_output = false; ///< TLS begins when what was queued before is sent.
        std::string bytes;        ///< What was read, and is not yet known what for.
        net::filtered_transport* secured = nullptr; ///< Once a handshake is under way.
        net::tls_filter* tls = nullptr;             ///< The same.
        party from;                                 ///< The same: whose turn it is.
        fair_turns::step next_step;                 ///< The same.
        steady_time header_deadline{};              ///< For the PROXY header.
        deadlines::iterator deadline;
        bool has_deadline = false;
    };

    /// The driver's side of one session. There may be many thousands, so it is small.
    struct connection final : net::transport_user {
        explicit connection(state& its_loop) noexcept : of(&its_loop) {}
        void on_readable() override { of->read(*this); }
        void on_writable() override {
            waits_to_write = false;
            of->write_on(*this);
        }

        state* of;
        net::transport_pointer transport;
        broker::session* session = nullptr;
        std::unique_ptr<arrival> before_session;
        net::websocket_server_filter* websocket = nullptr; ///< In the transport.
        std::uint32_t place = 0;                           ///< In `connections`.
        std::unique_ptr<strangers::stay> stay; ///< Null: nothing is kept for a stranger.
        read_size next_read;
        bool waits_to_write = false;
        bool reading_paused = false;
    };

    state(unsigned its_index, std::uint64_t seed,
          std::shared_ptr<const broker::configuration> config, loop_dependencies its_dependencies,
          logger its_log);

    // loop.cpp
    connection& adopt(const broker::session_origin& origin, moment now);
    void welcome(websocket_guest guest);
    void read(connection& from);
    /// Hands over what one read brought. False: the connection has ended meanwhile.
    bool hand_over(connection& from, std::size_t direct_bytes, bytes_view scratch_bytes,
                   moment now);
    void wait_for_more(connection& from);
    void lose(connection& from, broker::close_reason reason, moment now);
    void write_on(connection& to);
    void flush(broker::session& session, moment now);
    void write(connection& to, moment now);
    void end(connection& ended, moment now);
    void take_from_peers();
    void expire();
    void finish_batch(moment now);
    /// The same. False: this connection has ended meanwhile.
    [[nodiscard]] bool finish_batch_of(connection& one, moment now);
    /// Flushes it before that.
    [[nodiscard]] bool flush_and_finish(connection& one, moment now);
    void close_everything();

    // loop_arrival.cpp
    void begin_arrival(connection& of, arrival_rules rules, std::string place, moment now);
    [[nodiscard]] static bool may_fall_back(const arrival& before) noexcept;
    void read_arrival(connection& from);
    void go_on(connection& of, moment now);
    bool take_proxy_header(connection& of, moment now);
    void begin_tls(connection& of, moment now);
    void shake_hands(connection& of);
    void finish_tls(connection& of, moment now);
    void fail_tls(connection& of, net::io_status status, moment now);
    void end_arrival(connection& of);
    void expire_arrivals(moment now);
    void expire_arrival(connection& late, moment now);
    void set_deadline(connection& of, steady_time at);
    void drop_deadline(connection& of);
    void wait_for_arrival(connection& of);

    // loop_strangers.cpp
    void count_stranger(connection& of);
    void turn_away(connection& stranger);
    void make_room();

    unsigned index;
    loop_dependencies dependencies;
    logger log;
    net::clock clock;
    net::event_loop events;
    net::buffer_pool buffers;
    broker::broker broker;
    std::unique_ptr<char[]> scratch;
    strangers guests{limits::stranger_bytes, [this] { make_room(); }};
    bool makes_room = false;
    steady_time told_of_strangers{};       ///< When the log was told that some were turned away.
    std::size_t strangers_turned_away = 0; ///< Since then.
    fair_turns handshakes{events};         ///< Steps of TLS.
    websocket_arrivals websockets{
        events,     buffers, guests,
        handshakes, log,     [this](websocket_guest guest) { welcome(std::move(guest)); }};
    std::vector<std::unique_ptr<connection>> connections;
    std::atomic<std::size_t> connection_count = 0; ///< The same, for other threads.
    deadlines arrivals;                            ///< Those that must get on in time.
    connection* reading = nullptr;                 ///< Null as soon as it has ended.
    bool some_ended = false;
    std::thread thread;
    /// Of the thread's processor time, for all threads; 0 until the loop runs.
    std::atomic<clockid_t> cpu_clock{0};
};

} // namespace pipit::server
