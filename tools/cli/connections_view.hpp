// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cli/drawing.hpp>

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>

#include <cstdint>
#include <string>
#include <vector>

/// What `pipit top` makes of a server's monitoring: /varz and /connz, twice, with the time between.
namespace pipit::cli {

struct connection_row {
    std::uint64_t cid = 0;
    std::string name, language, address, account, uptime, idle;
    std::uint64_t subscriptions = 0, pending = 0;
    std::uint64_t messages_to = 0, messages_from = 0, bytes_to = 0, bytes_from = 0; ///< The client.
    std::vector<std::string> subjects; ///< Of its subscriptions.
};

struct server_snapshot {
    std::string name, version, uptime;
    double cpu_percent = 0;
    std::uint64_t memory_bytes = 0, connections = 0, subscriptions = 0, slow_consumers = 0;
    std::uint64_t messages_in = 0, messages_out = 0, bytes_in = 0, bytes_out = 0;
    std::vector<connection_row> rows;
    steady_time taken{};
};

/// Errors: `errc::invalid_argument` when one of the texts is not what a server answers.
[[nodiscard]] result<server_snapshot> read_snapshot(bytes_view varz, bytes_view connz,
                                                    steady_time taken);

/// The keys that rows may be ordered by, the most first; `cid` and `name` upwards.
inline const std::vector<std::string> sort_keys = {
    "cid",       "name",     "subs",       "pending",   "msgs_to",
    "msgs_from", "bytes_to", "bytes_from", "msgs_rate", "bytes_rate",
};

/// Rates per second of one connection since the snapshot before.
struct connection_rates {
    double messages_to = 0, messages_from = 0, bytes_to = 0, bytes_from = 0;
};
/// Without a snapshot before, or for a connection that is new: since it began to count is unknown,
/// so 0.
[[nodiscard]] connection_rates rates_of(const connection_row& row, const server_snapshot& now,
                                        const server_snapshot* before);

struct view_options {
    std::string sort = "cid";
    std::size_t rows_max = 1024;
    bool shows_subjects = false;
    bool exact = false; ///< Plain numbers instead of 1.5 KiB.
};
/// Two lines about the server.
[[nodiscard]] std::string server_lines(const server_snapshot& now, const server_snapshot* before);
/// What happened between the first look and the last one.
[[nodiscard]] std::string watched_line(const server_snapshot& first, const server_snapshot& last,
                                       std::uint64_t looks);
[[nodiscard]] table connections_table(const server_snapshot& now, const server_snapshot* before,
                                      const view_options& options);
/// One line of JSON for the server with all its connections.
[[nodiscard]] std::string snapshot_line(const server_snapshot& now, const server_snapshot* before,
                                        const view_options& options);

} // namespace pipit::cli
