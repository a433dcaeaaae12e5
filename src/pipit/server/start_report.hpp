// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/log.hpp>
#include <pipit/broker/configuration.hpp>
#include <pipit/server/options.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pipit::server {

/// The log's first lines: who starts, with which configuration.
/// Source: server-config, section 8; the order is nats-server's, Pipit's own version is added.
void report_start(const logger& log, const server_options& options,
                  const broker::server_identity& identity);

/// The log's lines for a human when everything listens: where to go, what to try, and whether
/// everybody may.
void report_ready(const logger& log, const server_options& options, std::uint16_t client_port,
                  std::uint16_t monitoring_port);

/// Raises the limit of open files, and says when it is still too low for `max_connections`.
void raise_file_limit(const logger& log, const server_options& options);

} // namespace pipit::server
