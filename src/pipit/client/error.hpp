// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

namespace pipit::client {

/// What can go wrong in the client itself; what the protocol says (timeouts, no responders, a
/// closed or lost connection, cancelled operations) is `protocol::errc`.
enum class errc {
    subscription_ended = 1,  ///< The detail says why.
    would_deadlock,          ///< Waiting inside a callback of a `blocking_connection`.
    no_reply_subject,        ///< The message is not a request.
    callback_threw,          ///< The detail is the exception's text.
    unusable_tls_options,    ///< A file cannot be used; the detail says which.
    unexpected_content_type, ///< The message's header names another codec.
    invalid_content,         ///< The payload is not what the codec reads.
    transfer_refused,        ///< The other end of a chunked transfer does not take part.
    transfer_broken,         ///< A chunk was lost or is not what it should be.
    transfer_cancelled,      ///< By the other end; the detail is what it said.
    transfer_busy,           ///< One read and one write at a time, and none after `finish`.
    no_credentials_provider, ///< There is nobody to ask for other credentials.
    made_before_fork,        ///< In a child: the connection is its parent's.
};

[[nodiscard]] error_code make_error_code(errc value) noexcept;

} // namespace pipit::client

template <>
struct boost::system::is_error_code_enum<pipit::client::errc> : std::true_type {};
