// SPDX-License-Identifier: Apache-2.0
#include <commands/bench.hpp>

#include <cli/bench_report.hpp>
#include <commands/outgoing.hpp>
#include <commands/session.hpp>

#include <pipit/net/clock.hpp>
#include <pipit/protocol/error.hpp>
#include <pipit/protocol/subject.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>

namespace pipit::cli {
namespace {

using kind = bench_options::kind;

constexpr std::uint64_t messages_at_once = 256;

std::string kind_name(kind what) {
    switch (what) {
    case kind::pub: return "pub";
    case kind::sub: return "sub";
    case kind::request: return "request";
    case kind::service: break;
    }
    return "service";
}

/// One connection with its share of the work.
struct bench_client {
    std::shared_ptr<client::connection> nats;
    std::uint64_t share = 0; ///< Messages; 0 for a service: until it is ended.
    client_figures figures;
    asio::cancellation_signal stop;
    std::optional<client::subscription> messages;
};

class benchmark {
public:
    benchmark(session& connected, const bench_options& asked, bench_figures& found)
        : connected_(connected),
          asked_(asked),
          found_(found),
          payload_(asked.size, 'x'),
          wake_(connected.nats.get_executor()) {
        if (asked.many_subjects && asked.what == kind::sub) subject_ += ".>";
    }

    asio::awaitable<int> run() {
        // Being cancelled, it still waits for those that it started.
        co_await asio::this_coro::throw_if_cancelled(false);
        for (std::uint64_t i = 0; i < asked_.clients; ++i) {
            auto& client = clients_.emplace_back();
            client.share = share_of(i);
            client.nats = connected_.another_connection(
                [this](const client::connection_event& happened) { tell(happened); });
            const auto made = co_await client.nats->connect(asio::use_awaitable);
            if (!made) co_return connected_.fail(made.error());
        }
        if (asked_.what == kind::sub || asked_.what == kind::service) {
            for (auto& client : clients_) {
                const auto ready = co_await listen(client);
                if (!ready) co_return connected_.fail(ready.error());
            }
            for (auto& client : clients_) {
                if (answers_slowly()) spawn(client, answer_requests(client));
            }
            connected_.with.note("Listening on \"" + subject_ + "\"");
        } else {
            for (auto& client : clients_) start(client);
        }
        const auto code = co_await wait_for_all();
        // Also of what was ended before it was done.
        for (auto& client : clients_) found_.clients.push_back(client.figures);
        co_return code;
    }

private:
    /// Every subscriber gets every message.
    [[nodiscard]] std::uint64_t share_of(std::uint64_t client) const {
        if (asked_.what == kind::sub) return asked_.messages;
        const auto rest = asked_.messages % asked_.clients;
        return asked_.messages / asked_.clients + (client < rest ? 1 : 0);
    }

    /// What was refused or lost would otherwise be counted as if it had arrived.
    void tell(const client::connection_event& happened) {
        if (std::holds_alternative<client::event::disconnected>(happened)) ++losses_;
        const auto* const refused = std::get_if<client::event::asynchronous_error>(&happened);
        if (!refused || !is_refusal(refused->why) || failed_.code()) return;
        failed_ = refused->why;
        wake_.cancel();
    }

    void start(bench_client& client) {
        spawn(client, asked_.what == kind::pub ? publish(client) : request(client));
    }

    void spawn(bench_client& client, asio::awaitable<result<>> work) {
        ++working_;
        const auto done = [this](const std::exception_ptr& thrown, const result<>& ended) {
            --working_;
            if (!thrown && !ended && !failed_.code()) failed_ = ended.error();
            wake_.cancel();
        };
        asio::co_spawn(connected_.nats.get_executor(), std::move(work),
                       asio::bind_cancellation_slot(client.stop.slot(), done));
    }

    asio::awaitable<result<>> publish(bench_client& client) {
        auto& figures = client.figures;
        figures.began = net::steady_now();
        std::string subject = subject_;
        const client::publish_options how;
        for (std::uint64_t i = 0; i < client.share; ++i) {
            if (asked_.many_subjects) {
                subject = subject_ + '.' + std::to_string(next_subject_++ % asked_.subjects_max);
            }
            // Now and then the others get their turn; so they do while the output is full.
            if (i % messages_at_once == 0) co_await asio::post(asio::use_awaitable);
            auto sent = client.nats->publish(subject, payload_);
            if (!sent && sent.error() == protocol::errc::output_full) {
                sent = co_await client.nats->publish(subject, payload_, how, asio::use_awaitable);
            }
            if (!sent) co_return sent.error();
            count(client, payload_.size());
            if (asked_.sleep > nanoseconds::zero()) co_await connected_.sleep(asked_.sleep);
        }
        const auto flushed = co_await client.nats->flush(asio::use_awaitable);
        figures.ended = net::steady_now();
        co_return flushed;
    }

    asio::awaitable<result<>> request(bench_client& client) {
        client.figures.began = net::steady_now();
        const client::request_options how;
        for (std::uint64_t i = 0; i < client.share; ++i) {
            const auto began = net::steady_now();
            const auto reply =
                co_await client.nats->request(subject_, payload_, how, asio::use_awaitable);
            if (!reply) co_return with_hint(reply.error());
            client.figures.ended = net::steady_now();
            found_.latency.record(client.figures.ended - began);
            count(client, reply->payload().size());
            if (asked_.sleep > nanoseconds::zero()) co_await connected_.sleep(asked_.sleep);
        }
        co_return result<>();
    }

    [[nodiscard]] error with_hint(const error& why) const {
        if (why != protocol::errc::no_responders) return why;
        return {why.code(),
                "'" + subject_ + "' (to answer there: pipit bench service '" + subject_ + "')"};
    }

    asio::awaitable<result<>> listen(bench_client& client) {
        client::subscribe_options how;
        if (asked_.what == kind::service) how.queue = "pipit-bench";
        std::function<void(const client::message&)> callback = [this,
                                                                &client](const auto& message) {
            asked_.what == kind::service ? answer(client, message) : receive(client, message);
        };
        if (answers_slowly()) callback = nullptr;
        auto made = client.nats->subscribe(subject_, std::move(callback), std::move(how));
        if (!made) co_return made.error();
        client.messages = std::move(*made);
        if (!answers_slowly()) ++working_;
        co_return co_await client.nats->flush(asio::use_awaitable);
    }

    void receive(bench_client& client, const client::message& message) {
        auto& figures = client.figures;
        figures.ended = net::steady_now();
        if (figures.messages == 0) figures.began = figures.ended;
        count(client, message.payload().size());
        if (figures.messages == client.share) finish(client);
    }

    [[nodiscard]] bool answers_slowly() const {
        return asked_.what == kind::service && asked_.sleep > nanoseconds::zero();
    }

    /// One after the other, as a service does that needs its time for each.
    asio::awaitable<result<>> answer_requests(bench_client& client) {
        while (!is_over()) {
            const auto request = co_await client.messages->next(asio::use_awaitable);
            if (is_over()) break;
            if (!request) co_return request.error();
            begin(client, *request);
            co_await connected_.sleep(asked_.sleep);
            answer(client, *request);
        }
        co_return result<>();
    }

    /// Of a service.
    [[nodiscard]] bool is_over() const {
        return failed_.code() || connected_.interrupted() ||
               (asked_.messages != 0 && answered_ == asked_.messages);
    }

    static void begin(bench_client& client, const client::message& request) {
        const bool has_begun = client.figures.began != steady_time{};
        if (!has_begun && !request.reply().empty()) client.figures.began = net::steady_now();
    }

    void answer(bench_client& client, const client::message& request) {
        if (request.reply().empty() || is_over()) return; // No request; or one too many.
        begin(client, request);
        const auto sent = client.nats->respond(request, request.payload());
        client.figures.ended = net::steady_now();
        if (!sent) {
            if (sent.error() == protocol::errc::invalid_subject) return; // Nobody hears it there.
            failed_ = sent.error();
            wake_.cancel();
            return;
        }
        count(client, request.payload().size());
        ++answered_;
        if (!is_over()) return;
        for (auto& each : clients_) finish(each);
    }

    void finish(bench_client& client) {
        if (answers_slowly()) return client.stop.emit(asio::cancellation_type::terminal);
        client.messages.reset();
        --working_;
        wake_.cancel();
    }

    void stop_all() {
        for (auto& client : clients_) {
            if (client.figures.ended < client.figures.began)
                client.figures.ended = net::steady_now();
            client.stop.emit(asio::cancellation_type::terminal);
            if (client.messages) finish(client);
        }
    }

    void count(bench_client& client, std::size_t bytes) {
        ++client.figures.messages;
        client.figures.bytes += bytes;
    }

    asio::awaitable<int> wait_for_all() {
        constexpr auto token = asio::as_tuple(asio::use_awaitable);
        while (working_ > 0 && !failed_.code()) {
            wake_.expires_after(std::chrono::milliseconds(100));
            (void)co_await wake_.async_wait(token);
            if (connected_.interrupted()) stop_all();
            show_progress();
        }
        clear_progress();
        if (failed_.code() || connected_.interrupted()) {
            stop_all();
            while (working_ > 0) {
                wake_.expires_after(std::chrono::milliseconds(10));
                (void)co_await wake_.async_wait(token);
            }
            if (asked_.what == kind::pub) co_await let_arrive();
            // A service without a number has done all of it when it is ended.
            const bool has_no_end = asked_.what == kind::service && asked_.messages == 0;
            found_.complete = has_no_end && !failed_.code() && losses_ == 0;
            co_return connected_.fail(failed_);
        }
        for (auto& client : clients_) {
            if (client.nats->is_connected()) (void)co_await client.nats->flush(asio::use_awaitable);
        }
        // A refusal comes before the answer to a flush.
        if (failed_.code()) co_return connected_.fail(failed_);
        if (losses_ > 0) {
            co_return connected_.with.fail("a connection was lost in between: not all of what is "
                                           "counted may have arrived");
        }
        found_.complete = true;
        co_return exit_code::done;
    }

    /// What was published before the end counts, and so does the time that it takes to the server.
    asio::awaitable<void> let_arrive() {
        constexpr auto longest = std::chrono::seconds(1);
        // The handler may outlive this, and none of them may.
        std::vector<std::weak_ptr<client::connection>> all;
        for (const auto& client : clients_) all.push_back(client.nats);
        asio::steady_timer limit(connected_.nats.get_executor(), longest);
        limit.async_wait([all](const error_code& ended) {
            if (ended) return;
            for (const auto& each : all) {
                if (const auto still = each.lock()) still->close();
            }
        });
        bool arrived = losses_ == 0;
        for (auto& client : clients_) {
            if (!client.nats->is_connected()) continue;
            const auto flushed = co_await client.nats->flush(asio::use_awaitable);
            if (flushed) client.figures.ended = net::steady_now();
            arrived = arrived && flushed;
        }
        if (!arrived) connected_.with.note("Not all of what is counted has reached the server");
    }

    void show_progress() {
        if (!asked_.shows_progress || !connected_.with.errors_are_terminal) return;
        std::uint64_t done = 0;
        for (const auto& client : clients_) done += client.figures.messages;
        const auto all = asked_.messages * (asked_.what == kind::sub ? asked_.clients : 1);
        const auto part = all == 0 ? 0 : static_cast<double>(done) / static_cast<double>(all);
        const auto bar = asked_.messages == 0 ? std::string() : progress_bar(part, 40) + "  ";
        connected_.with.show_status(kind_name(asked_.what) + " " + bar + count_text(done) +
                                    " messages");
        progress_is_shown_ = true;
    }

    void clear_progress() {
        if (std::exchange(progress_is_shown_, false)) connected_.with.show_status("");
    }

    session& connected_;
    const bench_options& asked_;
    bench_figures& found_;
    const std::string payload_;
    std::string subject_ = asked_.subject;
    std::uint64_t next_subject_ = 0;
    std::uint64_t answered_ = 0;
    std::size_t working_ = 0;
    error failed_;
    bool progress_is_shown_ = false;
    asio::steady_timer wake_;
    std::uint64_t losses_ = 0; ///< Of connections.
    std::deque<bench_client> clients_;
};

asio::awaitable<int> run_benchmark(session& connected, const bench_options& asked,
                                   bench_figures& found) {
    benchmark bench(connected, asked, found);
    co_return co_await bench.run();
}

int summarize(session& connected, const bench_options& asked, const bench_figures& found,
              int code) {
    auto& with = connected.with;
    if (found.clients.empty()) return code;
    with.print(with.json ? bench_line(found) : bench_text(found, with.output_is_terminal));
    if (asked.csv.empty()) return code;
    const auto written = write_private_file(asked.csv, bench_csv(found));
    return written ? code : with.fail(text_of(written.error()));
}

} // namespace

int run_bench(program& with, bench_options asked) {
    constexpr std::uint64_t clients_max = 1000;
    const bool sends = asked.what == kind::pub || asked.what == kind::request;
    if (asked.messages == 0 && asked.what != kind::service) {
        return with.fail_usage("--msgs is at least 1");
    }
    if (asked.clients == 0 || asked.clients > clients_max) {
        return with.fail_usage("--clients is between 1 and " + count_text(clients_max));
    }
    if (const auto wrong = complaint_about_size(asked.size); !wrong.empty()) {
        return with.fail_usage(wrong);
    }
    const bool valid = sends ? protocol::is_valid_publish_subject(asked.subject)
                             : protocol::is_valid_subject(asked.subject);
    if (!valid || asked.subjects_max == 0) {
        return with.fail_usage("'" + asked.subject + "' is not a subject for this");
    }
    // Nobody is without a share.
    if (sends) asked.clients = std::min(asked.clients, asked.messages);
    bench_figures found{.kind = kind_name(asked.what),
                        .subject = asked.subject,
                        .size = sends ? asked.size : 0,
                        .clients = {},
                        .latency = {},
                        .complete = false};
    const auto work = [&](session& connected) { return run_benchmark(connected, asked, found); };
    const auto sum = [&](session& connected, int code) {
        return summarize(connected, asked, found, code);
    };
    return run_connected(with,
                         {.work = work,
                          .summarize = sum,
                          .runs_until_ended = asked.what == kind::service && asked.messages == 0});
}

} // namespace pipit::cli
