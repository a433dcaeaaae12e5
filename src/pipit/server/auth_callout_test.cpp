// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/clock.hpp>
#include <pipit/net/tcp.hpp>
#include <pipit/server/auth_callout.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <poll.h>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

/// A callout whose service says nothing.
struct silence {
    silence() {
        auto made = std::make_shared<broker::configuration>();
        made->auth_timeout = 10min; // Whoever asks says how long.
        config = std::move(made);
        callout_dependencies its;
        its.keys = make_server_keys();
        its.configuration = [this] { return config; };
        its.tags = [] { return std::vector<std::string>(); };
        its.now = [] { return net::wall_now(); };
        its.fill_randomly = [](std::span<std::uint8_t>) {};
        its.publish = [this](broker::account_id, const std::string&, const std::string&,
                             const std::string&) { ++asked; };
        callout = std::make_unique<auth_callout>(
            std::move(its), 1, logger([this](log_level, std::string_view) { ++logged; }));
    }
    ~silence() { callout->stop(); }

    std::future<broker::login_answer> ask(steady_time give_up_at, const std::string& url = {},
                                          nanoseconds timeout = 10s) {
        auto service = std::make_shared<broker::callout_configuration>();
        service->url = url;
        service->url_timeout = timeout;
        broker::login_question question;
        question.address = "127.0.0.1";
        question.give_up_at = give_up_at;
        question.what = broker::callout_check{.service = std::move(service)};
        auto promise = std::make_shared<std::promise<broker::login_answer>>();
        callout->ask(std::move(question), [promise](broker::login_answer answer) {
            promise->set_value(std::move(answer));
        });
        return promise->get_future();
    }

    std::shared_ptr<const broker::configuration> config;
    std::atomic<int> asked = 0;
    std::atomic<int> logged = 0; ///< Lines.
    std::unique_ptr<auth_callout> callout;
};

TEST(AuthCallout, AnswersForAServiceThatIsSilentTooLong) {
    silence its;
    auto first = its.ask(net::steady_now() + 300ms);
    auto second = its.ask(net::steady_now() + 300ms);
    for (auto* each : {&first, &second}) {
        ASSERT_EQ(each->wait_for(10s), std::future_status::ready);
        EXPECT_FALSE(each->get().accepted);
    }
    EXPECT_EQ(its.asked, 2);
}

TEST(AuthCallout, AsksNobodyAboutThoseWhoHaveGivenUp) {
    silence its;
    for (const auto* const url : {"", "http://127.0.0.1:1/"}) {
        auto answer = its.ask(net::steady_now() - 1ms, url);
        ASSERT_EQ(answer.wait_for(10s), std::future_status::ready);
        EXPECT_FALSE(answer.get().accepted);
    }
    EXPECT_EQ(its.asked, 0);
}

TEST(AuthCallout, WaitsForNoServiceAtItsEnd) {
    const auto listener = net::listen_tcp("127.0.0.1", 0).value(); // Where nobody answers.
    silence its;
    auto answer = its.ask(net::steady_now() + 10min,
                          "http://127.0.0.1:" + std::to_string(net::local_port(listener)), 10min);
    pollfd asked{.fd = listener.get(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&asked, 1, 60'000), 1);
    const auto begun = net::steady_now();
    its.callout->stop();
    EXPECT_LT(net::steady_now() - begun, 1min);
    ASSERT_EQ(answer.wait_for(0s), std::future_status::ready);
    EXPECT_FALSE(answer.get().accepted);
    EXPECT_EQ(its.logged, 0) << "the service has not failed";
}

} // namespace
} // namespace pipit::server
