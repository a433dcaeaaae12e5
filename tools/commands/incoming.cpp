// SPDX-License-Identifier: Apache-2.0
#include <commands/incoming.hpp>

#include <cli/units.hpp>

#include <pipit/net/clock.hpp>
#include <pipit/net/random_bytes.hpp>

#include <filesystem>
#include <utility>

namespace pipit::cli {

shown_message shown(const protocol::message& message) {
    auto headers = message.has_headers() ? message.headers() : result<protocol::headers>();
    return {.subject = message.subject(),
            .reply = message.reply(),
            .headers = headers ? std::move(*headers) : protocol::headers(),
            .payload = message.payload()};
}

std::string complaint_about_queue(const std::string& queue) {
    if (queue.find_first_of(" \t\r\n\f") == std::string::npos) return {};
    return "--queue: '" + queue + "' is not the name of a group: it has blanks";
}

std::vector<option> translate_options(incoming_options& into_these) {
    return {{.names = "--translate",
             .value = "COMMAND",
             .help = "show what this command makes of each payload, which it gets as its standard "
                     "input; its words may have templates as those of reply --command, "
                     "where {{Count}} begins with 1",
             .set = into_command(into_these.translate)},
            {.names = "--translate-timeout",
             .value = "DURATION",
             .help = "kill one that takes longer; 1m when it is not said, 0s: never",
             .set = into(into_these.translate_timeout)}};
}

message_printer::message_printer(program& with, const incoming_options& asked)
    : with_(with), asked_(asked), began_(net::steady_now()), filler_(net::draw_seed()) {}

bool message_printer::is_for_programs() const {
    return asked_.raw || with_.json || !asked_.dump.empty();
}

result<> message_printer::open() {
    if (asked_.dump.empty() || asked_.dump == "-") return {};
    std::error_code failed;
    std::filesystem::create_directories(asked_.dump, failed);
    if (failed)
        return error(error_code(failed.value(), boost::system::system_category()), asked_.dump);
    return {};
}

result<> message_printer::show(std::uint64_t number, const protocol::message& message) {
    return show(number, message, message.payload());
}

result<> message_printer::show(std::uint64_t number, const protocol::message& message,
                               bytes_view payload) {
    auto seen = shown(message);
    seen.payload = payload;
    if (!asked_.dump.empty()) return dump(number, seen);
    if (with_.json) {
        with_.print(message_line(number, net::wall_now(), seen) + '\n');
    } else if (asked_.raw) {
        with_.print(seen.payload);
        if (!seen.payload.ends_with('\n')) with_.print("\n");
    } else {
        print_for_people(number, seen);
    }
    return {};
}

subprocess message_printer::translation_of(const protocol::message& message) {
    const auto now = net::wall_now();
    const template_values values{.count = ++translations_,
                                 .now = now,
                                 .utc_offset = local_utc_offset(now),
                                 .subject = message.subject(),
                                 .request = message.payload()};
    subprocess command;
    command.words = asked_.translate;
    for (auto& word : command.words) {
        auto filled = filler_.fill(word, values);
        if (!filled.complaint.empty() && !std::exchange(has_complained_, true)) {
            with_.note("--translate: the command gets '" + word +
                       "' as it is: " + filled.complaint);
        }
        word = std::move(filled.text);
    }
    command.input = message.payload();
    command.joins_errors = true;
    return command;
}

asio::awaitable<result<std::string>> message_printer::translated(const protocol::message& message) {
    if (!translates()) co_return std::string(message.payload());
    auto command = translation_of(message);
    const auto name = command.words[0];
    const auto bytes_max = static_cast<double>(command.output_bytes_max);
    auto end = co_await run_command_beside(std::move(command), asked_.translate_timeout);
    const auto tell = [&](const std::string& why) {
        with_.note("--translate: " + why + "; the message is shown as it came");
    };
    if (!end && end.error().code() == boost::system::errc::argument_list_too_long) {
        tell("a message is too long for an argument");
    } else if (!end) {
        co_return error(end.error().code(), "--translate: " + name);
    } else if (end->how == subprocess_end::kind::took_too_long) {
        tell(name + " was killed after " + time_span_text(asked_.translate_timeout) +
             " (--translate-timeout)");
    } else if (end->how == subprocess_end::kind::wrote_too_much) {
        tell(name + " was killed, for it wrote more than " + size_text(bytes_max));
    } else {
        co_return std::move(end->output);
    }
    co_return std::string(message.payload());
}

result<> message_printer::dump(std::uint64_t number, const shown_message& message) const {
    const auto text = dumped_message(message);
    if (asked_.dump != "-") {
        return write_private_file(asked_.dump + "/" + std::to_string(number) + ".json", text);
    }
    with_.print(text);
    with_.print(std::string_view("\0", 1));
    return {};
}

void message_printer::show_body(const protocol::message& message, bytes_view payload) {
    auto seen = shown(message);
    seen.payload = payload;
    print_body(seen);
}

void message_printer::print_for_people(std::uint64_t number, const shown_message& message) {
    const auto subject = safe(message.subject), reply = safe(message.reply);
    const shown_message line{.subject = subject, .reply = reply, .headers = {}, .payload = {}};
    with_.print(received_line(number, line, when(), with_.coloured()) + '\n');
    if (!asked_.subjects_only) print_body(message);
}

void message_printer::print_body(const shown_message& message) {
    const auto headers = safe(header_lines(message.headers));
    with_.print(headers);
    if (!headers.empty()) with_.print("\n");
    if (asked_.headers_only) return;
    with_.print(safe(message.payload));
    with_.print(message.payload.ends_with('\n') ? "\n" : "\n\n");
}

std::string message_printer::safe(bytes_view text) const {
    return with_.output_is_terminal ? safe_for_terminal(text) : std::string(text);
}

std::string message_printer::when() const {
    if (asked_.delta_time) return time_span_text(net::steady_now() - began_);
    return asked_.timestamp ? utc_text(net::wall_now()) : std::string();
}

} // namespace pipit::cli
