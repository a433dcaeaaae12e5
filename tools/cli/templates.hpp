// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/random.hpp>
#include <pipit/base/time.hpp>
#include <pipit/protocol/nuid.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace pipit::cli {

/// What a template may speak of.
struct template_values {
    std::uint64_t count = 0;
    wall_time now{};
    std::chrono::seconds utc_offset{}; ///< Of the local time.
    std::string_view subject;          ///< Of the request; `{{0}}`, `{{1}}`, … are its tokens.
    std::string_view request;          ///< Its payload.
};

/// A text after its templates were filled in, or why not: then the text is as it was.
struct filled_text {
    std::string text;
    std::string complaint;
};

/// Fills in `{{Count}}`, `{{Random 10 100}}` and so on, as the `nats` tool does; `{{.Count}}` is
/// the same. An unknown name, or `{{` that nothing closes, leaves all of it untouched.
class template_filler {
public:
    explicit template_filler(std::uint64_t seed) : random_(seed), names_(seed) {}

    [[nodiscard]] filled_text fill(std::string_view text, const template_values& values);

private:
    [[nodiscard]] std::string value_of(std::string_view expression, const template_values& values,
                                       std::string& complaint);
    [[nodiscard]] std::string random_text(std::string_view arguments, std::string& complaint);

    random_source random_;
    protocol::nuid names_;
};

/// What the help says of them.
inline constexpr std::string_view template_help =
    "Templates in the payload, the subject and header values are filled in for each message:\n\n"
    "  {{Count}}          the number of the message, from 1\n"
    "  {{Time}}           the time of day, as 3:04PM\n"
    "  {{TimeStamp}}      the time, as 2006-01-02T15:04:05+02:00\n"
    "  {{Unix}}           seconds since 1970\n"
    "  {{UnixNano}}       nanoseconds since 1970\n"
    "  {{ID}}             a name that nobody else has\n"
    "  {{Random 10 100}}  between 10 and 100 letters and digits";

} // namespace pipit::cli
