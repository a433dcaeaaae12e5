// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace pipit {

using boost::system::error_code;

/// An enumeration whose values are error codes: any module's `errc`.
template <class Enum>
concept error_code_enum = boost::system::is_error_code_enum<Enum>::value;

/// What went wrong: an error code, and optionally which subject, server, or file and line it was
/// about and what to do. The detail is empty on hot paths, where an error costs no allocation.
class error {
public:
    error() noexcept = default;
    error(error_code code) noexcept : code_(code) {}
    error(error_code code, std::string detail)
        : code_(code), detail_(std::make_shared<const std::string>(std::move(detail))) {}

    /// From an enumerator of any module's `errc`, so that `return errc::x;` works.
    template <error_code_enum Enum>
    error(Enum value) noexcept : code_(make_error_code(value)) {}
    template <error_code_enum Enum>
    error(Enum value, std::string detail) : error(make_error_code(value), std::move(detail)) {}

    [[nodiscard]] const error_code& code() const noexcept { return code_; }
    [[nodiscard]] std::string_view detail() const noexcept {
        return detail_ ? std::string_view(*detail_) : std::string_view();
    }
    /// The sentence for people: the code's message, then the detail.
    [[nodiscard]] std::string message() const;

    friend bool operator==(const error& a, const error& b) noexcept { return a.code_ == b.code_; }
    template <error_code_enum Enum>
    friend bool operator==(const error& a, Enum b) noexcept {
        return a.code_ == make_error_code(b);
    }

private:
    error_code code_;
    std::shared_ptr<const std::string> detail_;
};

/// The system's words for an `errno`, in lower case as Go's programs write them and tools search
/// for them: "address already in use".
[[nodiscard]] std::string system_reason(int number);

/// What `result::value()` throws when there is no value.
class failure : public std::runtime_error {
public:
    explicit failure(error why) : std::runtime_error(why.message()), error_(std::move(why)) {}
    [[nodiscard]] const pipit::error& why() const noexcept { return error_; }

private:
    pipit::error error_;
};

/// Found by argument-dependent lookup from `boost::system::result::value()`.
[[noreturn]] void throw_exception_from_error(const error& error,
                                             const boost::source_location& where);

/// A value, or why there is none.
template <class T = void>
using result = boost::system::result<T, error>;

} // namespace pipit
