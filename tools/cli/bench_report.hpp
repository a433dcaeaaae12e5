// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cli/drawing.hpp>
#include <cli/histogram.hpp>

#include <pipit/base/time.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pipit::cli {

/// What one client of a benchmark did.
struct client_figures {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    steady_time began{}; ///< With its first message.
    steady_time ended{};

    [[nodiscard]] double messages_per_second() const;
};

/// What a benchmark found.
struct bench_figures {
    std::string kind; ///< pub, sub, request or service.
    std::string subject;
    std::uint64_t size = 0; ///< Of a payload; 0: not known.
    std::vector<client_figures> clients;
    histogram latency; ///< Of requests; otherwise empty.
    bool complete = true;

    /// All clients, from the first message of any to the last.
    [[nodiscard]] client_figures all() const;
};

/// `pub: 1,234,567 messages per second, 150 MiB per second`, and per client, and percentiles, which
/// programs get with tabs between.
[[nodiscard]] std::string bench_text(const bench_figures& figures, bool for_people);
/// One line of JSON.
[[nodiscard]] std::string bench_line(const bench_figures& figures);
/// A title and a row for each client, and one for all.
[[nodiscard]] std::string bench_csv(const bench_figures& figures);

} // namespace pipit::cli
