// SPDX-License-Identifier: Apache-2.0
// What a thread waits for in a `blocking_connection` has an end, also when a callback has none.
#include <support/client_world.hpp>

#include <pipit/client/chunked.hpp>

#include <future>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

namespace pipit::client {
namespace {

using namespace support;

/// A callback that does not return until it may.
class hanging {
public:
    std::function<void(message)> callback() {
        return [this](const message&) { hang(); };
    }
    void hang() {
        entered_.set_value();
        may_return_.get_future().wait();
    }
    void wait_until_it_hangs() { entered_.get_future().wait(); }
    void let_go() { may_return_.set_value(); }

private:
    std::promise<void> entered_;
    std::promise<void> may_return_;
};

void expect_held_up(const result<>& outcome) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error(), protocol::errc::timeout);
    EXPECT_NE(outcome.error().message().find("callback"), std::string::npos)
        << outcome.error().message();
}

TEST(BlockingLimits, ADrainEndsInTimeWhateverACallbackDoes) {
    const auto server = start_server();
    hanging work;
    blocking_connection nats({.servers = {server->url()}, .drain_timeout = 200ms});
    nats.connect().value();
    auto hung = nats.subscribe("a", work.callback()).value();
    auto other = nats.subscribe("b").value();
    nats.publish("a", "").value();
    work.wait_until_it_hangs();
    expect_held_up(other.drain());
    expect_held_up(hung.drain());
    expect_held_up(nats.drain());
    work.let_go();
}

TEST(BlockingLimits, AConnectEndsInTimeWhateverTheCredentialsProviderDoes) {
    const auto server = start_server();
    hanging work;
    connection_options options{.servers = {server->url()}, .connect_timeout = 2s};
    options.credentials_provider = [&](const protocol::server_info&) {
        work.hang();
        return protocol::credentials{};
    };
    options.reconnect = false;
    blocking_connection nats(std::move(options));
    expect_held_up(nats.connect());
    EXPECT_TRUE(nats.is_closed()); // It does not connect later, when nobody would know.
    work.let_go();
}

TEST(BlockingLimits, WhoIsConnectedIsToldSoWhateverACallbackDoes) {
    const auto server = start_server();
    hanging work;
    blocking_connection nats({.servers = {server->url()}, .connect_timeout = 2s});
    nats.connect().value();
    auto hung = nats.subscribe("a", work.callback()).value();
    nats.publish("a", "").value();
    work.wait_until_it_hangs();
    EXPECT_TRUE(nats.connect());
    nats.close();
    EXPECT_EQ(nats.connect().error(), protocol::errc::closed);
    work.let_go();
}

TEST(BlockingLimits, RequestsForManyAnswersEndInTimeWhateverACallbackDoes) {
    const auto server = start_server();
    hanging work;
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    auto hung = nats.subscribe("a", work.callback()).value();
    auto silent = nats.subscribe("silent").value();
    nats.publish("a", "").value();
    work.wait_until_it_hangs();
    request_many_options how{.timeout = 200ms, .is_last = [](const message&) { return true; }};
    auto asked =
        std::async(std::launch::async, [&] { return nats.request_many("silent", "", how); });
    EXPECT_EQ(asked.wait_for(support::patience / 2), std::future_status::ready);
    work.let_go();
    EXPECT_TRUE(asked.get().value().empty());
}

TEST(BlockingLimits, TheThreadThatWaitsIsAskedAboutTheLastAnswerAndGetsWhatThatThrows) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    auto service = nats.subscribe("service", [&](const message& asked) {
        for (const auto* answer : {"1", "2", "3"}) nats.respond(asked, answer).value();
    });
    std::set<std::thread::id> askers;
    request_many_options how;
    how.is_last = [&](const message& answer) {
        askers.insert(std::this_thread::get_id());
        return answer.payload() == "3";
    };
    EXPECT_EQ(nats.request_many("service", "", how).value().size(), 2u);
    EXPECT_EQ(askers, std::set{std::this_thread::get_id()});
    how.is_last = [](const message&) -> bool { throw std::runtime_error("no"); };
    EXPECT_THROW((void)nats.request_many("service", "", how), std::runtime_error);
    nats.flush().value();
}

TEST(BlockingLimits, ChunksEndInTimeWhateverACallbackDoes) {
    const auto server = start_server();
    hanging work;
    blocking_connection serves({.servers = {server->url()}});
    serves.connect().value();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    auto requests = serves.subscribe("s").value();
    serves.flush().value();
    const transfer_options options{.idle_timeout = 2s};
    auto opening = std::async(std::launch::async, [&] { return open_stream(nats, "s", options); });
    auto served = accept_stream(serves, requests.next().value()).value();
    auto stream = opening.get().value();
    auto hung = nats.subscribe("a", work.callback()).value();
    nats.publish("a", "").value();
    work.wait_until_it_hangs();
    const auto read = stream.read();
    ASSERT_FALSE(read);
    expect_held_up(read.error());
    const auto another = open_stream(nats, "s", options);
    ASSERT_FALSE(another);
    expect_held_up(another.error());
    work.let_go();
    EXPECT_FALSE(stream.write("more"));
    EXPECT_EQ(served.read().error(), errc::transfer_cancelled);
}

TEST(BlockingLimits, APublicationWaitsForNoCallback) {
    std::promise<void> over;
    const false_server server([&, ends = over.get_future().share()](false_server::peer& client) {
        client.greet();
        client.read_until("SUB a 1\r\n");
        client.send("MSG a 1 0\r\n\r\n");
        ends.wait(); // And reads no more.
    });
    hanging work;
    {
        blocking_connection nats({.servers = {server.url()},
                                  .request_timeout = 200ms,
                                  .pending_output_bytes_max = 100'000});
        nats.connect().value();
        auto hung = nats.subscribe("a", work.callback()).value();
        work.wait_until_it_hangs();
        const std::string payload(10'000, 'x');
        result<> published;
        for (int i = 0; published && i < 10'000; ++i) published = nats.publish("b", payload);
        expect_held_up(published);
        work.let_go();
        over.set_value();
    }
}

TEST(BlockingLimits, WhatIsTooLargeIsRefusedWhateverACallbackDoes) {
    const auto server = start_server();
    hanging work;
    blocking_connection nats({.servers = {server->url()}, .pending_output_bytes_max = 1000});
    nats.connect().value();
    auto hung = nats.subscribe("a", work.callback()).value();
    nats.publish("a", "").value();
    work.wait_until_it_hangs();
    const auto refused = nats.publish("b", std::string(2000, 'x'));
    EXPECT_EQ(refused.error(), protocol::errc::output_full);
    work.let_go();
}

TEST(BlockingLimits, WithoutAServerNothingWaitsForACallbackNorInOne) {
    hanging work;
    const std::string large(2000, 'x');
    connection_options options{.reconnect_buffer_bytes_max = 1000};
    result<> refused_inside;
    blocking_connection* inside = nullptr;
    options.on_event = [&](const connection_event& happened) {
        if (!std::holds_alternative<event::disconnected>(happened)) return;
        refused_inside = inside->publish("a", large);
        work.hang();
    };
    auto server = start_server();
    options.servers = {server->url()};
    blocking_connection nats(std::move(options));
    inside = &nats;
    nats.connect().value();
    server.reset();
    work.wait_until_it_hangs();
    EXPECT_EQ(refused_inside.error(), protocol::errc::output_full);
    EXPECT_EQ(nats.publish("a", large).error(), protocol::errc::output_full);
    work.let_go();
}

TEST(BlockingLimits, APublicationWaitsForNoServer) {
    std::promise<void> left;
    connection_options options{.reconnect_buffer_bytes_max = 1000};
    options.on_event = [&](const connection_event& happened) {
        if (std::holds_alternative<event::disconnected>(happened)) left.set_value();
    };
    auto server = start_server();
    options.servers = {server->url()};
    blocking_connection nats(std::move(options));
    nats.connect().value();
    server.reset();
    left.get_future().wait();
    nats.publish("a", std::string(500, 'x')).value();
    const auto refused = nats.publish("a", std::string(600, 'x'));
    EXPECT_EQ(refused.error(), protocol::errc::output_full);
    EXPECT_NE(refused.error().message().find("reconnect_buffer_bytes_max is 1000"),
              std::string::npos)
        << refused.error().message();
}

} // namespace
} // namespace pipit::client
