// SPDX-License-Identifier: Apache-2.0
#include <commands/commands.hpp>

#include <commands/outgoing.hpp>
#include <commands/session.hpp>

#include <pipit/net/clock.hpp>
#include <pipit/protocol/error.hpp>

#include <boost/asio/post.hpp>

namespace pipit::cli {
namespace {

constexpr std::uint64_t messages_at_once = 256;

struct pub_options {
    outgoing_options message;
    std::string reply;
    std::uint64_t count = 1;
    nanoseconds sleep{};
    bool quiet = false;
};

struct pub_sum {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    steady_time began = net::steady_now();
};

class publisher {
public:
    publisher(session& connected, const pub_options& asked, pub_sum& sum)
        : connected_(connected), asked_(asked), sum_(sum), source_(connected, asked.message) {}

    asio::awaitable<int> run() {
        if (source_.reads_input() && !asked_.quiet && connected_.with.errors_are_terminal) {
            connected_.with.note("Reading the payload from the standard input; Ctrl-D ends it");
        }
        for (;;) {
            const auto payload = co_await source_.next_payload();
            if (!payload) break;
            for (std::uint64_t i = 0; asked_.count == 0 || i < asked_.count; ++i) {
                const auto sent = co_await send(*payload);
                if (!sent) co_return connected_.fail(sent.error());
            }
        }
        if (const auto read = source_.failed(); read.code()) co_return connected_.fail(read);
        const auto flushed = co_await connected_.flush();
        if (!flushed) co_return connected_.fail(flushed.error());
        if (sum_.messages > 0 && connected_.losses() > losses_before_) {
            co_return connected_.with.fail(
                "the connection was lost in between: not all messages may have arrived");
        }
        co_return exit_code::done;
    }

private:
    asio::awaitable<result<>> send(const std::string& payload) {
        if (sum_.messages > 0 && asked_.sleep > nanoseconds::zero()) {
            co_await connected_.sleep(asked_.sleep);
            if (connected_.interrupted()) co_return protocol::errc::cancelled;
        }
        if (sum_.messages == 0) losses_before_ = connected_.losses();
        const auto message = source_.make(payload, sum_.messages + 1);
        const client::publish_options how{.reply = asked_.reply,
                                          .headers = message.headers_or_null()};
        // Now and then the others get their turn; so they do while the output is full.
        if (sum_.messages % messages_at_once == 0) co_await asio::post(asio::use_awaitable);
        auto sent = connected_.nats.publish(message.subject, message.payload, how);
        if (!sent && sent.error() == protocol::errc::output_full) {
            sent = co_await connected_.nats.publish(message.subject, message.payload, how,
                                                    asio::use_awaitable);
        }
        if (!sent) co_return sent.error();
        ++sum_.messages;
        sum_.bytes += message.payload.size();
        const bool is_one_of_many = asked_.count > 20 || asked_.count == 0;
        if (!asked_.quiet && !connected_.with.json && !is_one_of_many) {
            connected_.with.note("Published " + std::to_string(message.payload.size()) +
                                 " bytes to \"" + message.subject + "\"");
        }
        co_return result<>();
    }

    session& connected_;
    const pub_options& asked_;
    pub_sum& sum_;
    outgoing_source source_;
    std::uint64_t losses_before_ = 0; ///< Of the connection, before the first message.
};

asio::awaitable<int> publish_all(session& connected, const pub_options& asked, pub_sum& sum) {
    publisher all(connected, asked, sum);
    co_return co_await all.run();
}

int summarize(session& connected, const pub_options& asked, const pub_sum& sum, int code) {
    auto& with = connected.with;
    const auto took = net::steady_now() - sum.began;
    if (with.json) {
        with.print("{\"published\":" + std::to_string(sum.messages) + ",\"bytes\":" +
                   std::to_string(sum.bytes) + ",\"seconds\":" + seconds_text(took) + "}\n");
    } else if (!asked.quiet && (connected.interrupted() || asked.count > 20 || asked.count == 0)) {
        with.note("Published " + count_text(sum.messages) + " messages, " +
                  size_text(static_cast<double>(sum.bytes)) + ", in " + time_span_text(took));
    }
    return code;
}

int run_pub(program& with, const pub_options& asked) {
    auto wrong = complaint_about(asked.message);
    if (wrong.empty() && !asked.reply.empty()) {
        wrong = complaint_about_subject(asked.reply, false);
        if (!wrong.empty()) wrong = "--reply: " + wrong;
    }
    if (!wrong.empty()) return with.fail_usage(wrong);
    pub_sum sum;
    return run_connected(
        with, {.work = [&](session& connected) { return publish_all(connected, asked, sum); },
               .summarize = [&](session& connected,
                                int code) { return summarize(connected, asked, sum, code); },
               .runs_until_ended = asked.count == 0});
}

} // namespace

command pub_command(program& with) {
    const auto asked = std::make_shared<pub_options>();
    command pub{.name = "pub", .aliases = {"publish"}, .summary = "Publish messages"};
    pub.description = "Without a payload the standard input is read: to its end, or with --send-on "
                      "newline a message for each line.\n\n" +
                      std::string(template_help);
    pub.arguments = outgoing_arguments(asked->message, "what the message carries");
    pub.options = outgoing_options_of(asked->message);
    append(pub.options,
           {{.names = "--reply",
             .value = "SUBJECT",
             .help = "where answers shall go",
             .set = into(asked->reply)},
            {.names = "--count",
             .value = "N",
             .help = "publish so many; 0: until it is ended",
             .set = into(asked->count)},
            {.names = "--sleep",
             .value = "DURATION",
             .help = "wait so long between two",
             .set = into(asked->sleep)},
            {.names = "-q,--quiet", .help = "say nothing of success", .set = into(asked->quiet)}});
    pub.examples = {
        {"pipit pub greet.joe 'hello'", "One message"},
        {"pipit pub orders -H Kind:new --file order.json", "A file, with a header"},
        {"pipit pub ticks 'tick {{Count}} at {{Time}}' --count 10 --sleep 1s", "One each second"},
        {"tail -f access.log | pipit pub log --send-on newline", "A message for each line"},
    };
    pub.run = [&with, asked] { return run_pub(with, *asked); };
    return pub;
}

} // namespace pipit::cli
