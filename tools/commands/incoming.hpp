// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cli/message_text.hpp>
#include <cli/templates.hpp>
#include <commands/program.hpp>
#include <commands/subprocess.hpp>

#include <pipit/protocol/message.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace pipit::cli {

/// How messages that come are shown.
struct incoming_options {
    bool raw = false;           ///< The payload alone.
    bool headers_only = false;  ///< No payload.
    bool subjects_only = false; ///< Nor headers.
    bool timestamp = false;     ///< When each came, before it.
    bool delta_time = false;    ///< How long after the one before.
    std::string dump;           ///< The folder in which each gets a file; `-`: to the output.
    /// The words of the command that each payload goes through; none: there is no command.
    std::vector<std::string> translate = {};
    nanoseconds translate_timeout = std::chrono::minutes(1); ///< Of one run of it.
};

/// What is wrong with the command line; empty when nothing is.
[[nodiscard]] std::string complaint_about_queue(const std::string& queue);

/// --translate and --translate-timeout.
[[nodiscard]] std::vector<option> translate_options(incoming_options& into_these);

[[nodiscard]] shown_message shown(const protocol::message& message);

/// Shows messages, one after the other: to the standard output, or as files.
class message_printer {
public:
    message_printer(program& with, const incoming_options& asked);

    /// Errors: a folder that cannot be made.
    [[nodiscard]] result<> open();
    /// With the payload that it came with, or another one. Errors: a file that cannot be written.
    [[nodiscard]] result<> show(std::uint64_t number, const protocol::message& message);
    [[nodiscard]] result<> show(std::uint64_t number, const protocol::message& message,
                                bytes_view payload);
    /// The same without the line that says where it came from: what a request is answered with.
    void show_body(const protocol::message& message, bytes_view payload);

    [[nodiscard]] bool translates() const noexcept { return !asked_.translate.empty(); }
    /// What the command of --translate makes of a payload; without one, and when it does not come
    /// to its end, what it was. Everything else goes on meanwhile. Errors: a program that cannot be
    /// run. Lifetime: `message` outlives the coroutine.
    [[nodiscard]] asio::awaitable<result<std::string>> translated(const protocol::message& message);
    /// Whether what is printed is for programs, so that nothing else may be said beside it.
    [[nodiscard]] bool is_for_programs() const;

private:
    [[nodiscard]] subprocess translation_of(const protocol::message& message);
    [[nodiscard]] result<> dump(std::uint64_t number, const shown_message& message) const;
    void print_for_people(std::uint64_t number, const shown_message& message);
    void print_body(const shown_message& message);
    [[nodiscard]] std::string safe(bytes_view text) const;
    [[nodiscard]] std::string when() const;

    program& with_;
    const incoming_options& asked_;
    steady_time began_;
    template_filler filler_;         ///< Of the command of --translate.
    std::uint64_t translations_ = 0; ///< That were begun.
    bool has_complained_ = false;    ///< Of a template that is none.
};

} // namespace pipit::cli
