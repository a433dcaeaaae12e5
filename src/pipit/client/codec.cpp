// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/codec.hpp>

#include <pipit/base/ascii_case.hpp>

#include <string>

namespace pipit::client::detail {
namespace {

/// `application/json; charset=utf-8` is JSON.
bytes_view without_parameters(bytes_view type) noexcept {
    type = type.substr(0, type.find(';'));
    while (type.ends_with(' ')) type.remove_suffix(1);
    return type;
}

} // namespace

headers typed_headers(const headers* of, bytes_view content_type) {
    headers out;
    if (of != nullptr) out = *of;
    (void)out.set(content_type_header, content_type); // Codecs have well-formed names.
    return out;
}

result<> check_content_type(const message& what, bytes_view expected) {
    const auto type = what.header(content_type_header);
    // `Application/JSON` is the same type. Source: RFC 9110, 8.3.1.
    if (!type || equal_without_case(without_parameters(*type), expected)) return {};
    return error(errc::unexpected_content_type, "'" + std::string(what.subject()) + "' has " +
                                                    std::string(*type) + " in place of " +
                                                    std::string(expected));
}

} // namespace pipit::client::detail
