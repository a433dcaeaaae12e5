// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/broker.hpp>
#include <pipit/broker/configuration.hpp>

namespace pipit::broker {

/// The user's `allowed_connection_types`.
[[nodiscard]] bool may_connect(const user_configuration& user,
                               const session_origin& origin) noexcept;

/// Who the client is by its certificate (`verify_and_map`); null: nobody.
[[nodiscard]] const user_configuration* user_of_certificate(const authorization& authorization,
                                                            const session_origin& origin);

/// The client's key is among those that are pinned, or there are none.
[[nodiscard]] bool is_pinned(const configuration& config, const session_origin& origin);

} // namespace pipit::broker
