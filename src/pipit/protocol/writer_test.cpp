// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/writer.hpp>

#include <pipit/protocol/detail/recorded_operations.hpp>

#include <gtest/gtest.h>

namespace pipit::protocol {
namespace {

using events = std::vector<std::string>;

template <class Write>
std::string written(const Write& write) {
    std::string out;
    write(out);
    return out;
}

TEST(Writer, WritesPublicationsWithAndWithoutReplyAndHeaders) {
    const auto wire = [](const publication& message) {
        const auto out = written([&](auto& to) { append_publication(to, message); });
        EXPECT_EQ(out.size(), written_size(message));
        return out;
    };
    EXPECT_EQ(wire({.subject = "a"}), "PUB a 0\r\n\r\n");
    EXPECT_EQ(wire({.subject = "a", .payload = "hello"}), "PUB a 5\r\nhello\r\n");
    EXPECT_EQ(wire({.subject = "a", .reply = "r", .payload = "hello world"}),
              "PUB a r 11\r\nhello world\r\n");
    EXPECT_EQ(wire({.subject = "a", .headers = "NATS/1.0\r\n\r\n", .payload = "hi"}),
              "HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
    EXPECT_EQ(wire({.subject = "a", .reply = "r", .headers = "NATS/1.0\r\n\r\n"}),
              "HPUB a r 12 12\r\nNATS/1.0\r\n\r\n\r\n");
}

TEST(Writer, WritesDeliveriesThatAClientReads) {
    std::string wire;
    append_delivery(wire, {.subject = "a", .sid = "7", .payload = "hi"});
    append_delivery(wire,
                    {.subject = "a", .sid = "7", .reply = "r", .headers = "NATS/1.0\r\n\r\n"});
    EXPECT_EQ(wire, "MSG a 7 2\r\nhi\r\nHMSG a 7 r 12 12\r\nNATS/1.0\r\n\r\n\r\n");
    EXPECT_EQ(detail::events_of<role::client>({wire}).size(), 2u);
}

TEST(Writer, WritesSubscriptions) {
    EXPECT_EQ(written([](auto& to) { append_subscribe(to, "a.>", "", "1"); }), "SUB a.> 1\r\n");
    EXPECT_EQ(written([](auto& to) { append_subscribe(to, "a", "q", "1"); }), "SUB a q 1\r\n");
    EXPECT_EQ(written([](auto& to) { append_unsubscribe(to, "1"); }), "UNSUB 1\r\n");
    EXPECT_EQ(written([](auto& to) { append_unsubscribe(to, "1", 10); }), "UNSUB 1 10\r\n");
}

TEST(Writer, WritesTheShortOperations) {
    const auto wire = written([](auto& to) {
        append_ping(to);
        append_pong(to);
        append_ok(to);
        append_error(to, "Stale Connection");
    });
    EXPECT_EQ(wire, "PING\r\nPONG\r\n+OK\r\n-ERR 'Stale Connection'\r\n");
    EXPECT_EQ(detail::events_of<role::client>({wire}),
              (events{"ping", "pong", "ok", "error 'Stale Connection'"}));
}

TEST(Writer, TellsARequesterThatThereAreNoResponders) {
    EXPECT_EQ(written([](auto& to) { append_no_responders(to, "inbox.1", "3", "svc"); }),
              "HMSG inbox.1 3 35 35\r\nNATS/1.0 503\r\nNats-Subject: svc\r\n\r\n\r\n");
}

TEST(Writer, WritesBodiesOfAnySize) {
    for (const std::size_t size : {0u, 1u, 1000u, 1022u, 1023u, 1024u, 100'000u}) {
        const std::string payload(size, 'x');
        std::string out = "before";
        append_publication(out, {.subject = "a", .reply = "b", .payload = payload});
        EXPECT_EQ(out, "beforePUB a b " + std::to_string(size) + "\r\n" + payload + "\r\n");
        out.clear();
        append_publication(out,
                           {.subject = "a", .headers = "NATS/1.0\r\n\r\n", .payload = payload});
        EXPECT_EQ(out, "HPUB a 12 " + std::to_string(size + 12) + "\r\nNATS/1.0\r\n\r\n" + payload +
                           "\r\n");
    }
}

} // namespace
} // namespace pipit::protocol
