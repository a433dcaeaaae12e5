// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control.hpp"
#include "face.hpp"

#include <boost/json/array.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace pipit::conformance {

constexpr std::chrono::seconds patience{8};

void pause(std::chrono::milliseconds length);

/// Asks again and again, for `patience`; the last answer.
template <class Condition>
bool until(const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition() && std::chrono::steady_clock::now() < end) {
        pause(std::chrono::milliseconds(5));
    }
    return condition();
}

/// The arguments of a step; one that is missing reads as nothing.
class arguments {
public:
    explicit arguments(const boost::json::array& step) : step_(step) {}

    [[nodiscard]] std::string text(std::size_t index) const;
    [[nodiscard]] std::int64_t number(std::size_t index) const;
    [[nodiscard]] std::vector<std::string> texts(std::size_t index) const;
    [[nodiscard]] boost::json::object options(std::size_t index) const;
    [[nodiscard]] boost::json::array all() const {
        return boost::json::array(step_.begin() + 1, step_.end());
    }

private:
    [[nodiscard]] const boost::json::value* find(std::size_t index) const;

    const boost::json::array& step_; ///< The verb comes first.
};

/// What happened to a connection beside messages and answers.
struct happenings {
    std::mutex mutex;
    std::vector<std::string> errors;
    std::set<std::string> events;
    std::optional<error> closed_because;

    void note(const client::connection_event& what);
    [[nodiscard]] bool has(const std::string& event);
    [[nodiscard]] std::size_t error_count();
};

struct named_connection {
    std::shared_ptr<happenings> happened;
    std::unique_ptr<face_connection> nats;
    std::uint64_t cid = 0;
};

/// One or many equal subscriptions, and the messages of all.
struct named_subscription {
    inbox_pointer messages = std::make_shared<inbox>();
    std::vector<subscription_pointer> handles;

    void collect() {
        for (const auto& handle : handles) handle->collect();
    }
};

/// Plays the steps of one behaviour and writes down what is seen.
struct scenario {
    const control& runner;
    const connection_maker& make_connection;
    std::string lease;
    std::map<std::string, std::string> urls;
    std::vector<std::string> lines;
    std::vector<std::string> names; ///< Of connections, as they were made.
    std::map<std::string, named_connection> connections;
    std::map<std::string, named_subscription> subscriptions;

    [[nodiscard]] std::vector<std::string> play(const boost::json::object& behaviour);
    /// Has the runner do what is not the client's own: servers, relays, monitoring.
    boost::json::object remote(const std::string& verb, const boost::json::array& rest);
    /// Flushes in two rounds: what the first makes visible may be answered before the second ends.
    void settle();

    [[nodiscard]] named_connection& connection(const std::string& name);
    [[nodiscard]] named_subscription& subscription(const std::string& label);

    template <class... Parts>
    void say(const Parts&... parts) {
        std::ostringstream line;
        (line << ... << parts);
        lines.push_back(std::move(line).str());
    }

private:
    void take(const boost::json::object& answer);
    void play_steps(const boost::json::array& steps);
};

/// Plays a step that is the client's own; false for all others.
[[nodiscard]] bool play_step(scenario& in, const std::string& verb, const arguments& given);

} // namespace pipit::conformance
