// SPDX-License-Identifier: Apache-2.0
#include <commands/commands.hpp>

#include <cli/templates.hpp>
#include <commands/incoming.hpp>
#include <commands/outgoing.hpp>
#include <commands/session.hpp>
#include <commands/subprocess.hpp>

#include <pipit/base/random.hpp>
#include <pipit/client/error.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/net/random_bytes.hpp>
#include <pipit/protocol/error.hpp>
#include <pipit/protocol/subject.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>

#include <exception>

namespace pipit::cli {
namespace {

struct reply_options {
    std::string subject;
    std::optional<std::string> payload;
    std::string queue = "NATS-RPLY-22"; // The `nats` tool's: both share requests.
    std::vector<std::string> command;   ///< Its words; none: there is no command.
    std::uint64_t commands_max = 8;
    nanoseconds command_timeout = std::chrono::minutes(1);
    bool echo = false;
    std::vector<std::string> headers;
    nanoseconds sleep{};
    std::uint64_t count = 0;
    bool quiet = false;
};

struct answer {
    std::string payload;
    protocol::headers headers;
    std::vector<std::string> words; ///< Of the command that makes the payload; empty: none does.
};

/// Lives as long as a command runs for it, also when it has come to its own end.
class replier : public std::enable_shared_from_this<replier> {
public:
    replier(session& connected, const reply_options& asked, std::uint64_t& answered)
        : connected_(connected),
          asked_(asked),
          answered_(answered),
          printer_(connected.with, shown_),
          random_(net::draw_seed()),
          filler_(net::draw_seed()),
          one_ended_(connected.nats.get_executor()) {}

    asio::awaitable<int> run() {
        // Who is asked to end still answers what has come.
        co_await asio::this_coro::throw_if_cancelled(false);
        client::subscribe_options how;
        how.queue = asked_.queue;
        how.messages_max = asked_.count; // Others of the group get the rest.
        how.policy = client::when_full::wait;
        auto made = connected_.nats.subscribe(asked_.subject, std::move(how));
        if (!made) co_return connected_.fail(made.error());
        requests_ = std::move(*made);
        const auto known = co_await connected_.subscribed();
        if (!known) co_return connected_.fail(known.error());
        if (!connected_.with.json) {
            connected_.with.note("Listening on \"" + asked_.subject + "\" in group \"" +
                                 asked_.queue + "\"");
        }
        while (!failed_.code() && !connected_.interrupted() &&
               (asked_.count == 0 || taken_ < asked_.count)) {
            const auto request = co_await requests_->next(asio::use_awaitable);
            if (!request && (connected_.interrupted() || failed_.code())) break;
            if (!request) co_return connected_.fail(request.error());
            const auto replied = co_await reply_to(*request);
            if (!replied) co_return connected_.fail(replied.error());
        }
        // Without a server nothing is on its way, and nobody is there to be answered.
        if (connected_.interrupted() && !connected_.nats.is_connected()) co_return exit_code::done;
        if (connected_.interrupted()) {
            const auto drained = co_await answer_the_rest();
            if (!drained) co_return connected_.fail(drained.error());
        }
        co_await until_fewer_run_than(1);
        if (failed_.code()) co_return connected_.fail(failed_);
        const auto sent = co_await connected_.flush();
        if (!sent) co_return connected_.fail(sent.error());
        co_return exit_code::done;
    }

private:
    asio::awaitable<result<>> answer_the_rest() {
        auto drained = co_await requests_->drain(asio::use_awaitable);
        while (const auto request = requests_->try_next()) (void)co_await reply_to(*request);
        co_return drained;
    }

    [[nodiscard]] bool echoes() const {
        return asked_.echo || (!asked_.payload && asked_.command.empty());
    }

    asio::awaitable<result<>> reply_to(const client::message& request) {
        if (!asked_.quiet) {
            if (const auto shown = printer_.show(taken_, request); !shown) co_return shown.error();
            connected_.with.flush();
        }
        if (asked_.sleep > nanoseconds::zero() && !connected_.interrupted()) {
            const auto part = static_cast<double>(random_.below(1'000'000)) / 1e6;
            const auto longest = static_cast<double>(asked_.sleep.count());
            co_await connected_.sleep(nanoseconds(static_cast<std::int64_t>(longest * part)));
        }
        auto made = make_answer(request);
        ++taken_;
        if (made.words.empty()) co_return co_await send(request, made);
        co_await until_fewer_run_than(asked_.commands_max);
        ++running_;
        const auto done = [self = shared_from_this()](const std::exception_ptr& thrown,
                                                      const result<>& ended) {
            --self->running_;
            if (thrown) {
                self->give_up(error_of(thrown));
            } else if (!ended) {
                self->give_up(ended.error());
            }
            self->one_ended_.cancel();
        };
        asio::co_spawn(connected_.nats.get_executor(), run_and_send(request, std::move(made)),
                       done);
        co_return failed_.code() ? result<>(failed_) : result<>();
    }

    /// Takes no more requests; who waits for one is woken by that.
    void give_up(const error& why) {
        if (failed_.code()) return;
        failed_ = why;
        requests_->unsubscribe();
    }

    static error error_of(const std::exception_ptr& thrown) {
        try {
            std::rethrow_exception(thrown);
        } catch (const boost::system::system_error& why) {
            return why.code();
        } catch (const std::exception& why) {
            return error(client::errc::callback_threw, why.what());
        }
    }

    /// Waits, while as many commands run as may or more.
    asio::awaitable<void> until_fewer_run_than(std::uint64_t count) {
        constexpr auto token = asio::as_tuple(asio::use_awaitable);
        while (running_ >= count) {
            one_ended_.expires_at(asio::steady_timer::time_point::max());
            (void)co_await one_ended_.async_wait(token);
        }
    }

    asio::awaitable<result<>> send(const client::message& request, const answer& made) {
        ++answered_;
        if (request.reply().empty()) co_return result<>(); // Nobody waits for it.
        const client::publish_options how{
            .reply = {}, .headers = made.headers.empty() ? nullptr : &made.headers};
        const auto sent = co_await connected_.nats.publish(request.reply(), made.payload, how,
                                                           asio::use_awaitable);
        if (sent || !is_about_one_request(sent.error())) co_return sent;
        connected_.with.note("Cannot answer: " + sent.error().message());
        co_return result<>();
    }

    /// Who asked for what a command did not end with gets no answer: half of one would be wrong.
    asio::awaitable<result<>> run_and_send(client::message request, answer made) {
        const auto& name = made.words[0];
        subprocess command;
        command.words = made.words;
        command.input = request.payload();
        command.variables = {{"NATS_REQUEST_SUBJECT", std::string(request.subject())},
                             {"NATS_REQUEST_BODY", variable_of(request.payload())}};
        command.joins_errors = true;
        // More than that cannot be answered.
        command.output_bytes_max = connected_.nats.server_info().max_payload;
        auto end = co_await run_command_beside(std::move(command), asked_.command_timeout);
        if (!end) {
            connected_.with.note("Cannot run " + name + ": " + end.error().message());
        } else if (end->how == subprocess_end::kind::took_too_long) {
            connected_.with.note(name + " was killed after " +
                                 time_span_text(asked_.command_timeout) +
                                 ", and nothing was answered (--command-timeout)");
            co_return result<>();
        } else if (end->how == subprocess_end::kind::wrote_too_much) {
            connected_.with.note(name + " was killed, and nothing was answered: it wrote more than "
                                        "the server takes in a message");
            co_return result<>();
        } else {
            if (end->exit_code != 0) {
                connected_.with.note(name + " ended with " + std::to_string(end->exit_code));
            }
            made.payload = std::move(end->output);
        }
        co_return co_await send(request, made);
    }

    /// Whoever asks may make an answer too large, or want it where none can go; others are answered
    /// all the same.
    static bool is_about_one_request(const error& why) {
        return why == protocol::errc::payload_too_large || why == protocol::errc::invalid_subject;
    }

    answer make_answer(const client::message& request) {
        const auto now = net::wall_now();
        const template_values values{.count = taken_,
                                     .now = now,
                                     .utc_offset = local_utc_offset(now),
                                     .subject = request.subject(),
                                     .request = request.payload()};
        answer made;
        for (const auto& header : asked_.headers) {
            const auto parsed = parse_header(header);
            const auto value = filler_.fill(parsed->second, values).text;
            // What was asked may be more than one line.
            if (const auto added = made.headers.append(parsed->first, value); !added) {
                connected_.with.note("Answered without a header: " + added.error().message());
            }
        }
        if (echoes()) {
            for (const auto& [name, value] : shown(request).headers)
                (void)made.headers.append(name, value);
            (void)made.headers.append("NATS-Reply-Counter", std::to_string(taken_));
            made.payload = request.payload();
        } else if (!asked_.command.empty()) {
            // What came over the network becomes arguments, and never a part of the command's own
            // words.
            made.words = asked_.command;
            for (auto& word : made.words) word = filler_.fill(word, values).text;
        } else {
            made.payload = filler_.fill(*asked_.payload, values).text;
        }
        return made;
    }

    /// A variable ends at a zero byte, and cannot be of any size.
    static std::string variable_of(bytes_view payload) {
        constexpr std::size_t variable_bytes_max = std::size_t{96} * 1024;
        return std::string(payload.substr(0, std::min(payload.find('\0'), variable_bytes_max)));
    }

    session& connected_;
    const reply_options& asked_;
    std::uint64_t& answered_;
    incoming_options shown_;
    message_printer printer_;
    random_source random_;
    template_filler filler_;
    std::optional<client::subscription> requests_;
    std::uint64_t taken_ = 0;      ///< Requests.
    std::uint64_t running_ = 0;    ///< Commands.
    asio::steady_timer one_ended_; ///< Cancelled when a command has.
    error failed_;                 ///< Why an answer could not be sent.
};

/// What is wrong with the command line; empty when nothing is.
std::string complaint_about(const reply_options& asked) {
    if (!protocol::is_valid_subject(asked.subject)) {
        return "'" + asked.subject +
               "' cannot be subscribed to: a subject has no blanks and no empty tokens between "
               "dots, and nothing stands behind '>'";
    }
    const int answers = (asked.payload.value_or("").empty() ? 0 : 1) +
                        (asked.command.empty() ? 0 : 1) + (asked.echo ? 1 : 0);
    if (answers > 1) return "a payload, --command and --echo: one of them is enough";
    if (auto wrong = complaint_about_queue(asked.queue); !wrong.empty()) return wrong;
    if (asked.commands_max == 0 || asked.commands_max > commands_at_once_max) {
        return "--commands is between 1 and " + std::to_string(commands_at_once_max);
    }
    return complaint_about_headers(asked.headers);
}

asio::awaitable<int> reply_to_all(session& connected, const reply_options& asked,
                                  std::uint64_t& answered) {
    const auto all = std::make_shared<replier>(connected, asked, answered);
    co_return co_await all->run();
}

int run_reply(program& with, const reply_options& asked) {
    if (const auto wrong = complaint_about(asked); !wrong.empty()) return with.fail_usage(wrong);
    std::uint64_t answered = 0;
    return run_connected(
        with, {.work = [&](session& connected) { return reply_to_all(connected, asked, answered); },
               .summarize =
                   [&](session& connected, int code) {
                       if (connected.interrupted()) {
                           connected.with.note("Answered " + count_text(answered) + " requests");
                       }
                       return code;
                   },
               .runs_until_ended = asked.count == 0});
}

} // namespace

command reply_command(program& with) {
    const auto asked = std::make_shared<reply_options>();
    command reply{.name = "reply", .summary = "Answer requests"};
    reply.description =
        "Answers with a text, with what a command prints, or, when neither is said, with the "
        "request itself. Runs until it is ended, unless --count is said.\n\n"
        "The text, header values and the command's words may have templates, as those of pub, "
        "where {{Count}} begins with 0, and:\n\n"
        "  {{Request}}        the request's payload\n"
        "  {{Subject}}        its subject\n"
        "  {{0}}, {{1}}, …    the tokens of its subject\n\n"
        "The command is not run by a shell; it gets the payload as its standard input too, and "
        "NATS_REQUEST_SUBJECT and NATS_REQUEST_BODY in its environment. Up to --commands of them "
        "run at the same time, each for up to --command-timeout: what takes longer, or prints more "
        "than a message may carry, is killed, and nothing is answered.";
    reply.arguments = {
        {.names = "subject",
         .help = "where requests come",
         .set = into(asked->subject),
         .required = true},
        {.names = "payload", .help = "the text of the answer", .set = into(asked->payload)}};
    reply.options = {
        {.names = "--echo", .help = "answer with the request", .set = into(asked->echo)},
        {.names = "--command",
         .value = "COMMAND",
         .help = "answer with what this prints",
         .set = into_command(asked->command)},
        {.names = "--commands",
         .value = "N",
         .help = "run up to so many at a time; 8 when it is not said",
         .set = into(asked->commands_max)},
        {.names = "--command-timeout",
         .value = "DURATION",
         .help = "kill one that takes longer; 1m when it is not said, 0s: never",
         .set = into(asked->command_timeout)},
        {.names = "-q,--queue",
         .value = "GROUP",
         .help = "share the requests with others of this group; NATS-RPLY-22 when it is not said",
         .set = into(asked->queue)},
        {.names = "-H,--header",
         .value = "NAME:VALUE",
         .help = "a header of the answer",
         .set = into(asked->headers),
         .repeats = true},
        {.names = "--sleep",
         .value = "DURATION",
         .help = "wait up to so long, by chance, before each answer",
         .set = into(asked->sleep)},
        {.names = "--count", .value = "N", .help = "end after so many", .set = into(asked->count)},
        {.names = "--quiet", .help = "do not show the requests", .set = into(asked->quiet)},
    };
    reply.examples = {
        {"pipit reply greet 'hello, {{Request}}'", "A text"},
        {"pipit reply echo --echo", "What came"},
        {"pipit reply 'weather.*' --command 'curl -s wttr.in/{{1}}?format=3'",
         "What a command prints"},
    };
    reply.run = [&with, asked] { return run_reply(with, *asked); };
    return reply;
}

} // namespace pipit::cli
