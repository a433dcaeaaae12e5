// SPDX-License-Identifier: Apache-2.0
#include <commands/commands.hpp>

#include <commands/incoming.hpp>
#include <commands/outgoing.hpp>
#include <commands/session.hpp>

#include <pipit/net/clock.hpp>
#include <pipit/protocol/error.hpp>

namespace pipit::cli {
namespace {

struct request_options {
    outgoing_options message;
    incoming_options shown;
    std::uint64_t count = 1;
    std::optional<std::uint64_t> replies; ///< One, when nobody has said it.
    nanoseconds reply_timeout = std::chrono::milliseconds(300);
    bool wait_for_empty = false;
    nanoseconds sleep{};
};

struct request_sum {
    std::uint64_t requests = 0;
    std::uint64_t replies = 0;
    std::uint64_t unanswered = 0;
};

class requester {
public:
    requester(session& connected, const request_options& asked, request_sum& sum)
        : connected_(connected),
          asked_(asked),
          sum_(sum),
          source_(connected, asked.message),
          printer_(connected.with, asked.shown) {}

    asio::awaitable<int> run() {
        if (const auto opened = printer_.open(); !opened) co_return connected_.fail(opened.error());
        for (;;) {
            const auto payload = co_await source_.next_payload();
            if (!payload) break;
            for (std::uint64_t i = 0; asked_.count == 0 || i < asked_.count; ++i) {
                const auto answered = co_await ask(*payload);
                if (answered) continue;
                (void)connected_.fail(answered.error());
                if (!is_about_one_request(answered.error())) co_return exit_code::failed;
                ++sum_.unanswered;
            }
        }
        if (const auto read = source_.failed(); read.code()) co_return connected_.fail(read);
        co_return sum_.unanswered == 0 ? exit_code::done : exit_code::failed;
    }

private:
    /// The next request may be answered all the same.
    static bool is_about_one_request(const error& why) {
        return why == protocol::errc::no_responders || why == protocol::errc::timeout ||
               why == protocol::errc::connection_lost;
    }

    asio::awaitable<result<>> ask(const std::string& payload) {
        if (sum_.requests > 0 && asked_.sleep > nanoseconds::zero()) {
            co_await connected_.sleep(asked_.sleep);
        }
        const auto message = source_.make(payload, ++sum_.requests);
        if (!printer_.is_for_programs()) {
            connected_.with.note("Sending a request on \"" + message.subject + "\"");
        }
        if (asked_.replies.value_or(1) == 1 && !asked_.wait_for_empty)
            co_return co_await ask_one(message);
        co_return co_await ask_many(message);
    }

    asio::awaitable<result<>> ask_one(const outgoing_message& message) {
        const auto began = net::steady_now();
        const client::request_options how{.timeout = connected_.how.timeout,
                                          .headers = message.headers_or_null()};
        const auto reply = co_await connected_.nats.request(message.subject, message.payload, how,
                                                            asio::use_awaitable);
        if (!reply) co_return with_hint(reply.error(), message.subject);
        co_return co_await show(*reply, began);
    }

    asio::awaitable<result<>> ask_many(const outgoing_message& message) {
        const auto began = net::steady_now();
        client::request_many_options how;
        how.timeout = connected_.how.timeout;
        how.headers = message.headers_or_null();
        // Where nobody has said how many, it is the empty one that ends them.
        how.messages_max = asked_.replies.value_or(asked_.wait_for_empty ? 0 : 1);
        how.ends_with_empty_payload = asked_.wait_for_empty;
        if (asked_.replies.value_or(1) > 1) how.stall = asked_.reply_timeout;
        auto replies =
            connected_.nats.request_many(message.subject, message.payload, std::move(how));
        if (!replies) co_return replies.error();
        const auto before = sum_.replies;
        for (;;) {
            const auto reply = co_await replies->next(asio::use_awaitable);
            if (!reply) co_return with_hint(reply.error(), message.subject);
            if (!*reply) break;
            const auto shown = co_await show(**reply, began);
            if (!shown) co_return shown;
        }
        // An empty reply that ends them is an answer, too.
        if (sum_.replies == before && replies->how_ended() != protocol::replies_end::sentinel) {
            co_return error(protocol::errc::timeout, "nobody answered on '" + message.subject +
                                                         "' within " +
                                                         time_span_text(connected_.how.timeout));
        }
        co_return result<>();
    }

    static error with_hint(const error& why, const std::string& subject) {
        if (why != protocol::errc::no_responders) return why;
        return {why.code(),
                "'" + subject + "' (to answer there: pipit reply '" + subject + "' TEXT)"};
    }

    asio::awaitable<result<>> show(const client::message& reply, steady_time began) {
        ++sum_.replies;
        auto& with = connected_.with;
        const auto took = net::steady_now() - began;
        const auto payload = co_await printer_.translated(reply);
        if (!payload) co_return payload.error();
        if (printer_.is_for_programs()) {
            const auto shown_as_it_is = printer_.show(sum_.replies, reply, *payload);
            with.flush();
            co_return shown_as_it_is;
        }
        with.note("Received after " + time_span_text(took));
        printer_.show_body(reply, *payload);
        with.flush();
        co_return result<>();
    }

    session& connected_;
    const request_options& asked_;
    request_sum& sum_;
    outgoing_source source_;
    message_printer printer_;
};

asio::awaitable<int> request_all(session& connected, const request_options& asked,
                                 request_sum& sum) {
    requester all(connected, asked, sum);
    co_return co_await all.run();
}

int summarize(session& connected, const request_sum& sum, int code) {
    if (connected.interrupted() || sum.requests > 1) {
        connected.with.note("Sent " + count_text(sum.requests) + " requests, received " +
                            count_text(sum.replies) + " replies");
    }
    return code;
}

int run_request(program& with, const request_options& asked) {
    if (const auto wrong = complaint_about(asked.message); !wrong.empty()) {
        return with.fail_usage(wrong);
    }
    request_sum sum;
    return run_connected(
        with,
        {.work = [&](session& connected) { return request_all(connected, asked, sum); },
         .summarize = [&](session& connected, int code) { return summarize(connected, sum, code); },
         .runs_until_ended = asked.count == 0});
}

} // namespace

command request_command(program& with) {
    const auto asked = std::make_shared<request_options>();
    command request{
        .name = "request", .aliases = {"req"}, .summary = "Send requests and show the replies"};
    request.description =
        "Without a payload the standard input is read, as pub does. Ends with 1 when "
        "nobody is there to answer, or nobody did before --timeout.\n\n" +
        std::string(template_help);
    request.arguments = outgoing_arguments(asked->message, "what the request carries");
    request.options = outgoing_options_of(asked->message);
    append(request.options,
           {
               {.names = "-r,--raw",
                .help = "only the replies' payloads, as they are",
                .set = into(asked->shown.raw)},
               {.names = "--count",
                .value = "N",
                .help = "send so many; 0: until it is ended",
                .set = into(asked->count)},
               {.names = "--sleep",
                .value = "DURATION",
                .help = "wait so long between two",
                .set = into(asked->sleep)},
               {.names = "--replies",
                .value = "N",
                .help = "wait for so many replies to each; 0: for all that come before --timeout",
                .set = into(asked->replies)},
               {.names = "--reply-timeout",
                .value = "DURATION",
                .help = "the longest pause between several replies; 300ms when it is not said",
                .set = into(asked->reply_timeout)},
               {.names = "--wait-for-empty",
                .help = "replies end with one that is empty",
                .set = into(asked->wait_for_empty)},
           });
    append(request.options, translate_options(asked->shown));
    request.examples = {
        {"pipit request greet joe", "One request"},
        {"pipit request greet joe --raw", "The reply alone, for a script"},
        {"pipit request services.ping '' --replies 0", "All who answer within 5 seconds"},
        {"pipit request sum --file numbers.json --timeout 30s", "A file, and time to think"},
    };
    request.run = [&with, asked] { return run_request(with, *asked); };
    return request;
}

} // namespace pipit::cli
