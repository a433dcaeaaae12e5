// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace pipit::client::detail {

/// One TCP connection to a server. Who sends and who waits for its socket shares it, so that none
/// of them meets a closed descriptor; it is over when it is not the link's any more.
struct transport {
    explicit transport(boost::asio::ip::tcp::socket connected) : socket(std::move(connected)) {}

    [[nodiscard]] std::size_t unsent_bytes() const noexcept { return output.size() - sent; }

    boost::asio::ip::tcp::socket socket; ///< Non-blocking.
    std::string output;                  ///< Taken from the session.
    std::size_t sent = 0;
    bool is_sending = false; ///< Somebody is at it, or waits for room.
    bool is_stuffed = false; ///< It would block: wait until it is writable.
    bool waits_for_reading = false;
    bool waits_for_writing = false;
};

} // namespace pipit::client::detail
