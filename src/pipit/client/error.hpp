// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

namespace pipit::client {

/// What can go wrong in the client itself; what the protocol says (timeouts, no responders, a
/// closed or lost connection, cancelled operations) is `protocol::errc`.
enum class errc {
    subscription_ended = 1, ///< The detail says why.
    would_deadlock,         ///< Waiting inside a callback of a `blocking_connection`.
    no_reply_subject,       ///< The message is not a request.
    callback_threw,         ///< The detail is the exception's text.
    tls_not_supported,
};

[[nodiscard]] error_code make_error_code(errc value) noexcept;

} // namespace pipit::client

template <>
struct boost::system::is_error_code_enum<pipit::client::errc> : std::true_type {};
