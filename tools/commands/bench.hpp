// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <commands/program.hpp>

#include <string>

namespace pipit::cli {

struct bench_options {
    enum class kind { pub, sub, request, service };

    kind what = kind::pub;
    std::string subject;
    /// Over all clients; to each of them for `sub`; 0 for a service: until it is ended.
    std::uint64_t messages = 100'000;
    std::uint64_t clients = 1;
    std::uint64_t size = 128;
    nanoseconds sleep{};
    bool many_subjects = false;
    std::uint64_t subjects_max = 100'000;
    bool shows_progress = true;
    std::string csv;
};

int run_bench(program& with, bench_options asked);

} // namespace pipit::cli
