// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/limits.hpp>
#include <pipit/net/error.hpp>
#include <pipit/net/pipe.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>

namespace pipit::net {
namespace {

using namespace std::chrono_literals;

/// Sends back what it reads, and stops the loop when the other end closes.
class echo final : public transport_user {
public:
    echo(event_loop& loop, pipe_offer offer)
        : loop_(loop), transport_(std::move(offer).accept(loop, *this)) {
        transport_->wait_readable();
    }

    void on_readable() override {
        std::string space(1000, '\0');
        const auto [status, bytes] = transport_->read({}, space);
        if (status == io_status::closed) return loop_.stop();
        ASSERT_EQ(status, io_status::done);
        held_ += space.substr(0, bytes);
        on_writable();
    }

    void on_writable() override {
        const bytes_view piece = held_;
        held_.erase(0, transport_->write({&piece, 1}).bytes);
        held_.empty() ? transport_->wait_readable() : transport_->wait_writable();
    }

private:
    event_loop& loop_;
    transport_pointer transport_;
    std::string held_;
};

TEST(Pipe, CarriesMoreThanItHoldsBothWays) {
    event_loop loop;
    auto [caller, offer] = make_pipe();
    echo echoes(loop, std::move(offer));
    std::string sent(3 * limits::pipe_bytes, '\0');
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 7);
    std::string received;

    std::jthread writer([&] { EXPECT_TRUE(caller.write(sent, 1min)); });
    std::jthread reader([&] {
        std::string space(4096, '\0');
        while (received.size() < sent.size()) {
            const auto count = caller.read_some(space, 1min);
            ASSERT_TRUE(count && *count > 0);
            received += space.substr(0, *count);
        }
        caller.close();
    });
    loop.run();
    reader.join();
    EXPECT_TRUE(received == sent);
}

TEST(Pipe, AReadThatNobodyAnswersTimesOut) {
    auto [caller, offer] = make_pipe();
    std::string space(1, '\0');
    EXPECT_EQ(caller.read_some(space, 1ms).error(), errc::timeout);
}

TEST(Pipe, AnOfferThatNobodyTakesClosesIt) {
    auto caller = make_pipe().caller;
    std::string space(1, '\0');
    EXPECT_EQ(caller.read_some(space, 1min).value(), 0u);
    EXPECT_EQ(caller.write("x", 1min).error(), errc::closed);
}

} // namespace
} // namespace pipit::net
