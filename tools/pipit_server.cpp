// SPDX-License-Identifier: Apache-2.0
// The program `pipit-server`, which may be called `nats-server`: the server alone, and so small.
#include <server_program.hpp>
#include <standard_streams.hpp>

int main(int count, char** arguments) {
    pipit::open_standard_streams();
    return pipit::server_program({arguments, static_cast<std::size_t>(count)});
}
