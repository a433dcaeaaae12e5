// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/protocol/operations.hpp>

#include <string>

namespace pipit::broker {

/// The texts of the sizes of a message that did not come with them, as it is made or changed here.
/// Lifetime: as long as a message that they were applied to.
struct message_sizes {
    explicit message_sizes(const protocol::message_operation& message)
        : total(std::to_string(message.headers.size() + message.payload.size())),
          header(std::to_string(message.headers.size())) {}

    void apply(protocol::message_operation& message) const noexcept {
        message.has_headers = !message.headers.empty();
        message.size_text = total;
        message.header_size_text = message.has_headers ? bytes_view(header) : bytes_view();
    }

    std::string total;
    std::string header;
};

} // namespace pipit::broker
