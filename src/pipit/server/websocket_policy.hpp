// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/broker.hpp>
#include <pipit/net/websocket_filter.hpp>
#include <pipit/server/websocket_options.hpp>
#include <pipit/server/websocket_origin.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace pipit::server {

/// What a WebSocket listener asks of those who come, and what it learns of them from their
/// requests. Made once, and never changed.
///
/// Threads: all.
class websocket_policy final : public net::websocket_gate {
public:
    /// `options` are validated.
    websocket_policy(const websocket_options& options, bool over_tls);

    /// Any path is a client's, so that it works below a prefix; but for those of other protocols.
    [[nodiscard]] net::websocket_verdict
    judge(const net::websocket_request& request) const override;

    /// Adds what a request says to where its connection comes from.
    void note_request(const net::websocket_request& request, broker::session_origin& origin) const;

    [[nodiscard]] nanoseconds handshake_timeout() const noexcept { return handshake_timeout_; }
    [[nodiscard]] bool is_over_tls() const noexcept { return over_tls_; }

private:
    /// Why it is not allowed; empty: it is.
    [[nodiscard]] std::string complaint_about_origin(const net::websocket_request& request) const;

    websocket_options options_;
    std::vector<web_origin> allowed_origins_;
    std::string extra_fields_;
    nanoseconds handshake_timeout_;
    bool over_tls_;
};

} // namespace pipit::server
