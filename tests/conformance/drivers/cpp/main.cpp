// SPDX-License-Identifier: Apache-2.0

// Plays the steps of behaviours on Pipit's client: `conformance_driver_cpp FACE CONTROL`.
#include "scenario.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <thread>

namespace {

using namespace pipit::conformance;

/// Lanes are played some at a time; the behaviours of a lane share a server.
class lanes {
public:
    lanes(const boost::json::array& all, const control& runner, const connection_maker& make)
        : all_(all), runner_(runner), make_(make) {}

    void work() {
        while (const auto* lane = next()) {
            for (const auto& behaviour : lane->as_array()) play(behaviour.as_object());
        }
    }

private:
    const boost::json::value* next() {
        const std::lock_guard held(mutex_);
        return taken_ < all_.size() ? &all_[taken_++] : nullptr;
    }

    void play(const boost::json::object& behaviour) {
        scenario one{.runner = runner_, .make_connection = make_};
        const auto outcome = boost::json::value_from(one.play(behaviour));
        const boost::json::object line{{"id", behaviour.at("id")}, {"outcome", outcome}};
        const std::lock_guard held(mutex_);
        std::cout << boost::json::serialize(line) << std::endl;
    }

    const boost::json::array& all_;
    const control& runner_;
    const connection_maker& make_;
    std::mutex mutex_;
    std::size_t taken_ = 0;
};

} // namespace

int main(int count, char** values) {
    const std::string face = count == 3 ? values[1] : "";
    if (face != "cpp" && face != "cpp_blocking") {
        std::fprintf(stderr, "usage: %s cpp|cpp_blocking CONTROL\n", values[0]);
        return EXIT_FAILURE;
    }
    const auto make = face == "cpp" ? make_asynchronous_face() : make_blocking_face();
    const control runner(values[2]);
    const auto plan = runner.plan();
    lanes todo(plan.at("lanes").as_array(), runner, make);
    std::vector<std::thread> workers;
    for (auto index = plan.at("workers").as_int64(); index > 0; --index) {
        workers.emplace_back([&] { todo.work(); });
    }
    for (auto& worker : workers) worker.join();
    return EXIT_SUCCESS;
}
