// SPDX-License-Identifier: Apache-2.0
#include "worlds.hpp"

#include <deque>
#include <functional>
#include <map>
#include <utility>

namespace pipit::sim {
namespace {

using namespace std::chrono_literals;
using broker::account_id;

constexpr account_id home{10};
constexpr unsigned loops = 3;

std::shared_ptr<broker::configuration> one_account() {
    auto config = open_configuration();
    config->authorization.users["old"] = {.name = "old", .account = config->global_account};
    return config;
}

std::shared_ptr<broker::configuration> two_accounts() {
    auto config = one_account();
    broker::account_configuration made;
    made.id = home;
    made.name = "home";
    config->accounts.push_back(made);
    config->authorization.users["new"] = {.name = "new", .account = home, .permissions = nullptr};
    return config;
}

/// A user of the new account, who tries one loop until it lets him in.
class newcomer {
public:
    newcomer(world& world, unsigned loop, std::function<void(newcomer&)> when_in)
        : world_(world), loop_(loop), when_in_(std::move(when_in)) {
        try_again();
    }

    [[nodiscard]] client& connection() noexcept { return *connection_; }
    /// How often each message came, by sid and text.
    std::map<std::pair<std::string, std::string>, int> got;

private:
    void try_again() {
        connection_ = &world_.connect(loop_);
        connection_->on_message = [this](const auto& message) {
            ++got[{message.sid, message.payload}];
        };
        connection_->connect(R"(,"user":"new")");
        connection_->flush([this] {
            is_in_ = true;
            when_in_(*this);
        });
        look_again();
    }
    void look_again() {
        world_.after(500us, [this] {
            if (is_in_) return;
            if (connection_->closed) return try_again();
            look_again();
        });
    }

    world& world_;
    unsigned loop_;
    std::function<void(newcomer&)> when_in_;
    client* connection_ = nullptr;
    bool is_in_ = false;
};

void judge(std::deque<newcomer>& readers, complaints& found) {
    for (unsigned i = 0; i < loops; ++i) {
        const auto text = std::to_string(i);
        int of_group = 0;
        for (auto& each : readers) {
            if (each.got[{"one", text}] != 1 || each.got[{"all", text}] != 1) {
                found.push_back("a reader did not get once what was published on loop " + text);
            }
            of_group += each.got[{"group", text}];
        }
        if (of_group != 1) found.push_back("the group did not get once what came by loop " + text);
    }
}

} // namespace

complaints account_world(std::uint64_t seed) {
    world world({.seed = seed, .loops = loops, .configuration = one_account()});
    std::deque<newcomer> readers, publishers;
    unsigned ready = 0;
    const auto publish_all = [&] {
        for (unsigned i = 0; i < loops; ++i) {
            publishers.emplace_back(world, i, [i](newcomer& publisher) {
                publisher.connection().publish("news.a", std::to_string(i));
            });
        }
    };
    world.after(1ms, [&world] { world.reconfigure(two_accounts()); });
    for (unsigned i = 0; i < loops; ++i) {
        readers.emplace_back(world, i, [&](newcomer& reader) {
            auto& connection = reader.connection();
            connection.subscribe("news.a", "one");
            connection.subscribe("news.*", "all");
            connection.subscribe(">", "group", "q");
            connection.flush([&] {
                if (++ready == loops) publish_all();
            });
        });
    }
    world.run(1s);
    complaints found;
    if (ready != loops) found.emplace_back("somebody was not let in");
    judge(readers, found);
    return found;
}

} // namespace pipit::sim
