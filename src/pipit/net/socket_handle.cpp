// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/socket_handle.hpp>

#include <unistd.h>

namespace pipit::net {

socket_handle::~socket_handle() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

} // namespace pipit::net
