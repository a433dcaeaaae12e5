// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/detail/parser_fuzz.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pipit::protocol;
    detail::compare_cuts<role::client>({reinterpret_cast<const char*>(data), size});
    return 0;
}
