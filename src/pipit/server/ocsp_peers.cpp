// SPDX-License-Identifier: Apache-2.0
// Which words are logged is what people look for: they are nats-server's.
#include <pipit/server/ocsp_peers.hpp>

#include <pipit/auth/certificate.hpp>
#include <pipit/auth/digest.hpp>
#include <pipit/auth/error.hpp>
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

// --- Chain by chain ---

std::optional<bool> ocsp_inquiry::go_on() {
    if (!std::exchange(has_begun_, true) && !begin()) return false;
    for (; chain_ < chains_.size(); ++chain_) {
        const auto outcome = go_on_with_chain();
        if (!outcome) return std::nullopt;
        if (*outcome) return true;
        links_.reset();
        link_ = 0;
    }
    return refuse_all();
}

bool ocsp_inquiry::begin() const {
    log_.debug("Peer OCSP enabled: " + std::to_string(chains_.size()) +
               " TLS client chain(s) will be evaluated");
    if (!chains_.empty() && !chains_.front().empty()) return true;
    log_.error("Peer certificate is nil, rejecting OCSP peer");
    return false;
}

bool ocsp_inquiry::refuse_all() const {
    log_.debug("No OCSP valid chains, thus peer is invalid");
    const auto& first = chains_.front();
    its_.tell({.is_about_link = false,
               .link = {},
               .peer = first.front(),
               .link_issuer = {},
               .peer_issuer = first.size() > 1 ? first[1] : std::string(),
               .reason = refused_by_ocsp});
    return false;
}

/// True: this chain is good. Nothing: as `go_on`.
std::optional<bool> ocsp_inquiry::go_on_with_chain() {
    if (!links_) {
        if (const auto decided = begin_chain()) return decided;
    }
    for (; link_ < links_->size(); ++link_) {
        const auto& about = (*links_)[link_];
        const auto why_not = check(about);
        if (!why_not) return std::nullopt;
        if (!why_not->empty()) return refuse(about.pair, *why_not);
    }
    log_.debug("Chain " + number_of(chain_) +
               " is OCSP valid for all eligible links, thus peer is valid");
    return true;
}

/// Nothing: somebody has to be asked about its `links_`.
std::optional<bool> ocsp_inquiry::begin_chain() {
    const auto& chain = chains_[chain_];
    const auto which = "Chain " + number_of(chain_);
    log_.debug(which + ": " + std::to_string(chain.size()) + " total link(s)");
    if (chain.size() == 1) {
        log_.debug(which + " is self-signed, thus peer is valid");
        return true;
    }
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
    links_ = std::move(eligible);
    return std::nullopt;
}

bool ocsp_inquiry::refuse(const auth::ocsp_link& of, const reason& why_not) const {
    log_.debug(why_not);
    const auto& chain = chains_[chain_];
    its_.tell({.is_about_link = true,
               .link = of.certificate,
               .peer = chain[0],
               .link_issuer = of.issuer,
               .peer_issuer = chain[1],
               .reason = why_not});
    return false;
}

// --- One certificate ---

/// Nothing: somebody has to be asked.
std::optional<ocsp_inquiry::reason> ocsp_inquiry::check(const link& about) {
    if (const auto said = std::exchange(said_, std::nullopt)) return take(about, *said);
    log_.debug("Checking OCSP peer cache for " + quoted_by_brackets(about.subject) + ", key " +
               quoted_by_brackets(about.key));
    if (const auto kept = find_kept(about)) return judge(about, *kept);
    const auto request = auth::ocsp_request(about.pair);
    if (!request) return miss(about, "invalid chain link");
    question_ = {.certificate = about.key,
                 .urls = about.urls,
                 .request = escaped(to_base64(*request)),
                 .timeout = how_.ca_timeout > nanoseconds{} ? how_.ca_timeout
                                                            : ocsp_peer_options{}.ca_timeout};
    return std::nullopt;
}

/// What is kept, if it still holds. One that was called back is noted also when it does not.
std::optional<auth::ocsp_answer> ocsp_inquiry::find_kept(const link& about) {
    was_revoked_ = false;
    const auto kept = cache_ != nullptr ? cache_->find(about.key) : std::nullopt;
    if (!kept) return std::nullopt;
    const auto read = auth::read_ocsp_answer(*kept, about.pair, its_.now());
    if (!read) {
        log_.debug("Invalid cached OCSP response for " + quoted_by_brackets(about.subject) +
                   " with fingerprint " + quoted_by_brackets(about.key));
        cache_->remove(about.key);
        return std::nullopt;
    }
    was_revoked_ = read->status == ocsp_status::revoked;
    const auto status = quoted_by_brackets(auth::text(read->status));
    if (is_current(*read)) {
        log_.debug("Cached OCSP response is current, status " + status);
        return *read;
    }
    log_.debug("Cached OCSP response is expired, status " + status);
    cache_->remove(about.key);
    return std::nullopt;
}

/// What an authority has said, as far as it is of use.
ocsp_inquiry::reason ocsp_inquiry::take(const link& about, const result<std::string>& said) const {
    if (!said) return miss(about, said.error().detail());
    const auto subject = quoted_by_brackets(about.subject);
    const auto answer = auth::read_ocsp_answer(*said, about.pair, its_.now());
    if (!answer && answer.error() == auth::errc::unauthorized_ocsp_signer) {
        const auto why = "Invalid OCSP response delegation: " + about.subject;
        log_.warning(why);
        return wrong(about, why);
    }
    if (!answer) {
        log_.error("Could not parse OCSP CA response for " + subject + ": " +
                   std::string(answer.error().detail()));
        return wrong(about, "Failed OCSP response parse");
    }
    if (!is_current(*answer)) {
        log_.warning("New OCSP CA response obtained for " + subject + " but not current");
        return wrong(about, "OCSP response not in effectivity window");
    }
    keep(about, *said, *answer);
    return judge(about, *answer);
}

/// There is no answer.
ocsp_inquiry::reason ocsp_inquiry::miss(const link& about, std::string_view why) const {
    const auto subject = quoted_by_brackets(about.subject);
    log_.warning("Attempt to obtain OCSP response from CA responder for " + subject +
                 " failed: " + std::string(why));
    if (!how_.warn_only && how_.allow_when_ca_unreachable) {
        const std::string_view so = was_revoked_ ? "cached revocation exists so rejecting"
                                                 : "no cached revocation so allowing";
        log_.warning("Failed to obtain OCSP CA response for " + subject +
                     " but AllowWhenCAUnreachable set; " + std::string(so));
        if (!was_revoked_) return {};
    }
    return wrong(about, "Failed OCSP response fetch");
}

void ocsp_inquiry::keep(const link& about, const std::string& said,
                        const auth::ocsp_answer& answer) const {
    if (cache_ == nullptr) return;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(its_.now().time_since_epoch());
    cache_->put(about.key, {.subject = about.subject,
                            .cached_at = rfc3339(wall_time(seconds)),
                            .status = answer.status,
                            .expires = rfc3339(answer.next_update),
                            .answer = said});
}

ocsp_inquiry::reason ocsp_inquiry::judge(const link& about, const auth::ocsp_answer& answer) const {
    const auto subject = quoted_by_brackets(about.subject);
    if (answer.status == ocsp_status::good ||
        (answer.status == ocsp_status::unknown && how_.unknown_is_good)) {
        log_.debug("OCSP verify pass for " + subject);
        return {};
    }
    const std::string status(auth::text(answer.status));
    log_.warning("OCSP verify fail for " + subject + " with CA status " +
                 quoted_by_brackets(status));
    return wrong(about, "Invalid OCSP response status: " + status);
}

/// What is wrong, but where the configuration wants to be warned alone.
ocsp_inquiry::reason ocsp_inquiry::wrong(const link& about, reason why) const {
    if (!how_.warn_only) return why;
    log_.warning("OCSP verify fail for " + quoted_by_brackets(about.subject) +
                 " but WarnOnly is true so allowing");
    return {};
}

bool ocsp_inquiry::is_current(const auth::ocsp_answer& answer) const {
    const auto now = its_.now();
    const auto skew = how_.allowed_clockskew;
    const auto until =
        answer.next_update.value_or(answer.this_update + how_.cache_ttl_when_next_update_unset);
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
