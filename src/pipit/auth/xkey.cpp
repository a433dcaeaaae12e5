// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/xkey.hpp>

#include <sodium.h>

namespace pipit::auth {
namespace {

constexpr bytes_view version = "xkv1";
static_assert(xkey_nonce_bytes == crypto_box_NONCEBYTES);

const std::uint8_t* bytes_of(bytes_view text) noexcept {
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

std::uint8_t* bytes_of(std::string& text) noexcept {
    return reinterpret_cast<std::uint8_t*>(text.data());
}

} // namespace

result<std::string> seal(const curve_key& from, const public_nkey& to, bytes_view message,
                         const xkey_nonce& nonce) {
    std::string box(message.size() + crypto_box_MACBYTES, '\0');
    if (to.prefix != nkey_prefix::curve ||
        crypto_box_easy(bytes_of(box), bytes_of(message), message.size(), nonce.data(),
                        to.bytes.data(), from.secret().bytes().data()) != 0) {
        return error(errc::invalid_xkey, "not a public curve key");
    }
    std::string sealed(version);
    sealed.append(reinterpret_cast<const char*>(nonce.data()), nonce.size());
    return sealed += box;
}

result<std::string> open(const curve_key& to, const public_nkey& from, bytes_view sealed) {
    constexpr auto head = version.size() + xkey_nonce_bytes;
    if (sealed.size() < head + crypto_box_MACBYTES || !sealed.starts_with(version)) {
        return error(errc::invalid_xkey, "not encrypted with a curve key");
    }
    const auto nonce = sealed.substr(version.size(), xkey_nonce_bytes);
    const auto box = sealed.substr(head);
    std::string message(box.size() - crypto_box_MACBYTES, '\0');
    if (from.prefix != nkey_prefix::curve ||
        crypto_box_open_easy(bytes_of(message), bytes_of(box), box.size(), bytes_of(nonce),
                             from.bytes.data(), to.secret().bytes().data()) != 0) {
        return error(errc::invalid_xkey, "could not decrypt");
    }
    return message;
}

} // namespace pipit::auth
