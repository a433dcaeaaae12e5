// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/random.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::protocol {

/// What one token of a transform's destination becomes. Tokens of the source subject are numbered
/// from 0; a token without a number is the first one.
struct transform_step {
    enum class kind {
        literal,
        rest, ///< A closing `>`: what the source's `>` stands for.
        wildcard,
        partition,
        split_from_left,
        split_from_right,
        slice_from_left,
        slice_from_right,
        split,
        left,
        right,
        random,
    };
    kind what = kind::literal;
    std::string text;                   ///< The literal, or the separator of `split`.
    std::vector<std::size_t> arguments; ///< The tokens it works on; for `partition` none means all.
    std::int32_t number = 0;            ///< Position, size, length, or number of buckets.
};

/// Makes one subject out of another: `orders.*.*` to `orders.{{partition(3,1)}}.$2`.
///
/// Source: "Subject Mapping and Partitioning" in the NATS docs; ADR-30; where they are silent,
///         nats-server v2.15.2.
class subject_transform {
public:
    /// Errors: `errc::invalid_mapping`, with nats-server's words as the detail, e.g.
    ///         `invalid mapping destination: unknown function in {{x}}`.
    [[nodiscard]] static result<subject_transform> make(std::string_view source,
                                                        std::string_view destination);

    [[nodiscard]] const std::string& source() const noexcept { return source_; }
    [[nodiscard]] const std::string& destination() const noexcept { return destination_; }

    /// Whether the transform is for this literal subject.
    [[nodiscard]] bool matches(bytes_view subject) const noexcept;

    /// Writes what becomes of a subject for which `matches` holds, instead of what `transformed`
    /// held. Costs no allocation when its capacity suffices.
    void apply(bytes_view subject, random_source& random, std::string& transformed) const;

private:
    subject_transform() = default;

    std::string source_;
    std::string destination_;
    std::vector<transform_step> steps_;
    std::size_t rest_index_ = 0; ///< Of the source's closing `>`.
};

} // namespace pipit::protocol
