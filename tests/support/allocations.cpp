// SPDX-License-Identifier: Apache-2.0
#include <support/allocations.hpp>

#include <cstdlib>
#include <new>

namespace {
thread_local std::size_t count = 0;
}

namespace pipit::test {

std::size_t allocation_count() noexcept { return count; }

} // namespace pipit::test

void* operator new(std::size_t size) {
    ++count;
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
// What the C++ library does anyhow; AddressSanitizer's own would not fit the `delete` below.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    ++count;
    return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
