// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/assert.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

namespace pipit {

class block_pointer;

/// Counted bytes in one allocation: a payload with many receivers is written once and shared.
///
/// Threads: the count is plain until `share_between_threads()` was called, atomic from then on.
class block {
public:
    /// A block of `size` bytes that are not initialised. Throws `std::bad_alloc`.
    [[nodiscard]] static block_pointer make(std::size_t size);

    [[nodiscard]] char* data() noexcept { return reinterpret_cast<char*>(this + 1); }
    [[nodiscard]] const char* data() const noexcept {
        return reinterpret_cast<const char*>(this + 1);
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// To be called before the first reference crosses to another thread.
    void share_between_threads() noexcept { shared_ = true; }

    block(const block&) = delete;
    block& operator=(const block&) = delete;

private:
    friend class block_pointer;
    explicit block(std::size_t size) noexcept : size_(size) {}

    void add_reference() noexcept {
        if (shared_) {
            std::atomic_ref(count_).fetch_add(1, std::memory_order_relaxed);
        } else {
            ++count_;
        }
    }
    [[nodiscard]] bool drop_reference() noexcept {
        if (shared_) return std::atomic_ref(count_).fetch_sub(1, std::memory_order_acq_rel) == 1;
        return --count_ == 0;
    }

    std::size_t size_;
    std::uint32_t count_ = 1;
    bool shared_ = false;
};

/// Owns one reference to a block, or nothing.
class block_pointer {
public:
    block_pointer() noexcept = default;
    block_pointer(const block_pointer& other) noexcept : block_(other.block_) {
        if (block_ != nullptr) block_->add_reference();
    }
    block_pointer(block_pointer&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
    block_pointer& operator=(block_pointer other) noexcept {
        std::swap(block_, other.block_);
        return *this;
    }
    ~block_pointer() {
        if (block_ == nullptr || !block_->drop_reference()) return;
        block_->~block();
        std::free(block_);
    }

    [[nodiscard]] explicit operator bool() const noexcept { return block_ != nullptr; }
    block* operator->() const noexcept { return block_; }
    block& operator*() const noexcept { return *block_; }
    [[nodiscard]] block* get() const noexcept { return block_; }

private:
    friend class block;
    explicit block_pointer(block* adopted) noexcept : block_(adopted) {}
    block* block_ = nullptr;
};

inline block_pointer block::make(std::size_t size) {
    void* memory = std::malloc(sizeof(block) + size);
    if (memory == nullptr) throw std::bad_alloc();
    return block_pointer(new (memory) block(size));
}

} // namespace pipit
