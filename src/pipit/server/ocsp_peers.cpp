// SPDX-License-Identifier: Apache-2.0
// Which words are logged is what people look for: they are nats-server's.
#include <pipit/server/ocsp_peers.hpp>

#include <pipit/auth/certificate.hpp>
#include <pipit/auth/digest.hpp>
#include <pipit/base/base64.hpp>
#include <pipit/server/detail/monitoring_text.hpp>
#include <pipit/server/duration_text.hpp>
#include <pipit/server/error.hpp>

#include <chrono>
#include <utility>

namespace pipit::server {
namespace {

using auth::ocsp_status;

/// As Go's `url.QueryEscape` does it for base64.
std::string escaped(std::string_view base64) {
    std::string text;
    for (const char c : base64) {
        switch (c) {
        case '+': text += "%2B"; break;
        case '/': text += "%2F"; break;
        case '=': text += "%3D"; break;
        default: text += c;
        }
    }
    return text;
}

std::string quoted_by_brackets(std::string_view text) { return "[" + std::string(text) + "]"; }

std::string number_of(std::size_t number) { return quoted_by_brackets(std::to_string(number)); }

} // namespace

std::string certificate_fingerprint(bytes_view der) {
    const auto digest = auth::sha256(der);
    return to_base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string certificate_subject(bytes_view der) {
    const auto read = auth::read_certificate(der);
    return read ? read->common_subject : std::string();
}

/// A certificate whose authority can be asked about it.
struct ocsp_peers::link {
    auth::ocsp_link pair;
    std::vector<std::string> urls;
    std::string key;
    std::string subject;
};

bool ocsp_peers::judge(const net::certificate_chains& chains, const ocsp_peer_options& how) const {
    log_.debug("Peer OCSP enabled: " + std::to_string(chains.size()) +
               " TLS client chain(s) will be evaluated");
    if (chains.empty() || chains.front().empty()) {
        log_.error("Peer certificate is nil, rejecting OCSP peer");
        return false;
    }
    for (std::size_t i = 0; i < chains.size(); ++i) {
        if (is_good(chains[i], i, how)) return true;
    }
    log_.debug("No OCSP valid chains, thus peer is invalid");
    const auto& first = chains.front();
    surroundings_.tell({.is_about_link = false,
                        .link = {},
                        .peer = first.front(),
                        .link_issuer = {},
                        .peer_issuer = first.size() > 1 ? first[1] : std::string(),
                        .reason = refused_by_ocsp});
    return false;
}

bool ocsp_peers::is_good(const std::vector<std::string>& chain, std::size_t number,
                         const ocsp_peer_options& how) const {
    const auto which = "Chain " + number_of(number);
    log_.debug(which + ": " + std::to_string(chain.size()) + " total link(s)");
    if (chain.size() == 1) {
        log_.debug(which + " is self-signed, thus peer is valid");
        return true;
    }
    const auto refuse = [&](const auth::ocsp_link& of, const std::string& why_not) {
        log_.debug(why_not);
        surroundings_.tell({.is_about_link = true,
                            .link = of.certificate,
                            .peer = chain[0],
                            .link_issuer = of.issuer,
                            .peer_issuer = chain[1],
                            .reason = why_not});
        return false;
    };
    // Nobody is asked about the last one: it is trusted by itself.
    std::vector<link> eligible;
    for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
        link about{.pair = {chain[i], chain[i + 1]},
                   .urls = auth::ocsp_responders(chain[i]),
                   .key = certificate_fingerprint(chain[i]),
                   .subject = certificate_subject(chain[i])};
        if (!auth::has_readable_responders(chain[i])) {
            return refuse(about.pair, "Unreadable OCSP responders: " + about.subject);
        }
        if (!about.urls.empty()) eligible.push_back(std::move(about));
    }
    if (eligible.empty()) {
        log_.debug(which + " has no OCSP eligible links, thus peer is valid");
        return true;
    }
    log_.debug(which + " has " + std::to_string(eligible.size()) + " OCSP eligible link(s)");
    for (const auto& about : eligible) {
        const auto why_not = check(about, how);
        if (!why_not.empty()) return refuse(about.pair, why_not);
    }
    log_.debug(which + " is OCSP valid for all eligible links, thus peer is valid");
    return true;
}

std::string ocsp_peers::check(const link& about, const ocsp_peer_options& how) const {
    const auto subject = quoted_by_brackets(about.subject);
    /// What is wrong, but where the configuration wants to be warned alone.
    const auto wrong = [&](std::string why) {
        if (!how.warn_only) return why;
        log_.warning("OCSP verify fail for " + subject + " but WarnOnly is true so allowing");
        return std::string();
    };
    log_.debug("Checking OCSP peer cache for " + subject + ", key " +
               quoted_by_brackets(about.key));
    bool was_revoked = false;
    auto answer = find_kept(about, how, was_revoked);
    if (!answer) {
        const auto fetched = ask(about, how);
        if (!fetched) {
            log_.warning("Attempt to obtain OCSP response from CA responder for " + subject +
                         " failed: " + std::string(fetched.error().detail()));
            const auto warn = [&](std::string_view what) {
                log_.warning("Failed to obtain OCSP CA response for " + subject +
                             " but AllowWhenCAUnreachable set; " + std::string(what));
            };
            if (!how.warn_only && how.allow_when_ca_unreachable) {
                warn(was_revoked ? "cached revocation exists so rejecting"
                                 : "no cached revocation so allowing");
                if (!was_revoked) return {};
            }
            return wrong("Failed OCSP response fetch");
        }
        const auto read = auth::read_ocsp_answer(*fetched, about.pair, surroundings_.now());
        if (!read && read.error() == auth::ocsp_errc::unauthorized_signer) {
            const auto why = "Invalid OCSP response delegation: " + about.subject;
            log_.warning(why);
            return wrong(why);
        }
        if (!read) {
            log_.error("Could not parse OCSP CA response for " + subject + ": " +
                       std::string(read.error().detail()));
            return wrong("Failed OCSP response parse");
        }
        if (!is_current(*read, how)) {
            log_.warning("New OCSP CA response obtained for " + subject + " but not current");
            return wrong("OCSP response not in effectivity window");
        }
        answer = *read;
        if (cache_ != nullptr) {
            const auto seconds =
                std::chrono::floor<std::chrono::seconds>(surroundings_.now().time_since_epoch());
            cache_->put(about.key, {.subject = about.subject,
                                    .cached_at = rfc3339(wall_time(seconds)),
                                    .status = answer->status,
                                    .expires = answer->next_update ? rfc3339(*answer->next_update)
                                                                   : "0001-01-01T00:00:00Z",
                                    .answer = *fetched});
        }
    }
    const bool is_good = answer->status == ocsp_status::good ||
                         (answer->status == ocsp_status::unknown && how.unknown_is_good);
    if (is_good) {
        log_.debug("OCSP verify pass for " + subject);
        return {};
    }
    const std::string status(auth::text(answer->status));
    log_.warning("OCSP verify fail for " + subject + " with CA status " +
                 quoted_by_brackets(status));
    return wrong("Invalid OCSP response status: " + status);
}

/// What is kept, if it still holds. One that was called back is told also when it does not.
std::optional<auth::ocsp_answer>
ocsp_peers::find_kept(const link& about, const ocsp_peer_options& how, bool& was_revoked) const {
    const auto kept = cache_ != nullptr ? cache_->find(about.key) : std::nullopt;
    if (!kept) return std::nullopt;
    const auto read = auth::read_ocsp_answer(*kept, about.pair, surroundings_.now());
    if (!read) {
        log_.debug("Invalid cached OCSP response for " + quoted_by_brackets(about.subject) +
                   " with fingerprint " + quoted_by_brackets(about.key));
        cache_->remove(about.key);
        return std::nullopt;
    }
    was_revoked = read->status == ocsp_status::revoked;
    const auto status = quoted_by_brackets(auth::text(read->status));
    if (is_current(*read, how)) {
        log_.debug("Cached OCSP response is current, status " + status);
        return *read;
    }
    log_.debug("Cached OCSP response is expired, status " + status);
    cache_->remove(about.key);
    return std::nullopt;
}

/// The first place that answers.
result<std::string> ocsp_peers::ask(const link& about, const ocsp_peer_options& how) const {
    const auto request = auth::ocsp_request(about.pair);
    if (!request) return error(errc::unusable_file, "invalid chain link");
    const auto encoded = escaped(to_base64(*request));
    const auto timeout =
        how.ca_timeout > nanoseconds{} ? how.ca_timeout : ocsp_peer_options{}.ca_timeout;
    std::string why;
    for (auto url : about.urls) {
        log_.debug("Trying OCSP responder url " + quoted_by_brackets(url));
        if (url.ends_with('/')) url.pop_back();
        auto answer = surroundings_.fetch(url + '/' + encoded, timeout);
        if (answer && !answer->empty()) return answer;
        why = answer ? "it says nothing" : std::string(answer.error().detail());
    }
    return error(errc::unusable_file, "exhausted OCSP responders: " + why);
}

bool ocsp_peers::is_current(const auth::ocsp_answer& answer, const ocsp_peer_options& how) const {
    const auto now = surroundings_.now();
    const auto skew = how.allowed_clockskew;
    const auto until =
        answer.next_update.value_or(answer.this_update + how.cache_ttl_when_next_update_unset);
    const auto say = [&](std::string_view what, wall_time when) {
        log_.debug("OCSP response " + std::string(what) + ' ' + quoted_by_brackets(rfc3339(when)) +
                   " is before now " + quoted_by_brackets(rfc3339(now)) + " with clockskew " +
                   quoted_by_brackets(duration_text(skew)));
        return false;
    };
    if (until < now - skew) return say(answer.next_update ? "NextUpdate" : "cache expiry", until);
    if (answer.this_update > now + skew) return say("ThisUpdate", answer.this_update);
    return true;
}

} // namespace pipit::server
