// SPDX-License-Identifier: Apache-2.0
#include "worlds.hpp"

#include <deque>
#include <iterator>
#include <map>
#include <utility>

namespace pipit::sim {
namespace {

using namespace std::chrono_literals;
using broker::account_id;
using broker::login_answer;
using broker::login_question;

constexpr account_id home{10};
constexpr int publications = 3;

/// What somebody gives for a password decides what becomes of the login.
constexpr const char *right = "right", *wrong = "wrong", *unheard = "unheard";

/// Everybody has a hash that takes a worker's time; the reader has none. `leaver` may be missing.
std::shared_ptr<broker::configuration> users_of(bool asks_service, bool has_leaver) {
    auto config = open_configuration();
    broker::account_configuration made;
    made.id = home;
    made.name = "home";
    config->accounts.push_back(made);
    auto& users = config->authorization.users;
    const auto add = [&](const std::string& name, const char* password) {
        users[name] = {.name = name, .password = password, .account = home, .permissions = nullptr};
    };
    add("reader", "plain");
    add("user", "$2a$04$hash");
    if (has_leaver) add("leaver", "$2a$04$hash");
    if (asks_service) {
        auto service = std::make_shared<broker::callout_configuration>();
        service->account = home;
        service->account_name = "home";
        service->users = {"reader", "leaver"};
        config->authorization.callout = std::move(service);
    }
    return config;
}

std::optional<login_answer> answer_login(const login_question& question) {
    const auto judge = [&](std::string_view given) -> std::optional<login_answer> {
        if (given == unheard) return std::nullopt;
        if (given != right) return login_answer::refusal("a wrong password");
        return login_answer{.accepted = true, .user = question.user};
    };
    if (const auto* check = std::get_if<broker::password_check>(&question.what)) {
        return judge(check->given);
    }
    const auto& asked = std::get<broker::callout_check>(question.what);
    auto answer = judge(asked.options.pass);
    if (answer && answer->accepted) {
        answer->user = std::make_shared<const broker::user_configuration>(
            broker::user_configuration{.name = asked.options.user, .account = home});
    }
    return answer;
}

/// Somebody who says all at once: who he is, what he wants, and what he has to say.
struct stranger {
    std::string name;
    const char* password = right;
    bool leaves = false; ///< The link is cut in the middle.
    client* connection = nullptr;
    std::string heard{}; ///< Of the reader's one message after all.
    bool answered = false;
};

void speak(stranger& who, int number) {
    auto& end = *who.connection;
    end.on_message = [&who](const auto& message) { who.heard += message.payload; };
    end.connect(R"(,"user":")" + who.name + R"(","pass":")" + who.password + '"');
    end.subscribe("news", "1");
    for (int i = 0; i < publications; ++i) {
        end.publish("from." + std::to_string(number), std::to_string(i));
    }
    end.flush([&who] { who.answered = true; });
}

/// What the reader got from one of them.
void judge(const stranger& who, const std::string& got, complaints& found) {
    const auto complain = [&](const std::string& text) {
        found.push_back(who.name + " with a " + who.password + " password: " + text);
    };
    const std::string all = "012";
    const bool may_come_in = who.password == std::string(right);
    if (!all.starts_with(got)) complain("the reader got " + got);
    if (!may_come_in) {
        if (!got.empty() || !who.heard.empty() || who.answered) complain("was let in");
        if (!who.connection->closed) complain("was told nothing");
    } else if (who.leaves) {
        return; // Whatever the reader got was right.
    } else if (who.name == "leaver") {
        if (!who.connection->closed || !who.heard.empty()) complain("stayed after the reload");
    } else if (got != all || !who.answered || who.connection->closed || who.heard != "!") {
        complain("was not served: the reader got '" + got + "'");
    }
}

} // namespace

complaints login_world(std::uint64_t seed) {
    const bool asks_service = seed % 2 == 0;
    world world({.seed = seed,
                 .loops = 3,
                 .configuration = users_of(asks_service, true),
                 .answer_login = answer_login});
    auto& reader = world.connect();
    std::map<std::string, std::string> got;
    reader.on_message = [&](const auto& message) { got[message.subject] += message.payload; };
    reader.connect(R"(,"user":"reader","pass":"plain")");
    reader.subscribe("from.*", "1");
    bool is_ready = false;
    reader.flush([&] { is_ready = true; });
    world.run(100ms);

    std::deque<stranger> strangers;
    auto& random = world.random();
    const char* const passwords[] = {right, right, wrong, unheard};
    for (int i = 0; i < 12; ++i) {
        auto& who = strangers.emplace_back(
            stranger{.name = random.below(4) == 0 ? "leaver" : "user",
                     .password = passwords[random.below(std::size(passwords))],
                     .leaves = random.below(6) == 0});
        const auto at = std::chrono::milliseconds(random.below(60));
        world.after(at, [&world, &who, i] {
            who.connection = &world.connect();
            speak(who, i);
        });
        if (who.leaves) {
            world.after(at + std::chrono::milliseconds(1 + random.below(60)),
                        [&world, &who] { world.cut(*who.connection); });
        }
    }
    world.after(std::chrono::milliseconds(random.below(100)),
                [&world, asks_service] { world.reconfigure(users_of(asks_service, false)); });
    world.after(1s, [&reader] { reader.publish("news", "!"); });
    world.run(60s);

    complaints found;
    if (!is_ready) found.emplace_back("the reader was not let in");
    for (int i = 0; i < static_cast<int>(strangers.size()); ++i) {
        judge(strangers[static_cast<std::size_t>(i)], got["from." + std::to_string(i)], found);
    }
    return found;
}

} // namespace pipit::sim
