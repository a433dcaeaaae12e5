// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <optional>
#include <string>

namespace pipit::auth::detail {

/// An answer whose authority has left the status out.
struct completed_ocsp_answer {
    std::string basic;       ///< The basic response in DER, with `revoked` put in.
    std::string signed_part; ///< What the authority has signed, as it came.
};

/// Authorities that use Go's library leave out the status `revoked` where they know neither when
/// nor why, which RFC 6960 does not allow; to that library, and so to nats-server, no status
/// means `revoked`. Nothing: `answer` is not such a one.
[[nodiscard]] std::optional<completed_ocsp_answer> complete_ocsp_answer(bytes_view answer);

} // namespace pipit::auth::detail
