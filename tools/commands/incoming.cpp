// SPDX-License-Identifier: Apache-2.0
#include <commands/incoming.hpp>

#include <cli/shell_words.hpp>
#include <cli/templates.hpp>
#include <commands/subprocess.hpp>

#include <pipit/net/clock.hpp>

#include <filesystem>

namespace pipit::cli {
namespace {

error invalid(const std::string& what) {
    return {make_error_code(boost::system::errc::invalid_argument), what};
}

} // namespace

shown_message shown(const protocol::message& message) {
    auto headers = message.has_headers() ? message.headers() : result<protocol::headers>();
    return {.subject = message.subject(),
            .reply = message.reply(),
            .headers = headers ? std::move(*headers) : protocol::headers(),
            .payload = message.payload()};
}

message_printer::message_printer(program& with, const incoming_options& asked)
    : with_(with), asked_(asked), began_(net::steady_now()) {}

bool message_printer::is_for_programs() const {
    return asked_.raw || with_.json || !asked_.dump.empty();
}

result<> message_printer::open() {
    if (!asked_.translate.empty()) {
        const auto words = split_shell_words(asked_.translate);
        if (!words || words->empty()) {
            return invalid("--translate: '" + asked_.translate +
                           "' has a quote that is not closed");
        }
    }
    if (asked_.dump.empty() || asked_.dump == "-") return {};
    std::error_code failed;
    std::filesystem::create_directories(asked_.dump, failed);
    if (failed)
        return error(error_code(failed.value(), boost::system::system_category()), asked_.dump);
    return {};
}

result<> message_printer::show(std::uint64_t number, const protocol::message& message) {
    auto seen = shown(message);
    const auto payload = payload_of(seen);
    if (!payload) return payload.error();
    seen.payload = *payload;
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

result<std::string> message_printer::payload_of(const shown_message& message) const {
    if (asked_.translate.empty()) return std::string(message.payload);
    template_filler filler(1);
    const template_values values{.count = 0,
                                 .now = {},
                                 .utc_offset = {},
                                 .subject = message.subject,
                                 .request = message.payload};
    auto words = *split_shell_words(asked_.translate);
    for (auto& word : words) word = filler.fill(word, values).text;
    auto end = run_command({.words = words, .input = message.payload, .joins_errors = true});
    if (!end && end.error().code() == boost::system::errc::argument_list_too_long) {
        with_.note("--translate: a message is too long for an argument, and is shown as it came");
        return std::string(message.payload);
    }
    if (!end) return error(end.error().code(), "--translate: " + words[0]);
    return std::move(end->output);
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

result<> message_printer::show_body(const protocol::message& message) {
    auto seen = shown(message);
    const auto payload = payload_of(seen);
    if (!payload) return payload.error();
    seen.payload = *payload;
    print_body(seen);
    return {};
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
