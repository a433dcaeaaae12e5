// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace pipit {

/// Bytes that somebody else owns. NATS is a text protocol with binary payloads, so text and
/// payloads share one type; nothing in it is assumed to be UTF-8 or to end with a zero.
using bytes_view = std::string_view;

} // namespace pipit
