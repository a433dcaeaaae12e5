// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/https_filter.hpp>

#include <pipit/net/error.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace pipit::net {

bool looks_like_http(bytes_view first_bytes) noexcept {
    constexpr std::array<bytes_view, 5> beginnings{"GET /", "HEAD ", "POST ", "PUT /", "OPTIO"};
    return std::ranges::any_of(
        beginnings, [&](bytes_view beginning) { return first_bytes.starts_with(beginning); });
}

https_filter::https_filter(std::shared_ptr<const tls_context> context) : tls_(std::move(context)) {}

result<> https_filter::begin(std::string& wire) { return tls_.begin(wire); }

result<> https_filter::receive(bytes_view from_wire, std::string& plain, std::string& wire) {
    const bool is_first = !std::exchange(has_received_, true);
    if (is_first && looks_like_http(from_wire)) {
        wire += http_to_https_refusal;
        return error(errc::not_tls, "client sent an HTTP request to an HTTPS server");
    }
    return tls_.receive(from_wire, plain, wire);
}

result<> https_filter::send(std::span<const bytes_view> plain, std::string& wire) {
    return tls_.send(plain, wire);
}

void https_filter::finish(std::string& wire) { tls_.finish(wire); }

} // namespace pipit::net
