// SPDX-License-Identifier: Apache-2.0
#include "client_world.hpp"

#include <pipit/protocol/client_session.hpp>
#include <pipit/protocol/error.hpp>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace pipit::sim {
namespace {

using namespace std::chrono_literals;
using namespace pipit::protocol;

constexpr std::size_t output_bytes_max = 64 * 1024;
constexpr nanoseconds chaos_time = 20s;
constexpr nanoseconds quiet_time = 20s;

/// A client library's driver, on a simulated connection.
class driver {
public:
    driver(world& its_world, std::string name, complaints& found)
        : world_(its_world),
          name_(std::move(name)),
          found_(found),
          session_(options(), random_source(its_world.random()())) {
        session_.start(now());
        turn();
    }

    // --- What happens to it ---

    /// The connection ends, in the middle of whatever.
    void cut() {
        if (link_ == nullptr) return;
        drop_link();
        session_.transport_closed(now());
        turn();
    }
    /// Nothing comes or goes any more, and nobody is told.
    void go_silent() { is_silent_ = true; }
    void server_goes(bool away) {
        server_is_away_ = away;
        if (away) cut();
    }
    /// The server may have closed, or a deadline passed.
    void look() {
        if (link_ != nullptr && link_->closed && !is_silent_) return cut();
        const auto deadline = session_.next_deadline();
        if (deadline && *deadline <= now()) session_.expire(now());
        turn();
    }

    // --- What it does ---

    void request(const std::string& subject) {
        const auto payload = name_ + std::to_string(++asked_);
        const auto id = session_.request({.subject = subject, .payload = payload}, now(),
                                         1ms * (1 + world_.random().below(3000)));
        if (id) expect(*id, payload);
        turn();
    }
    void request_many(const std::string& subject) {
        const auto payload = name_ + std::to_string(++asked_);
        const auto id = session_.request_many({.subject = subject, .payload = payload}, now(),
                                              {.timeout = 2s, .stall = 200ms, .messages_max = 3});
        if (id) expect(*id, payload);
        turn();
    }
    void flush() {
        if (const auto id = session_.flush(now(), 2s)) expect(*id, {});
        turn();
    }
    void cancel_one() {
        if (!pending_.empty()) session_.cancel(pending_.begin()->first);
        turn();
    }
    void publish(const std::string& subject, const std::string& payload) {
        (void)session_.publish({.subject = subject, .payload = payload});
        turn();
    }
    /// Answers what has a reply subject.
    void subscribe(const std::string& subject) {
        if (const auto id = session_.subscribe(subject)) live_[*id].subject = subject;
        turn();
    }
    void unsubscribe_one() {
        const auto one = some_subscription();
        if (!one) return;
        session_.unsubscribe(*one);
        live_.erase(*one);
        turn();
    }
    void limit_one() {
        const auto one = some_subscription();
        if (!one || live_[*one].may_end) return;
        live_[*one].may_end = true;
        session_.unsubscribe(*one, live_[*one].received + 1 + world_.random().below(5));
        turn();
    }
    /// What it published itself before, over the same connection, has to come before the end.
    void drain_one() {
        const auto one = some_subscription();
        if (!one || live_[*one].may_end) return;
        auto& drained = live_[*one];
        drained.may_end = true;
        const auto probe = "probe " + name_ + std::to_string(++asked_);
        const bool sent = session_.is_connected() &&
                          session_.publish({.subject = drained.subject, .payload = probe});
        if (sent) drained.probe = probe;
        session_.drain(*one, now(), 5s);
        turn();
    }

    // --- What has to hold at the end ---

    [[nodiscard]] bool is_connected() const { return session_.is_connected(); }
    void expect_last(const std::string& payload) {
        for (auto& [id, each] : live_) {
            if (!each.may_end && each.last != payload) {
                complain("a subscription to " + each.subject + " does not live any more");
            }
        }
    }
    void close(bool drains) {
        if (drains) {
            session_.drain_all(now(), 5s);
        } else {
            session_.close();
        }
        for (auto& [id, each] : live_) each.may_end = true;
        turn();
    }
    void expect_nothing_left() {
        if (!closed_) complain("it does not close");
        if (!pending_.empty()) complain(std::to_string(pending_.size()) + " were never answered");
        if (!live_.empty()) complain(std::to_string(live_.size()) + " subscriptions never ended");
        if (session_.next_deadline()) complain("it waits for something");
    }
    [[nodiscard]] std::size_t answered() const { return answered_; }

private:
    struct subscription_state {
        std::string subject, last, probe;
        std::uint64_t received = 0;
        bool may_end = false;
    };

    static client_session_options options() {
        client_session_options out;
        out.protocol.servers = {{.host = "simulated"}};
        out.protocol.retry_first_connect = true;
        out.protocol.connect_timeout = 1s;
        out.protocol.ping_interval = 2s;
        out.protocol.pending_output_bytes_max = output_bytes_max;
        out.protocol.offline_bytes_max = output_bytes_max;
        return out;
    }

    [[nodiscard]] steady_time now() const { return world_.now(); }
    void complain(const std::string& what) { found_.push_back(name_ + ": " + what); }

    void expect(operation_id id, const std::string& payload) {
        if (!pending_.emplace(id, payload).second) complain("a number is used twice");
    }
    std::optional<sid> some_subscription() {
        if (live_.empty()) return std::nullopt;
        const auto index = world_.random().below(static_cast<std::uint32_t>(live_.size()));
        return std::next(live_.begin(), index)->first;
    }
    void drop_link() {
        link_->on_bytes = {};
        world_.cut(*link_);
        link_ = nullptr;
        is_silent_ = false;
    }

    /// In pieces of any size: a socket keeps no boundaries.
    void receive(bytes_view bytes) {
        while (!bytes.empty() && link_ != nullptr && !is_silent_) {
            const auto space = session_.prepare();
            auto count = std::min(space.size(), bytes.size());
            if (world_.random().below(4) == 0) {
                count = 1 + world_.random().below(static_cast<std::uint32_t>(count));
            }
            std::memcpy(space.data(), bytes.data(), count);
            session_.commit(count, now());
            bytes.remove_prefix(count);
            turn();
        }
    }
    /// Does what the session asks for, and hands over what it has to send.
    void turn() {
        while (auto event = session_.next_event()) {
            if (closed_) complain("something follows the end");
            std::visit([&](auto& e) { take(e); }, *event);
        }
        const auto output = session_.pending_output();
        if (output.size() > 2 * output_bytes_max) complain("too much waits to be sent");
        if (output.empty() || closed_) return;
        if (link_ != nullptr && !is_silent_) link_->send(std::string(output));
        session_.consume_output(output.size());
    }

    void take(const open_requested&) {
        const auto delay = nanoseconds(world_.random()() % 10'000'000);
        world_.after(delay, [this, attempt = ++attempt_] {
            if (attempt != attempt_ || closed_) return;
            if (server_is_away_) {
                session_.transport_closed(now());
            } else {
                link_ = &world_.connect();
                link_->on_bytes = [this](bytes_view bytes) { receive(bytes); };
                session_.transport_opened(now());
            }
            turn();
        });
    }
    void take(const connect_requested&) { session_.connect({}); }
    void take(const disconnected&) {
        ++attempt_;
        if (link_ != nullptr) drop_link();
    }
    void take(const closed&) {
        closed_ = true;
        ++attempt_;
        if (link_ != nullptr) drop_link();
        if (!pending_.empty()) complain("closed before everything was answered");
    }
    void take(const subscription_message& e) {
        const auto found = live_.find(e.subscription);
        if (found == live_.end()) return complain("a message for a subscription that has ended");
        auto& state = found->second;
        ++state.received;
        const auto kept = session_.keep(e.message);
        state.last = kept.payload();
        if (state.last == state.probe) state.probe.clear();
        if (kept.reply().empty()) return;
        // Sometimes nobody answers, sometimes twice.
        for (auto answers = world_.random().below(8) % 3; answers > 0; --answers) {
            (void)session_.publish({.subject = kept.reply(), .payload = kept.payload()});
        }
    }
    void take(const subscription_ended& e) {
        const auto found = live_.find(e.subscription);
        if (found == live_.end()) return; // Its user had left.
        const auto& state = found->second;
        if (!state.may_end) complain("a subscription ends: " + e.why.message());
        if (!e.why.code() && !state.probe.empty()) {
            complain("drained without what was published before");
        }
        live_.erase(found);
    }

    void take(const request_answered& e) {
        const auto sent = end(e.operation);
        if (e.reply && sent && *sent != e.reply->payload()) {
            complain("the reply " + std::string(e.reply->payload()) + " to " + *sent);
        }
    }
    void take(const reply_received& e) {
        const auto found = pending_.find(e.operation);
        if (found == pending_.end()) return complain("a reply to what has ended");
        if (found->second != e.reply.payload()) complain("the reply of another request");
    }
    void take(const replies_ended& e) { (void)end(e.operation); }
    void take(const flushed& e) { (void)end(e.operation); }
    template <class Other>
    void take(const Other&) {}

    std::optional<std::string> end(operation_id id) {
        const auto found = pending_.find(id);
        if (found == pending_.end()) {
            complain("answered twice");
            return std::nullopt;
        }
        ++answered_;
        auto sent = std::move(found->second);
        pending_.erase(found);
        return sent;
    }

    world& world_;
    std::string name_;
    complaints& found_;
    client_session session_;
    client* link_ = nullptr;
    bool is_silent_ = false;
    bool server_is_away_ = false;
    bool closed_ = false;
    std::uint64_t attempt_ = 0;
    std::uint64_t asked_ = 0;
    std::size_t answered_ = 0;
    std::map<operation_id, std::string> pending_;
    std::map<sid, subscription_state> live_;
};

/// Everybody, and what happens to them.
class stage {
public:
    explicit stage(std::uint64_t seed) : world_({.seed = seed, .loops = 2}) {
        for (const auto* name : {"ann", "ben", "cid"}) {
            drivers_.push_back(std::make_unique<driver>(world_, name, found_));
        }
        tick();
        act();
        misfortune();
    }

    complaints run() {
        world_.run(chaos_time);
        is_quiet_ = true;
        world_.run(quiet_time);
        expect_that_subscriptions_live();
        for (auto& each : drivers_) each->close(world_.random().below(2) == 0);
        world_.run(quiet_time);
        is_over_ = true;
        std::size_t answered = 0;
        for (auto& each : drivers_) {
            each->expect_nothing_left();
            answered += each->answered();
        }
        if (answered == 0) found_.emplace_back("nothing was ever answered");
        return std::move(found_);
    }

private:
    void tick() {
        for (auto& each : drivers_) each->look();
        if (!is_over_) world_.after(5ms, [this] { tick(); });
    }
    driver& somebody() {
        return *drivers_[world_.random().below(static_cast<std::uint32_t>(drivers_.size()))];
    }
    std::string some_subject() { return "s" + std::to_string(world_.random().below(4)); }

    void act() {
        if (is_quiet_) return;
        auto& who = somebody();
        switch (world_.random().below(12)) {
        case 0: who.subscribe(some_subject()); break;
        case 1: who.unsubscribe_one(); break;
        case 2: who.limit_one(); break;
        case 3: who.drain_one(); break;
        case 4: who.publish(some_subject(), "text"); break;
        case 5: who.flush(); break;
        case 6: who.cancel_one(); break;
        case 7: who.request_many(some_subject()); break;
        default: who.request(some_subject()); break;
        }
        world_.after(1ms * world_.random().below(30), [this] { act(); });
    }
    void misfortune() {
        if (is_quiet_) return;
        const auto what = world_.random().below(10);
        if (what < 6) {
            somebody().cut();
        } else if (what < 8) {
            somebody().go_silent();
        } else {
            for (auto& each : drivers_) each->server_goes(true);
            world_.after(1ms * world_.random().below(3000), [this] {
                for (auto& each : drivers_) each->server_goes(false);
            });
        }
        world_.after(1ms * world_.random().below(1500), [this] { misfortune(); });
    }
    void expect_that_subscriptions_live() {
        for (auto& each : drivers_) {
            if (!each->is_connected()) found_.emplace_back("somebody does not come back");
        }
        for (int i = 0; i < 4; ++i) drivers_[0]->publish("s" + std::to_string(i), "last");
        world_.run(2s);
        for (auto& each : drivers_) each->expect_last("last");
    }

    complaints found_;
    world world_;
    std::vector<std::unique_ptr<driver>> drivers_;
    bool is_quiet_ = false;
    bool is_over_ = false;
};

} // namespace

complaints client_world(std::uint64_t seed) { return stage(seed).run(); }

} // namespace pipit::sim
