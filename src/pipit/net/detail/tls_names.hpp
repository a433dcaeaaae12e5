// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

#include <string>
#include <vector>

namespace pipit::net {

/// OpenSSL's lists of these, for `SSL_CTX_set_cipher_list` and `SSL_CTX_set1_groups_list`; what
/// this OpenSSL does not have is left out. Errors: `errc::unusable_tls_settings`: nothing is left.
[[nodiscard]] result<std::string> openssl_cipher_list(const std::vector<std::string>& suites);
[[nodiscard]] result<std::string> openssl_curve_list(const std::vector<std::string>& curves);

} // namespace pipit::net
