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

// The array and nothrow forms of the standard library call these.
void* operator new(std::size_t size) {
    ++count;
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
