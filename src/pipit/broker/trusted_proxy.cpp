// SPDX-License-Identifier: Apache-2.0
// By whom a client came: proxies that are trusted sign its nonce beside it (ADR-55).
#include <pipit/broker/state.hpp>

#include <algorithm>
#include <utility>

namespace pipit::broker {

/// A proxy that says who it is has to be one that is trusted, even where nobody has to log in.
/// False: there is nothing to find out.
bool broker_state::asks_about_proxy(session& session, const protocol::connect_options& options,
                                    moment now) {
    auto& details = *session.details;
    details.lacks_proxy = false;
    const auto& trusted = config->trusted_proxies;
    if (trusted == nullptr || options.proxy_sig.empty()) {
        details.origin.by_trusted_proxy = false;
        return false;
    }
    // Until the answer is there, who is in already is still who it was.
    ask(session,
        {.what = proxy_check{.trusted = trusted,
                             .nonce = nonce_of(session),
                             .signature = options.proxy_sig}},
        now);
    return true;
}

void broker_state::on_proxy_answer(session& session, login_answer answer, moment now) {
    auto& details = *session.details;
    if (!answer.accepted) {
        if (!answer.why_not.empty()) log(answer.level, session, answer.why_not);
        log(log_level::debug, session, "proxy is not trusted");
        return refuse_login(session, close_reason::proxy_not_trusted);
    }
    details.origin.proxy_key = std::move(answer.proxy_key);
    details.origin.by_trusted_proxy = true;
    identify(session, details.options, now);
}

void broker_state::log_lack_of_proxy(const session& session) const {
    log(log_level::debug, session, "proxy connection required");
}

/// Also a service that decides cannot let it in any more, but is asked.
void broker_state::refuse_without_proxy(session& session, moment now) {
    log_lack_of_proxy(session);
    session.details->lacks_proxy = true;
    conclude(session, {.reason = close_reason::proxy_required}, now);
}

/// True also where no proxy vouched.
bool broker_state::trusts_proxy_of(const session& session) const noexcept {
    const auto& key = session.details->origin.proxy_key;
    if (key.empty()) return true;
    const auto& trusted = config->trusted_proxies;
    return trusted != nullptr && std::ranges::find(*trusted, key) != trusted->end();
}

} // namespace pipit::broker
