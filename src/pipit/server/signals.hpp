// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace pipit::server {

/// What a server is told by a signal.
enum class signal_command { shut_down, shut_down_unless_lame_duck, reload, reopen_log, lame_duck };

/// Keeps reloads and the like until there is a server that obeys them; unhandled, they would end
/// the program while it reads its configuration. What ends it still does.
void put_off_requests();
/// Blocks the signals that a server obeys, in this thread and those it starts from now on.
void block_signals();
/// Waits for one of them, at most for as long as it says; -1: for ever. Nothing: the time is over.
struct received_signal {
    signal_command command;
    std::string_view name; ///< As nats-server logs it: `terminated`, `hangup`, …
};
[[nodiscard]] std::optional<received_signal> wait_for_signal(long timeout_milliseconds);

/// A signal that ends the server has come, and nobody has waited for it yet. Threads: all.
[[nodiscard]] bool is_told_to_end() noexcept;

/// Obeys `--signal`: `reload`, `stop=1234`, `quit=/run/nats.pid` or `ldm=12*`. Without a process,
/// the only server that runs.
/// Errors: `errc::invalid_command_line`; the detail is the text that nats-server would print.
[[nodiscard]] result<> send_signal(std::string_view request);

} // namespace pipit::server
