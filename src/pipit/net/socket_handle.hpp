// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

namespace pipit::net {

/// Owns a descriptor of the system, or none.
class socket_handle {
public:
    socket_handle() noexcept = default;
    explicit socket_handle(int descriptor) noexcept : descriptor_(descriptor) {}
    socket_handle(socket_handle&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)) {}
    socket_handle& operator=(socket_handle other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~socket_handle();

    [[nodiscard]] explicit operator bool() const noexcept { return descriptor_ >= 0; }
    [[nodiscard]] int get() const noexcept { return descriptor_; }
    [[nodiscard]] int release() noexcept { return std::exchange(descriptor_, -1); }

private:
    int descriptor_ = -1;
};

} // namespace pipit::net
