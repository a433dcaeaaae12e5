// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pipit {

/// What a failed PIPIT_ASSERT calls. It must not return.
using assertion_handler = void (*)(const char* expression, const char* file, int line);

/// Replaces the handler of failed assertions; the default one prints the place and aborts.
void set_assertion_handler(assertion_handler handler) noexcept;

namespace detail {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
}

} // namespace pipit

/// States what must be true unless Pipit itself has a bug; checked in release builds too.
/// Bytes from a peer never reach an assertion: check them where they enter.
#define PIPIT_ASSERT(expression)                                                                   \
    (static_cast<bool>(expression)                                                                 \
         ? static_cast<void>(0)                                                                    \
         : ::pipit::detail::assertion_failed(#expression, __FILE__, __LINE__))
