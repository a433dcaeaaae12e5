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

https_filter::https_filter(std::shared_ptr<const tls_context> context, party client)
    : tls_(std::move(context), client) {}

result<> https_filter::begin(std::string& wire) { return tls_.begin(wire); }

result<> https_filter::receive(bytes_view from_wire, std::string& plain, std::string& wire) {
    if (is_tls_) {
        if (!is_open()) follow_records(from_wire);
        return tls_.receive(from_wire, plain, wire);
    }
    first_bytes_ += from_wire;
    if (first_bytes_.size() < looks_like_http_bytes) return {};
    if (looks_like_http(first_bytes_)) {
        wire += http_to_https_refusal;
        return error(errc::not_tls, "client sent an HTTP request to an HTTPS server");
    }
    is_tls_ = true;
    const auto input = std::exchange(first_bytes_, {});
    follow_records(input);
    return tls_.receive(input, plain, wire);
}

/// Source: RFC 8446, section 5.1: a record's header ends with its length.
void https_filter::follow_records(bytes_view from_wire) {
    while (!from_wire.empty()) {
        const auto of_record = std::min(record_left_, from_wire.size());
        record_left_ -= of_record;
        from_wire.remove_prefix(of_record);
        const auto of_header = std::min(looks_like_http_bytes - header_.size(), from_wire.size());
        header_ += from_wire.substr(0, of_header);
        from_wire.remove_prefix(of_header);
        if (header_.size() < looks_like_http_bytes) return;
        const auto high = static_cast<unsigned char>(header_[3]);
        const auto low = static_cast<unsigned char>(header_[4]);
        record_left_ = static_cast<std::size_t>(high) << 8 | low;
        header_.clear();
    }
}

result<> https_filter::send(std::span<const bytes_view> plain, std::string& wire) {
    return tls_.send(plain, wire);
}

void https_filter::finish(std::string& wire) { tls_.finish(wire); }

} // namespace pipit::net
