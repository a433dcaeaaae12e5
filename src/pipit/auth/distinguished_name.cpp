// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/distinguished_name.hpp>

#include <pipit/auth/error.hpp>
#include <pipit/base/ascii_case.hpp>
#include <pipit/base/hex.hpp>

#include <algorithm>
#include <utility>

namespace pipit::auth {
namespace {

bool same(const distinguished_name::attribute& a, const distinguished_name::attribute& b) {
    return a.value == b.value && equal_without_case(a.type, b.type);
}

bool has_all(const distinguished_name::part& a, const distinguished_name::part& b) {
    return std::ranges::all_of(b, [&](const auto& wanted) {
        return std::ranges::any_of(a, [&](const auto& one) { return same(one, wanted); });
    });
}

bool same_part(const distinguished_name::part& a, const distinguished_name::part& b) {
    return a.size() == b.size() && has_all(a, b) && has_all(b, a);
}

error invalid(std::string why) { return {errc::invalid_distinguished_name, std::move(why)}; }

/// Walks over the text.
class name_reader {
public:
    explicit name_reader(std::string_view text) : text_(text) {}

    result<distinguished_name> read() {
        while (at_ < text_.size()) {
            const char c = text_[at_++];
            if (c == '\\') {
                if (auto taken = take_escaped(); !taken) return taken.error();
            } else if (c == '=' && attribute_.type.empty()) {
                attribute_.type = take_word();
                if (at_ < text_.size() && text_[at_] == '#') {
                    return invalid("values in hexadecimal form are not supported");
                }
            } else if (c == ',' || c == '+') {
                if (auto ended = end_attribute(); !ended) return ended.error();
                if (c != '+') end_part();
            } else if (c != ' ' || !word_.empty()) {
                word_ += c;
                trailing_blanks_ = c == ' ' ? trailing_blanks_ + 1 : 0;
            }
        }
        if (!word_.empty() || !attribute_.type.empty()) {
            if (auto ended = end_attribute(); !ended) return ended.error();
            end_part();
        }
        return std::move(name_);
    }

private:
    result<> take_escaped() {
        trailing_blanks_ = 0;
        constexpr std::string_view special = " \"#+,;<=>\\";
        if (at_ == text_.size()) return invalid("nothing follows a backslash");
        if (special.find(text_[at_]) != std::string_view::npos) {
            word_ += text_[at_++];
            return {};
        }
        const int high = hex_digit(text_[at_]);
        const int low = at_ + 1 < text_.size() ? hex_digit(text_[at_ + 1]) : -1;
        if (high < 0 || low < 0) return invalid("two hexadecimal digits follow a backslash");
        word_ += static_cast<char>(high * 16 + low);
        at_ += 2;
        return {};
    }

    std::string take_word() {
        word_.resize(word_.size() - trailing_blanks_);
        trailing_blanks_ = 0;
        return std::exchange(word_, {});
    }

    result<> end_attribute() {
        if (attribute_.type.empty()) return invalid("an attribute is written type=value");
        attribute_.value = take_word();
        part_.push_back(std::exchange(attribute_, {}));
        return {};
    }
    void end_part() { name_.parts.push_back(std::exchange(part_, {})); }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string word_;
    std::size_t trailing_blanks_ = 0;
    distinguished_name::attribute attribute_;
    distinguished_name::part part_;
    distinguished_name name_;
};

} // namespace

result<distinguished_name> distinguished_name::parse(std::string_view text) {
    return name_reader(text).read();
}

bool distinguished_name::equals(const distinguished_name& other) const {
    return std::ranges::equal(parts, other.parts, same_part);
}

bool distinguished_name::has_the_parts_of(const distinguished_name& other) const {
    return parts.size() == other.parts.size() &&
           std::ranges::is_permutation(parts, other.parts, same_part);
}

} // namespace pipit::auth
