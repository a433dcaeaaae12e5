// SPDX-License-Identifier: Apache-2.0
#include <commands/commands.hpp>

#include <cli/histogram.hpp>
#include <cli/measured.hpp>
#include <commands/outgoing.hpp>
#include <commands/session.hpp>

#include <pipit/base/url_list.hpp>
#include <pipit/net/clock.hpp>

#include <charconv>

namespace pipit::cli {
namespace {

constexpr std::uint64_t size_min = 16;
constexpr std::uint64_t rate_max = 1'000'000;
constexpr nanoseconds duration_max = std::chrono::hours(24);

struct latency_options {
    std::string server_b;
    std::uint64_t size = size_min;
    std::uint64_t rate = 1000;
    nanoseconds duration = std::chrono::seconds(5);
};

struct latency_sum {
    histogram trips;
    nanoseconds first_rtt{}, second_rtt{};
    std::uint64_t sent = 0;
};

/// When it was sent stands at the beginning: nanoseconds, as text. A day has 14 digits of them.
std::string stamped(nanoseconds since_begin, std::size_t size) {
    auto text = std::to_string(since_begin.count()) + ' ';
    text.resize(std::max(text.size(), size), '.');
    return text;
}

std::optional<nanoseconds> stamp_of(bytes_view payload) {
    std::int64_t count = 0;
    const auto read = std::from_chars(payload.data(), payload.data() + payload.size(), count);
    if (read.ec != std::errc()) return std::nullopt;
    return nanoseconds(count);
}

class latency_test {
public:
    latency_test(session& connected, const latency_options& asked, latency_sum& sum)
        : connected_(connected),
          asked_(asked),
          sum_(sum),
          second_(connected.nats.get_executor(), second_options()) {}

    asio::awaitable<int> run() {
        const auto made = co_await second_.connect(asio::use_awaitable);
        if (!made && connected_.interrupted()) co_return exit_code::failed;
        if (!made) co_return connected_.with.fail(connect_complaint(made.error(), second_how()));
        const auto first_rtt = co_await connected_.nats.rtt(asio::use_awaitable);
        if (!first_rtt) co_return connected_.fail(first_rtt.error());
        const auto second_rtt = co_await second_.rtt(asio::use_awaitable);
        if (!second_rtt) co_return connected_.fail(second_rtt.error());
        sum_.first_rtt = *first_rtt;
        sum_.second_rtt = *second_rtt;
        const auto subject = second_.new_inbox();
        const auto receive = [this](const client::message& message) {
            const auto sent = stamp_of(message.payload());
            if (!sent) return;
            reaches_ = true;
            if (*sent >= began_) sum_.trips.record(since_begin() - *sent);
        };
        auto messages = second_.subscribe(subject, receive);
        if (!messages) co_return connected_.fail(messages.error());
        const auto reached = co_await wait_for_interest(subject);
        if (!reached) co_return connected_.fail(reached.error());
        co_return co_await send_all(subject);
    }

private:
    [[nodiscard]] client::connection_options second_options() const {
        auto options = connected_.how.options;
        if (!asked_.server_b.empty()) options.servers = {asked_.server_b};
        return options;
    }

    [[nodiscard]] nanoseconds since_begin() const { return net::steady_now() - begin_; }

    [[nodiscard]] connecting second_how() const {
        auto how = connected_.how;
        if (!asked_.server_b.empty()) how.servers = urls_without_users(asked_.server_b);
        return how;
    }

    /// Between two servers interest takes its time, and several may be under way when the first one
    /// comes.
    asio::awaitable<result<>> wait_for_interest(const std::string& subject) {
        const auto give_up_at = net::steady_now() + connected_.how.timeout;
        while (!reaches_) {
            if (net::steady_now() > give_up_at) {
                const auto code = make_error_code(boost::system::errc::timed_out);
                co_return error(code, "what is published to the first server does not reach the "
                                      "second: are they of one cluster, and one account?");
            }
            const auto flushed = co_await second_.flush(asio::use_awaitable);
            if (!flushed) co_return flushed.error();
            const auto text = stamped(since_begin(), 0);
            const auto sent = connected_.nats.publish(subject, text);
            if (!sent) co_return sent.error();
            co_await connected_.sleep(std::chrono::milliseconds(10));
        }
        co_return result<>();
    }

    asio::awaitable<int> send_all(const std::string& subject) {
        const client::publish_options how;
        began_ = since_begin();
        const auto first = net::steady_now();
        const auto pause =
            nanoseconds(std::chrono::seconds(1)) / static_cast<std::int64_t>(asked_.rate);
        for (auto next = first; next < first + asked_.duration; next += pause) {
            if (const auto left = next - net::steady_now(); left > nanoseconds::zero()) {
                co_await connected_.sleep(left);
            }
            const auto text = stamped(since_begin(), asked_.size);
            const auto sent =
                co_await connected_.nats.publish(subject, text, how, asio::use_awaitable);
            if (!sent) co_return connected_.fail(sent.error());
            ++sum_.sent;
        }
        const auto give_up_at = net::steady_now() + connected_.how.timeout;
        while (sum_.trips.count() < sum_.sent && net::steady_now() < give_up_at) {
            co_await connected_.sleep(std::chrono::milliseconds(1));
        }
        if (sum_.trips.count() >= sum_.sent) co_return exit_code::done;
        co_return connected_.with.fail("only " + count_text(sum_.trips.count()) + " of " +
                                       count_text(sum_.sent) + " messages came within " +
                                       time_span_text(connected_.how.timeout) + " of the last one");
    }

    session& connected_;
    const latency_options& asked_;
    latency_sum& sum_;
    const steady_time begin_ = net::steady_now();
    bool reaches_ = false;                   ///< What is published to the first server.
    nanoseconds began_ = nanoseconds::max(); ///< What is older only asks whether it reaches.
    client::connection second_;
};

asio::awaitable<int> test_latency(session& connected, const latency_options& asked,
                                  latency_sum& sum) {
    latency_test test(connected, asked, sum);
    co_return co_await test.run();
}

int summarize(session& connected, const latency_options& asked, const latency_sum& sum, int code) {
    auto& with = connected.with;
    if (sum.sent == 0) return code;
    if (with.json) {
        with.print("{\"sent\":" + std::to_string(sum.sent) + ",\"received\":" +
                   std::to_string(sum.trips.count()) + ",\"size\":" + std::to_string(asked.size) +
                   ",\"rtt_a_seconds\":" + seconds_text(sum.first_rtt) +
                   ",\"rtt_b_seconds\":" + seconds_text(sum.second_rtt) +
                   ",\"latency_seconds\":" + percentiles_object(sum.trips) + "}\n");
        return code;
    }
    with.note("Round trip to the publisher's server: " + time_span_text(sum.first_rtt) +
              ", to the subscriber's: " + time_span_text(sum.second_rtt));
    with.note("Sent " + count_text(sum.sent) + " messages, received " +
              count_text(sum.trips.count()));
    with.print_table(percentiles_table(sum.trips));
    return code;
}

int run_latency(program& with, const latency_options& asked) {
    if (const auto wrong = complaint_about_size(asked.size); !wrong.empty()) {
        return with.fail_usage(wrong);
    }
    if (asked.size < size_min) {
        return with.fail_usage("--size is at least " + count_text(size_min) +
                               ": the time of sending is in each message");
    }
    if (asked.rate == 0 || asked.rate > rate_max) {
        return with.fail_usage("--rate is between 1 and " + count_text(rate_max));
    }
    if (asked.duration <= nanoseconds::zero() || asked.duration > duration_max) {
        return with.fail_usage("--duration is longer than 0s, and at most a day");
    }
    latency_sum sum;
    return run_connected(
        with, {.work = [&](session& connected) { return test_latency(connected, asked, sum); },
               .summarize = [&](session& connected,
                                int code) { return summarize(connected, asked, sum, code); }});
}

} // namespace

command latency_command(program& with) {
    const auto asked = std::make_shared<latency_options>();
    command latency{.name = "latency",
                    .aliases = {"lat"},
                    .summary = "Measure how long messages take from one connection to another"};
    latency.description =
        "Publishes at a steady rate over one connection and receives over another one, to "
        "the same server or to a second one.";
    latency.options = {
        {.names = "--server-b",
         .value = "URL",
         .help = "the server to receive from; --server when it is not said",
         .set = into(asked->server_b),
         .hides = secrecy::urls},
        {.names = "--size",
         .value = "BYTES",
         .help = "the payloads' size, at least 16",
         .set = into_size(asked->size)},
        {.names = "--rate",
         .value = "N",
         .help = "messages per second; 1000 when it is not said",
         .set = into(asked->rate)},
        {.names = "--duration",
         .value = "DURATION",
         .help = "how long; 5s when it is not said",
         .set = into(asked->duration)},
    };
    latency.examples = {
        {"pipit latency", "Through one server"},
        {"pipit latency -s nats://a:4222 --server-b nats://b:4222", "Through a cluster"}};
    latency.run = [&with, asked] { return run_latency(with, *asked); };
    return latency;
}

} // namespace pipit::cli
