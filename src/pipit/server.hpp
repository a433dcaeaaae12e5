// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/server/embedded_server.hpp>

/// A NATS server inside a program.
namespace pipit {

using server::embedded_server;
using server::embedded_server_options;
using server::in_process_connection;

} // namespace pipit
