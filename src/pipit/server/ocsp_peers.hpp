// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/ocsp.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/log.hpp>
#include <pipit/base/time.hpp>
#include <pipit/net/tls_context.hpp>
#include <pipit/server/ocsp_cache.hpp>
#include <pipit/server/ocsp_options.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::server {

/// What somebody should hear of a client's certificate.
struct ocsp_event {
    bool is_about_link = false; ///< A certificate of its chain; else that the client is refused.
    std::string link;           ///< That certificate, in DER.
    std::string peer;           ///< The client's own.
    std::string link_issuer;    ///< Who has signed each, in DER.
    std::string peer_issuer;
    std::string_view reason;
};

/// How the rest of the world is reached.
struct ocsp_surroundings {
    /// GET of a URL; waits for the answer.
    std::function<result<std::string>(const std::string& url, nanoseconds timeout)> fetch;
    std::function<wall_time()> now;
    std::function<void(const ocsp_event& event)> tell;
};

/// Judges clients whose certificates TLS takes, by what the authorities say that have signed them.
/// Waits for answers that are not kept.
///
/// Threads: all, if its surroundings are for all.
class ocsp_peers {
public:
    /// `cache` may be null.
    ocsp_peers(const ocsp_surroundings& surroundings, ocsp_cache* cache, const logger& log)
        : surroundings_(surroundings), cache_(cache), log_(log) {}

    /// True: of one of the chains every certificate is good whose authority can be asked.
    [[nodiscard]] bool judge(const net::certificate_chains& chains,
                             const ocsp_peer_options& how) const;

private:
    struct link;

    bool is_good(const std::vector<std::string>& chain, std::size_t number,
                 const ocsp_peer_options& how) const;
    /// Why not; empty: it is good.
    std::string check(const link& about, const ocsp_peer_options& how) const;
    std::optional<auth::ocsp_answer> find_kept(const link& about, const ocsp_peer_options& how,
                                               bool& was_revoked) const;
    result<std::string> ask(const link& about, const ocsp_peer_options& how) const;
    bool is_current(const auth::ocsp_answer& answer, const ocsp_peer_options& how) const;

    const ocsp_surroundings& surroundings_;
    ocsp_cache* cache_;
    const logger& log_;
};

/// What the answers about a certificate are kept by: SHA-256 in base64.
[[nodiscard]] std::string certificate_fingerprint(bytes_view der);
/// The subject as Go writes it; empty: it is no certificate.
[[nodiscard]] std::string certificate_subject(bytes_view der);

/// The words by which a client is refused.
inline constexpr std::string_view refused_by_ocsp = "client not OCSP valid";

} // namespace pipit::server
