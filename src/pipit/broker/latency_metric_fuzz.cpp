// SPDX-License-Identifier: Apache-2.0
// Whatever headers a request has: what the server writes into them stands there once, and they ask
// for a metric before as after.
#include <pipit/base/assert.hpp>
#include <pipit/broker/latency_metric.hpp>
#include <pipit/broker/request_info.hpp>

using namespace pipit;
using namespace pipit::broker;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const bytes_view headers(reinterpret_cast<const char*>(data), size);
    const auto once = with_header(headers, request_info_header, "{}");
    PIPIT_ASSERT(once.ends_with("\r\nNats-Request-Info: {}\r\n\r\n"));
    const auto twice = with_header(once, request_info_header, "{}");
    PIPIT_ASSERT(once == twice);

    random_source random(1);
    const service_latency by_headers{"l", 0};
    const bool whole = headers.starts_with("NATS/1.0\r\n") && headers.ends_with("\r\n\r\n");
    const auto before = sampled(by_headers, headers, random);
    const auto after = sampled(by_headers, once, random);
    PIPIT_ASSERT(!whole || before == after);
    return 0;
}
