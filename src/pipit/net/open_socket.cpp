// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/open_socket.hpp>

#include <pipit/net/socket_handle.hpp>

#include <cerrno>
#include <sys/socket.h>

namespace pipit::net {

error_code open_socket(boost::asio::ip::tcp::socket& socket, const boost::asio::ip::tcp& protocol) {
    socket_handle opened(::socket(protocol.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!opened) return {errno, boost::system::system_category()};
    error_code code;
    socket.assign(protocol, opened.get(), code);
    if (!code) (void)opened.release();
    return code;
}

} // namespace pipit::net
