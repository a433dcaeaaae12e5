// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/limits.hpp>
#include <pipit/net/error.hpp>
#include <pipit/net/filtered_transport.hpp>
#include <pipit/net/pipe.hpp>
#include <pipit/net/test_filters.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <thread>

namespace pipit::net {
namespace {

using namespace std::chrono_literals;

/// A filter that one can follow by hand. The client says `H` and the server `h`; then frames go
/// both ways: a length below 200 and so many bytes in the other case of letters. `?` instead of a
/// length is answered by a thousand `!`, which mean nothing; 0 is the end, all else an error.
class framing final : public filter {
public:
    enum class side { client, server };
    static constexpr std::size_t frame_bytes = 199;

    explicit framing(side its_side) : side_(its_side) {}

    result<> begin(std::string& wire) override {
        if (side_ == side::client) wire += 'H';
        return {};
    }

    result<> receive(bytes_view from_wire, std::string& plain, std::string& wire) override {
        for (const char byte : from_wire) {
            if (left_ > 0) {
                plain += static_cast<char>(byte ^ 0x20);
                --left_;
            } else if (!open_) {
                if (byte != (side_ == side::server ? 'H' : 'h')) return fail(wire);
                open_ = true;
                if (side_ == side::server) wire += 'h';
            } else if (byte == '\0') {
                finished_ = true;
            } else if (byte == '?') {
                wire.append(1000, '!');
            } else if (byte != '!') {
                left_ = static_cast<unsigned char>(byte);
                if (left_ > frame_bytes) return fail(wire);
            }
        }
        return {};
    }

    result<> send(std::span<const bytes_view> plain, std::string& wire) override {
        for (auto piece : plain) {
            while (!piece.empty()) {
                // A length that means something else is none.
                auto size = std::min(piece.size(), frame_bytes);
                if (size == '?' || size == '!') --size;
                wire += static_cast<char>(size);
                for (const char byte : piece.substr(0, size)) {
                    wire += static_cast<char>(byte ^ 0x20);
                }
                piece.remove_prefix(size);
            }
        }
        return {};
    }

    void finish(std::string& wire) override {
        if (open_) wire += '\0';
    }
    [[nodiscard]] bool is_open() const noexcept override { return open_; }
    [[nodiscard]] bool is_finished() const noexcept override { return finished_; }

private:
    static result<> fail(std::string& wire) {
        wire += "E";
        return error(errc::closed, "no such frame");
    }

    side side_;
    std::size_t left_ = 0;
    bool open_ = false;
    bool finished_ = false;
};

std::unique_ptr<filter> server_framing() {
    return std::make_unique<framing>(framing::side::server);
}

/// The other side's bytes for these.
std::string framed(bytes_view plain) {
    std::string wire;
    EXPECT_TRUE(framing(framing::side::client).send({&plain, 1}, wire));
    return wire;
}

/// A transport without a system below it.
struct wire {
    std::string input;
    std::optional<io_status> end;
    std::string output;
    std::size_t takes = std::string::npos; ///< Bytes, until it blocks.
    std::size_t gives = std::string::npos; ///< Bytes per read.
    transport_user* user = nullptr;
    bool waits_to_read = false;
    bool waits_to_write = false;
    bool closed = false;
    std::size_t reads = 0;
};

class wire_transport final : public transport {
public:
    explicit wire_transport(wire& its_wire) : wire_(its_wire) {}

    io_result read(std::span<char> first, std::span<char> second) noexcept override {
        EXPECT_TRUE(first.empty());
        ++wire_.reads;
        const auto count = std::min({second.size(), wire_.input.size(), wire_.gives});
        if (count == 0) return {wire_.end.value_or(io_status::would_block)};
        std::copy_n(wire_.input.begin(), count, second.begin());
        wire_.input.erase(0, count);
        return {io_status::done, count};
    }
    io_result write(std::span<const bytes_view> pieces) noexcept override {
        const auto taken = pieces.front().substr(0, wire_.takes);
        if (taken.empty()) return {io_status::would_block};
        wire_.output += taken;
        wire_.takes -= taken.size();
        return {io_status::done, taken.size()};
    }
    void wait_readable() override { wire_.waits_to_read = true; }
    void wait_writable() override { wire_.waits_to_write = true; }
    void set_user(transport_user& user) noexcept override { wire_.user = &user; }
    void close() noexcept override {
        wire_.closed = true;
        delete this;
    }

private:
    wire& wire_;
};

struct counting_user final : transport_user {
    void on_readable() override { ++readable; }
    void on_writable() override { ++writable; }
    int readable = 0;
    int writable = 0;
};

struct FilteredTransport : testing::Test {
    filtered_transport_pointer make(bytes_view already_read = {}) {
        return filtered_transport::over(transport_pointer(new wire_transport(below)),
                                        server_framing(), loop, buffers, user, already_read);
    }
    /// One that is open, and of whose handshake nothing is left to see.
    filtered_transport_pointer make_open() {
        auto made = make("H");
        below.output.clear();
        return made;
    }
    /// One that has asked, by its first bytes.
    filtered_transport_pointer make_asking() {
        auto made = std::make_unique<test::asking_filter>();
        asks = made.get();
        auto transport = filtered_transport::over(transport_pointer(new wire_transport(below)),
                                                  std::move(made), loop, buffers, user);
        below.input = "first";
        EXPECT_EQ(read_all(*transport, 100), "");
        return transport;
    }
    static io_result write(transport& to, bytes_view bytes) { return to.write({&bytes, 1}); }
    /// Reads with spaces of this size until there is no more.
    static std::string read_all(transport& from, std::size_t space_bytes) {
        std::string all;
        std::string space(space_bytes, '\0');
        for (;;) {
            const auto [status, bytes] = from.read({}, space);
            if (status != io_status::done) return all;
            all += space.substr(0, bytes);
        }
    }
    void run_what_is_posted() {
        loop.post([this] { loop.stop(); });
        loop.run();
    }

    event_loop loop;
    buffer_pool buffers;
    counting_user user;
    wire below;
    test::asking_filter* asks = nullptr; ///< Of the last that `make_asking` has made.
};

TEST_F(FilteredTransport, OpensWhileItsUserReads) {
    const auto made = make();
    std::array<char, 10> space{};
    EXPECT_EQ(write(*made, "too early").status, io_status::would_block);
    EXPECT_EQ(made->read({}, space).status, io_status::would_block);
    EXPECT_FALSE(made->is_open());
    below.input = "H";
    EXPECT_EQ(made->read({}, space).status, io_status::would_block);
    EXPECT_TRUE(made->is_open());
    EXPECT_EQ(below.output, "h");
    EXPECT_EQ(write(*made, "now").bytes, 3u);
    EXPECT_EQ(below.output, "h" + framed("now"));
}

TEST_F(FilteredTransport, TakesWhatWasReadBeforeItWasThere) {
    const auto made = make("H" + framed("before"));
    EXPECT_EQ(below.output, "h");
    made->wait_readable();
    EXPECT_EQ(user.readable, 0) << "never from inside a call";
    run_what_is_posted();
    EXPECT_EQ(user.readable, 1);
    EXPECT_EQ(read_all(*made, 100), "before");
}

TEST_F(FilteredTransport, GivesTheSameWhereverTheBytesAreCut) {
    std::string plain(450, 'x');
    for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = static_cast<char>(i);
    for (const std::size_t gives : {1, 2, 3, 50, 100000}) {
        for (const std::size_t space : {1, 2, 7, 1000}) {
            below.input = "H" + framed(plain);
            below.gives = gives;
            const auto made = make();
            std::string all;
            while (!below.input.empty()) all += read_all(*made, space);
            all += read_all(*made, space);
            EXPECT_TRUE(all == plain) << gives << ' ' << space;
        }
    }
}

TEST_F(FilteredTransport, TakesWhatItsFilterKeepsBeforeItReadsMore) {
    const auto made =
        filtered_transport::over(transport_pointer(new wire_transport(below)),
                                 std::make_unique<test::slow_filter>(1), loop, buffers, user);
    below.input = "abc";
    std::array<char, 100> space{};
    EXPECT_EQ(made->read({}, space).bytes, 1u);
    const auto reads = below.reads;
    made->wait_readable();
    EXPECT_FALSE(below.waits_to_read);
    run_what_is_posted();
    EXPECT_EQ(user.readable, 1);
    EXPECT_EQ(made->read({}, space).bytes, 1u);
    EXPECT_EQ(made->read({}, space).bytes, 1u);
    EXPECT_EQ(below.reads, reads);
    EXPECT_EQ(made->read({}, space).status, io_status::would_block);
}

TEST_F(FilteredTransport, FillsTheFirstSpaceBeforeTheSecond) {
    const auto made = make_open();
    below.input = framed("abcdef");
    std::array<char, 2> first{};
    std::array<char, 100> second{};
    EXPECT_EQ(made->read(first, second).bytes, 6u);
    EXPECT_EQ(bytes_view(first.data(), 2), "ab");
    EXPECT_EQ(bytes_view(second.data(), 4), "cdef");
}

TEST_F(FilteredTransport, TakesNothingWhileSomethingIsUnsent) {
    const auto made = make_open();
    below.takes = 4;
    EXPECT_EQ(write(*made, "abcdef").bytes, 6u);
    EXPECT_EQ(write(*made, "more").status, io_status::would_block);
    made->wait_writable();
    ASSERT_TRUE(below.waits_to_write);
    EXPECT_EQ(user.writable, 0);
    below.takes = std::string::npos;
    below.user->on_writable();
    EXPECT_EQ(user.writable, 1);
    EXPECT_EQ(below.output, framed("abcdef"));
    EXPECT_EQ(write(*made, "more").bytes, 4u);
}

TEST_F(FilteredTransport, TakesALargePieceInSteps) {
    const auto made = make_open();
    const std::string large(3 * limits::filter_write_bytes + 5, 'x');
    const std::array<bytes_view, 4> pieces{"a", large, "b", "c"};
    EXPECT_EQ(made->write(pieces).bytes, large.size() + 3);
    below.takes = 1;
    EXPECT_EQ(made->write(pieces).bytes, 1u) << "and no more before that is sent";
    EXPECT_EQ(made->write(pieces).status, io_status::would_block);
}

TEST_F(FilteredTransport, DoesNotReadWhileItsAnswersAreNotTaken) {
    const auto made = make_open();
    below.takes = 0;
    below.input = std::string(100000, '?');
    below.gives = 100;
    std::array<char, 1000> space{};
    for (int i = 0; i < 1000; ++i) (void)made->read({}, space);
    EXPECT_GT(below.input.size(), 90000u);
    const auto reads = below.reads;
    below.waits_to_read = false;
    made->wait_readable();
    EXPECT_FALSE(below.waits_to_read);
    below.takes = std::string::npos;
    below.user->on_writable();
    EXPECT_TRUE(below.waits_to_read) << "and goes on when they are";
    EXPECT_EQ(below.reads, reads);
    below.user->on_readable();
    EXPECT_EQ(user.readable, 1);
}

TEST_F(FilteredTransport, LetsOthersHaveTheirTurnWhenNothingComesOfItsReads) {
    const auto made = make_open();
    below.input = std::string(100000, '!');
    below.gives = 1;
    std::array<char, 1000> space{};
    const auto reads = below.reads;
    EXPECT_EQ(made->read({}, space).status, io_status::would_block);
    EXPECT_LE(below.reads - reads, 4u);
}

TEST_F(FilteredTransport, GivesWhatCameBeforeAnError) {
    const auto made = make_open();
    below.input = framed("good") + "\xff and more";
    std::array<char, 1000> space{};
    EXPECT_EQ(made->read({}, space).bytes, 4u);
    EXPECT_EQ(made->read({}, space).status, io_status::failed);
    ASSERT_TRUE(made->failure());
    EXPECT_EQ(made->failure()->detail(), "no such frame");
    EXPECT_EQ(below.output, "E") << "the filter's last word";
    EXPECT_EQ(write(*made, "x").status, io_status::failed);
}

TEST_F(FilteredTransport, TellsAnEndInOrderAndOneWithout) {
    const auto made = make_open();
    below.input = framed("last");
    below.input += '\0';
    std::array<char, 1000> space{};
    EXPECT_EQ(made->read({}, space).bytes, 4u);
    EXPECT_EQ(made->read({}, space).status, io_status::closed);

    wire cut;
    cut.input = "H" + framed("half").substr(0, 3);
    cut.end = io_status::closed;
    const auto other = filtered_transport::over(transport_pointer(new wire_transport(cut)),
                                                server_framing(), loop, buffers, user);
    EXPECT_EQ(other->read({}, space).bytes, 2u);
    EXPECT_EQ(other->read({}, space).status, io_status::closed);
}

TEST_F(FilteredTransport, SaysGoodbyeWhenItIsClosed) {
    auto made = make_open();
    made.reset();
    EXPECT_EQ(below.output, std::string(1, '\0'));
    EXPECT_TRUE(below.closed);
}

TEST_F(FilteredTransport, ReadsNothingWhileItsFilterWaitsForAnAnswer) {
    auto transport = make_asking();
    ASSERT_TRUE(asks->answered);
    below.input = "second";
    EXPECT_EQ(read_all(*transport, 100), "");
    EXPECT_EQ(below.input, "second");
    transport->wait_readable();
    loop.post([&] {
        EXPECT_EQ(user.readable, 0);
        asks->answered();
        loop.post([&] { loop.stop(); });
    });
    loop.run();
    EXPECT_EQ(user.readable, 1);
    EXPECT_EQ(read_all(*transport, 100), "firstsecond");
}

TEST_F(FilteredTransport, AnAnswerThatComesAfterItsEndIsForNobody) {
    auto transport = make_asking();
    transport->wait_readable();
    const auto answer = asks->answered;
    transport.reset();
    answer();
    run_what_is_posted();
    EXPECT_EQ(user.readable, 0);
}

TEST_F(FilteredTransport, DoesNotCallAUserThatClosedIt) {
    auto made = make("H" + framed("x"));
    made->wait_readable();
    made.reset();
    run_what_is_posted();
    EXPECT_EQ(user.readable, 0);
}

/// Sends back what it reads, and stops the loop when the other end closes.
class echo final : public transport_user {
public:
    echo(event_loop& loop, pipe_offer offer, int filters) : loop_(loop) {
        transport_ = std::move(offer).accept(loop, *this);
        for (int i = 0; i < filters; ++i) {
            transport_ = filtered_transport::over(std::move(transport_), server_framing(), loop,
                                                  buffers_, *this);
        }
        transport_->wait_readable();
    }

    void on_readable() override {
        std::string space(1000, '\0');
        const auto [status, bytes] = transport_->read({}, space);
        if (status == io_status::closed || status == io_status::failed) return loop_.stop();
        held_ += space.substr(0, bytes);
        on_writable();
    }

    void on_writable() override {
        const bytes_view piece = held_;
        if (!held_.empty()) held_.erase(0, transport_->write({&piece, 1}).bytes);
        held_.empty() ? transport_->wait_readable() : transport_->wait_writable();
    }

private:
    event_loop& loop_;
    buffer_pool buffers_;
    transport_pointer transport_;
    std::string held_;
};

/// What a caller sees who puts so many client's filters over its end of a pipe.
std::string echoed(bytes_view sent, int filters) {
    event_loop loop;
    auto [caller, offer] = make_pipe();
    echo echoes(loop, std::move(offer), filters);
    std::vector<std::unique_ptr<framing>> stack;
    std::string begins;
    for (int i = 0; i < filters; ++i) {
        stack.push_back(std::make_unique<framing>(framing::side::client));
        std::string hello;
        EXPECT_TRUE(stack.back()->begin(hello));
        // Each speaks through those below it.
        for (int j = i; j-- > 0;) {
            std::string below;
            const bytes_view piece = hello;
            EXPECT_TRUE(stack[static_cast<std::size_t>(j)]->send({&piece, 1}, below));
            hello = below;
        }
        begins += hello;
    }
    std::string wire(sent);
    for (auto each = stack.rbegin(); each != stack.rend(); ++each) {
        std::string below;
        const bytes_view piece = wire;
        EXPECT_TRUE((*each)->send({&piece, 1}, below));
        wire = below;
    }
    std::string received;
    std::jthread writer([&] { EXPECT_TRUE(caller.write(begins + wire, 1min)); });
    std::jthread reader([&] {
        std::string space(4096, '\0');
        while (received.size() < sent.size()) {
            const auto count = caller.read_some(space, 1min);
            ASSERT_TRUE(count && *count > 0);
            std::string bytes = space.substr(0, *count);
            for (auto& each : stack) {
                std::string plain;
                std::string ignored;
                ASSERT_TRUE(each->receive(bytes, plain, ignored));
                bytes = plain;
            }
            received += bytes;
        }
        caller.close();
    });
    loop.run();
    reader.join();
    return received;
}

TEST(FilteredPipe, CarriesMoreThanAPipeHoldsThroughOneFilterAndThroughThree) {
    std::string sent(3 * limits::pipe_bytes, '\0');
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 7);
    EXPECT_TRUE(echoed(sent, 1) == sent);
    EXPECT_TRUE(echoed(sent, 3) == sent);
}

} // namespace
} // namespace pipit::net
