// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace pipit::auth {

/// Whom a certificate is for, as a list of attributes: `CN=client,OU=Orders,DC=example`.
struct distinguished_name {
    struct attribute {
        std::string type; ///< `CN`; its case means nothing.
        std::string value;
    };
    /// Usually one attribute; they have no order.
    using part = std::vector<attribute>;

    std::vector<part> parts;

    /// Reads the form of RFC 4514 (and 2253), as far as values are text.
    /// Errors: `errc::invalid_distinguished_name`.
    [[nodiscard]] static result<distinguished_name> parse(std::string_view text);

    /// Source: RFC 4517, "distinguishedNameMatch".
    [[nodiscard]] bool equals(const distinguished_name& other) const;
    /// The same parts in any order: some tools write the last one first.
    [[nodiscard]] bool has_the_parts_of(const distinguished_name& other) const;
};

} // namespace pipit::auth
