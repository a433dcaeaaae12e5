// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What an authority says of a certificate it has signed, by the Online Certificate Status
/// Protocol. Nothing here asks anybody or reads a clock. Source: RFC 6960.
namespace pipit::auth {

enum class ocsp_status : std::uint8_t { good, revoked, unknown };
/// `good`, `revoked`, `unknown`
[[nodiscard]] std::string_view text(ocsp_status status) noexcept;

/// A certificate and who has signed it, in DER.
struct ocsp_link {
    std::string certificate;
    std::string issuer;
};

struct ocsp_answer {
    ocsp_status status = ocsp_status::unknown;
    wall_time this_update{};              ///< From then on it holds,
    std::optional<wall_time> next_update; ///< and until then, if it says.
};

/// What is sent to ask about a certificate, in DER.
/// Errors: `errc::invalid_certificate`.
[[nodiscard]] result<std::string> ocsp_request(const ocsp_link& about);

/// Reads an answer in DER. It is about this certificate and nothing else, and has been signed by
/// its issuer, or by somebody whom the issuer has charged with that and whose certificate holds
/// at `now`. When it holds itself is for the caller to judge.
/// Errors: `errc::invalid_certificate`, of the pair; `errc::invalid_ocsp_answer`;
///         `errc::unauthorized_ocsp_signer`.
[[nodiscard]] result<ocsp_answer> read_ocsp_answer(bytes_view der, const ocsp_link& about,
                                                   wall_time now);

/// Where a certificate says its authority can be asked: `http://…` and `https://…`.
[[nodiscard]] std::vector<std::string> ocsp_responders(bytes_view certificate);

/// False: where the authority of a certificate can be asked stands there, but cannot be read or
/// stands there twice. Then `ocsp_responders` knows of none, which is no reason to ask nobody.
[[nodiscard]] bool has_readable_responders(bytes_view certificate);

/// Whoever shows this certificate has to show such an answer with it ("must staple", RFC 7633).
[[nodiscard]] bool demands_staple(bytes_view certificate);

/// Its key may sign certificates.
[[nodiscard]] bool is_authority(bytes_view certificate);

} // namespace pipit::auth
