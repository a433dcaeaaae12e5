// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/broker.hpp>
#include <pipit/broker/detail/test_brokers.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace {

using namespace pipit;
using namespace std::chrono_literals;
using broker::close_reason;
using broker::open_configuration;
using broker::test_brokers;

const std::string plain = "\"headers\":true,\"no_responders\":true,\"protocol\":1";

TEST(Broker, GreetsWithInfo) {
    test_brokers loop;
    auto& client = loop.connect();
    EXPECT_TRUE(client.received.starts_with("INFO {\"server_id\":\"NTEST\","));
    EXPECT_TRUE(client.received.ends_with("} \r\n"));
}

TEST(Broker, HidesFromAGreetedClientThatOthersNeedCredentials) {
    auto config = open_configuration();
    config->authorization.users["guest"] = {.name = "guest", .account = config->global_account};
    config->authorization.no_auth_user = "guest";
    config->authorization.greeting_asks_for_nothing = true;
    test_brokers loop(config);
    auto& client = loop.connect();
    EXPECT_EQ(loop.take(client).find("auth_required"), std::string::npos);
    loop.send(client, "CONNECT {\"verbose\":false,\"protocol\":1}\r\nPING\r\n");
    EXPECT_NE(loop.take(client).find("\"auth_required\":true"), std::string::npos);
}

TEST(Broker, DeliversToLiteralAndWildcardSubscriptions) {
    test_brokers loop;
    auto& a = loop.connect(plain);
    auto& b = loop.connect(plain);
    loop.send(a, "SUB foo.bar 1\r\nSUB foo.* 2\r\nSUB foo.> 3\r\nSUB other 4\r\n");
    loop.send(b, "PUB foo.bar 5\r\nhello\r\n");
    EXPECT_EQ(loop.take(a), "MSG foo.bar 1 5\r\nhello\r\nMSG foo.bar 3 5\r\nhello\r\n"
                            "MSG foo.bar 2 5\r\nhello\r\n");
    loop.send(b, "PUB foo.bar reply 2\r\nhi\r\nPUB foo.bar.baz 0\r\n\r\n");
    const auto got = loop.take(a);
    EXPECT_NE(got.find("MSG foo.bar 2 reply 2\r\nhi\r\n"), std::string::npos);
    EXPECT_NE(got.find("MSG foo.bar.baz 3 0\r\n\r\n"), std::string::npos);
}

TEST(Broker, ServesAClientThatNeverSentConnectAndIsVerboseToIt) {
    test_brokers loop;
    auto& client = loop.connect();
    loop.take(client);
    loop.send(client, "SUB a 1\r\nPUB a 1\r\nx\r\nPING\r\n");
    EXPECT_EQ(loop.take(client), "+OK\r\n+OK\r\nMSG a 1 1\r\nx\r\nPONG\r\n");
}

TEST(Broker, KeepsSubscriptionsMadeBeforeTheFirstConnectAndDropsThoseBeforeTheNext) {
    test_brokers loop;
    auto& client = loop.connect();
    loop.send(client, "SUB a 1\r\nCONNECT {\"verbose\":false}\r\n");
    loop.take(client);
    loop.send(client, "PUB a 0\r\n\r\n");
    EXPECT_EQ(loop.take(client), "MSG a 1 0\r\n\r\n");
    loop.send(client, "CONNECT {}\r\nPUB a 0\r\n\r\nPING\r\n");
    EXPECT_EQ(loop.take(client), "PONG\r\n");
}

TEST(Broker, GivesAMessageOfAQueueGroupToOneMember) {
    test_brokers loop;
    auto& a = loop.connect(plain);
    auto& b = loop.connect(plain);
    auto& publisher = loop.connect(plain);
    loop.send(a, "SUB work q 1\r\n");
    loop.send(b, "SUB work q 1\r\n");
    for (int i = 0; i < 100; ++i) loop.send(publisher, "PUB work 1\r\nx\r\n");
    const auto size = std::string("MSG work 1 1\r\nx\r\n").size();
    EXPECT_EQ(loop.take(a).size() + loop.take(b).size(), 100 * size);
}

TEST(Broker, TakesGroupsOfOneNameOnSeveralSubjectsForOneGroup) {
    test_brokers loop;
    auto& a = loop.connect(plain);
    auto& b = loop.connect(plain);
    auto& publisher = loop.connect(plain);
    loop.send(a, "SUB work.* q 1\r\n");
    loop.send(b, "SUB work.x q 1\r\nSUB work.> other 2\r\n");
    for (int i = 0; i < 100; ++i) loop.send(publisher, "PUB work.x 1\r\nx\r\n");
    const auto size = std::string("MSG work.x 1 1\r\nx\r\n").size();
    const auto to_a = loop.take(a).size();
    EXPECT_EQ(to_a + loop.take(b).size(), 200 * size);
    EXPECT_GT(to_a, 20 * size);
    EXPECT_LT(to_a, 80 * size);
}

TEST(Broker, EndsWithoutAWordTheSessionOfAUserWhoIsKnownNoMore) {
    auto config = open_configuration();
    config->authorization.users["old"] = {.name = "old", .account = config->global_account};
    test_brokers loop(config);
    auto& client = loop.connect(plain + ",\"user\":\"old\"");
    auto after = open_configuration();
    after->authorization.users["new"] = {.name = "new", .account = after->global_account};
    loop.core().reconfigure(after, loop.now);
    loop.flush();
    EXPECT_EQ(loop.take(client), "");
    EXPECT_TRUE(client.closed);
}

TEST(Broker, TellsNobodyOfANewLimitUntilItIsExceeded) {
    test_brokers loop;
    auto& client = loop.connect(plain);
    loop.send(client, "PING\r\n");
    loop.take(client);
    auto after = open_configuration();
    after->max_payload_bytes = 4;
    loop.core().reconfigure(after, loop.now);
    loop.flush();
    EXPECT_EQ(loop.take(client), "");
    loop.send(client, "PUB a 5\r\nhello\r\n");
    EXPECT_EQ(loop.take(client), "-ERR 'Maximum Payload Violation'\r\n");
}

TEST(Broker, RemembersNoMatchesWhenToldSo) {
    auto config = open_configuration();
    for (const bool caches : {true, false}) {
        config->caches_matches = caches;
        test_brokers loop(config);
        auto& client = loop.connect(plain);
        loop.send(client, "SUB a.* 1\r\nPUB a.b 0\r\n\r\nPUB a.b 0\r\n\r\nPUB a.b 0\r\n\r\n");
        EXPECT_EQ(loop.take(client), "MSG a.b 1 0\r\n\r\nMSG a.b 1 0\r\n\r\nMSG a.b 1 0\r\n\r\n");
        EXPECT_EQ(loop.core().statistics().matches, 3u);
        EXPECT_EQ(loop.core().statistics().cache_entries, caches ? 1u : 0u);
        EXPECT_EQ(loop.core().statistics().cache_hits, caches ? 1u : 0u);
    }
}

/// The sids of a page, in order.
std::string sids_of(const broker::subscription_list& list) {
    std::string sids;
    for (const auto& each : list.page) sids += each.sid + " ";
    return sids;
}

TEST(Broker, ShowsSubscriptionsPageByPage) {
    test_brokers loop;
    auto& first = loop.connect(plain);
    auto& second = loop.connect(plain);
    loop.send(first, "SUB a 1\r\nSUB a q 2\r\nSUB b 3\r\n");
    loop.send(second, "SUB a 4\r\nSUB c 5\r\n");
    const auto all = sids_of(loop.core().subscriptions({.limit = 9}));
    ASSERT_EQ(all.size(), 10u);
    for (std::uint64_t i = 0; i < 5; ++i) {
        const auto one = loop.core().subscriptions({.offset = i, .limit = 1});
        EXPECT_EQ(one.total, 5u);
        EXPECT_EQ(sids_of(one), all.substr(2 * i, 2));
    }
    EXPECT_EQ(sids_of(loop.core().subscriptions({.offset = 5, .limit = 1})), "");
}

TEST(Broker, ShowsSubscriptionsThatASubjectMatchesOrThatSomeConnectionsHave) {
    test_brokers loop;
    auto& first = loop.connect(plain);
    auto& second = loop.connect(plain);
    loop.send(first, "SUB a 1\r\nSUB a q 2\r\nSUB b 3\r\n");
    loop.send(second, "SUB * 4\r\n");
    const auto matching = loop.core().subscriptions({.test = "a", .limit = 9});
    EXPECT_EQ(matching.total, 3u);
    EXPECT_EQ(sids_of(matching).find('3'), std::string::npos);
    const auto last = loop.core().client_ids().back();
    loop.core().close_sessions(std::vector{last}, close_reason::client_closed, loop.now);
    loop.flush();
    EXPECT_EQ(sids_of(loop.core().subscriptions({.client_ids = {last}, .limit = 9})), "4 ");
    EXPECT_EQ(loop.core().subscriptions({.limit = 9}).total, 3u);
}

TEST(Broker, TellsSidsApartWhetherTheyAreNumbersOrNot) {
    test_brokers loop;
    auto& client = loop.connect(plain);
    std::vector<std::string> sids = {
        "01", "001", "x",          "1x",         "x1",
        "-1", "+1",  "4294967295", "4294967296", "99999999999999999999",
        "0"};
    for (int i = 1; i <= 300; ++i) sids.push_back(std::to_string(i * (i % 2 == 0 ? 16 : 1)));
    std::ranges::sort(sids);
    sids.erase(std::unique(sids.begin(), sids.end()), sids.end());
    for (const auto& sid : sids) loop.send(client, "SUB a." + sid + ' ' + sid + "\r\n");
    for (const auto& sid : sids) {
        loop.take(client);
        loop.send(client, "PUB a." + sid + " 0\r\n\r\n");
        EXPECT_EQ(loop.take(client), "MSG a." + sid + ' ' + sid + " 0\r\n\r\n");
        loop.send(client, "UNSUB " + sid + "\r\nPUB a." + sid + " 0\r\n\r\n");
        EXPECT_EQ(loop.take(client), "");
    }
}

TEST(Broker, EndsASubscriptionWithItsLastMessage) {
    test_brokers loop;
    auto& client = loop.connect(plain);
    loop.send(client, "SUB a 1\r\nUNSUB 1 2\r\nPUB a 1\r\n1\r\nPUB a 1\r\n2\r\nPUB a 1\r\n3\r\n");
    EXPECT_EQ(loop.take(client), "MSG a 1 1\r\n1\r\nMSG a 1 1\r\n2\r\n");
}

TEST(Broker, TellsARequesterThatNobodyIsThere) {
    test_brokers loop;
    auto& client = loop.connect(plain);
    loop.send(client, "SUB _INBOX.* 9\r\nPUB svc _INBOX.1 1\r\nx\r\n");
    EXPECT_EQ(loop.take(client), "HMSG _INBOX.1 9 35 35\r\nNATS/1.0 503\r\n"
                                 "Nats-Subject: svc\r\n\r\n\r\n");
}

TEST(Broker, StripsHeadersForAClientThatDidNotAskForThem) {
    test_brokers loop;
    auto& with = loop.connect(plain);
    auto& without = loop.connect("\"headers\":false");
    loop.send(with, "SUB a 1\r\n");
    loop.send(without, "SUB a 1\r\n");
    loop.send(with, "HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
    EXPECT_EQ(loop.take(with), "HMSG a 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
    EXPECT_EQ(loop.take(without), "MSG a 1 2\r\nhi\r\n");
}

TEST(Broker, DeliversWhatWasCutAnywhere) {
    const std::string wire = "PUB a.b reply 11\r\nhello world\r\nPUB  a.b 3\r\nxyz\r\n";
    for (std::size_t cut = 1; cut < wire.size(); ++cut) {
        test_brokers loop;
        auto& client = loop.connect(plain);
        loop.send(client, "SUB a.* 1\r\n");
        loop.send(client, wire.substr(0, cut));
        loop.send(client, wire.substr(cut));
        EXPECT_EQ(loop.take(client), "MSG a.b 1 reply 11\r\nhello world\r\nMSG a.b 1 3\r\nxyz\r\n");
    }
}

TEST(Broker, KeepsALargePayloadThatTheSocketDidNotTake) {
    test_brokers loop;
    auto& slow = loop.connect(plain);
    auto& publisher = loop.connect(plain);
    loop.send(slow, "SUB a 1\r\n");
    slow.window = 100;
    const std::string payload(100'000, 'x');
    {
        // Its bytes are gone when the next ones are read.
        const auto wire = "PUB a 100000\r\n" + payload + "\r\n";
        loop.send(publisher, wire);
    }
    loop.send(publisher, "PUB a 1\r\ny\r\n");
    slow.window = static_cast<std::size_t>(-1);
    loop.send(publisher, "PUB a 1\r\nz\r\n");
    EXPECT_EQ(loop.take(slow),
              "MSG a 1 100000\r\n" + payload + "\r\nMSG a 1 1\r\ny\r\nMSG a 1 1\r\nz\r\n");
}

TEST(Broker, ClosesASlowConsumerAndNobodyElse) {
    auto config = open_configuration();
    config->max_pending_bytes = 100'000;
    test_brokers loop(config);
    auto& slow = loop.connect(plain);
    auto& publisher = loop.connect(plain);
    loop.send(slow, "SUB a 1\r\n");
    slow.window = 0;
    const auto message = "PUB a 1000\r\n" + std::string(1000, 'x') + "\r\n";
    for (int i = 0; i < 200; ++i) loop.send(publisher, message);
    EXPECT_TRUE(slow.closed);
    EXPECT_FALSE(publisher.closed);
    const auto gone = loop.sessions(broker::session_state::closed);
    ASSERT_EQ(gone.size(), 1u);
    EXPECT_EQ(gone[0].reason, close_reason::slow_consumer_pending_bytes);
}

/// A client that takes a few bytes of a large message, and one that sends it.
struct slow_reader {
    explicit slow_reader(bool retries) {
        auto config = open_configuration();
        config->write_deadline = 1s;
        config->retries_slow_writes = retries;
        loop.core().reconfigure(config, loop.now);
        loop.send(slow, "SUB a 1\r\n");
        slow.window = 100;
        loop.send(publisher, "PUB a 10000\r\n" + std::string(10000, 'x') + "\r\n");
    }
    /// It takes so many bytes more, and then the write deadline passes.
    void read_and_wait(std::size_t bytes) {
        slow.window = bytes;
        loop.send(publisher, "PUB a 1\r\ny\r\n");
        loop.pass(1100ms);
    }

    test_brokers loop;
    test_brokers::client& slow = loop.connect(plain);
    test_brokers::client& publisher = loop.connect(plain);
};

TEST(Broker, ClosesAClientThatMissesTheWriteDeadline) {
    slow_reader one(false);
    one.read_and_wait(50);
    EXPECT_TRUE(one.slow.closed);
    EXPECT_EQ(one.loop.core().statistics().slow_consumers, 1u);
    EXPECT_EQ(one.loop.sessions(broker::session_state::closed)[0].reason,
              close_reason::slow_consumer_write_deadline);
}

TEST(Broker, KeepsAClientThatReadsSomethingBeforeEachWriteDeadlineWhenToldSo) {
    slow_reader one(true);
    one.read_and_wait(50);
    one.read_and_wait(50);
    EXPECT_FALSE(one.slow.closed);
    EXPECT_EQ(one.loop.core().statistics().slow_consumers, 2u);
    one.read_and_wait(static_cast<std::size_t>(-1));
    EXPECT_TRUE(one.slow.received.ends_with("MSG a 1 1\r\ny\r\n"));
    one.slow.window = 0;
    one.loop.send(one.publisher, "PUB a 1\r\ny\r\n");
    one.loop.pass(1100ms);
    EXPECT_TRUE(one.slow.closed);
    EXPECT_EQ(one.loop.core().statistics().slow_consumers, 3u);
}

TEST(Broker, StallsASubscriberWhoseInterestOtherLoopsHaveNotTakenYet) {
    test_brokers loops(open_configuration(), 2);
    auto& subscriber = loops.connect(plain);
    std::string flood;
    for (int i = 0; flood.size() < 2 * limits::peer_waiting_bytes; ++i) {
        const auto number = std::to_string(i);
        flood += "SUB " + std::string(500, 'a') + number + ' ' + number + "\r\n";
    }
    loops.receive(subscriber, flood);
    EXPECT_TRUE(loops.core().reading_paused(*subscriber.its_session));
    loops.flush();
    loops.pass(20ms);
    EXPECT_FALSE(loops.core().reading_paused(*subscriber.its_session));
    loops.send(subscriber, "SUB b b\r\n");
    EXPECT_FALSE(loops.core().reading_paused(*subscriber.its_session));
}

TEST(Broker, StallsAPublisherWhoseReaderIsBehindAndGoesOnAfterwards) {
    auto config = open_configuration();
    config->max_pending_bytes = 100'000;
    test_brokers loop(config);
    auto& slow = loop.connect(plain);
    auto& publisher = loop.connect(plain);
    loop.send(slow, "SUB a 1\r\n");
    slow.window = 0;
    const auto message = "PUB a 1000\r\n" + std::string(1000, 'x') + "\r\n";
    for (int i = 0; i < 90; ++i) loop.send(publisher, message);
    EXPECT_TRUE(loop.core().reading_paused(*publisher.its_session));
    // What is delivered while it waits already the longest is not counted.
    EXPECT_EQ(loop.core().statistics().stalled_clients,
              static_cast<std::uint64_t>(limits::stall_max / limits::stall_min));
    loop.pass(20ms);
    EXPECT_FALSE(loop.core().reading_paused(*publisher.its_session));
}

TEST(Broker, ClosesAStalledClientThatEndsAndReadsNothing) {
    auto config = open_configuration();
    config->max_pending_bytes = 100'000;
    test_brokers loop(config);
    auto& client = loop.connect(plain);
    client.window = 0;
    loop.send(client, "SUB a 1\r\n");
    for (int i = 0; i < 90; ++i) {
        loop.receive(client, "PUB a 1000\r\n" + std::string(1000, 'x') + "\r\n");
    }
    loop.flush();
    ASSERT_TRUE(loop.core().reading_paused(*client.its_session));
    const std::array kicked{loop.core().client_id(*client.its_session)};
    loop.core().close_sessions(kicked, close_reason::kicked, loop.now);
    loop.flush();
    loop.pass(limits::stall_max); // What looks at it first is the end of its stall.
    EXPECT_FALSE(client.closed);
    loop.pass(limits::last_flush_deadline);
    EXPECT_TRUE(client.closed);
}

TEST(Broker, AsksSoonAfterConnectHowLongTheWayIsAndThenOnlyTheSilent) {
    test_brokers loop;
    auto& client = loop.connect(plain);
    loop.pass(1900ms);
    loop.send(client, "PUB a 0\r\n\r\nPONG\r\n");
    EXPECT_EQ(loop.take(client), "");
    loop.pass(600ms);
    EXPECT_EQ(loop.take(client), "PING\r\n");
    loop.send(client, "PONG\r\n");
    loop.pass(60s);
    loop.send(client, "PUB a 0\r\n\r\n");
    loop.pass(61s);
    EXPECT_EQ(loop.take(client), "");
    loop.pass(120s);
    EXPECT_EQ(loop.take(client), "PING\r\n");
}

TEST(Broker, PingsAndClosesAStaleConnection) {
    auto config = open_configuration();
    config->ping_interval = 1s;
    test_brokers loop(config);
    auto& client = loop.connect(plain);
    for (int i = 0; i < 4; ++i) loop.pass(1300ms);
    EXPECT_EQ(loop.take(client), "PING\r\nPING\r\n-ERR 'Stale Connection'\r\n");
    EXPECT_TRUE(client.closed);
}

TEST(Broker, RefusesAWrongPasswordAndBindsARightOneToItsAccount) {
    auto config = open_configuration();
    broker::account_configuration other;
    other.id = broker::account_id{2};
    other.name = "A";
    config->accounts.push_back(other);
    config->authorization.users["u"] = {.name = "u", .password = "p", .account = other.id};
    test_brokers loop(config);
    auto& wrong = loop.connect("\"user\":\"u\",\"pass\":\"q\"");
    EXPECT_EQ(loop.take(wrong), "-ERR 'Authorization Violation'\r\n");
    EXPECT_TRUE(wrong.closed);
    auto& right = loop.connect("\"user\":\"u\",\"pass\":\"p\",\"protocol\":1");
    loop.send(right, "PING\r\n");
    EXPECT_NE(loop.take(right).find("\"remote_account\":\"A\""), std::string::npos);
    auto& early = loop.connect();
    loop.take(early);
    loop.send(early, "PING\r\n");
    EXPECT_EQ(loop.take(early), "-ERR 'Authorization Violation'\r\n");
    auto& late = loop.connect();
    loop.take(late);
    loop.pass(3s);
    EXPECT_EQ(loop.take(late), "-ERR 'Authentication Timeout'\r\n");
}

TEST(Broker, ShowsWhoAClientSaidItWasButNoToken) {
    auto config = open_configuration();
    config->authorization.token = "secret";
    test_brokers loop(config);
    loop.connect("\"user\":\"u\",\"pass\":\"p\"");
    loop.connect("\"auth_token\":\"wrong\"");
    loop.connect("\"auth_token\":\"secret\"");
    std::vector<std::string> users;
    for (const auto& session : loop.sessions(broker::session_state::any)) {
        users.push_back(session.user);
    }
    EXPECT_EQ(users, (std::vector<std::string>{"[REDACTED]", "u", "[REDACTED]"}));
}

TEST(Broker, TakesWhatASecondConnectLeavesOutFromTheFirst) {
    auto config = open_configuration();
    config->authorization.users["a"] = {"a", "pw", broker::account_id{1}, nullptr, true, true};
    test_brokers loop(config);
    auto& client = loop.connect("\"user\":\"a\",\"pass\":\"pw\"");
    loop.send(client, "CONNECT {\"echo\":false}\r\nPING\r\n");
    EXPECT_EQ(loop.take(client), "PONG\r\n");
    loop.send(client, "CONNECT {\"pass\":\"other\"}\r\n");
    EXPECT_EQ(loop.take(client), "-ERR 'Authorization Violation'\r\n");
}

TEST(Broker, TakesAClientThatSaidNothingForTheNoAuthUserFromThenOn) {
    auto config = open_configuration();
    config->authorization.users["a"] = {"a", "pw", broker::account_id{1}, nullptr, true, true};
    config->authorization.no_auth_user = "a";
    test_brokers loop(config);
    auto& client = loop.connect();
    loop.send(client, "PING\r\n");
    loop.take(client);
    loop.send(client, "CONNECT {\"verbose\":false,\"auth_token\":\"x\"}\r\nPING\r\n");
    EXPECT_EQ(loop.take(client), "PONG\r\n");
    auto& other = loop.connect("\"auth_token\":\"x\"");
    EXPECT_EQ(loop.take(other), "-ERR 'Authorization Violation'\r\n");
    // There are no users with keys: what is said of one says nothing.
    auto& keyed = loop.connect("\"nkey\":\"x\"");
    loop.send(keyed, "PING\r\n");
    EXPECT_EQ(loop.take(keyed), "PONG\r\n");
}

TEST(Broker, IsActiveByMessagesAndInterestButNotByPings) {
    test_brokers loop;
    auto& reader = loop.connect(plain);
    auto& writer = loop.connect(plain);
    const auto activity_of = [&](const auto& client) {
        const auto id = loop.core().client_id(*client.its_session);
        return loop.core().sessions({&id, 1}, broker::session_state::open).at(0).last_activity.wall;
    };
    const auto begin = loop.now.wall;
    loop.pass(1s);
    loop.send(reader, "PING\r\nPONG\r\n");
    EXPECT_EQ(activity_of(reader), begin);
    loop.send(reader, "SUB a 1\r\n");
    EXPECT_EQ(activity_of(reader), begin + 1s);
    EXPECT_EQ(activity_of(writer), begin);
    loop.pass(1s);
    loop.send(writer, "PUB a 1\r\nx\r\n");
    EXPECT_EQ(activity_of(reader), begin + 2s);
    EXPECT_EQ(activity_of(writer), begin + 2s);
    loop.pass(1s);
    loop.send(writer, "UNSUB 9\r\n");
    EXPECT_EQ(activity_of(writer), begin + 3s);
}

TEST(Broker, WaitsForTheAnswerAboutABcryptPasswordWhileOthersGoOn) {
    auto config = open_configuration();
    config->authorization.users["u"] = {
        .name = "u",
        .password = "$2a$04$PJy6vsYtWYF3cPrjQ2kbcuxSoUSnPmcSHyC1j2nIN1VxbLJd0uJKq",
        .account = config->global_account};
    test_brokers loop(config);
    auto& client = loop.connect();
    loop.take(client);
    loop.send(client, "CONNECT {\"verbose\":false,\"user\":\"u\",\"pass\":\"p\"}\r\nPING\r\n");
    EXPECT_EQ(loop.take(client), "");
    const auto question = loop.core().next_question();
    ASSERT_TRUE(question);
    EXPECT_TRUE(std::holds_alternative<broker::password_check>(question->what));
    loop.core().answer(question->id, {.accepted = true, .user = question->user}, loop.now);
    loop.flush();
    EXPECT_EQ(loop.take(client), "PONG\r\n");
}

TEST(Broker, RefusesMoreConnectionsThanItsMaximum) {
    auto config = open_configuration();
    config->max_connections = 1;
    test_brokers loop(config);
    loop.connect();
    auto& second = loop.connect();
    EXPECT_TRUE(second.received.starts_with("INFO {"));
    EXPECT_TRUE(second.received.ends_with("-ERR 'maximum connections exceeded'\r\n"));
    EXPECT_TRUE(second.closed);
}

} // namespace
