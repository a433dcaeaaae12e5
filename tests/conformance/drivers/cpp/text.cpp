// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"

#include <pipit/base/base64.hpp>

#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

#include <algorithm>
#include <functional>
#include <sstream>

namespace pipit::conformance {
namespace {

constexpr std::size_t shown_payload_bytes_max = 200;

bool is_plain_text(bytes_view payload) {
    return std::all_of(payload.begin(), payload.end(),
                       [](char byte) { return byte >= ' ' && byte <= '~'; });
}

std::string show_payload(bytes_view payload) {
    if (payload.size() <= shown_payload_bytes_max && is_plain_text(payload)) {
        return boost::json::serialize(boost::json::value(payload));
    }
    std::ostringstream line;
    line << '<' << payload.size() << " bytes " << std::hex << std::hash<bytes_view>{}(payload)
         << '>';
    return std::move(line).str();
}

std::string show_headers(const protocol::message& message) {
    const auto headers = message.headers();
    if (!headers) return headers.error().message();
    std::string line;
    if (headers->status() != 0) line = "status " + std::to_string(headers->status());
    for (const auto& [name, value] : *headers) {
        if (!line.empty()) line += " | ";
        line += name + ": " + value;
    }
    return line;
}

} // namespace

std::optional<std::string> text_of(const boost::json::object& options, std::string_view name) {
    const auto* found = options.if_contains(name);
    if (found == nullptr || found->is_null()) return std::nullopt;
    return std::string(found->as_string());
}

std::int64_t number_of(const boost::json::object& options, std::string_view name,
                       std::int64_t otherwise) {
    const auto* found = options.if_contains(name);
    return found != nullptr ? found->to_number<std::int64_t>() : otherwise;
}

bool flag_of(const boost::json::object& options, std::string_view name, bool otherwise) {
    const auto* found = options.if_contains(name);
    return found != nullptr ? found->as_bool() : otherwise;
}

std::string indexed(std::string subject, std::int64_t index) {
    const auto at = subject.find('#');
    if (at != std::string::npos) subject.replace(at, 1, std::to_string(index));
    return subject;
}

std::string make_payload(const std::string& payload, const boost::json::object& options,
                         std::int64_t index) {
    if (options.contains("size")) {
        return std::string(static_cast<std::size_t>(number_of(options, "size")), 'x');
    }
    if (const auto encoded = text_of(options, "base64")) return from_base64(*encoded).value();
    return payload == "#" ? std::to_string(index) : payload;
}

result<std::optional<protocol::headers>> make_headers(const boost::json::object& options) {
    const auto* pairs = options.if_contains("headers");
    if (pairs == nullptr) return std::optional<protocol::headers>();
    protocol::headers made;
    for (const auto& pair : pairs->as_array()) {
        const auto& entry = pair.as_array();
        auto added = made.append(entry.at(0).as_string(), entry.at(1).as_string());
        if (!added) return added.error();
    }
    if (const auto size = number_of(options, "long_header"); size > 0) {
        auto added = made.append("Long", std::string(static_cast<std::size_t>(size), 'v'));
        if (!added) return added.error();
    }
    return std::optional(std::move(made));
}

std::string show(const protocol::message& message) {
    std::string line(message.subject());
    if (!message.reply().empty()) line.append(" reply=").append(message.reply());
    if (message.has_headers()) line += " [" + show_headers(message) + "]";
    return line + " " + show_payload(message.payload());
}

boost::json::object visible(const protocol::server_info& info) {
    return {
        {"server_id", info.server_id},
        {"server_name", info.server_name},
        {"version", info.version},
        {"proto", info.proto},
        {"git_commit", info.git_commit},
        {"go", info.go},
        {"host", info.host},
        {"port", info.port},
        {"headers", info.headers},
        {"auth_required", info.auth_required},
        {"tls_required", info.tls_required},
        {"tls_verify", info.tls_verify},
        {"tls_available", info.tls_available},
        {"max_payload", info.max_payload},
        {"jetstream", info.jetstream},
        {"client_id", info.client_id},
        {"client_ip", info.client_ip},
        {"nonce", info.nonce},
        {"cluster", info.cluster},
        {"cluster_dynamic", info.cluster_dynamic},
        {"domain", info.domain},
        {"connect_urls", boost::json::value_from(info.connect_urls)},
        {"ldm", info.ldm},
        {"connect_info", info.connect_info},
        {"remote_account", info.remote_account},
        {"acc_is_sys", info.acc_is_sys},
        {"api_lvl", info.api_lvl},
        {"xkey", info.xkey},
    };
}

} // namespace pipit::conformance
