// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

#include <boost/asio/ip/tcp.hpp>

namespace pipit::net {

/// Opens a socket to connect with. One that Asio opens is inherited by the programs that this one
/// starts, which then keep the connection open when it dies.
[[nodiscard]] error_code open_socket(boost::asio::ip::tcp::socket& socket,
                                     const boost::asio::ip::tcp& protocol);

} // namespace pipit::net
