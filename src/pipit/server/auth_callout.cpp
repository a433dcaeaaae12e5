// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/auth_callout.hpp>

#include <pipit/auth/xkey.hpp>
#include <pipit/base/base64.hpp>
#include <pipit/base/unix_time.hpp>
#include <pipit/broker/tls_facts.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/net/error.hpp>
#include <pipit/net/http_client.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/callout_answer.hpp>
#include <pipit/server/error.hpp>

#include <algorithm>
#include <utility>

namespace pipit::server {
namespace {

using broker::callout_check;
using broker::login_answer;

/// Behind the broker's own patience, so that it is the broker who says that it was too long.
constexpr nanoseconds patience = std::chrono::seconds(1);

/// Source: RFC 7468.
std::string pem_of(std::string_view der) {
    constexpr std::size_t line_bytes = 64;
    const auto text = to_base64(der);
    std::string pem = "-----BEGIN CERTIFICATE-----\n";
    for (std::size_t at = 0; at < text.size(); at += line_bytes) {
        pem.append(text, at, line_bytes) += '\n';
    }
    return pem += "-----END CERTIFICATE-----\n";
}

} // namespace

auth_callout::auth_callout(callout_dependencies dependencies, std::uint64_t seed, logger log)
    : its_(std::move(dependencies)), log_(std::move(log)), tokens_(seed) {}

void auth_callout::ask(broker::login_question question, answer_function answer) {
    worker_.post([this, question = std::move(question), answer = std::move(answer)] {
        send(question, answer);
    });
}

void auth_callout::send(const broker::login_question& question, answer_function answer) {
    if (question.give_up_at < net::steady_now()) return answer({.undecided = true});
    const auto until =
        std::min(question.give_up_at, net::steady_now() + its_.configuration()->auth_timeout);
    const auto& check = std::get<callout_check>(question.what);
    const auto now = its_.now();
    auth::public_nkey user{auth::nkey_prefix::user, {}};
    its_.fill_randomly(user.bytes);
    auto user_nkey = auth::encode(user);
    const auto request =
        authorization_request(check, *its_.configuration(), its_.tags(), user_nkey, now);
    if (!check.service->url.empty()) {
        auto to_fetch = request_by_http(check, auth::to_json(request));
        if (!to_fetch) return answer({.undecided = true});
        {
            const std::lock_guard guard(web_lock_);
            web_waiting_.push(party(question.address),
                              {check, std::move(*to_fetch), std::move(answer), until});
        }
        return web_[next_web_++ % web_.size()].post([this] { ask_next_by_http(); });
    }
    auto body = auth::encode(request, *its_.keys.identity);
    std::string headers;
    const auto& service = *check.service;
    if (!service.xkey.empty()) {
        auth::xkey_nonce nonce{};
        its_.fill_randomly(nonce);
        const auto peer = auth::decode_public_nkey(service.xkey);
        const auto sealed = peer ? auth::seal(*its_.keys.curve, *peer, body, nonce)
                                 : result<std::string>(peer.error());
        if (!sealed) {
            log_.warning("Error encrypting auth request claim on account " +
                         protocol::quoted(service.account_name) + ": " + sealed.error().message());
            return answer({.undecided = true});
        }
        body = *sealed;
        headers.append("NATS/1.0\r\n").append(auth::callout_xkey_header).append(": ");
        headers.append(request.server.xkey).append("\r\n\r\n");
    }
    const auto account = service.account;
    auto token = tokens_.next();
    pending_.emplace(token, pending{check, std::move(user_nkey), std::move(answer)});
    by_age_.emplace_back(until + patience, token);
    its_.publish(account, std::move(token), std::move(headers), std::move(body));
    if (!is_looked_after_) give_up_late_ones();
}

/// What is to be fetched; nothing: it cannot be.
std::optional<net::http_request> auth_callout::request_by_http(const callout_check& check,
                                                               std::string body) {
    const auto url = net::parse_http_url(check.service->url);
    if (url && url->is_secure && !web_tls_) {
        auto tls = net::tls_context::for_client({.verifies_peer = true});
        if (tls) web_tls_ = std::move(*tls);
    }
    if (!url || (url->is_secure && !web_tls_)) return std::nullopt;
    return net::http_request{.to = *url,
                             .content_type = "application/json",
                             .body = std::move(body),
                             .timeout = check.service->url_timeout,
                             .answer_bytes_max = limits::http_callout_bytes,
                             .tls = web_tls_};
}

void auth_callout::ask_next_by_http() {
    std::unique_lock guard(web_lock_);
    const auto next = web_waiting_.take();
    guard.unlock();
    if (!next) return;
    // Who has waited so long for others' answers has been refused meanwhile.
    if (next->give_up_at < net::steady_now()) return next->answer({.undecided = true});
    ask_by_http(*next);
}

void auth_callout::ask_by_http(const web_question& question) const {
    const auto got = net::fetch_http(question.request, [this] { return is_stopping_.load(); });
    if (!got) {
        if (!is_stopping_) log_.warning("HTTP callout failed: " + got.error().message());
        return question.answer({.undecided = true});
    }
    const auto config = its_.configuration();
    const std::string no_key;
    question.answer(answer_of(user_of_http_answer({.check = question.check,
                                                   .user_nkey = no_key,
                                                   .keys = its_.keys,
                                                   .configuration = *config,
                                                   .now = its_.now()},
                                                  *got)));
}

void auth_callout::stop() {
    is_stopping_ = true;
    worker_.stop();
    for (auto& each : web_) each.stop();
}

void auth_callout::on_answer(std::string token, std::string body) {
    worker_.post([this, token = std::move(token), body = std::move(body)] {
        const auto found = pending_.extract(token);
        if (found.empty()) return; // Too late, or twice.
        const auto& asked = found.mapped();
        judge(asked, body);
    });
}

void auth_callout::judge(const pending& asked, const std::string& body) const {
    const auto config = its_.configuration();
    const callout_question question{.check = asked.check,
                                    .user_nkey = asked.user_nkey,
                                    .keys = its_.keys,
                                    .configuration = *config,
                                    .now = its_.now()};
    if (asked.check.service->by_jwt) return judge_by_jwt(asked, vouched_user_of(question, body));
    asked.answer(answer_of(user_of_answer(question, body)));
}

/// The account that issued the user has to know it, and says what it may.
void auth_callout::judge_by_jwt(const pending& asked, const result<vouched_user>& user) const {
    if (!user) return asked.answer(refusal_of(user.error()));
    broker::login_question question;
    question.address = asked.check.host;
    broker::jwt_check check;
    check.jwt = user->jwt;
    check.in_process = asked.check.in_process;
    check.is_websocket = asked.check.is_websocket;
    check.vouched_for = true;
    check.by_trusted_proxy = asked.check.by_trusted_proxy;
    question.what = std::move(check);
    its_.judge_jwt(std::move(question),
                   [check = asked.check, name = user->name, refresh_after = user->refresh_after,
                    answer = asked.answer](login_answer found) {
                       if (found.user != nullptr) found.user = renamed(check, *found.user, name);
                       found.refresh_after = refresh_after;
                       answer(std::move(found));
                   });
}

login_answer auth_callout::answer_of(const result<answered_user>& user) const {
    if (!user) return refusal_of(user.error());
    return {.accepted = true, .user = user->user, .refresh_after = user->refresh_after};
}

/// nats-server's texts begin with a capital letter in its log.
login_answer auth_callout::refusal_of(const error& refused) const {
    auto why = std::string(refused.detail());
    if (!why.empty() && why.front() >= 'a' && why.front() <= 'z') {
        why.front() = static_cast<char>(why.front() - 'a' + 'A');
    }
    log_.warning(why);
    const bool lacks_proxy = refused.code() == make_error_code(errc::proxy_required);
    const bool is_decided = lacks_proxy || refused.code() == make_error_code(errc::login_refused);
    return {.reason = lacks_proxy ? broker::close_reason::proxy_required
                                  : broker::close_reason::authentication_failure,
            .told = std::move(why),
            .undecided = !is_decided};
}

/// The broker has given them up, and counts them until they are answered.
void auth_callout::give_up_late_ones() {
    const auto now = net::steady_now();
    while (!by_age_.empty() && by_age_.front().first <= now) {
        if (const auto late = pending_.extract(by_age_.front().second); !late.empty()) {
            late.mapped().answer({.undecided = true});
        }
        by_age_.pop_front();
    }
    is_looked_after_ = !by_age_.empty();
    if (is_looked_after_) worker_.post_at(by_age_.front().first, [this] { give_up_late_ones(); });
}

auth::authorization_request_jwt authorization_request(const callout_check& check,
                                                      const broker::configuration& config,
                                                      std::vector<std::string> tags,
                                                      std::string user_nkey, wall_time now) {
    const auto& identity = config.identity;
    const auto& said = check.options;
    auth::authorization_request_jwt request;
    request.subject = check.service->issuer;
    request.audience = auth::callout_audience;
    request.issued_at = unix_seconds(now);
    request.expires = unix_seconds(now + config.auth_timeout);
    request.user_nkey = std::move(user_nkey);
    request.is_refresh = check.is_refresh;
    auto& server = request.server;
    server.name = identity.name;
    server.host = identity.host;
    server.id = identity.id;
    server.version = identity.version;
    if (!check.service->xkey.empty()) server.xkey = identity.xkey;
    server.tags = std::move(tags);
    auto& client = request.client;
    client.host = check.host;
    client.id = check.client_id;
    client.user = check.user;
    client.name = said.name;
    client.kind = "Client";
    client.type = check.is_websocket ? "websocket" : "nats";
    if (!said.sig.empty()) client.nonce = check.nonce;
    auto& options = request.options;
    options.jwt = said.jwt;
    options.nkey = said.nkey;
    options.signature = said.sig;
    options.token = said.auth_token;
    options.user = said.user;
    options.password = said.pass;
    options.name = said.name;
    options.lang = said.lang;
    options.version = said.version;
    options.protocol = said.protocol;
    if (check.tls) {
        auto& tls = request.tls.emplace();
        tls.version = check.tls->version;
        tls.cipher = check.tls->cipher_suite;
        if (!check.tls->chain.empty()) {
            auto& chain = tls.verified_chains.emplace_back();
            for (const auto& der : check.tls->chain) chain.push_back(pem_of(der));
        }
    }
    return request;
}

} // namespace pipit::server
