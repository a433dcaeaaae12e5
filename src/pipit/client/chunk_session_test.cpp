// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/chunk_session.hpp>
#include <pipit/client/error.hpp>
#include <pipit/protocol/error.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pipit::client {
namespace {

using namespace std::chrono_literals;
using side = chunk_session::side;
using texts = std::vector<std::string>;

constexpr steady_time start{};

message with_control(bytes_view control, bytes_view payload = {}, bytes_view reply = {}) {
    const auto block = "NATS/1.0\r\nPipit-Transfer: " + std::string(control) + "\r\n\r\n";
    return {"to", reply, block, payload};
}

/// A served session that was opened with room for ten bytes.
chunk_session opened(transfer_options options = {}) {
    chunk_session session(side::serving, options, start);
    session.receive(with_control("open 1 10", "", "asker"), start);
    EXPECT_EQ(session.peer(), "asker");
    EXPECT_EQ(session.controls(), (texts{"accept " + std::to_string(options.window_bytes)}));
    return session;
}

void expect_broken(chunk_session& session, const char* control, bytes_view payload = {}) {
    session.receive(with_control(control, payload), start);
    ASSERT_TRUE(session.failure()) << control;
    EXPECT_EQ(*session.failure(), errc::transfer_broken) << control;
    EXPECT_EQ(session.controls(), (texts{"cancel"})) << control;
}

TEST(ChunkSession, SpeaksAsItsFormatShows) {
    chunk_session asks(side::asking, {}, start);
    chunk_session serves(side::serving, {}, start);
    EXPECT_EQ(asks.controls(), (texts{"open 1 1048576"}));
    serves.receive(with_control("open 1 1048576", "", "_INBOX.A"), start);
    EXPECT_EQ(serves.controls(), (texts{"accept 1048576"}));
    EXPECT_EQ(asks.writable_bytes(), 0u) << "nobody has accepted yet";
    asks.receive(with_control("accept 1048576", "", "_INBOX.B"), start);
    EXPECT_EQ(asks.peer(), "_INBOX.B");
    EXPECT_EQ(asks.writable_bytes(), 128u * 1024u);
    EXPECT_EQ(asks.begin_chunk(3, start), "data 1");
    EXPECT_EQ(asks.begin_chunk(2, start), "data 2");
    asks.finish();
    EXPECT_EQ(asks.controls(), (texts{"end 2 5"}));
    serves.receive(with_control("data 1", "hel"), start);
    serves.receive(with_control("data 2", "lo"), start);
    serves.receive(with_control("end 2 5"), start);
    EXPECT_FALSE(serves.input_ended()) << "there is something to take";
    EXPECT_EQ(serves.take_chunk()->payload(), "hel");
    EXPECT_EQ(serves.take_chunk()->payload(), "lo");
    EXPECT_TRUE(serves.input_ended());
    EXPECT_FALSE(serves.is_complete());
    serves.finish();
    EXPECT_EQ(serves.controls(), (texts{"end 0 0"}));
    EXPECT_TRUE(serves.is_complete());
    EXPECT_FALSE(serves.next_deadline());
}

TEST(ChunkSession, SendsNoMoreThanTheOtherEndHasRoomFor) {
    auto session = opened();
    EXPECT_EQ(session.writable_bytes(), 10u);
    (void)session.begin_chunk(7, start);
    EXPECT_EQ(session.writable_bytes(), 3u);
    (void)session.begin_chunk(3, start);
    EXPECT_EQ(session.writable_bytes(), 0u);
    session.receive(with_control("credit 12"), start);
    EXPECT_EQ(session.writable_bytes(), 2u);
    session.receive(with_control("credit 11"), start);
    EXPECT_EQ(session.writable_bytes(), 2u) << "a limit never falls";
}

TEST(ChunkSession, GivesRoomWhenHalfAWindowWasTaken) {
    auto session = opened({.window_bytes = 100});
    for (const auto* number : {"data 1", "data 2", "data 3"}) {
        session.receive(with_control(number, std::string(30, 'x')), start);
    }
    EXPECT_TRUE(session.take_chunk());
    EXPECT_EQ(session.controls(), texts());
    EXPECT_TRUE(session.take_chunk());
    EXPECT_EQ(session.controls(), (texts{"credit 160"}));
    EXPECT_TRUE(session.take_chunk());
    EXPECT_FALSE(session.take_chunk());
}

TEST(ChunkSession, NoticesWhatIsMissingOrNotAllowed) {
    for (const auto* control :
         {"data 2", "data 0", "data", "data x", "data 1 1", "end 1 1", "end 0 1", "end", "alive 1",
          "alive", "credit", "credit -1", "credit 9999999999999999999", "open 1 10", "accept 10",
          "bogus", ""}) {
        auto session = opened();
        expect_broken(session, control, "x");
    }
    auto empty = opened();
    expect_broken(empty, "data 1", "");
    auto too_much = opened({.window_bytes = 10});
    expect_broken(too_much, "data 1", std::string(11, 'x'));
    auto ended = opened();
    ended.receive(with_control("end 0 0"), start);
    expect_broken(ended, "data 1", "x");
    auto twice = opened();
    twice.receive(with_control("end 0 0"), start);
    expect_broken(twice, "end 0 0");
}

TEST(ChunkSession, RefusesWhatBeginsAsSomethingElse) {
    for (const auto* control : {"open 2 10", "open 1", "open", "accept 10", "data 1"}) {
        chunk_session session(side::serving, {}, start);
        session.receive(with_control(control, "", "asker"), start);
        ASSERT_TRUE(session.failure()) << control;
        EXPECT_EQ(*session.failure(), errc::transfer_refused) << control;
        EXPECT_EQ(session.controls(), texts()) << "there is nobody to tell";
    }
    chunk_session nowhere(side::serving, {}, start);
    nowhere.receive(with_control("open 1 10"), start);
    EXPECT_EQ(*nowhere.failure(), errc::transfer_refused);

    chunk_session plain(side::asking, {}, start);
    plain.receive(message("inbox", "", "", "an ordinary answer"), start);
    EXPECT_EQ(*plain.failure(), errc::transfer_refused);
    chunk_session nobody(side::asking, {}, start);
    nobody.receive(message("inbox", "", "NATS/1.0 503\r\n\r\n", ""), start);
    EXPECT_EQ(*nobody.failure(), protocol::errc::no_responders);
}

TEST(ChunkSession, EndsWithAReasonOfEitherSide) {
    auto session = opened();
    session.receive(with_control("data 1", "x"), start);
    session.receive(with_control("cancel", "enough"), start);
    EXPECT_EQ(*session.failure(), errc::transfer_cancelled);
    EXPECT_EQ(session.failure()->detail(), "enough");
    EXPECT_EQ(session.controls(), texts());
    EXPECT_FALSE(session.take_chunk());
    EXPECT_EQ(session.writable_bytes(), 0u);

    auto other = opened();
    other.cancel(protocol::errc::cancelled, "no more");
    EXPECT_EQ(other.controls(), (texts{"cancel"}));
    EXPECT_EQ(other.cancel_text(), "no more");
}

TEST(ChunkSession, CannotFailAnyMoreWhenItIsComplete) {
    auto session = opened();
    session.receive(with_control("data 1", "hello"), start);
    session.receive(with_control("end 1 5"), start);
    session.finish();
    EXPECT_EQ(session.controls(), (texts{"end 0 0"}));
    session.cancel(protocol::errc::closed, {});
    session.receive(with_control("cancel"), start);
    EXPECT_FALSE(session.failure());
    EXPECT_TRUE(session.controls().empty());
    EXPECT_EQ(session.take_chunk()->payload(), "hello");
}

TEST(ChunkSession, SaysThatItIsThereAndGivesUpASilentOther) {
    auto session = opened({.idle_timeout = 300ms});
    EXPECT_EQ(session.next_deadline(), start + 100ms);
    session.expire(start + 100ms);
    EXPECT_EQ(session.controls(), (texts{"alive 0"}));
    (void)session.begin_chunk(1, start + 150ms);
    EXPECT_EQ(session.next_deadline(), start + 250ms);
    session.receive(with_control("alive 0"), start + 200ms);
    session.expire(start + 499ms);
    EXPECT_FALSE(session.failure());
    session.expire(start + 500ms);
    EXPECT_EQ(*session.failure(), protocol::errc::timeout);
}

} // namespace
} // namespace pipit::client
