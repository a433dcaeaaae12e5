// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/sim/world.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace pipit::sim {

/// Clients that subscribe, publish and go away at random, and the plain model of what they must and
/// must not see. `complaints` is empty when everything held.
class crowd {
public:
    struct settings {
        unsigned clients = 8;
        unsigned actions = 150;
        bool cuts = false;          ///< Connections are cut in the middle of things.
        bool stops_readers = false; ///< Some clients stop reading for a while.
    };

    crowd(world& world, settings chosen);

    /// Lets the crowd act, waits until all is quiet, and judges.
    void run();
    [[nodiscard]] const std::vector<std::string>& complaints() const noexcept {
        return complaints_;
    }
    [[nodiscard]] std::size_t delivered() const noexcept { return received_.size(); }

private:
    /// When something was: a step of the world; 0: not yet.
    using step = std::uint64_t;

    struct member {
        client* connection = nullptr;
        unsigned number = 0;
        bool cut = false;
        bool stopped = false;
        unsigned next_sid = 1;
    };
    struct subscribed {
        member* owner = nullptr;
        std::string subject, queue, sid;
        step confirmed = 0; ///< A flush behind the SUB came back.
        step ended = 0;     ///< UNSUB was written.
    };
    struct published {
        member* by = nullptr;
        std::string subject;
        step written = 0;
        step flushed = 0; ///< A flush behind it came back.
    };
    struct received {
        std::size_t publication = 0;
        std::size_t subscription = 0;
        step at = 0;
    };

    void act();
    void subscribe(member& by);
    void unsubscribe(member& by);
    void publish(member& by);
    void on_message(member& at, const client::message& message);

    void judge();
    void judge_plain(std::size_t subscription);
    void judge_order(std::size_t subscription);
    void judge_groups();
    void judge_leaks();
    void complain(const std::string& text);
    [[nodiscard]] std::string subject();
    [[nodiscard]] bool stays(const member& each) const noexcept {
        return !each.cut && !each.connection->closed;
    }

    world& world_;
    settings settings_;
    std::deque<member> members_;
    std::deque<subscribed> subscriptions_;
    std::deque<published> publications_;
    std::vector<received> received_;
    std::map<std::pair<const member*, std::string>, std::size_t> by_sid_;
    std::vector<std::string> complaints_;
};

} // namespace pipit::sim
