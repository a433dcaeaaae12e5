// SPDX-License-Identifier: Apache-2.0
#include <commands/outgoing.hpp>

#include <cli/message_text.hpp>
#include <cli/secrets.hpp>

#include <pipit/net/clock.hpp>
#include <pipit/net/random_bytes.hpp>
#include <pipit/protocol/subject.hpp>

#include <utility>

namespace pipit::cli {
namespace {

/// The largest payload that any server is configured for.
constexpr std::size_t payload_bytes_max = std::size_t{64} * 1024 * 1024;

error invalid(const std::string& what) {
    return {make_error_code(boost::system::errc::invalid_argument), what};
}

} // namespace

std::vector<option> outgoing_arguments(outgoing_options& into_these,
                                       const std::string& payload_help) {
    return {{.names = "subject",
             .help = "where it is published",
             .set = into(into_these.subject),
             .required = true},
            {.names = "payload", .help = payload_help, .set = into(into_these.payload)}};
}

std::vector<option> outgoing_options_of(outgoing_options& into_these) {
    return {
        {.names = "-H,--header",
         .value = "NAME:VALUE",
         .help = "a header",
         .set = into(into_these.headers),
         .repeats = true},
        {.names = "--file",
         .value = "PATH",
         .help = "the payload is what this file holds",
         .set = into(into_these.file),
         .offers = completes::file},
        {.names = "--send-on",
         .value = "WHEN",
         .help = "a message is all of the standard input, or each of its lines",
         .set = into(into_these.send_on),
         .words = {"eof", "newline"}},
        {.names = "--force-stdin",
         .help = "read the standard input also when it is a terminal",
         .set = into(into_these.force_input)},
        {.names = "--no-templates",
         .help = "leave {{…}} as it is",
         .set = into_not(into_these.fills_templates)},
    };
}

outgoing_source::outgoing_source(const session& connected, const outgoing_options& asked)
    : with_(connected.with),
      asked_(asked),
      filler_(net::draw_seed()),
      input_(connected.nats.get_executor()),
      reads_input_(asked.force_input || (!asked.payload && asked.file.empty())) {}

std::string complaint_about_subject(const std::string& subject, bool fills_templates) {
    if (fills_templates && subject.find("{{") != std::string::npos) return {};
    if (protocol::is_valid_publish_subject(subject)) return {};
    return "'" + subject +
           "' cannot be published to: a subject has no blanks, no empty tokens "
           "between dots, and no * and > as tokens";
}

std::string complaint_about_headers(const std::vector<std::string>& headers) {
    for (const auto& header : headers) {
        if (!parse_header(header)) {
            return "-H: " + quoted_unless_secret(header) + " is not a header, as 'Name: value' is";
        }
    }
    return {};
}

std::string complaint_about_size(std::uint64_t payload_bytes) {
    if (payload_bytes <= payload_bytes_max) return {};
    return "--size is at most " + size_text(static_cast<double>(payload_bytes_max));
}

std::string complaint_about(const outgoing_options& asked) {
    if (auto wrong = complaint_about_headers(asked.headers); !wrong.empty()) return wrong;
    if (!asked.file.empty() && asked.payload) {
        return "there is a payload and a --file; one of them is enough";
    }
    return complaint_about_subject(asked.subject, asked.fills_templates);
}

asio::awaitable<std::optional<std::string>> outgoing_source::next_payload() {
    if (asked_.send_on == "newline" && reads_input_) co_return co_await next_line();
    if (std::exchange(given_, true)) co_return std::nullopt;
    if (reads_input_) {
        while (co_await read_more()) {
        }
        if (failed_.code()) co_return std::nullopt;
        co_return std::move(unread_);
    }
    if (asked_.file.empty()) co_return asked_.payload;
    auto text = read_file(asked_.file, payload_bytes_max);
    if (text) co_return std::move(*text);
    failed_ = text.error();
    co_return std::nullopt;
}

asio::awaitable<std::optional<std::string>> outgoing_source::next_line() {
    auto end = unread_.find('\n');
    while (end == std::string::npos) {
        const auto searched = unread_.size();
        const bool more = co_await read_more();
        if (!more && (failed_.code() || unread_.empty())) co_return std::nullopt;
        if (!more) co_return std::exchange(unread_, {});
        end = unread_.find('\n', searched);
    }
    auto line = unread_.substr(0, end);
    unread_.erase(0, end + 1);
    if (line.ends_with('\r')) line.pop_back();
    co_return line;
}

asio::awaitable<bool> outgoing_source::read_more() {
    const auto part = co_await input_.read_some();
    if (!part) failed_ = part.error();
    if (!part || part->empty()) co_return false;
    unread_ += *part;
    if (unread_.size() <= payload_bytes_max) co_return true;
    failed_ = invalid("the standard input is larger than any payload may be");
    co_return false;
}

outgoing_message outgoing_source::make(const std::string& payload, std::uint64_t number) {
    const auto now = net::wall_now();
    const template_values values{.count = number,
                                 .now = now,
                                 .utc_offset = local_utc_offset(now),
                                 .subject = {},
                                 .request = {}};
    outgoing_message message{filled(asked_.subject, values), filled(payload, values), {}};
    for (const auto& header : asked_.headers) {
        const auto parsed = parse_header(header);
        // Valid as it stands, and nothing that is filled in here has a line's end.
        (void)message.headers.append(parsed->first, filled(parsed->second, values));
    }
    return message;
}

std::string outgoing_source::filled(const std::string& text, const template_values& values) {
    if (!asked_.fills_templates || text.find("{{") == std::string::npos) return text;
    auto result = filler_.fill(text, values);
    if (!result.complaint.empty() && !std::exchange(complained_, true)) {
        with_.note("Sent as it is: " + result.complaint + ". --no-templates keeps this quiet");
    }
    return std::move(result.text);
}

} // namespace pipit::cli
