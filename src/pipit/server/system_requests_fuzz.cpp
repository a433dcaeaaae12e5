// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/assert.hpp>
#include <pipit/server/detail/system_test_support.hpp>

#include <boost/json/parse.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>

// The first byte chooses a service, the rest is the body of a request to it. Whatever it is, an
// answer is JSON that begins with the server, and asking twice gives the same.

using namespace pipit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto services = server::server_services();
    const std::string service(services[data[0] % services.size()]);
    const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
    server::testing::system_world world;
    const auto answer = world.ask(service, body);
    PIPIT_ASSERT(answer == world.ask(service, body));
    if (answer.empty()) return 0;
    boost::system::error_code failed;
    const auto value = boost::json::parse(answer, failed);
    PIPIT_ASSERT(!failed && value.is_object());
    PIPIT_ASSERT(service == "IDZ" || value.get_object().contains("server"));
    return 0;
}
