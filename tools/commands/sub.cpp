// SPDX-License-Identifier: Apache-2.0
#include <commands/commands.hpp>

#include <cli/drawing.hpp>
#include <commands/incoming.hpp>
#include <commands/session.hpp>

#include <pipit/net/clock.hpp>
#include <pipit/protocol/subject.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>

namespace pipit::cli {
namespace {

struct sub_options {
    std::vector<std::string> subjects;
    std::string queue;
    std::uint64_t count = 0;
    nanoseconds wait{};
    incoming_options shown;
    std::vector<std::string> ignored;
    bool inbox = false;
    bool graph = false;
};

struct sub_sum {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    steady_time began = net::steady_now();
};

constexpr std::size_t graph_seconds_max = 1000;

class subscriber {
public:
    subscriber(session& connected, const sub_options& asked, sub_sum& sum)
        : connected_(connected),
          asked_(asked),
          sum_(sum),
          printer_(connected.with, asked.shown),
          wake_(connected.nats.get_executor()),
          last_message_(net::steady_now()) {
        connected.on_refused = [this] { end(); };
    }
    ~subscriber() { connected_.on_refused = nullptr; }
    subscriber(const subscriber&) = delete;
    subscriber& operator=(const subscriber&) = delete;

    asio::awaitable<int> run() {
        if (const auto opened = printer_.open(); !opened) co_return connected_.fail(opened.error());
        if (const auto made = subscribe(); !made) co_return connected_.fail(made.error());
        const auto known = co_await connected_.subscribed();
        if (!known) co_return connected_.fail(known.error());
        if (asked_.graph) {
            co_await draw_graphs();
        } else {
            co_await wait_for_end();
        }
        subscriptions_.clear();
        if (failed_.code()) co_return connected_.fail(failed_);
        if (connected_.refused()) co_return connected_.fail(*connected_.refused());
        if (sum_.messages < asked_.count) {
            co_return connected_.with.fail("only " + count_text(sum_.messages) + " of " +
                                           count_text(asked_.count) + " messages came before " +
                                           time_span_text(asked_.wait) + " without any had passed");
        }
        co_return exit_code::done;
    }

private:
    result<> subscribe() {
        auto subjects = asked_.subjects;
        if (asked_.inbox) subjects.push_back(connected_.nats.new_inbox());
        rates_.resize(subjects.size());
        counts_.resize(subjects.size());
        for (std::size_t i = 0; i < subjects.size(); ++i) {
            client::subscribe_options how;
            how.queue = asked_.queue;
            // Others of the group get the rest.
            if (subjects.size() == 1 && asked_.ignored.empty()) how.messages_max = asked_.count;
            auto callback = [this, i](const client::message& message) { receive(i, message); };
            auto made = connected_.nats.subscribe(subjects[i], std::move(callback), std::move(how));
            if (!made) return made.error();
            subscriptions_.push_back(std::move(*made));
            if (printer_.is_for_programs()) continue;
            connected_.with.note("Subscribed to " + subjects[i] +
                                 (asked_.queue.empty() ? "" : " in group " + asked_.queue));
        }
        return {};
    }

    void receive(std::size_t subscription, const client::message& message) {
        if (ended_) return;
        const auto ignores = [&](const auto& each) {
            return protocol::subject_matches(each, message.subject());
        };
        if (std::any_of(asked_.ignored.begin(), asked_.ignored.end(), ignores)) return;
        ++sum_.messages;
        ++counts_[subscription];
        sum_.bytes += message.payload().size();
        last_message_ = net::steady_now();
        if (!asked_.graph) show(message);
        if (sum_.messages == asked_.count) end();
    }

    void show(const client::message& message) {
        if (const auto shown = printer_.show(sum_.messages, message); !shown) {
            failed_ = shown.error();
            end();
        }
        // What came together is written together.
        if (std::exchange(*flush_is_due_, true)) return;
        asio::post(connected_.nats.get_executor(), [with = &connected_.with, due = flush_is_due_] {
            *due = false;
            with->flush();
        });
    }

    void end() {
        ended_ = true;
        wake_.cancel();
    }

    asio::awaitable<void> wait_until(steady_time when) {
        wake_.expires_at(std::chrono::time_point_cast<asio::steady_timer::duration>(when));
        constexpr auto token = asio::as_tuple(asio::use_awaitable);
        (void)co_await wake_.async_wait(token);
    }

    asio::awaitable<void> wait_for_end() {
        const bool waits = asked_.wait > nanoseconds::zero();
        while (!ended_) {
            const auto deadline = waits ? last_message_ + asked_.wait : steady_time::max();
            if (waits && deadline <= net::steady_now()) break;
            co_await wait_until(deadline);
        }
    }

    asio::awaitable<void> draw_graphs() {
        auto next = net::steady_now();
        while (!ended_) {
            next += std::chrono::seconds(1);
            co_await wait_until(next);
            draw();
        }
    }

    void draw() {
        auto& with = connected_.with;
        const auto size = with.terminal_size();
        if (with.output_is_terminal) with.print("\x1b[H\x1b[2J");
        const auto height = std::max<std::size_t>(size.height / subscriptions_.size(), 5) - 3;
        for (std::size_t i = 0; i < subscriptions_.size(); ++i) {
            auto& rates = rates_[i];
            rates.push_back(static_cast<double>(std::exchange(counts_[i], 0)));
            if (rates.size() > graph_seconds_max) rates.erase(rates.begin());
            const auto rate = count_text(static_cast<std::uint64_t>(rates.back()));
            if (with.output_is_terminal) {
                with.print(bar_graph(rates, {.width = size.width, .height = height}));
                with.print(subscriptions_[i].subject() + ": " + rate + " messages per second\n\n");
            } else {
                with.print(subscriptions_[i].subject() + "\t" + rate + "\n");
            }
        }
        with.flush();
    }

    session& connected_;
    const sub_options& asked_;
    sub_sum& sum_;
    message_printer printer_;
    asio::steady_timer wake_;
    steady_time last_message_;
    std::vector<std::vector<double>> rates_; ///< Of each subscription, a second each.
    std::vector<std::uint64_t> counts_;      ///< In this second.
    bool ended_ = false;
    std::shared_ptr<bool> flush_is_due_ = std::make_shared<bool>(false); ///< May outlive this.
    error failed_;
    std::vector<client::subscription> subscriptions_; ///< The first to go: they call `receive`.
};

asio::awaitable<int> subscribe_all(session& connected, const sub_options& asked, sub_sum& sum) {
    subscriber all(connected, asked, sum);
    co_return co_await all.run();
}

int summarize(session& connected, const sub_sum& sum, int code) {
    connected.with.flush();
    if (!connected.interrupted()) return code;
    const auto took = net::steady_now() - sum.began;
    const auto seconds = std::max(std::chrono::duration<double>(took).count(), 1e-9);
    const auto rate = static_cast<std::uint64_t>(static_cast<double>(sum.messages) / seconds);
    connected.with.note("Received " + count_text(sum.messages) + " messages, " +
                        size_text(static_cast<double>(sum.bytes)) + ", in " + time_span_text(took) +
                        ": " + count_text(rate) + " per second");
    return code;
}

int run_sub(program& with, const sub_options& asked) {
    if (asked.subjects.empty() && !asked.inbox) {
        return with.fail_usage(
            "<subjects> are missing: which ones shall be subscribed to? '>' is all");
    }
    for (const auto& subject : asked.subjects) {
        if (protocol::is_valid_subject(subject)) continue;
        return with.fail_usage("'" + subject +
                               "' cannot be subscribed to: a subject has no blanks and "
                               "no empty tokens between dots, and nothing stands behind '>'");
    }
    sub_sum sum;
    return run_connected(
        with,
        {.work = [&](session& connected) { return subscribe_all(connected, asked, sum); },
         .summarize = [&](session& connected, int code) { return summarize(connected, sum, code); },
         .runs_until_ended = asked.count == 0});
}

std::vector<option> sub_options_of(sub_options& asked) {
    return {
        {.names = "--queue",
         .value = "GROUP",
         .help = "share the messages with others of this group",
         .set = into(asked.queue)},
        {.names = "--count",
         .value = "N",
         .help = "end after so many messages",
         .set = into(asked.count)},
        {.names = "--wait",
         .value = "DURATION",
         .help = "end after so long without a message",
         .set = into(asked.wait)},
        {.names = "-r,--raw", .help = "only payloads, as they are", .set = into(asked.shown.raw)},
        {.names = "--headers-only", .help = "no payloads", .set = into(asked.shown.headers_only)},
        {.names = "--subjects-only",
         .help = "neither headers nor payloads",
         .set = into(asked.shown.subjects_only)},
        {.names = "-t,--timestamp",
         .help = "say when each one came",
         .set = into(asked.shown.timestamp)},
        {.names = "-d,--delta-time",
         .help = "say how long after the start each one came",
         .set = into(asked.shown.delta_time)},
        {.names = "--dump",
         .value = "FOLDER",
         .help = "write each one to a file there, N.json; '-': to the standard output, with a zero "
                 "byte behind each, for xargs -0",
         .set = into(asked.shown.dump),
         .offers = completes::folder},
        {.names = "--translate",
         .value = "COMMAND",
         .help =
             "show what this command makes of each payload, which it gets as its standard input; "
             "{{Subject}} is the subject",
         .set = into(asked.shown.translate)},
        {.names = "-I,--ignore-subject",
         .value = "SUBJECT",
         .help = "leave out what matches it",
         .set = into(asked.ignored),
         .repeats = true},
        {.names = "-i,--inbox", .help = "subscribe to a new inbox", .set = into(asked.inbox)},
        {.names = "--graph",
         .help = "show the rates of messages as a graph, in place of the messages",
         .set = into(asked.graph)},
    };
}

} // namespace

command sub_command(program& with) {
    const auto asked = std::make_shared<sub_options>();
    command sub{.name = "sub",
                .aliases = {"subscribe"},
                .summary = "Subscribe to subjects and show the messages"};
    sub.description =
        "Runs until it is ended, unless --count or --wait end it. A lost connection is made "
        "again. With --json each message is a line: number, time, subject, reply, headers, "
        "and payload, or payload_base64 where that is not text.";
    sub.arguments = {{.names = "subjects",
                      .help = "which ones; * is any token, > all that follow",
                      .set = into(asked->subjects),
                      .repeats = true}};
    sub.options = sub_options_of(*asked);
    sub.examples = {
        {"pipit sub 'orders.*' audit", "Two subjects"},
        {"pipit sub orders --queue workers", "One of several workers"},
        {"pipit sub 'log.>' --raw | grep error", "Payloads for another program"},
        {"pipit sub '>' --json | jq .subject", "Lines of JSON"},
        {"pipit sub orders --count 1 --wait 10s", "Was there one within 10 seconds?"},
    };
    sub.run = [&with, asked] { return run_sub(with, *asked); };
    return sub;
}

} // namespace pipit::cli
