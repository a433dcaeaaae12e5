// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

#include <openssl/ssl.h>

namespace pipit::net {

/// What OpenSSL's first error in this thread's list means, in Go's words; empties the list.
[[nodiscard]] error describe_tls_failure(const SSL* connection);

} // namespace pipit::net
