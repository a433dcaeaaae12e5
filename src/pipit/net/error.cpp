// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/error.hpp>

namespace pipit::net {
namespace {

class category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "pipit.net"; }

    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::invalid_proxy_header: return "invalid PROXY protocol header";
        case errc::unsupported_proxy_header: return "unsupported PROXY protocol feature";
        case errc::closed: return "the other end closed the connection";
        case errc::timed_out: return "the other end did not answer in time";
        case errc::invalid_http: return "malformed HTTP";
        case errc::websocket_refused: return "WebSocket refused";
        case errc::websocket_violation: return "WebSocket protocol violation";
        case errc::websocket_too_big: return "WebSocket message too big";
        }
        return "unknown network error";
    }
};

} // namespace

error_code make_error_code(errc value) noexcept {
    static const category instance;
    return {static_cast<int>(value), instance};
}

} // namespace pipit::net
