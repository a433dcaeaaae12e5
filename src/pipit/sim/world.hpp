// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/random.hpp>
#include <pipit/broker/broker.hpp>
#include <pipit/sim/client.hpp>
#include <pipit/sim/web_link.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

namespace pipit::sim {

/// The seed in the environment variable PIPIT_SEED, or `otherwise`.
[[nodiscard]] std::uint64_t seed_from_environment(std::uint64_t otherwise);

/// A configuration that lets everybody do everything in one account.
[[nodiscard]] std::shared_ptr<broker::configuration> open_configuration();

/// A server of some loops and its clients, on virtual time. The seed decides everything.
class world {
public:
    struct settings {
        std::uint64_t seed = 1;
        unsigned loops = 1;
        nanoseconds delay_max = std::chrono::milliseconds(5); ///< Of a chunk, each way.
        std::size_t socket_bytes = 64 * 1024; ///< What a link holds towards a client.
        bool websockets = false;              ///< Most clients come by one.
        std::shared_ptr<const broker::configuration> configuration = open_configuration();
        /// Who checks logins for the loops, as workers do; nothing: that one is never answered.
        std::function<std::optional<broker::login_answer>(const broker::login_question&)>
            answer_login = nullptr;
        nanoseconds answer_delay_max = std::chrono::milliseconds(50);
    };

    explicit world(settings chosen);
    ~world();

    /// A new connection to one loop, or to one that the seed chooses.
    client& connect(unsigned loop);
    client& connect() { return connect(random_.below(loop_count())); }

    /// Both ends see an end; what is under way is lost.
    void cut(client& client);
    /// The client reads nothing until `read_again`, as if its process had been stopped.
    void stop_reading(client& client);
    void read_again(client& client);

    /// Every loop obeys it, each when its turn comes: some of them later.
    void reconfigure(const std::shared_ptr<const broker::configuration>& config);

    /// Does something at a virtual time from now.
    void after(nanoseconds delay, std::function<void()> action);

    /// One step; false when nothing is left to do but what only more time would bring.
    bool step();
    /// Steps until nothing happens any more without time passing beyond `limit`.
    void run(nanoseconds limit);

    [[nodiscard]] unsigned loop_count() const noexcept {
        return static_cast<unsigned>(loops_.size());
    }
    [[nodiscard]] broker::broker& loop(unsigned index) noexcept { return *loops_[index].broker; }
    [[nodiscard]] std::size_t waiting_bytes(unsigned index) const noexcept {
        return mesh_.waiting_bytes(index);
    }
    [[nodiscard]] random_source& random() noexcept { return random_; }
    [[nodiscard]] steady_time now() const noexcept { return now_.steady; }
    [[nodiscard]] std::uint64_t step_count() const noexcept { return steps_; }

private:
    struct travelling {
        steady_time due;
        std::string bytes;
    };
    /// A connection: bytes on their way in both directions.
    struct connection {
        explicit connection(unsigned its_loop) : loop(its_loop) {}
        unsigned loop;
        client end;
        broker::session* session = nullptr; ///< Null when the server's end is gone.
        std::unique_ptr<web_link> web;      ///< Null: it comes by TCP alone.
        std::deque<travelling> to_server;
        std::deque<travelling> to_client;
        std::size_t in_socket = 0; ///< Bytes in `to_client`.
        bool reads = true;
        bool cut = false;
        bool server_closed = false;
        bool wants_flush = false; ///< The socket was full.
    };
    struct login_verdict {
        steady_time due;
        std::uint64_t question;
        broker::login_answer answer;
    };
    /// A loop is in the middle of a batch until all that it touched has been flushed.
    struct simulated_loop {
        std::unique_ptr<broker::broker> broker;
        enum class phase { idle, batch_open, batch_hidden, flushing } phase = phase::idle;
        steady_time goes_on_at{}; ///< Others run meanwhile: its thread does not.
        std::string scratch;      ///< What was read; it lives until the flush.
        std::size_t taken = 0;
        connection* reading = nullptr;
        bool reading_ends = false; ///< Behind what was read.
        bool was_put_off = false;  ///< It was not taken at all yet.
        bool woken = false;
        std::vector<login_verdict> verdicts; ///< On their way from the workers, in any order.
        std::shared_ptr<const broker::configuration> next_configuration; ///< Null: none.
        steady_time obeys_at{};                                          ///< That one.
    };
    struct timed_action {
        steady_time at;
        std::uint64_t order;
        std::function<void()> run;
        friend bool operator>(const timed_action& a, const timed_action& b) {
            return a.at != b.at ? a.at > b.at : a.order > b.order;
        }
    };

    void collect_actions();
    void collect_actions_of(unsigned index);
    void read(unsigned index, connection& from);
    void receive(simulated_loop& loop);
    [[nodiscard]] bool read_web(unsigned index, connection& from);
    [[nodiscard]] bool may_write(const connection& to) const noexcept;
    void send_to_client(connection& to, std::string bytes);
    void send_to_server(connection& from, std::string bytes);
    void advance_loop(unsigned index);
    void ask_workers(simulated_loop& loop);
    void take_verdict(unsigned index, std::size_t which);
    void flush(broker::broker& broker, broker::session& session);
    void send_from_client(connection& link);
    void deliver_to_client(connection& link);
    [[nodiscard]] bool advance_time();
    [[nodiscard]] nanoseconds some_delay();
    [[nodiscard]] steady_time arrival(const std::deque<travelling>& before);
    connection& link_of(client& client);

    settings settings_;
    random_source random_;
    moment now_;
    broker::mesh mesh_;
    broker::shared_counters counters_;
    logger logger_;
    std::vector<simulated_loop> loops_;
    std::deque<connection> links_;
    std::priority_queue<timed_action, std::vector<timed_action>, std::greater<>> timed_;
    std::vector<std::function<void()>> actions_; ///< What could happen next.
    std::uint64_t steps_ = 0;
    std::uint64_t next_order_ = 0;
};

} // namespace pipit::sim
