// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/net/tls_filter.hpp>

namespace pipit::net {

/// What begins so was meant for a listener without TLS.
/// Source: Go's `net/http`, which looks at as much as a TLS record's header is long.
[[nodiscard]] bool looks_like_http(bytes_view first_bytes) noexcept;
inline constexpr std::size_t looks_like_http_bytes = 5;

/// What whoever speaks HTTP there is told, in clear text; as Go's servers say it.
inline constexpr std::string_view http_to_https_refusal =
    "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// The server's side of TLS below HTTP.
/// Errors: as `tls_filter`; `errc::not_tls` for HTTP in clear text, which is told so.
class https_filter final : public filter {
public:
    /// As `tls_filter`.
    explicit https_filter(std::shared_ptr<const tls_context> context, party client = {});

    result<> begin(std::string& wire) override;
    result<> receive(bytes_view from_wire, std::string& plain, std::string& wire) override;
    result<> send(std::span<const bytes_view> plain, std::string& wire) override;
    void finish(std::string& wire) override;
    [[nodiscard]] bool is_open() const noexcept override { return tls_.is_open(); }
    [[nodiscard]] filter_question take_question() override { return tls_.take_question(); }
    [[nodiscard]] bool is_finished() const noexcept override { return tls_.is_finished(); }
    [[nodiscard]] std::size_t kept_bytes() const noexcept override { return tls_.kept_bytes(); }

    [[nodiscard]] tls_filter& tls() noexcept { return tls_; }
    /// Before it is open: whoever leaves now leaves in the middle of what he says.
    [[nodiscard]] bool is_within_record() const noexcept {
        return !first_bytes_.empty() || record_left_ > 0 || !header_.empty();
    }

private:
    void follow_records(bytes_view from_wire);

    tls_filter tls_;
    std::string first_bytes_; ///< Until there are enough to see what it is.
    bool is_tls_ = false;
    std::string header_;          ///< Of a record, as far as it came.
    std::size_t record_left_ = 0; ///< Bytes that are still to come of the last record.
};

} // namespace pipit::net
