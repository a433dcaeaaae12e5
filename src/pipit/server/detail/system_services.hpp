// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/server/detail/monitoring_documents.hpp>
#include <pipit/server/detail/system_request.hpp>

#include <span>
#include <string_view>

namespace pipit::server {

/// What may be asked in the system account, and how.
struct system_service {
    std::string_view name;
    document* make = nullptr; ///< The monitoring document that answers; null: something else does.
    std::span<const request_option> options = {}; ///< What a request may say.
    bool by_id = true;                            ///< Of one server.
    bool by_ping = true;                          ///< Of all servers.
    bool about_accounts = false;                  ///< Of all servers, about one account.
};

[[nodiscard]] std::span<const system_service> system_services() noexcept;
/// Null: there is none.
[[nodiscard]] const system_service* service_named(std::string_view name) noexcept;

} // namespace pipit::server
