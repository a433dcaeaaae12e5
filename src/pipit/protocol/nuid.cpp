// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/nuid.hpp>

namespace pipit::protocol {
namespace {

constexpr std::string_view digits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t prefix_length = 12;
constexpr std::uint64_t counter_end = 839'299'365'868'340'224; // 62 to the power of 10
constexpr std::uint32_t step_min = 33, step_max = 333;

} // namespace

nuid::nuid(std::uint64_t seed) : random_(seed) { begin_prefix(); }

std::string nuid::next() {
    counter_ += step_;
    if (counter_ >= counter_end) begin_prefix();
    std::string name = prefix_ + std::string(length - prefix_length, '0');
    auto rest = counter_;
    for (auto place = name.size(); place-- > prefix_length; rest /= digits.size()) {
        name[place] = digits[rest % digits.size()];
    }
    return name;
}

void nuid::begin_prefix() {
    prefix_.clear();
    for (std::size_t i = 0; i < prefix_length; ++i) {
        prefix_ += digits[random_.below(static_cast<std::uint32_t>(digits.size()))];
    }
    counter_ = random_() % counter_end;
    step_ = step_min + random_.below(step_max - step_min);
}

std::string make_inbox(nuid& names, std::string_view prefix) {
    std::string inbox(prefix);
    inbox += '.';
    return inbox += names.next();
}

} // namespace pipit::protocol
