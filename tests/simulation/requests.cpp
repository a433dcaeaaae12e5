// SPDX-License-Identifier: Apache-2.0
#include "requests.hpp"

namespace pipit::sim {
namespace {

using namespace std::chrono_literals;

constexpr int requests = 40;

std::string inbox(int request) { return "_INBOX." + std::to_string(request); }

std::chrono::milliseconds some_time(world& world) {
    return std::chrono::milliseconds(world.random().below(100));
}

} // namespace

void come_and_go(world& world, client& responder) {
    for (int round = 0; round < 10; ++round) {
        const auto sid = std::to_string(round + 1);
        const auto at = some_time(world);
        world.after(at, [&responder, sid] { responder.subscribe("svc", sid, "q"); });
        world.after(at + 5ms, [&responder, sid] { responder.unsubscribe(sid); });
    }
}

void count_outcomes(client& requester, outcomes& counted, const std::string& options) {
    requester.on_message = [&counted](const auto& message) { ++counted[message.subject]; };
    requester.connect(options);
    requester.subscribe("_INBOX.*", "1");
}

void ask_now_and_then(world& world, client& requester, const std::string& subject) {
    for (int i = 0; i < requests; ++i) {
        world.after(some_time(world),
                    [&requester, subject, i] { requester.publish(subject, "question", inbox(i)); });
    }
}

void judge(const outcomes& counted, complaints& found) {
    for (int i = 0; i < requests; ++i) {
        const auto outcome = counted.find(inbox(i));
        const auto count = outcome == counted.end() ? 0 : outcome->second;
        if (count == 1) continue;
        found.push_back(std::to_string(count) + " outcomes of request " + std::to_string(i));
    }
}

} // namespace pipit::sim
