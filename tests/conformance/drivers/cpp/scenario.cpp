// SPDX-License-Identifier: Apache-2.0
#include "scenario.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/value_to.hpp>

#include <exception>
#include <stdexcept>
#include <variant>

namespace pipit::conformance {

void pause(std::chrono::milliseconds length) {
    boost::asio::io_context context;
    boost::asio::steady_timer(context, length).wait();
}

const boost::json::value* arguments::find(std::size_t index) const {
    return step_.if_contains(index + 1);
}

std::string arguments::text(std::size_t index) const {
    const auto* found = find(index);
    return found != nullptr ? std::string(found->as_string()) : std::string();
}

std::int64_t arguments::number(std::size_t index) const {
    const auto* found = find(index);
    return found != nullptr ? found->to_number<std::int64_t>() : 0;
}

std::vector<std::string> arguments::texts(std::size_t index) const {
    const auto* found = find(index);
    if (found == nullptr) return {};
    return boost::json::value_to<std::vector<std::string>>(*found);
}

boost::json::object arguments::options(std::size_t index) const {
    const auto* found = find(index);
    return found != nullptr ? found->as_object() : boost::json::object();
}

void happenings::note(const client::connection_event& what) {
    const std::lock_guard held(mutex);
    if (const auto* connected = std::get_if<client::event::connected>(&what)) {
        if (connected->again) events.insert("reconnect");
    } else if (std::holds_alternative<client::event::disconnected>(what)) {
        events.insert("disconnect");
    } else if (std::holds_alternative<client::event::lame_duck>(what)) {
        events.insert("ldm");
    } else if (const auto* slow = std::get_if<client::event::slow_consumer>(&what)) {
        errors.push_back("slow consumer of " + slow->subject);
    } else if (const auto* failed = std::get_if<client::event::asynchronous_error>(&what)) {
        errors.push_back(failed->why.message());
    } else if (const auto* closed = std::get_if<client::event::closed>(&what)) {
        closed_because = closed->why;
    }
}

bool happenings::has(const std::string& event) {
    const std::lock_guard held(mutex);
    return events.contains(event);
}

std::size_t happenings::error_count() {
    const std::lock_guard held(mutex);
    return errors.size();
}

named_connection& scenario::connection(const std::string& name) {
    const auto found = connections.find(name);
    if (found == connections.end()) throw std::runtime_error("no connection " + name);
    return found->second;
}

named_subscription& scenario::subscription(const std::string& label) {
    const auto found = subscriptions.find(label);
    if (found == subscriptions.end()) throw std::runtime_error("no subscription " + label);
    return found->second;
}

void scenario::take(const boost::json::object& answer) {
    if (const auto* said = answer.if_contains("lines")) {
        for (const auto& line : said->as_array()) lines.emplace_back(line.as_string());
    }
    if (const auto* opened = answer.if_contains("urls")) {
        for (const auto& [name, url] : opened->as_object()) {
            urls[std::string(name)] = std::string(url.as_string());
        }
    }
}

boost::json::object scenario::remote(const std::string& verb, const boost::json::array& rest) {
    boost::json::object cids;
    for (const auto& [name, connection] : connections) cids[name] = connection.cid;
    auto answer =
        runner.ask({{"op", verb}, {"args", rest}, {"lease", lease}, {"cids", std::move(cids)}});
    take(answer);
    return answer;
}

std::vector<std::string> scenario::play(const boost::json::object& behaviour) {
    const auto granted = runner.ask({{"op", "lease"}, {"id", behaviour.at("id")}});
    lease = std::string(granted.at("lease").as_string());
    take(granted);
    play_steps(behaviour.at("steps").as_array());
    for (auto& [name, connection] : connections) connection.nats->close();
    subscriptions.clear(); // Their callbacks use the connections.
    connections.clear();
    (void)runner.ask({{"op", "release"}, {"lease", lease}});
    return std::move(lines);
}

void scenario::play_steps(const boost::json::array& steps) {
    try {
        for (const auto& step : steps) {
            const arguments given(step.as_array());
            const std::string verb(step.as_array().at(0).as_string());
            if (!play_step(*this, verb, given)) (void)remote(verb, given.all());
        }
    } catch (const std::exception& problem) {
        say("missing: ", problem.what());
    }
}

void scenario::settle() {
    for (int round = 0; round < 2; ++round) {
        for (const auto& name : names) {
            auto& nats = *connections.at(name).nats;
            if (!nats.is_closed()) (void)nats.flush();
        }
        for (auto& [label, subscription] : subscriptions) subscription.collect();
    }
}

} // namespace pipit::conformance
