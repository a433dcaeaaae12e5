// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace pipit::auth {

/// True for a stored password or token that is a bcrypt hash: `$2a$`, `$2b$`, `$2x$` or `$2y$`,
/// two digits of cost, `$`. Anything else is compared as plain text.
[[nodiscard]] bool is_bcrypt(std::string_view stored) noexcept;

/// Does the password or token that somebody gave fit the stored one?
///
/// Cost: with a bcrypt hash as long as its cost says, 0.1 s for the usual cost of 11, so ask
///       `is_bcrypt` first and let a worker call this; a loop must never wait for it. Plain text
///       is compared in a time that depends on what was given only.
/// Threads: any.
[[nodiscard]] bool verify_password(std::string_view stored, std::string_view given);

} // namespace pipit::auth
