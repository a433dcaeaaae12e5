// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/log.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/broker.hpp>
#include <pipit/net/event_loop.hpp>
#include <pipit/net/pipe.hpp>
#include <pipit/net/tcp.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace pipit::server {

class authenticator;
struct arrival_rules;
struct tls_rules;
class websocket_policy;

/// What the loops of one server share.
struct loop_dependencies {
    broker::mesh& mesh;
    broker::shared_counters& counters;
    authenticator& logins;
};

/// One thread with its broker and all sockets of its connections: it reads, hands the bytes to the
/// broker, and writes what the broker has for whom.
///
/// Threads: made, started and ended by one; everything else is for all.
class loop {
public:
    loop(unsigned index, std::uint64_t seed, std::shared_ptr<const broker::configuration> config,
         loop_dependencies dependencies, logger log);
    /// Stops, and closes what is still connected.
    ~loop();
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;

    void start();
    /// Waits for the thread. A loop that others still wake must not end before they have stopped.
    void stop();

    /// Begins a session for a connection, and what may come before its protocol.
    void adopt(net::accepted_socket accepted, const arrival_rules& rules);
    /// The same for a connection to a WebSocket listener: when its request was answered.
    /// `policy` outlives the loop.
    void adopt(net::accepted_socket accepted, const websocket_policy& policy,
               std::shared_ptr<const tls_rules> tls);
    /// The same, for a connection inside this process.
    void adopt(net::pipe_offer offer);

    /// Runs a task between two batches, and then flushes what it left.
    using task = std::function<void(broker::broker&, moment)>;
    void post(task run);
    /// The same, and the loop's log lines go there from then on.
    void set_log(logger log);

    [[nodiscard]] std::size_t connection_count() const noexcept;
    /// How much of a core the loop's thread has used since it was started.
    [[nodiscard]] nanoseconds cpu_time() const noexcept;

    /// For what else waits on this thread: listeners.
    [[nodiscard]] net::event_loop& events() noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

using loop_task = std::function<void(unsigned index, broker::broker& broker, moment now)>;

/// Has each of a server's loops run the task, and the one that is last run `then`; nobody waits.
void post_to_all(const std::vector<std::unique_ptr<loop>>& loops, loop_task task,
                 std::function<void()> then);

} // namespace pipit::server
