// SPDX-License-Identifier: Apache-2.0
// What a connection does when servers, networks and passwords fail it.
#include <support/client_world.hpp>

#include <boost/asio/use_future.hpp>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace pipit::client {
namespace {

using namespace support;

/// Counts what a connection tells.
struct told {
    int connected = 0;
    int connected_again = 0;
    int disconnected = 0;
    int closed = 0;
    std::vector<error> errors;
    error end;

    auto listener() {
        return [this](const connection_event& what) {
            std::visit([this](const auto& happened) { note(happened); }, what);
        };
    }
    void note(const event::connected& what) { ++(what.again ? connected_again : connected); }
    void note(const event::disconnected&) { ++disconnected; }
    void note(const event::servers_discovered&) {}
    void note(const event::lame_duck&) {}
    void note(const event::slow_consumer&) {}
    void note(const event::asynchronous_error& what) { errors.push_back(what.why); }
    void note(const event::closed& what) {
        ++closed;
        end = what.why;
    }
};

connection_options options_for(std::vector<std::string> servers, told& listens) {
    connection_options options;
    options.servers = std::move(servers);
    options.randomize_servers = false;
    options.reconnect_wait = options.reconnect_jitter = 5ms;
    options.on_event = listens.listener();
    return options;
}

/// The outcome of an operation that is started with a callback.
template <class T>
struct outcome {
    std::optional<result<T>> is;
    auto handler() {
        return [this](result<T> what) { is = std::move(what); };
    }
};

result<> connect(asio::io_context& io, connection& nats) {
    outcome<void> connected;
    nats.connect(connected.handler());
    run_until(io, [&] { return connected.is.has_value(); });
    return *connected.is;
}

TEST(ConnectionFaults, ASubscriptionSurvivesTheRestartOfItsServer) {
    auto server = start_server();
    const auto port = server->port();
    asio::io_context io;
    told tells;
    connection nats(io.get_executor(), options_for({server->url()}, tells));
    ASSERT_TRUE(connect(io, nats));
    std::vector<std::string> seen;
    auto messages = nats.subscribe("a", [&](message what) { seen.emplace_back(what.payload()); });
    for (int restart = 1; restart <= 3; ++restart) {
        server.reset();
        run_until(io, [&] { return tells.disconnected == restart; });
        EXPECT_FALSE(nats.is_connected());
        EXPECT_TRUE(nats.publish("a", "offline " + std::to_string(restart)));
        server = start_server({.port = port});
        run_until(io, [&] { return tells.connected_again == restart; });
        run_until(io, [&] { return seen.size() == static_cast<std::size_t>(restart); });
    }
    EXPECT_TRUE(messages->is_active());
    EXPECT_EQ(seen.back(), "offline 3");
    EXPECT_EQ(nats.statistics().connects, 4u);
}

TEST(ConnectionFaults, OperationsUnderWayEndWithTheConnection) {
    auto server = start_server();
    asio::io_context io;
    told tells;
    connection nats(io.get_executor(), options_for({server->url()}, tells));
    ASSERT_TRUE(connect(io, nats));
    auto silent = nats.subscribe("silent");
    outcome<message> asked;
    nats.request("silent", "", asked.handler());
    auto many = nats.request_many("silent", "").value();
    outcome<std::optional<message>> next;
    many.next(next.handler());
    outcome<void> flushed;
    nats.flush(flushed.handler());
    run_until(io, [&] { return flushed.is.has_value(); });
    server.reset();
    run_until(io, [&] { return asked.is && next.is; });
    EXPECT_EQ(asked.is->error(), protocol::errc::connection_lost);
    EXPECT_EQ(next.is->error(), protocol::errc::connection_lost);
}

TEST(ConnectionFaults, LeavesAServerThatVanishedWithoutAWord) {
    std::atomic<int> clients = 0;
    const false_server silent([&](false_server::peer& client) {
        ++clients;
        client.greet();
        client.wait_until_gone(); // Takes PINGs and says nothing.
    });
    asio::io_context io;
    told tells;
    auto options = options_for({silent.url()}, tells);
    options.ping_interval = 20ms;
    connection nats(io.get_executor(), options);
    ASSERT_TRUE(connect(io, nats));
    run_until(io, [&] { return tells.connected_again == 2; });
    EXPECT_EQ(tells.disconnected, 2);
}

TEST(ConnectionFaults, GoesToAnotherServerOfThePoolAndBackOnDemand) {
    auto first = start_server();
    const auto second = start_server();
    asio::io_context io;
    told tells;
    connection nats(io.get_executor(), options_for({first->url() + "," + second->url()}, tells));
    ASSERT_TRUE(connect(io, nats));
    EXPECT_EQ("nats://" + nats.connected_server(), first->url());
    nats.reconnect();
    run_until(io, [&] { return tells.connected_again == 1; });
    EXPECT_EQ("nats://" + nats.connected_server(), second->url());
    nats.reconnect();
    run_until(io, [&] { return tells.connected_again == 2; });
    EXPECT_EQ("nats://" + nats.connected_server(), first->url());
    first.reset();
    run_until(io, [&] { return tells.connected_again == 3; });
    EXPECT_EQ("nats://" + nats.connected_server(), second->url());
}

TEST(ConnectionFaults, TellsWhyNoServerCanBeConnectedTo) {
    const auto gone = start_server()->url();
    asio::io_context io;
    told tells;
    connection nats(io.get_executor(), options_for({gone}, tells));
    const auto failed = connect(io, nats);
    EXPECT_EQ(failed.error(), protocol::errc::no_servers);
    EXPECT_NE(failed.error().message().find(gone.substr(7)), std::string::npos)
        << failed.error().message();
    EXPECT_NE(failed.error().message().find("refused"), std::string::npos);
    EXPECT_TRUE(nats.is_closed());
    EXPECT_EQ(nats.publish("a", "").error(), protocol::errc::closed);

    connection nowhere(io.get_executor(), {.servers = {"nats://"}});
    EXPECT_EQ(connect(io, nowhere).error(), protocol::errc::invalid_url);
    connection nobody(io.get_executor(), {.servers = {}});
    EXPECT_EQ(connect(io, nobody).error(), protocol::errc::invalid_url);
    connection unnamed(io.get_executor(), {.servers = {"nats://name.invalid"}});
    EXPECT_EQ(connect(io, unnamed).error(), protocol::errc::no_servers);
}

/// `localhost:1` is a server in this list, as to nats.go; but who wrote it may have meant a user's
/// name and the beginning of a password.
TEST(ConnectionFaults, NoErrorShowsAPartOfAPasswordWithAComma) {
    asio::io_context io;
    for (const std::string beginning : {"localhost:1", "localhost.invalid", "localhost:pass"}) {
        told tells;
        auto options = options_for({"nats://" + beginning + ",word@127.0.0.1:1"}, tells);
        options.retry_on_failed_connect = true;
        options.reconnect_attempts_max = 1;
        connection nats(io.get_executor(), std::move(options));
        outcome<void> ended;
        nats.connect(ended.handler());
        run_until(io, [&] { return tells.closed != 0 || (ended.is && !*ended.is); });
        tells.errors.push_back(*ended.is ? tells.end : ended.is->error());
        bool has_hint = false;
        for (const auto& each : tells.errors) {
            EXPECT_EQ(each.message().find("localhost"), std::string::npos) << each.message();
            EXPECT_EQ(each.message().find("word@"), std::string::npos) << each.message();
            has_hint |= each.message().find("%2C") != std::string::npos;
        }
        EXPECT_TRUE(has_hint);
    }
}

TEST(ConnectionFaults, RetriesAFirstConnectThatFailed) {
    auto server = start_server();
    const auto port = server->port();
    const auto url = server->url();
    server.reset();
    asio::io_context io;
    told tells;
    auto options = options_for({url}, tells);
    options.retry_on_failed_connect = true;
    connection nats(io.get_executor(), options);
    ASSERT_TRUE(connect(io, nats)) << "it completes at once";
    EXPECT_FALSE(nats.is_connected());
    std::vector<std::string> seen;
    auto messages = nats.subscribe("a", [&](message what) { seen.emplace_back(what.payload()); });
    EXPECT_TRUE(nats.publish("a", "early"));
    run_until(io, [&] { return tells.errors.size() >= 3; });
    server = start_server({.port = port});
    run_until(io, [&] { return seen.size() == 1; });
    EXPECT_EQ(tells.connected, 1);
}

TEST(ConnectionFaults, GivesUpAfterTheLastAttempt) {
    auto server = start_server();
    asio::io_context io;
    told tells;
    auto options = options_for({server->url()}, tells);
    options.reconnect_attempts_max = 3;
    options.reconnect_wait = options.reconnect_jitter = 1ms;
    connection nats(io.get_executor(), options);
    ASSERT_TRUE(connect(io, nats));
    auto messages = nats.subscribe("a").value();
    outcome<message> next;
    messages.next(next.handler());
    server.reset();
    run_until(io, [&] { return tells.closed == 1; });
    ASSERT_TRUE(next.is);
    EXPECT_EQ(next.is->error(), errc::subscription_ended);
    EXPECT_NE(next.is->error().message().find("'a'"), std::string::npos);
}

TEST(ConnectionFaults, SaysWhoItIs) {
    const auto by_token = start_server({.configuration = "authorization { token: secret }"});
    const auto by_password =
        start_server({.configuration = "authorization { user: me, password: pass }"});
    const auto with = [](const std::string& url, const std::string& who) {
        return "nats://" + who + "@" + url.substr(7);
    };
    asio::io_context io;
    told tells;
    const auto connects = [&](connection_options options) {
        connection nats(io.get_executor(), std::move(options));
        return connect(io, nats);
    };
    EXPECT_TRUE(connects({.servers = {by_token->url()}, .token = "secret"}));
    EXPECT_TRUE(connects({.servers = {with(by_token->url(), "secret")}}));
    EXPECT_TRUE(connects({.servers = {by_password->url()}, .user = "me", .password = "pass"}));
    EXPECT_TRUE(connects({.servers = {with(by_password->url(), "me:pass")}}));

    const auto refused = connects({.servers = {by_token->url()}, .token = "wrong"});
    EXPECT_EQ(refused.error(), protocol::errc::authorization_refused);
    EXPECT_NE(refused.error().message().find("Authorization Violation"), std::string::npos)
        << refused.error().message();

    int asked = 0;
    auto options = options_for({by_token->url()}, tells);
    options.credentials_provider = [&](const protocol::server_info& server) {
        EXPECT_TRUE(server.auth_required);
        protocol::credentials who;
        who.auth_token = ++asked == 1 ? "secret" : "expired";
        return who;
    };
    connection nats(io.get_executor(), options);
    EXPECT_TRUE(connect(io, nats));
    nats.reconnect();
    run_until(io, [&] { return tells.closed == 1; }); // The same refusal twice in a row.
    EXPECT_EQ(asked, 3);
}

TEST(ConnectionFaults, GoesOnAskingToBeLetInWhereItIsToldTo) {
    const auto server = start_server({.configuration = "authorization { token: secret }"});
    asio::io_context io;
    told tells;
    auto options = options_for({server->url()}, tells);
    options.reconnect_wait_max = 5ms;
    options.gives_up_on_repeated_refusal = false;
    int asked = 0;
    options.credentials_provider = [&](const protocol::server_info&) {
        ++asked;
        protocol::credentials who;
        who.auth_token = asked == 1 || asked == 5 ? "secret" : "not yet";
        return who;
    };
    connection nats(io.get_executor(), options);
    EXPECT_TRUE(connect(io, nats));
    nats.reconnect();
    run_until(io, [&] { return tells.connected_again == 1 || tells.closed == 1; });
    EXPECT_EQ(tells.closed, 0);
    ASSERT_FALSE(tells.errors.empty());
    for (const auto& each : tells.errors) EXPECT_EQ(each, protocol::errc::authorization_refused);
}

TEST(ConnectionFaults, AProviderThatThrowsFailsTheAttempt) {
    const auto server = start_server();
    asio::io_context io;
    connection_options options{.servers = {server->url()}};
    options.credentials_provider = [](const protocol::server_info&) -> protocol::credentials {
        throw std::runtime_error("no password today");
    };
    connection nats(io.get_executor(), options);
    outcome<void> connected;
    nats.connect(connected.handler());
    EXPECT_THROW(io.run_for(patience), std::runtime_error);
    run_until(io, [&] { return connected.is.has_value(); });
    EXPECT_EQ(connected.is->error(), protocol::errc::no_servers);
    EXPECT_NE(connected.is->error().message().find("no password today"), std::string::npos)
        << connected.is->error().message();

    blocking_connection waits(options);
    const auto why = waits.connect().error();
    EXPECT_NE(why.message().find("credentials_provider: no password today"), std::string::npos)
        << why.message();
}

TEST(ConnectionFaults, TriesAllAddressesOfAName) {
    const auto only_ipv4 = start_server({.host = "127.0.0.1"});
    asio::io_context io;
    for (int i = 0; i < 4; ++i) { // In either order.
        connection nats(io.get_executor(),
                        {.servers = {"localhost:" + std::to_string(only_ipv4->port())}});
        EXPECT_TRUE(connect(io, nats));
    }
}

TEST(ConnectionFaults, ConnectsByIpv6) {
    auto started = embedded_server::start({.host = "::1"});
    if (!started) GTEST_SKIP() << "this machine has no IPv6";
    asio::io_context io;
    connection nats(io.get_executor(),
                    {.servers = {"[::1]:" + std::to_string((*started)->port())}});
    EXPECT_TRUE(connect(io, nats));
    EXPECT_EQ(nats.connected_server(), "[::1]:" + std::to_string((*started)->port()));
}

TEST(ConnectionFaults, RefusesServersThatDoNotSpeakNats) {
    const std::vector<std::string> beginnings{
        "",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "INFO {\r\n",
        "INFO []\r\n",
        "MSG a 1 1\r\nx\r\n",
        "-ERR 'maximum connections exceeded'\r\n",
        "INFO {\"tls_required\":true} \r\n",
        std::string(2 * 1024 * 1024, 'x'),
        std::string("INFO {\"server_id\":\"") + std::string(2 * 1024 * 1024, 'x'),
    };
    for (const auto& beginning : beginnings) {
        const false_server server([&](false_server::peer& client) { client.send(beginning); });
        asio::io_context io;
        told tells;
        connection nats(io.get_executor(), options_for({server.url()}, tells));
        const auto refused = connect(io, nats);
        EXPECT_EQ(refused.error(), protocol::errc::no_servers) << beginning.substr(0, 40);
        EXPECT_EQ(tells.closed, 1);
    }
}

TEST(ConnectionFaults, LivesThroughWhatAHostileServerSends) {
    const std::vector<std::string> bad{
        "MSG a 99999999999999999999 1\r\nx\r\n",
        "MSG a 1 99999999999\r\n",
        "HMSG a 1 10 5\r\nxxxxx\r\n",
        "\x01\x02\x03\r\n",
        "PING\r\nMSG\r\n",
        "INFO {}\r\nINFO nonsense\r\n",
        "+OK\r\n-ERR 'Stale Connection'\r\n",
    };
    std::atomic<std::size_t> next = 0;
    const false_server server([&](false_server::peer& client) {
        client.greet();
        if (next < bad.size()) client.send(bad[next++]);
        client.wait_until_gone();
    });
    asio::io_context io;
    told tells;
    connection nats(io.get_executor(), options_for({server.url()}, tells));
    auto messages = nats.subscribe("a").value();
    ASSERT_TRUE(connect(io, nats));
    // Some of it is only ignored, and a message for an unknown subscription is no offence.
    nats.publish("x", "").value();
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (next < bad.size() && std::chrono::steady_clock::now() < deadline) {
        io.restart();
        io.run_for(20ms);
        if (nats.is_connected()) nats.reconnect();
    }
    EXPECT_EQ(next, bad.size());
    EXPECT_TRUE(messages.is_active());
    EXPECT_FALSE(nats.is_closed());
}

TEST(ConnectionFaults, TakesWhatCameBeforeTheEndThatItNoticesBySending) {
    std::promise<void> subscribed;
    std::promise<void> may_end;
    std::promise<void> ended;
    const false_server server([&, done = false](false_server::peer& client) mutable {
        client.greet();
        if (std::exchange(done, true)) return client.wait_until_gone();
        client.read_until("SUB a 1\r\n");
        subscribed.set_value();
        may_end.get_future().wait();
        client.send("MSG a 1 2\r\nhi\r\n-ERR 'Maximum Payload Violation'\r\n");
        ended.set_value(); // And resets the connection, for not everything was read.
    });
    asio::io_context io;
    told tells;
    connection nats(io.get_executor(), options_for({server.url()}, tells));
    auto messages = nats.subscribe("a").value();
    ASSERT_TRUE(connect(io, nats));
    subscribed.get_future().wait();
    nats.publish("x", "that is not read").value();
    io.restart();
    io.run_for(20ms);
    may_end.set_value();
    ended.get_future().wait();
    // Without a pause it would be noticed by reading.
    std::promise<void> pause;
    pause.get_future().wait_for(20ms);
    nats.publish("x", "").value();
    run_until(io, [&] { return tells.disconnected == 1; });
    const auto last = messages.try_next();
    ASSERT_TRUE(last);
    EXPECT_EQ(last->payload(), "hi");
    ASSERT_FALSE(tells.errors.empty());
    EXPECT_EQ(tells.errors.front(), protocol::errc::refused_by_peer);
}

TEST(ConnectionFaults, SaysHowLongADrainWasGiven) {
    const false_server server([](false_server::peer& client) {
        client.greet();
        client.wait_until_gone(); // It answers no PING.
    });
    asio::io_context io;
    told tells;
    auto options = options_for({server.url()}, tells);
    options.drain_timeout = 50ms;
    connection nats(io.get_executor(), options);
    ASSERT_TRUE(connect(io, nats));
    outcome<void> drained;
    nats.drain(drained.handler());
    run_until(io, [&] { return drained.is.has_value(); });
    EXPECT_EQ(drained.is->error().message(), "timed out: draining took longer than 50 ms");
}

TEST(ConnectionFaults, TellsWhoeverWaitsThatPermissionsAreMissing) {
    const auto server = start_server({.configuration = R"(
        authorization { users: [ { user: me, password: pass, permissions: {
          publish: { deny: "secret" }, subscribe: { deny: "secret" } } } ] })"});
    asio::io_context io;
    told tells;
    auto options = options_for({server->url()}, tells);
    options.user = "me";
    options.password = "pass";
    connection nats(io.get_executor(), options);
    ASSERT_TRUE(connect(io, nats));
    auto refused = nats.subscribe("secret").value();
    outcome<message> next;
    refused.next(next.handler());
    outcome<message> asked;
    nats.request("secret", "", asked.handler());
    run_until(io, [&] { return next.is && asked.is; });
    EXPECT_EQ(next.is->error(), errc::subscription_ended);
    EXPECT_NE(next.is->error().message().find("Permissions Violation"), std::string::npos)
        << next.is->error().message();
    EXPECT_EQ(asked.is->error(), protocol::errc::permission_denied);
    EXPECT_TRUE(nats.is_connected());
    ASSERT_EQ(tells.errors.size(), 2u);
    for (const auto& each : tells.errors) EXPECT_EQ(each, protocol::errc::permission_denied);
}

} // namespace
} // namespace pipit::client
