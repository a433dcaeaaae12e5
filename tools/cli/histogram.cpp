// SPDX-License-Identifier: Apache-2.0
#include <cli/histogram.hpp>

#include <algorithm>
#include <bit>
#include <cmath>

namespace pipit::cli {

std::size_t histogram::bucket_of(std::uint64_t value) noexcept {
    constexpr std::uint64_t linear = std::uint64_t{1} << precision_bits;
    if (value < linear) return static_cast<std::size_t>(value);
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - precision_bits - 1;
    return static_cast<std::size_t>((std::uint64_t{shift} << precision_bits) + (value >> shift));
}

std::uint64_t histogram::highest_in(std::size_t bucket) noexcept {
    constexpr std::size_t linear = std::size_t{1} << precision_bits;
    if (bucket < 2 * linear) return bucket;
    const auto shift = (bucket >> precision_bits) - 1;
    const auto step = (bucket & (linear - 1)) + linear;
    return ((std::uint64_t{step} + 1) << shift) - 1;
}

void histogram::record(nanoseconds duration) noexcept {
    duration = std::max(duration, nanoseconds::zero());
    ++counts_[std::min(bucket_of(static_cast<std::uint64_t>(duration.count())), buckets - 1)];
    ++count_;
    sum_ += static_cast<double>(duration.count());
    smallest_ = std::min(smallest_, duration);
    largest_ = std::max(largest_, duration);
}

void histogram::merge(const histogram& other) noexcept {
    for (std::size_t i = 0; i < buckets; ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    smallest_ = std::min(smallest_, other.smallest_);
    largest_ = std::max(largest_, other.largest_);
}

nanoseconds histogram::smallest() const noexcept {
    return count_ == 0 ? nanoseconds::zero() : smallest_;
}

nanoseconds histogram::mean() const noexcept {
    if (count_ == 0) return nanoseconds::zero();
    return nanoseconds(std::llround(sum_ / static_cast<double>(count_)));
}

nanoseconds histogram::percentile(double percent) const noexcept {
    if (count_ == 0) return nanoseconds::zero();
    const auto wanted = std::ceil(static_cast<double>(count_) * percent / 100);
    const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets; ++i) {
        seen += counts_[i];
        if (seen < rank) continue;
        const nanoseconds value(static_cast<std::int64_t>(highest_in(i)));
        return std::clamp(value, smallest_, largest_);
    }
    return largest_;
}

} // namespace pipit::cli
