// SPDX-License-Identifier: Apache-2.0
#include "worlds.hpp"

#include "requests.hpp"

namespace pipit::sim {
namespace {

using namespace std::chrono_literals;

} // namespace

complaints crowd_world(world::settings settings, crowd::settings members) {
    world world(std::move(settings));
    crowd crowd(world, members);
    crowd.run();
    auto found = crowd.complaints();
    if (crowd.delivered() == 0) found.emplace_back("nothing was delivered at all");
    return found;
}

complaints flush_world(std::uint64_t seed) {
    world world({.seed = seed, .loops = 3});
    auto& first = world.connect(0);
    auto& second = world.connect(1);
    // On a third loop, or on the second publisher's own, where its message needs no way.
    auto& reader = world.connect(seed % 2 == 0 ? 1 : 2);
    std::string seen;
    reader.on_message = [&](const auto& message) { seen += message.payload; };
    for (auto* each : {&first, &second, &reader}) each->connect();
    reader.subscribe("s", "1");
    reader.flush([&] {
        first.publish("s", "1");
        first.flush([&] { second.publish("s", "2"); });
    });
    world.run(1s);
    if (seen == "12") return {};
    return {"seen " + seen + " instead of 12"};
}

complaints subscribe_world(std::uint64_t seed) {
    constexpr int rounds = 30;
    world world({.seed = seed, .loops = 3});
    auto& talks = world.connect(0);
    auto& publisher = world.connect(1);
    auto& reader = world.connect(2);
    int got = 0;
    reader.on_message = [&](const auto&) { ++got; };
    for (auto* each : {&talks, &publisher, &reader}) each->connect();
    for (int i = 0; i < rounds; ++i) {
        const auto number = std::to_string(i);
        world.after(i * 20ms, [&, number] {
            talks.subscribe("other." + number, number);
            reader.subscribe("s." + number, number);
            reader.flush([&, number] { publisher.publish("s." + number, "x"); });
        });
    }
    world.run(2s);
    if (got == rounds) return {};
    return {std::to_string(got) + " messages instead of " + std::to_string(rounds)};
}

complaints relay_world(std::uint64_t seed) {
    world world({.seed = seed, .loops = 3});
    auto& requester = world.connect(0);
    auto& relay = world.connect(1);
    auto& responder = world.connect(2);
    int replies = 0;
    requester.on_message = [&](const auto& message) { replies += message.payload == "answer"; };
    relay.on_message = [&](const auto& message) {
        relay.publish("inner", message.payload, message.reply);
    };
    responder.on_message = [&](const auto& message) { responder.publish(message.reply, "answer"); };
    for (auto* each : {&requester, &relay, &responder}) each->connect();
    relay.subscribe("outer", "1");
    responder.subscribe("inner", "1");
    int ready = 0;
    const auto begin = [&] {
        if (++ready < 2) return;
        requester.subscribe("_INBOX.1", "1");
        requester.publish("outer", "question", "_INBOX.1");
    };
    relay.flush(begin);
    responder.flush(begin);
    world.run(1s);
    if (replies == 1) return {};
    return {std::to_string(replies) + " replies instead of 1"};
}

complaints request_world(std::uint64_t seed) {
    world world({.seed = seed, .loops = 3});
    auto& requester = world.connect(0);
    outcomes counted;
    count_outcomes(requester, counted);
    for (unsigned i = 0; i < 2; ++i) {
        auto& responder = world.connect(1 + i);
        responder.connect();
        responder.on_message = [&responder](const auto& message) {
            responder.publish(message.reply, "answer");
        };
        come_and_go(world, responder);
    }
    ask_now_and_then(world, requester, "svc");
    world.run(2s);
    complaints found;
    judge(counted, found);
    return found;
}

} // namespace pipit::sim
