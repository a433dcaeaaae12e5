// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/random.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/exports_imports.hpp>
#include <pipit/broker/request_info.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pipit::broker {

/// The headers for whose sake a request is measured; empty when chance decided.
using sampling_headers = std::map<std::string, std::vector<std::string>>;

/// Whether a request with these headers is measured. Where chance does not choose it, a header of
/// Jaeger, Zipkin or the W3C may (`Uber-Trace-Id`, `X-B3-Sampled`, `B3`, `traceparent`).
/// Source: nats-server v2.15.2.
[[nodiscard]] std::optional<sampling_headers> sampled(const service_latency& latency,
                                                      bytes_view headers, random_source& random);

/// How a measured request ended, and its number and words in the metric.
struct request_outcome {
    int status;
    std::string_view description;
};
namespace request_outcomes {
inline constexpr request_outcome answered{200, {}};
inline constexpr request_outcome no_reply_subject{400, "Bad Request"};
inline constexpr request_outcome requester_gone{408, "Request Timeout"};
inline constexpr request_outcome nobody_there{503, "Service Unavailable"};
inline constexpr request_outcome timed_out{504, "Service Timeout"};
} // namespace request_outcomes

/// A request that is measured.
struct request_measurement {
    std::optional<client_facts> requestor;
    sampling_headers headers;
    moment begun; ///< When it came in.
};

/// `io.nats.server.metric.v1.service_latency` as JSON. For an answered one `responder` is who
/// answered, as `text_of(client_facts)` says it, and its round trip.
struct responder_facts {
    std::string text; ///< Empty: a part of the server.
    nanoseconds round_trip{};
};
[[nodiscard]] std::string latency_metric(const request_measurement& measured,
                                         request_outcome outcome, const responder_facts* responder,
                                         std::string_view id, moment now);

} // namespace pipit::broker
