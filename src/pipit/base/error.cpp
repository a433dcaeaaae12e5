// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/error.hpp>

namespace pipit {

std::string error::message() const {
    auto text = code_.message();
    if (detail_) {
        text += ": ";
        text += *detail_;
    }
    return text;
}

std::string system_reason(int number) {
    auto text = error_code(number, boost::system::system_category()).message();
    if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] += 'a' - 'A';
    return text;
}

void throw_exception_from_error(const error& error, const boost::source_location&) {
    throw failure(error);
}

} // namespace pipit
