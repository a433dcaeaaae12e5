// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cli/message_text.hpp>
#include <commands/program.hpp>

#include <pipit/protocol/message.hpp>

#include <string>
#include <vector>

namespace pipit::cli {

/// How messages that come are shown.
struct incoming_options {
    bool raw = false;
    bool headers_only = false;
    bool subjects_only = false;
    bool timestamp = false;
    bool delta_time = false;
    std::string dump;
    std::string translate;
};

[[nodiscard]] shown_message shown(const protocol::message& message);

/// Shows messages, one after the other: to the standard output, or as files.
class message_printer {
public:
    message_printer(program& with, const incoming_options& asked);

    /// Errors: a folder that cannot be made, a command that is not quoted rightly.
    [[nodiscard]] result<> open();
    /// Errors: a file that cannot be written, a program for --translate that cannot be run.
    [[nodiscard]] result<> show(std::uint64_t number, const protocol::message& message);
    /// The same without the line that says where it came from: what a request is answered with.
    [[nodiscard]] result<> show_body(const protocol::message& message);
    /// Whether what is printed is for programs, so that nothing else may be said beside it.
    [[nodiscard]] bool is_for_programs() const;

private:
    [[nodiscard]] result<std::string> payload_of(const shown_message& message) const;
    [[nodiscard]] result<> dump(std::uint64_t number, const shown_message& message) const;
    void print_for_people(std::uint64_t number, const shown_message& message);
    void print_body(const shown_message& message);
    [[nodiscard]] std::string safe(bytes_view text) const;
    [[nodiscard]] std::string when() const;

    program& with_;
    const incoming_options& asked_;
    steady_time began_;
};

} // namespace pipit::cli
