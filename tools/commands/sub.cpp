// SPDX-License-Identifier: Apache-2.0
#include <commands/commands.hpp>

#include <cli/drawing.hpp>
#include <commands/incoming.hpp>
#include <commands/session.hpp>

#include <pipit/net/clock.hpp>
#include <pipit/protocol/subject.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <deque>
#include <exception>

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
    std::uint64_t waiting = 0; ///< For the command of --translate.
    std::uint64_t dropped = 0; ///< It was too slow for them.
    std::uint64_t bytes = 0;
    steady_time began = net::steady_now();
};

constexpr std::size_t graph_seconds_max = 1000;

/// What waits for the command of --translate.
constexpr std::size_t waiting_messages_max = 65'536;
constexpr std::size_t waiting_bytes_max = std::size_t{64} * 1024 * 1024;

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
        } else if (printer_.translates()) {
            co_await translate_all();
        } else {
            co_await wait_for_end();
        }
        subscriptions_.clear();
        if (failed_.code()) co_return connected_.fail(failed_);
        if (connected_.refused()) co_return connected_.fail(*connected_.refused());
        if (sum_.messages < asked_.count) co_return connected_.with.fail(what_is_missing());
        co_return exit_code::done;
    }

private:
    [[nodiscard]] std::string what_is_missing() const {
        const auto text =
            "only " + count_text(sum_.messages) + " of " + count_text(asked_.count) + " messages ";
        if (came_ == asked_.count) return text + "are shown: the command was too slow for the rest";
        return text + "came before " + time_span_text(asked_.wait) + " without any had passed";
    }

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
        if (ended_ || has_all()) return;
        const auto ignores = [&](const auto& each) {
            return protocol::subject_matches(each, message.subject());
        };
        if (std::any_of(asked_.ignored.begin(), asked_.ignored.end(), ignores)) return;
        ++came_;
        ++counts_[subscription];
        last_message_ = net::steady_now();
        if (printer_.translates() && !asked_.graph) return let_wait(message);
        count(message);
        if (!asked_.graph) show(message, message.payload());
        if (has_all()) end();
    }

    [[nodiscard]] bool has_all() const { return asked_.count != 0 && came_ == asked_.count; }

    void count(const client::message& message) {
        ++sum_.messages;
        sum_.bytes += message.payload().size();
    }

    void show(const client::message& message, bytes_view payload) {
        if (const auto shown = printer_.show(sum_.messages, message, payload); !shown) {
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

    /// A command takes its time, which the server does not wait for.
    void let_wait(const client::message& message) {
        const bool has_room = waiting_.size() < waiting_messages_max &&
                              waiting_bytes_ + message.size() <= waiting_bytes_max;
        if (has_room) {
            waiting_.push_back(message);
            waiting_bytes_ += message.size();
            ++sum_.waiting;
        } else {
            ++sum_.dropped;
            if (!std::exchange(drops_are_told_, true)) {
                connected_.with.note(
                    "--translate: the command is too slow: " + count_text(sum_.waiting) +
                    " messages wait for it, and others are dropped");
            }
        }
        wake_.cancel();
    }

    asio::awaitable<void> translate_all() {
        for (;;) {
            if (waiting_.empty() && !has_all()) co_await wait_for_message();
            if (ended_ || waiting_.empty()) break;
            const auto next = std::move(waiting_.front());
            waiting_.pop_front();
            waiting_bytes_ -= next.size();
            const auto payload = co_await translated(next);
            --sum_.waiting;
            if (waiting_.empty()) drops_are_told_ = false;
            if (!payload) failed_ = payload.error();
            if (!payload || ended_) break;
            count(next);
            show(next, *payload);
        }
    }

    /// Given up at the end, which a command that goes on does not put off.
    asio::awaitable<result<std::string>> translated(const client::message& message) {
        const auto executor = wake_.get_executor();
        auto either = asio::experimental::make_parallel_group(
            asio::co_spawn(executor, printer_.translated(message), asio::deferred),
            asio::co_spawn(executor, wait_until_ended(), asio::deferred));
        constexpr auto first = asio::experimental::wait_for_one();
        auto [order, thrown, payload, ended] =
            co_await either.async_wait(first, asio::use_awaitable);
        if (thrown && !ended_) std::rethrow_exception(thrown);
        co_return std::move(payload);
    }

    asio::awaitable<void> wait_until_ended() {
        while (!ended_) co_await wait_until(steady_time::max());
    }

    asio::awaitable<void> wait_for_message() {
        while (!ended_ && waiting_.empty() && !is_late()) co_await wait_until(latest());
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

    /// Of the next message.
    [[nodiscard]] steady_time latest() const {
        const bool waits = asked_.wait > nanoseconds::zero();
        return waits ? last_message_ + asked_.wait : steady_time::max();
    }
    [[nodiscard]] bool is_late() const { return latest() <= net::steady_now(); }

    asio::awaitable<void> wait_for_end() {
        while (!ended_ && !is_late()) co_await wait_until(latest());
    }

    asio::awaitable<void> draw_graphs() {
        auto next = net::steady_now();
        while (!ended_ && !is_late()) {
            next += std::chrono::seconds(1);
            while (!ended_ && !is_late() && net::steady_now() < next) {
                co_await wait_until(std::min(next, latest()));
            }
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
    std::uint64_t came_ = 0;
    std::deque<client::message> waiting_; ///< For the command of --translate.
    std::size_t waiting_bytes_ = 0;
    bool drops_are_told_ = false; ///< Until it has caught up.
    bool ended_ = false;
    std::shared_ptr<bool> flush_is_due_ = std::make_shared<bool>(false); ///< May outlive this.
    error failed_;
    std::vector<client::subscription> subscriptions_; ///< The first to go: they call `receive`.
};

asio::awaitable<int> subscribe_all(session& connected, const sub_options& asked, sub_sum& sum) {
    subscriber all(connected, asked, sum);
    co_return co_await all.run();
}

std::string what_is_not_shown(const sub_sum& sum) {
    std::string text;
    if (sum.waiting != 0)
        text += "; " + count_text(sum.waiting) + " more still waited for the command";
    if (sum.dropped != 0) text += "; " + count_text(sum.dropped) + " were dropped";
    return text;
}

int summarize(session& connected, const sub_sum& sum, int code) {
    connected.with.flush();
    if (!connected.interrupted() && sum.dropped == 0) return code;
    const auto took = net::steady_now() - sum.began;
    const auto seconds = std::max(std::chrono::duration<double>(took).count(), 1e-9);
    const auto rate = static_cast<std::uint64_t>(static_cast<double>(sum.messages) / seconds);
    connected.with.note("Received " + count_text(sum.messages) + " messages, " +
                        size_text(static_cast<double>(sum.bytes)) + ", in " + time_span_text(took) +
                        ": " + count_text(rate) + " per second" + what_is_not_shown(sum));
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
    if (const auto wrong = complaint_about_queue(asked.queue); !wrong.empty()) {
        return with.fail_usage(wrong);
    }
    sub_sum sum;
    return run_connected(
        with,
        {.work = [&](session& connected) { return subscribe_all(connected, asked, sum); },
         .summarize = [&](session& connected, int code) { return summarize(connected, sum, code); },
         .runs_until_ended = asked.count == 0});
}

std::vector<option> sub_options_of(sub_options& asked) {
    std::vector<option> options = {
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
    append(options, translate_options(asked.shown));
    return options;
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
