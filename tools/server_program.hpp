// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace pipit {

/// Runs a server, or does what else nats-server's options ask for; answers the exit code.
/// `arguments` begin with the program's name; secrets in them are overwritten.
int server_program(std::span<char*> arguments);

} // namespace pipit
