// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/system/error_category.hpp>

#include <string>

namespace pipit {

/// The category of a module's `errc`: a name, and a function with a sentence for each value, whose
/// `switch` the compiler checks.
///
/// ```cpp
/// error_code make_error_code(errc value) noexcept {
///     static constinit const errc_category<errc> category("pipit.net", sentence);
///     return {static_cast<int>(value), category};
/// }
/// ```
///
/// Lifetime: trivially destroyed, so that an error can still be read while a program ends.
template <class Enum>
class errc_category final : public boost::system::error_category {
public:
    using sentence_function = const char* (*)(Enum);

    constexpr errc_category(const char* name, sentence_function sentence) noexcept
        : name_(name), sentence_(sentence) {}

    [[nodiscard]] const char* name() const noexcept override { return name_; }
    [[nodiscard]] std::string message(int value) const override {
        return sentence_(static_cast<Enum>(value));
    }

private:
    const char* name_;
    sentence_function sentence_;
};

} // namespace pipit
