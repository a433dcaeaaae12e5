// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace pipit::cli {

/// How long things took. Values below 128 ns are kept exactly, others to within 1 %, the smallest
/// and the largest exactly; the size is 58 KiB whatever the number of values.
class histogram {
public:
    void record(nanoseconds duration) noexcept;
    void merge(const histogram& other) noexcept;

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] nanoseconds smallest() const noexcept;
    [[nodiscard]] nanoseconds largest() const noexcept { return largest_; }
    [[nodiscard]] nanoseconds mean() const noexcept;
    /// The value that `percent` of all are at or below; 0 when there is none.
    [[nodiscard]] nanoseconds percentile(double percent) const noexcept;

private:
    static constexpr unsigned precision_bits = 7; // 128 steps for each doubling.
    static constexpr std::size_t buckets = (64 - precision_bits) << precision_bits;
    [[nodiscard]] static std::size_t bucket_of(std::uint64_t value) noexcept;
    [[nodiscard]] static std::uint64_t highest_in(std::size_t bucket) noexcept;

    std::array<std::uint64_t, buckets> counts_{};
    std::uint64_t count_ = 0;
    double sum_ = 0;
    nanoseconds smallest_ = nanoseconds::max();
    nanoseconds largest_{};
};

/// Those that are shown, with their names in JSON and CSV: `p50`, `p99`, …
struct named_percentile {
    std::string_view name;
    double percent;
};
inline constexpr std::array shown_percentiles = {
    named_percentile{"p50", 50}, named_percentile{"p75", 75},     named_percentile{"p90", 90},
    named_percentile{"p99", 99}, named_percentile{"p99_9", 99.9}, named_percentile{"p99_99", 99.99},
};

} // namespace pipit::cli
