// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/protocol/operations.hpp>

#include <string>

namespace pipit::broker {

/// The texts of the sizes of a message that did not come with them, as it is made or changed here;
/// the message is given them. Lifetime: as long as the message.
class message_sizes {
public:
    explicit message_sizes(protocol::message_operation& of)
        : total_(std::to_string(of.headers.size() + of.payload.size())),
          header_(std::to_string(of.headers.size())) {
        of.has_headers = !of.headers.empty();
        of.size_text = total_;
        of.header_size_text = of.has_headers ? bytes_view(header_) : bytes_view();
    }
    message_sizes(const message_sizes&) = delete;
    message_sizes& operator=(const message_sizes&) = delete;

private:
    std::string total_;
    std::string header_;
};

} // namespace pipit::broker
