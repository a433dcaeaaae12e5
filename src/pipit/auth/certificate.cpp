// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/certificate.hpp>

#include <pipit/auth/detail/der.hpp>
#include <pipit/auth/detail/octets.hpp>
#include <pipit/auth/digest.hpp>
#include <pipit/auth/error.hpp>
#include <pipit/base/c_pointer.hpp>
#include <pipit/base/hex.hpp>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace pipit::auth {
namespace {

using x509_pointer = c_pointer<X509, X509_free>;
using general_names_pointer = c_pointer<GENERAL_NAMES, GENERAL_NAMES_free>;

/// One attribute of a subject, as it stands in the certificate.
struct subject_attribute {
    std::string type; ///< `2.5.4.3`
    std::string value;
    int part = 0; ///< Attributes with the same number belong together.
};

struct known_type {
    std::string_view number;
    std::string_view name;
};
/// In the order in which Go writes them.
constexpr std::array common_types{
    known_type{"2.5.4.5", "SERIALNUMBER"},
    known_type{"2.5.4.3", "CN"},
    known_type{"2.5.4.11", "OU"},
    known_type{"2.5.4.10", "O"},
    known_type{"2.5.4.17", "POSTALCODE"},
    known_type{"2.5.4.9", "STREET"},
    known_type{"2.5.4.7", "L"},
    known_type{"2.5.4.8", "ST"},
    known_type{"2.5.4.6", "C"},
};
constexpr std::string_view domain_component = "0.9.2342.19200300.100.1.25";

const known_type* find_common(std::string_view number) {
    const auto* const found = std::ranges::find(common_types, number, &known_type::number);
    return found == common_types.end() ? nullptr : found;
}

std::string hex_digest(const unsigned char* bytes, std::size_t count) {
    const auto digest = sha256({reinterpret_cast<const char*>(bytes), count});
    return to_hex(detail::text_of(digest));
}

std::string key_digest(const X509* certificate) {
    unsigned char* bytes = nullptr;
    const auto count = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &bytes);
    if (count <= 0) return {};
    auto digest = hex_digest(bytes, static_cast<std::size_t>(count));
    OPENSSL_free(bytes);
    return digest;
}

std::string text_of(const ASN1_STRING* string) {
    unsigned char* bytes = nullptr;
    const auto count = ASN1_STRING_to_UTF8(&bytes, string);
    if (count < 0) return {};
    std::string text(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
    OPENSSL_free(bytes);
    return text;
}

std::vector<subject_attribute> subject_of(const X509* certificate) {
    std::vector<subject_attribute> attributes;
    const auto* const name = X509_get_subject_name(certificate);
    for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
        const auto* const entry = X509_NAME_get_entry(name, i);
        std::array<char, 128> number{};
        OBJ_obj2txt(number.data(), number.size(), X509_NAME_ENTRY_get_object(entry), 1);
        attributes.push_back(
            {number.data(), text_of(X509_NAME_ENTRY_get_data(entry)), X509_NAME_ENTRY_set(entry)});
    }
    return attributes;
}

/// Source: Go's `pkix.RDNSequence.String`.
void append_escaped(std::string& text, std::string_view value) {
    for (std::size_t i = 0; i < value.size(); ++i) {
        constexpr std::string_view special = ",+\"\\<>;";
        const bool at_edge = i == 0 || i + 1 == value.size();
        const bool is_special = special.find(value[i]) != std::string_view::npos ||
                                (value[i] == ' ' && at_edge) || (value[i] == '#' && i == 0);
        if (is_special) text += '\\';
        text += value[i];
    }
}

/// A value as Go marshals it, for attributes that have no name.
std::string der_of(std::string_view value) {
    const bool is_printable = std::ranges::all_of(value, [](char c) {
        constexpr std::string_view others = " '()+,-./:=?";
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               others.find(c) != std::string_view::npos;
    });
    constexpr unsigned char printable_string = 0x13, utf8_string = 0x0c;
    return detail::der_element(is_printable ? printable_string : utf8_string, value);
}

/// The attributes that Go has names for; all values of a kind stand together.
std::string common_text(const std::vector<subject_attribute>& subject) {
    std::string text;
    for (const auto& [number, name] : common_types) {
        // Of these Go keeps the last one.
        const bool only_last = name == "CN" || name == "SERIALNUMBER";
        std::string of_this_type;
        for (const auto& one : subject) {
            if (one.type != number || (only_last && one.value.empty())) continue;
            if (only_last) of_this_type.clear();
            if (!of_this_type.empty()) of_this_type += '+';
            of_this_type.append(name) += '=';
            append_escaped(of_this_type, one.value);
        }
        if (of_this_type.empty()) continue;
        if (!text.empty()) text += ',';
        text += of_this_type;
    }
    return text;
}

std::string subject_text(const std::vector<subject_attribute>& subject, std::string text) {
    for (auto one = subject.rbegin(); one != subject.rend(); ++one) {
        if (find_common(one->type) != nullptr) continue;
        if (!text.empty()) text += ',';
        text += one->type + "=#" + to_hex(der_of(one->value));
    }
    return text;
}

std::string with_components(const std::vector<subject_attribute>& subject, std::string text) {
    bool has_some = false;
    for (const auto& one : subject) {
        if (one.type != domain_component) continue;
        text += ",DC=" + one.value;
        has_some = true;
    }
    return has_some ? text : std::string();
}

std::optional<distinguished_name> name_of(const std::vector<subject_attribute>& subject) {
    distinguished_name name;
    int last_part = -1;
    for (auto one = subject.rbegin(); one != subject.rend(); ++one) {
        const auto* const known = find_common(one->type);
        if (known == nullptr && one->type != domain_component) return std::nullopt;
        if (name.parts.empty() || one->part != last_part) name.parts.emplace_back();
        last_part = one->part;
        name.parts.back().push_back(
            {known != nullptr ? std::string(known->name) : "DC", one->value});
    }
    return name;
}

void read_alternatives(const X509* from, certificate& to) {
    const general_names_pointer names(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(from, NID_subject_alt_name, nullptr, nullptr)));
    if (!names) return;
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        int kind = 0;
        const auto* const value =
            GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &kind);
        if (kind != GEN_EMAIL && kind != GEN_DNS && kind != GEN_URI) continue;
        const auto* const string = static_cast<const ASN1_STRING*>(value);
        auto& list = kind == GEN_EMAIL ? to.emails : kind == GEN_DNS ? to.dns_names : to.uris;
        list.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                          static_cast<std::size_t>(ASN1_STRING_length(string)));
    }
}

} // namespace

result<certificate> read_certificate(bytes_view der) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    const auto* const begin = bytes;
    const x509_pointer parsed(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
    const bool is_whole = parsed && bytes == begin + der.size();
    if (!is_whole) {
        ERR_clear_error();
        return errc::invalid_certificate;
    }
    const auto subject = subject_of(parsed.get());
    certificate read;
    read.common_subject = common_text(subject);
    read.subject = subject_text(subject, read.common_subject);
    read.subject_and_components = with_components(subject, read.common_subject);
    read.name = name_of(subject);
    read_alternatives(parsed.get(), read);
    read.key_sha256 = key_digest(parsed.get());
    read.sha256 = hex_digest(begin, der.size());
    ERR_clear_error();
    return read;
}

} // namespace pipit::auth
