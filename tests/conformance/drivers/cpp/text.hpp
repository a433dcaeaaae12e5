// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/protocol/headers.hpp>
#include <pipit/protocol/info.hpp>
#include <pipit/protocol/message.hpp>

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What steps say, as bytes; and what was seen, as lines.
namespace pipit::conformance {

/// One field of a step's options.
[[nodiscard]] std::optional<std::string> text_of(const boost::json::object& options,
                                                 std::string_view name);
[[nodiscard]] std::int64_t number_of(const boost::json::object& options, std::string_view name,
                                     std::int64_t otherwise = 0);
[[nodiscard]] bool flag_of(const boost::json::object& options, std::string_view name,
                           bool otherwise = false);

/// `#` is the index, in a subject as in a payload.
[[nodiscard]] std::string indexed(std::string subject, std::int64_t index);
[[nodiscard]] std::string make_payload(const std::string& payload,
                                       const boost::json::object& options, std::int64_t index);
/// The headers of the options, which may have none. Errors: as `headers::append`.
[[nodiscard]] result<std::optional<protocol::headers>>
make_headers(const boost::json::object& options);

/// Subject, reply, headers and payload in one line. A payload that is long or no text is shown by
/// its size and a hash.
[[nodiscard]] std::string show(const protocol::message& message);

/// What this client lets its users see of INFO.
[[nodiscard]] boost::json::object visible(const protocol::server_info& info);

} // namespace pipit::conformance
