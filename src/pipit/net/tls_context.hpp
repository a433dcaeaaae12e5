// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/party.hpp>
#include <pipit/base/time.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::net {

enum class tls_version : std::uint8_t { v1_2, v1_3 };

/// Two files in PEM; the certificate may be followed by those between it and the authority.
struct tls_key_pair {
    std::string certificate_file;
    std::string key_file;
    friend bool operator==(const tls_key_pair&, const tls_key_pair&) = default;
};

/// What one side of TLS is made of.
struct tls_settings {
    /// A server chooses by the name that the client asks for, or else the first. A client has one
    /// at most.
    std::vector<tls_key_pair> key_pairs;
    std::string authorities_file; ///< PEM; empty: those that the system trusts.
    /// A server asks the client for a certificate and insists on a good one; a client insists on
    /// the server's. False for a client: it talks to whoever answers.
    bool verifies_peer = false;
    tls_version min_version = tls_version::v1_2;
    /// By their names in TLS, of version 1.2 (those of 1.3 are all good); empty: all good ones.
    std::vector<std::string> cipher_suites;
    /// By Go's names, the most wanted first; empty: all good ones.
    std::vector<std::string> curves;
    friend bool operator==(const tls_settings&, const tls_settings&) = default;
};

/// The ways in which a certificate was verified, the shortest first; each from the peer's own
/// certificate to an authority, in DER.
using certificate_chains = std::vector<std::vector<std::string>>;
/// Somebody whose certificate is a good one as far as TLS knows.
struct peer_to_judge {
    certificate_chains chains;
    party from;
};
/// Judges it. Calls `then` once, on any thread, also at once; empty: it may go on.
using peer_judge =
    std::function<void(peer_to_judge peer, std::function<void(std::string why_not)> then)>;

/// What a server shows together with its certificate: what an authority says of that, in DER.
class tls_staple {
public:
    tls_staple() = default;
    virtual ~tls_staple() = default;
    tls_staple(const tls_staple&) = delete;
    tls_staple& operator=(const tls_staple&) = delete;

    /// Null: there is nothing that could be shown now, and nobody may connect. Threads: all.
    [[nodiscard]] virtual std::shared_ptr<const std::string> now() const = 0;
};

/// What a server does beside what its settings say.
struct tls_server_parts {
    peer_judge judge = {};                              ///< Of clients that are verified.
    std::shared_ptr<const tls_staple> staple = nullptr; ///< For the first certificate.
};

/// Certificates, keys and rules, read from their files once and used by any number of connections.
///
/// Renegotiation, compression and early data are off. A server gives out session tickets unless it
/// verifies its clients, who then show their certificate each time.
///
/// Threads: all.
class tls_context {
public:
    /// Errors: `errc::unusable_tls_file`, `errc::unusable_tls_settings`; the detail is a sentence,
    /// as Go's programs say it: `open x: no such file or directory`.
    [[nodiscard]] static result<std::shared_ptr<const tls_context>>
    for_server(const tls_settings& settings, tls_server_parts parts = {});
    [[nodiscard]] static result<std::shared_ptr<const tls_context>>
    for_client(const tls_settings& settings);
    ~tls_context();
    tls_context(const tls_context&) = delete;
    tls_context& operator=(const tls_context&) = delete;

    /// The first certificate's last moment; nothing without one.
    [[nodiscard]] std::optional<std::chrono::sys_seconds> valid_until() const noexcept;

    /// The first certificate and those that follow it in its file, in DER: without a context, which
    /// takes some milliseconds to make. Errors: `errc::unusable_tls_file`.
    [[nodiscard]] static result<std::vector<std::string>>
    own_certificates(const tls_settings& settings);
    /// Who has signed the first certificate, in DER: the one that follows it in its file, or an
    /// authority that is trusted. Nothing: it is not known.
    [[nodiscard]] std::optional<std::string> issuer() const;

    /// SHA-256 of all that was read, in hex: another one means other certificates.
    [[nodiscard]] const std::string& files_digest() const noexcept;

    /// For the parts of `net` alone.
    struct state;
    [[nodiscard]] const state& internals() const noexcept { return *state_; }

private:
    explicit tls_context(std::unique_ptr<state> made);
    std::unique_ptr<state> state_;
};

/// What a configuration may name.
struct tls_cipher_suite {
    std::string_view name;
    bool is_insecure = false; ///< Only for who insists.
};
/// Null: there is none of this name.
[[nodiscard]] const tls_cipher_suite* find_tls_cipher_suite(std::string_view name) noexcept;
[[nodiscard]] bool is_tls_curve(std::string_view name) noexcept;
/// For help.
[[nodiscard]] std::vector<std::string_view> tls_cipher_suite_names();
[[nodiscard]] std::vector<std::string_view> tls_curve_names();

} // namespace pipit::net
