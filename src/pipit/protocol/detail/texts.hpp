// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>

#include <string>

namespace pipit::protocol::detail {

/// A length of time in the largest unit that says it exactly: `5 s`, `1500 ms`; of nothing, `0 ms`.
[[nodiscard]] inline std::string duration_text(nanoseconds time) {
    const auto count = time.count();
    if (count % 1'000'000'000 == 0 && count != 0) {
        return std::to_string(count / 1'000'000'000) + " s";
    }
    if (count % 1'000'000 == 0) return std::to_string(count / 1'000'000) + " ms";
    if (count % 1000 == 0) return std::to_string(count / 1000) + " us";
    return std::to_string(count) + " ns";
}

} // namespace pipit::protocol::detail
