// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/account_update.hpp>
#include <pipit/broker/detail/test_brokers.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace pipit::broker {
namespace {

using namespace std::chrono_literals;

constexpr auto key = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
constexpr account_id amine{7}, other{8};

std::shared_ptr<configuration> with_jwts() {
    auto config = open_configuration();
    config->authorization.by_jwt = true;
    return config;
}

/// A server to which accounts come while it runs.
struct put_account_world {
    const std::shared_ptr<account_counters> counters = std::make_shared<account_counters>();
    test_brokers loop{with_jwts()};

    static std::shared_ptr<account_configuration> account(account_id id = amine) {
        auto made = std::make_shared<account_configuration>();
        made->id = id;
        made->name = "AMINE";
        return made;
    }
    void put(std::shared_ptr<account_configuration> account, session_judge judge = {}) {
        if (account->id == amine) account->counters = counters;
        loop.core().put_account({std::move(account), std::move(judge)}, loop.now);
        loop.flush();
    }
    test_brokers::client& log_in(account_id account = amine) {
        auto& client = loop.connect("\"headers\":true,\"no_responders\":true,\"jwt\":\"e.y.J\"");
        auto user = std::make_shared<user_configuration>();
        user->name = user->nkey = key;
        user->account = account;
        const auto question = loop.core().next_question();
        loop.core().answer(question->id, {.accepted = true, .user = user}, loop.now);
        loop.flush();
        return client;
    }
};

TEST(PutAccount, MakesAnAccountThatLogsInAndStaysOverAReload) {
    put_account_world world;
    EXPECT_EQ(world.loop.take(world.log_in()), "-ERR 'Failed Account Registration'\r\n");
    world.put(world.account());
    auto& client = world.log_in();
    world.loop.core().reconfigure(with_jwts(), world.loop.now);
    world.loop.send(client, "SUB a 1\r\nPUB a 1\r\nx\r\n");
    EXPECT_EQ(world.loop.take(client), "MSG a 1 1\r\nx\r\n");
    EXPECT_EQ(world.counters->connections, 1);
}

TEST(PutAccount, WithTooManyLetsNobodyInAndLeavesItToTheServerWhoGoes) {
    put_account_world world;
    world.put(world.account());
    auto& first = world.log_in();
    auto& second = world.log_in();
    auto fewer = world.account();
    fewer->limits.max_connections = 1;
    world.put(fewer);
    EXPECT_EQ(world.loop.take(world.log_in()),
              "-ERR 'maximum account active connections exceeded'\r\n");
    EXPECT_FALSE(first.closed);
    EXPECT_FALSE(second.closed); // Other loops may have younger ones.
    EXPECT_EQ(world.counters->connections, 2);
}

TEST(PutAccount, EndsWhoeverIsJudged) {
    put_account_world world;
    world.put(world.account());
    auto& first = world.log_in();
    world.put(
        world.account(),
        [](const user_configuration& user, const session_origin&, wall_time) -> session_verdict {
            return {user.name == key ? session_verdict::fate::is_revoked
                                     : session_verdict::fate::stays};
        });
    EXPECT_EQ(world.loop.take(first), "-ERR 'User Authentication Revoked'\r\n");
    EXPECT_EQ(world.loop.sessions(session_state::closed).at(0).reason,
              close_reason::credentials_revoked);
}

TEST(PutAccount, LimitsSessionsThatLiveAndEndsThemInTime) {
    put_account_world world;
    world.put(world.account());
    auto& client = world.log_in();
    auto limited = world.account();
    limited->limits.max_payload_bytes = 1;
    limited->expires = world.loop.now.wall + 1min;
    world.put(limited);
    world.loop.send(client, "PUB a 1\r\nx\r\nPING\r\n");
    EXPECT_EQ(world.loop.take(client), "PONG\r\n");
    auto& late = world.log_in();
    world.loop.send(late, "PUB a 2\r\nxx\r\n");
    EXPECT_EQ(world.loop.take(late), "-ERR 'Maximum Payload Violation'\r\n");
    world.loop.pass(1min);
    EXPECT_NE(world.loop.take(client).find("-ERR 'Account Authentication Expired'"),
              std::string::npos);
}

TEST(PutAccount, JudgesNobodyWhoIsInAnotherAccountOrHasGone) {
    put_account_world world;
    world.put(world.account());
    world.put(world.account(other));
    auto& gone = world.log_in();
    auto& stranger = world.log_in(other);
    auto& judged = world.log_in();
    world.loop.core().lost(*gone.its_session, close_reason::client_closed, world.loop.now);
    int asked = 0;
    world.put(world.account(), [&](const auto&, const auto&, wall_time) -> session_verdict {
        ++asked;
        return {session_verdict::fate::is_refused};
    });
    EXPECT_EQ(asked, 1);
    EXPECT_TRUE(judged.closed);
    EXPECT_FALSE(stranger.closed);
}

/// `amine` exports the service `svc`, and `other` calls it `ask`.
struct linked_accounts {
    explicit linked_accounts(response_type response) {
        std::vector<account_configuration> both{*put_account_world::account(amine),
                                                *put_account_world::account(other)};
        both[0].service_exports.push_back({.subject = "svc", .response = response});
        EXPECT_EQ(
            add_import(both, other, service_import{amine, *import_subjects::make("svc", "ask")}),
            "");
        exporter = std::make_shared<account_configuration>(both[0]);
        importer = std::make_shared<account_configuration>(both[1]);
    }
    std::shared_ptr<account_configuration> exporter, importer;
};

TEST(PutAccount, LinksThoseThatImportFromAnAccountThatComesOrChanges) {
    put_account_world world;
    auto& loop = world.loop;
    const linked_accounts once(response_type::singleton), often(response_type::stream);
    world.put(once.importer);
    auto& asker = world.log_in(other);
    loop.send(asker, "SUB in 1\r\nPUB ask in 0\r\n\r\n");
    EXPECT_NE(loop.take(asker).find("NATS/1.0 503"), std::string::npos);

    world.put(once.exporter);
    auto& answerer = world.log_in(amine);
    loop.send(answerer, "SUB svc 1\r\n");
    const auto answers = [&] {
        loop.send(asker, "PUB ask in 0\r\n\r\n");
        const auto request = loop.take(answerer);
        const auto begin = request.find("_R_.");
        const auto reply = request.substr(begin, request.find(' ', begin) - begin);
        loop.send(answerer, "PUB " + reply + " 1\r\na\r\nPUB " + reply + " 1\r\nb\r\n");
        loop.take(answerer);
        const auto heard = loop.take(asker);
        return std::count(heard.begin(), heard.end(), 'M');
    };
    EXPECT_EQ(answers(), 1);
    world.put(often.exporter);
    EXPECT_EQ(answers(), 2);
    world.put(world.account(other));
    loop.send(asker, "PUB ask in 0\r\n\r\n");
    EXPECT_NE(loop.take(asker).find("NATS/1.0 503"), std::string::npos);
    world.put(once.exporter); // Nobody imports from it any more.
    loop.send(asker, "PUB ask in 0\r\n\r\n");
    EXPECT_EQ(loop.take(answerer), "");
}

TEST(PutAccount, CostsTheSameHoweverManyOthersThereAre) {
    put_account_world world;
    std::uint32_t next_id = 100;
    const auto add_one = [&] {
        const account_id id{next_id++};
        world.put(world.account(id));
        (void)world.loop.core().is_wanted(id, "a"); // From now on it is there.
    };
    const auto cheapest_of_many = [&] {
        auto cheapest = std::chrono::steady_clock::duration::max();
        for (int i = 0; i < 100; ++i) {
            const auto begin = std::chrono::steady_clock::now();
            add_one();
            cheapest = std::min(cheapest, std::chrono::steady_clock::now() - begin);
        }
        return cheapest;
    };
    const auto among_few = cheapest_of_many();
    for (int i = 0; i < 20'000; ++i) add_one();
    EXPECT_LT(cheapest_of_many(), 20 * among_few);
}

} // namespace
} // namespace pipit::broker
