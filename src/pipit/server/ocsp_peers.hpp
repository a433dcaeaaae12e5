// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/ocsp.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/log.hpp>
#include <pipit/base/time.hpp>
#include <pipit/net/tls_context.hpp>
#include <pipit/server/ocsp_authorities.hpp>
#include <pipit/server/ocsp_cache.hpp>
#include <pipit/server/ocsp_options.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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
struct ocsp_dependencies {
    std::function<wall_time()> now;
    std::function<void(const ocsp_event& event)> tell;
};

/// Judges a client whose certificate TLS takes, by what the authorities say that have signed it.
/// Asks nobody: it says what is to be asked, and is told the answer.
///
/// Threads: one.
class ocsp_inquiry {
public:
    /// The dependencies, the log and the cache, which may be null, outlive it.
    ocsp_inquiry(const ocsp_dependencies& dependencies, ocsp_cache* cache, const logger& log,
                 net::certificate_chains chains, const ocsp_peer_options& how)
        : its_(dependencies), cache_(cache), log_(log), chains_(std::move(chains)), how_(how) {}

    /// Goes on as far as it can. True: of one of the chains every certificate is good whose
    /// authority can be asked. Nothing: somebody has to answer `question()` first.
    [[nodiscard]] std::optional<bool> go_on();
    [[nodiscard]] const ocsp_question& question() const noexcept { return question_; }
    void answer(result<std::string> said) { said_ = std::move(said); }

private:
    /// A certificate whose authority can be asked about it.
    struct link {
        auth::ocsp_link pair;
        std::vector<std::string> urls;
        std::string key;
        std::string subject;
    };
    /// Why a certificate is not good; empty: it is.
    using reason = std::string;

    [[nodiscard]] bool begin() const;
    std::optional<bool> go_on_with_chain();
    std::optional<bool> begin_chain();
    [[nodiscard]] bool refuse(const auth::ocsp_link& of, const reason& why_not) const;
    [[nodiscard]] bool refuse_all() const;

    std::optional<reason> check(const link& about);
    std::optional<auth::ocsp_answer> find_kept(const link& about);
    [[nodiscard]] reason take(const link& about, const result<std::string>& said) const;
    [[nodiscard]] reason miss(const link& about, std::string_view why) const;
    void keep(const link& about, const std::string& said, const auth::ocsp_answer& answer) const;
    [[nodiscard]] reason judge(const link& about, const auth::ocsp_answer& answer) const;
    [[nodiscard]] reason wrong(const link& about, reason why) const;
    [[nodiscard]] bool is_current(const auth::ocsp_answer& answer) const;

    const ocsp_dependencies& its_;
    ocsp_cache* cache_;
    const logger& log_;
    net::certificate_chains chains_;
    ocsp_peer_options how_;
    bool has_begun_ = false;
    std::size_t chain_ = 0;
    std::optional<std::vector<link>> links_; ///< Of this chain, once it has begun.
    std::size_t link_ = 0;
    bool was_revoked_ = false; ///< What was kept of this link and does not hold any more.
    ocsp_question question_;
    std::optional<result<std::string>> said_;
};

/// What the answers about a certificate are kept by: SHA-256 in base64.
[[nodiscard]] std::string certificate_fingerprint(bytes_view der);
/// The subject as Go writes it; empty: it is no certificate.
[[nodiscard]] std::string certificate_subject(bytes_view der);

/// The words by which a client is refused.
inline constexpr std::string_view refused_by_ocsp = "client not OCSP valid";

} // namespace pipit::server
