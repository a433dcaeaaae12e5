// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

namespace pipit::auth {

/// False: where the authority of a certificate can be asked stands there, but cannot be read or
/// stands there twice. Then `ocsp_responders` knows of none, which is no reason to ask nobody.
[[nodiscard]] bool has_readable_responders(bytes_view certificate);

} // namespace pipit::auth
