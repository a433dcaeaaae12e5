// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/server/options.hpp>

namespace pipit::server {

/// A listener that the options ask for would find the user by its certificate: without a password,
/// nothing else says that somebody is that user, wherever he comes. Listeners that are merely
/// reserved count, so that a user is not let in as long as nobody serves the one that it is for.
[[nodiscard]] bool is_certificate_identity(const server_options& options,
                                           const user_options& user) noexcept;

} // namespace pipit::server
