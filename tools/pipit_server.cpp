// SPDX-License-Identifier: Apache-2.0
// The program `pipit-server`, which may be called `nats-server`: the server alone, and so small.
#include <server_program.hpp>

int main(int count, char** arguments) {
    return pipit::server_program({arguments, static_cast<std::size_t>(count)});
}
