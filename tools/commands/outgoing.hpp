// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cli/templates.hpp>
#include <commands/session.hpp>
#include <commands/standard_input.hpp>

#include <pipit/protocol/headers.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pipit::cli {

/// What `pub` and `request` send.
struct outgoing_options {
    std::string subject;
    std::optional<std::string> payload;
    std::vector<std::string> headers;
    std::string file;
    std::string send_on = "eof";
    bool force_input = false;
    bool fills_templates = true;
};

/// Subject and payload.
[[nodiscard]] std::vector<option> outgoing_arguments(outgoing_options& into_these,
                                                     const std::string& payload_help);
[[nodiscard]] std::vector<option> outgoing_options_of(outgoing_options& into_these);

// What is wrong with the command line; empty when nothing is.
[[nodiscard]] std::string complaint_about(const outgoing_options& asked);
/// Of a subject to publish to; one with templates is complete only when they are filled.
[[nodiscard]] std::string complaint_about_subject(const std::string& subject, bool fills_templates);
[[nodiscard]] std::string complaint_about_headers(const std::vector<std::string>& headers);
/// Of the payloads that a measurement makes.
[[nodiscard]] std::string complaint_about_size(std::uint64_t payload_bytes);

struct outgoing_message {
    std::string subject;
    std::string payload;
    protocol::headers headers;

    [[nodiscard]] const protocol::headers* headers_or_null() const {
        return headers.empty() ? nullptr : &headers;
    }
};

/// Payloads from the command line, a file or the standard input, and messages made of them.
class outgoing_source {
public:
    outgoing_source(const session& connected, const outgoing_options& asked);

    [[nodiscard]] bool reads_input() const noexcept { return reads_input_; }
    /// The next one, or nothing when there are no more.
    [[nodiscard]] asio::awaitable<std::optional<std::string>> next_payload();
    /// Why reading ended early.
    [[nodiscard]] const error& failed() const noexcept { return failed_; }
    /// Fills in the templates. What is none is said once, and sent as it is.
    [[nodiscard]] outgoing_message make(const std::string& payload, std::uint64_t number);

private:
    [[nodiscard]] std::string filled(const std::string& text, const template_values& values);
    [[nodiscard]] asio::awaitable<std::optional<std::string>> next_line();
    /// Reads more into `unread_`; false at the end or after a failure.
    [[nodiscard]] asio::awaitable<bool> read_more();

    const program& with_;
    const outgoing_options& asked_;
    template_filler filler_;
    standard_input input_;
    bool reads_input_ = false;
    bool given_ = false;
    bool complained_ = false;
    std::string unread_; ///< Of the standard input.
    error failed_;
};

} // namespace pipit::cli
