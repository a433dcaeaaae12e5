// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/detail/counted_allocations.hpp>

#include <cstdlib>
#include <new>

namespace {
std::size_t allocations = 0;
}

// Apart from the tests that use them, so that no compiler sees a `new` and a `free` in one place.
void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
// What the C++ library does anyhow; AddressSanitizer's own would not fit the `delete` below.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace pipit::protocol::detail {
std::size_t allocation_count() noexcept { return allocations; }
} // namespace pipit::protocol::detail
