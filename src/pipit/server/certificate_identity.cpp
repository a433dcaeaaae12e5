// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/certificate_identity.hpp>

#include <algorithm>

namespace pipit::server {

bool is_certificate_identity(const server_options& options, const user_options& user) noexcept {
    const auto maps = [](const std::optional<tls_options>& tls) {
        return tls && tls->verify_and_map;
    };
    const auto& websocket = options.websocket;
    if (maps(options.tls) && user.standard_connections_allowed) return true;
    const bool has_websockets = websocket.port != 0;
    if (has_websockets && maps(websocket.tls) && user.websocket_connections_allowed) return true;
    // Others who come by a WebSocket bring the certificate that was asked for there.
    const bool websockets_show =
        has_websockets && websocket.tls && websocket.tls->settings.verifies_peer;
    const auto finds = [&](const reserved_listener& listener) {
        if (!listener.maps_certificates) return false;
        if (listener.kind == listener_kind::mqtt) {
            return user.mqtt_connections_allowed ||
                   (websockets_show && user.mqtt_websocket_connections_allowed);
        }
        return listener.kind == listener_kind::leafnodes &&
               (user.leafnode_connections_allowed ||
                (websockets_show && user.leafnode_websocket_connections_allowed));
    };
    return std::any_of(options.reserved_listeners.begin(), options.reserved_listeners.end(), finds);
}

} // namespace pipit::server
