// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/password.hpp>

#include <crypt.h>
#include <sodium/utils.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>

namespace pipit::auth {
namespace {

constexpr std::size_t bcrypt_setting_bytes = 29; // "$2b$11$" and 22 characters of salt
constexpr std::size_t bcrypt_hash_bytes = 31;
constexpr std::size_t bcrypt_password_bytes_max = 72; // What bcrypt looks at.

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// crypt's work space, which holds the password: wiped at the end.
class crypt_workspace {
public:
    crypt_workspace() : data_(std::make_unique<crypt_data>()) {}
    ~crypt_workspace() { sodium_memzero(data_.get(), sizeof(crypt_data)); }
    crypt_workspace(const crypt_workspace&) = delete;
    crypt_workspace& operator=(const crypt_workspace&) = delete;

    /// The hash with its setting; empty when the setting is not one of bcrypt's.
    std::string_view hash(const char* password, const char* setting) {
        const char* text = crypt_r(password, setting, data_.get());
        return text == nullptr || text[0] == '*' ? std::string_view() : std::string_view(text);
    }

private:
    std::unique_ptr<crypt_data> data_;
};

bool verify_bcrypt(std::string_view stored, std::string_view given) {
    if (stored.size() < bcrypt_setting_bytes + bcrypt_hash_bytes) return false;
    const auto password_bytes = std::min(given.size(), bcrypt_password_bytes_max);
    // To crypt a zero is the end, so "secret\0x" would pass for "secret".
    if (given.substr(0, password_bytes).find('\0') != std::string_view::npos) return false;

    std::array<char, bcrypt_password_bytes_max + 1> password{};
    std::copy_n(given.begin(), password_bytes, password.begin());
    std::array<char, bcrypt_setting_bytes + 1> setting{};
    std::copy_n(stored.begin(), bcrypt_setting_bytes, setting.begin());
    // nats-server computes one and the same function for all four letters; to crypt `x` means an
    // old bug with 8-bit characters, and `a` a defence against it that changes some hashes.
    setting[2] = 'b';

    crypt_workspace workspace;
    const auto computed = workspace.hash(password.data(), setting.data());
    sodium_memzero(password.data(), password.size());
    // Only the hashes: crypt writes the salt's last character its own way.
    return computed.size() == bcrypt_setting_bytes + bcrypt_hash_bytes &&
           sodium_memcmp(computed.data() + bcrypt_setting_bytes,
                         stored.data() + bcrypt_setting_bytes, bcrypt_hash_bytes) == 0;
}

/// Walks over what was given whatever is stored, so that time tells neither length nor content.
bool equal_in_constant_time(std::string_view stored, std::string_view given) {
    volatile unsigned difference = stored.size() == given.size() ? 0 : 1;
    for (std::size_t i = 0; i < given.size(); ++i) {
        const auto expected = stored.empty() ? '\0' : stored[i % stored.size()];
        difference = difference | static_cast<unsigned char>(expected ^ given[i]);
    }
    return difference == 0;
}

} // namespace

bool is_bcrypt(std::string_view stored) noexcept {
    return stored.size() >= 7 && stored.starts_with("$2") &&
           std::string_view("abxy").find(stored[2]) != std::string_view::npos && stored[3] == '$' &&
           is_digit(stored[4]) && is_digit(stored[5]) && stored[6] == '$';
}

bool verify_password(std::string_view stored, std::string_view given) {
    return is_bcrypt(stored) ? verify_bcrypt(stored, given) : equal_in_constant_time(stored, given);
}

} // namespace pipit::auth
