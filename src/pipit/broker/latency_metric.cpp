// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/latency_metric.hpp>

#include <pipit/base/hex.hpp>
#include <pipit/base/trimmed.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/protocol/json_writer.hpp>

#include <algorithm>
#include <cctype>

namespace pipit::broker {
namespace {

constexpr bytes_view status_line = "NATS/1.0";

/// As Go writes names of headers: `x-b3-sampled` is `X-B3-Sampled`.
std::string canonical(bytes_view name) {
    std::string result(name);
    bool upper = true;
    for (auto& c : result) {
        const auto byte = static_cast<unsigned char>(c);
        c = static_cast<char>(upper ? std::toupper(byte) : std::tolower(byte));
        upper = c == '-';
    }
    return result;
}

sampling_headers read(bytes_view headers) {
    sampling_headers all;
    if (!headers.starts_with(status_line)) return all;
    auto end = headers.find("\r\n");
    while (end != bytes_view::npos) {
        headers.remove_prefix(end + 2);
        end = headers.find("\r\n");
        const auto line = headers.substr(0, end);
        const auto colon = line.find(':');
        if (colon == bytes_view::npos || colon == 0) continue;
        all[canonical(line.substr(0, colon))].emplace_back(trimmed(line.substr(colon + 1), " \t"));
    }
    return all;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == text.npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::optional<unsigned> hexadecimal(std::string_view text) {
    if (text.empty() || text.size() > 2) return std::nullopt;
    unsigned value = 0;
    for (const char c : text) {
        if (hex_digit(c) < 0) return std::nullopt;
        value = value * 16 + static_cast<unsigned>(hex_digit(c));
    }
    return value;
}

const std::string* first_of(const sampling_headers& all, const char* name) {
    const auto found = all.find(name);
    return found == all.end() ? nullptr : &found->second.front();
}

sampling_headers some_of(const sampling_headers& all, std::initializer_list<const char*> names) {
    sampling_headers some;
    for (const auto* name : names) {
        if (const auto found = all.find(name); found != all.end()) some.insert(*found);
    }
    return some;
}

/// `479fefe9525eddb:5adb976bfc1f95c1:479fefe9525eddb:1`: the last are flags.
std::optional<sampling_headers> by_uber(const sampling_headers& all, std::string_view id) {
    const auto parts = split(id, ':');
    if (parts.size() != 4) return std::nullopt;
    const auto flags = hexadecimal(parts[3]);
    if (!flags || *flags % 2 == 0) return std::nullopt;
    auto some = some_of(all, {"Uber-Trace-Id"});
    for (const auto& each : all) {
        if (each.first.starts_with("Uberctx-")) some.insert(each);
    }
    return some;
}

std::optional<sampling_headers> by_traceparent(const sampling_headers& all,
                                               std::string_view parent) {
    const auto parts = split(parent, '-');
    if (parts.size() != 4 || parts[3].size() != 2) return std::nullopt;
    const auto flags = hexadecimal(parts[3]);
    if (!flags || *flags > 127 || *flags % 2 == 0) return std::nullopt;
    return some_of(all, {"Traceparent", "Tracestate"});
}

} // namespace

std::optional<sampling_headers> sampled(const service_latency& latency, bytes_view headers,
                                        random_source& random) {
    const auto percent = latency.sampling_percent;
    if (percent >= 100) return sampling_headers();
    // As nats-server, of traces too: one in a hundred more than was asked for.
    if (percent > 0 && random.below(100) <= static_cast<std::uint32_t>(percent)) {
        return sampling_headers();
    }
    const auto all = read(headers);
    const auto of_zipkin = [&all] {
        return some_of(all, {"X-B3-Sampled", "X-B3-Traceid", "X-B3-Parentspanid", "X-B3-Spanid"});
    };
    if (const auto* id = first_of(all, "Uber-Trace-Id")) return by_uber(all, *id);
    const auto* decision = first_of(all, "X-B3-Sampled");
    if (decision != nullptr && *decision == "1") return of_zipkin();
    if (decision != nullptr && *decision == "0") return std::nullopt;
    if (all.contains("X-B3-Traceid")) return of_zipkin();
    if (const auto* single = first_of(all, "B3")) {
        const auto parts = split(*single, '-');
        const bool denied = (parts.size() > 2 && parts[2] == "0") || *single == "0";
        if (denied) return std::nullopt;
        return some_of(all, {"B3"});
    }
    if (const auto* parent = first_of(all, "Traceparent")) return by_traceparent(all, *parent);
    return std::nullopt;
}

std::string latency_metric(const request_measurement& measured, request_outcome outcome,
                           const responder_facts* responder, std::string_view id, moment now) {
    const auto requestor_trip = measured.requestor ? measured.requestor->round_trip : nanoseconds{};
    std::string text;
    protocol::json_writer json(text);
    json.begin_object();
    json.member("type", "io.nats.server.metric.v1.service_latency");
    json.member("id", id);
    json.member("timestamp", protocol::rfc3339(now.wall));
    json.member("status", outcome.status);
    json.optional_member("description", outcome.description);
    if (measured.requestor) {
        json.begin_object("requestor");
        write_members(json, *measured.requestor);
        json.end_object();
    }
    nanoseconds service{}, total{};
    if (responder != nullptr) {
        if (!responder->text.empty()) json.json_member("responder", responder->text);
        const auto taken = now.steady - measured.begun.steady;
        service = std::max<nanoseconds>(taken - responder->round_trip, {});
        total = requestor_trip + taken;
    }
    if (!measured.headers.empty()) {
        json.begin_object("header");
        for (const auto& [name, values] : measured.headers) json.member(name, values);
        json.end_object();
    }
    json.member("start", protocol::rfc3339(measured.begun.wall - requestor_trip));
    json.member("service", service.count());
    json.member("system", 0);
    json.member("total", total.count());
    json.end_object();
    return text;
}

} // namespace pipit::broker
