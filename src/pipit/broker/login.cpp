// SPDX-License-Identifier: Apache-2.0
// Who a client is.
#include <pipit/broker/configured_users.hpp>
#include <pipit/broker/session_log.hpp>
#include <pipit/broker/state.hpp>

#include <pipit/auth/password.hpp>
#include <pipit/base/identity_limits.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/broker/planted_bug.hpp>
#include <pipit/protocol/connect_without_secrets.hpp>
#include <pipit/protocol/error_texts.hpp>
#include <pipit/protocol/go_text.hpp>

#include <algorithm>

namespace pipit::broker {
namespace {

namespace texts = protocol::error_texts;

/// A second CONNECT without another JWT or key, and without a signature, keeps the first one's
/// user.
bool means_the_same(const user_pointer& identity, const protocol::connect_options& options) {
    if (identity == nullptr || identity->nkey.empty() || !options.sig.empty()) return false;
    return options.jwt.empty() && (options.nkey.empty() || options.nkey == identity->nkey);
}

/// One more is let in: the last places are for those who have few.
bool has_room(std::size_t all, std::size_t of_party, std::size_t more, std::size_t most) {
    if (all + more <= most - most / limits::open_logins_kept_part) return true;
    return all + more <= most && of_party + more <= most / limits::open_logins_few_part;
}

std::size_t bytes_of(const login_question& question) {
    struct measure {
        std::size_t operator()(const password_check& check) const {
            return check.stored.size() + check.given.size();
        }
        std::size_t operator()(const signature_check& check) const {
            return check.nkey.size() + check.signature.size();
        }
        std::size_t operator()(const proxy_check& check) const { return check.signature.size(); }
        std::size_t operator()(const jwt_check& check) const {
            return check.jwt.size() + check.signature.size();
        }
        std::size_t operator()(const callout_check& check) const {
            const auto& said = check.options;
            return said.jwt.size() + said.nkey.size() + said.sig.size() + said.user.size() +
                   said.pass.size() + said.auth_token.size() + said.name.size();
        }
    };
    return std::visit(measure{}, question.what) + sizeof question;
}

/// For the next time that the service is asked: who it is was proved before.
std::unique_ptr<callout_check> without_secrets(const callout_check& check) {
    auto made = std::make_unique<callout_check>();
    made->service = check.service;
    made->client_id = check.client_id;
    made->host = check.host;
    made->user = check.user;
    made->in_process = check.in_process;
    made->is_websocket = check.is_websocket;
    made->tls = check.tls;
    made->by_trusted_proxy = check.by_trusted_proxy;
    made->is_refresh = true;
    const auto& said = check.options;
    auto& kept = made->options;
    kept.user = said.user;
    kept.nkey = said.nkey;
    kept.name = said.name;
    kept.lang = said.lang;
    kept.version = said.version;
    kept.protocol = said.protocol;
    return made;
}

/// What came in cookies counts where CONNECT says nothing.
void complete(protocol::connect_options& options, const connect_defaults& defaults) {
    const auto fill = [](std::string& value, const std::string& substitute) {
        if (value.empty()) value = substitute;
    };
    fill(options.jwt, defaults.jwt);
    fill(options.user, defaults.user);
    fill(options.pass, defaults.pass);
    fill(options.auth_token, defaults.auth_token);
}

/// By what a callout knows those that it is not asked about, when they are refused.
const std::string& claimed_name(const protocol::connect_options& options) noexcept {
    return options.nkey.empty() ? options.user : options.nkey;
}

/// A service decides about this login, whatever the configuration says. Source: nats-server: who is
/// refused counts as one of the global account, whose users are always asked about.
bool is_delegated(const callout_configuration& service, const protocol::connect_options& options,
                  const login_answer& answer, account_id global) {
    if (answer.service != nullptr) return true;
    // Who has come in is who the configuration says, whatever name stands beside the credentials.
    if (answer.accepted ? answer.user != nullptr && service.users.contains(answer.user->name)
                        : service.users.contains(claimed_name(options))) {
        return false;
    }
    if (!answer.accepted || service.accounts.empty()) return true;
    const auto account = answer.user == nullptr ? global : answer.user->account;
    return account == global || service.accounts.contains(account);
}

/// Who is asked about; where users have JWTs, only the answer knows.
std::string name_for(const session_details& details, const login_answer& answer) {
    auto name = shown_user(details);
    return name.empty() && answer.user != nullptr ? answer.user->name : name;
}

/// A service may say how somebody is called from now on.
void take_name_of(const login_answer& answer, protocol::connect_options& options) {
    if (answer.user == nullptr || answer.user->name.empty()) return;
    options.user = answer.user->name;
    options.nkey.clear();
    options.auth_token.clear();
}

/// As nats-server: `v1.2.3:lang:name`, as far as the client said it.
std::string client_label(const protocol::connect_options& options) {
    std::string label;
    if (!options.version.empty()) label = "v" + options.version;
    for (const auto& part : {options.lang, options.name}) {
        if (part.empty()) continue;
        if (!label.empty()) label += ':';
        label += part;
    }
    return label;
}

void append_label(session_details& details, std::string_view label) {
    details.log_name += " - ";
    protocol::append_quoted(details.log_name, label);
}

/// What proved who somebody is. A second CONNECT that leaves user and password out means those of
/// the first, so they stay.
void forget_proofs(session_details& details) {
    auto& options = details.options;
    if (!details.origin.by_trusted_proxy) options.proxy_sig.clear();
    for (auto* secret : {&options.jwt, &options.sig}) {
        secret->clear();
        secret->shrink_to_fit();
    }
}

struct impossible_wish {
    std::string_view text;
    close_reason reason;
};

/// What a client wishes that cannot be.
std::optional<impossible_wish> impossible_wish_of(const session& session) {
    const auto& options = session.details->options;
    if (options.protocol < 0 || options.protocol > 1) {
        return impossible_wish{texts::invalid_client_protocol,
                               close_reason::bad_client_protocol_version};
    }
    if (options.no_responders && (session.delivery_flags & delivery::strips_headers) != 0) {
        return impossible_wish{texts::no_responders_requires_headers,
                               close_reason::no_responders_requires_headers};
    }
    return std::nullopt;
}

} // namespace

/// A client that begins without CONNECT comes in as the `no_auth_user`, if there is one, and if a
/// service that decides agrees: then it waits.
bool broker_state::admit_without_connect(session& session, moment now) {
    const auto* const user = no_auth_user(authorization_of(session));
    if (user == nullptr || user->proxy_required || !may_connect(*user, session.details->origin)) {
        return false;
    }
    const auto& service = config->authorization.callout;
    session.auth_deadline = {};
    if (service != nullptr && !service->users.contains(user->name)) {
        session.details->without_connect = true;
        assume_credentials(session.details->options, *user);
        conclude(session, {.accepted = true, .user = user_pointer(config, user)}, now);
        reschedule(session);
        return true;
    }
    session.connect_received = true;
    session.awaiting_connect = false;
    assume_credentials(session.details->options, *user);
    if (!bind(session, user_pointer(config, user), now)) return true;
    session.details->user = user->name;
    reschedule(session);
    return true;
}

void broker_state::on_connect(session& session, bytes_view json, moment now) {
    auto& options = session.details->options;
    const bool is_traced = (session.delivery_flags & delivery::traced) != 0;
    if (const auto read = protocol::read_connect(json, options); !read) {
        if (is_traced) trace_in(session, "CONNECT", {}); // What is a secret in it, nobody can tell.
        log(log_level::error, session, "invalid CONNECT: " + read.error().message());
        out.end(session, close_reason::protocol_violation);
        return;
    }
    if (is_traced) trace_in(session, "CONNECT", protocol::connect_without_secrets(json));
    session.details->without_connect = false;
    if (const auto& defaults = session.details->origin.defaults) complete(options, *defaults);
    session.auth_deadline = {};
    session.last_activity = now.steady;
    session.round_trip = std::max(now.steady - session.details->start.steady, nanoseconds(1));
    const auto first_ping = std::min<nanoseconds>(
        config->ping_interval_for(session.details->origin.is_websocket), std::chrono::seconds(2));
    const auto jitter_bound = static_cast<std::uint64_t>(first_ping.count() / 5) + 1;
    session.ping_deadline =
        now.steady + first_ping + nanoseconds(routing.random()() % jitter_bound);
    if (session.connect_received && session.of != nullptr && !brings_own_jwt(session)) {
        routing.unsubscribe_all(session);
    }
    session.echo = options.echo;
    if (config->headers_supported && options.headers) {
        session.delivery_flags &= static_cast<std::uint8_t>(~delivery::strips_headers);
    } else {
        session.delivery_flags |= delivery::strips_headers;
    }
    authenticate(session, options, now);
    reschedule(session);
}

void broker_state::authenticate(session& session, const protocol::connect_options& options,
                                moment now) {
    session.refresh = nullptr; // As long as nobody has decided again.
    if (!asks_about_proxy(session, options, now)) identify(session, options, now);
}

/// It is known by now whether a trusted proxy vouches for it.
void broker_state::identify(session& session, const protocol::connect_options& options,
                            moment now) {
    const auto& authorization = authorization_of(session);
    const auto& details = *session.details;
    const bool by_proxy = details.origin.by_trusted_proxy;
    if (!authorization.required()) return finish_connect(session, nullptr, now);
    if (means_the_same(details.identity, options) &&
        (by_proxy || !details.identity->proxy_required)) {
        return finish_connect(session, details.identity, now);
    }
    if (authorization.by_jwt) {
        return ask(session,
                   {.what = jwt_check{.jwt = options.jwt,
                                      .nonce = nonce_of(session),
                                      .signature = options.sig,
                                      .in_process = details.origin.in_process,
                                      .is_websocket = details.origin.is_websocket,
                                      .by_trusted_proxy = by_proxy}},
                   now);
    }
    const auto* const substitute =
        says_nothing(authorization, options) ? no_auth_user(authorization) : nullptr;
    const auto* const user =
        substitute != nullptr ? substitute : claimed_user(authorization, options, details.origin);
    const bool by_token =
        !authorization.token.empty() && authorization.users.empty() && authorization.nkeys.empty();
    if (authorization.proxy_required && !by_proxy && substitute == nullptr &&
        names_no_user(authorization, options)) {
        return refuse_without_proxy(session, now);
    }
    if (!by_token && (user == nullptr || !may_connect(*user, details.origin))) {
        return conclude(session, {}, now);
    }
    // Lives as long as the configuration, which it keeps alive.
    const user_pointer known(config, by_token ? nullptr : user);
    if (substitute != nullptr) assume_credentials(session.details->options, *substitute);
    if (!by_token && user->proxy_required && !by_proxy) return refuse_without_proxy(session, now);
    if (substitute != nullptr) return conclude(session, {.accepted = true, .user = known}, now);
    if (!by_token && !user->nkey.empty()) {
        // Who may come in without any credentials need not sign either.
        if (user == no_auth_user(authorization)) {
            return conclude(session, {.accepted = true, .user = known}, now);
        }
        return ask(session,
                   {.user = known,
                    .what = signature_check{.nkey = user->nkey,
                                            .nonce = nonce_of(session),
                                            .signature = options.sig}},
                   now);
    }
    if (!by_token && needs_certificate(*user, authorization)) {
        log(log_level::debug, session,
            "User " + protocol::quoted(user->name) + " requires a client certificate");
        return conclude(session, {}, now);
    }
    const auto& stored = by_token ? authorization.token : user->password;
    const auto& given = by_token ? options.auth_token : options.pass;
    if (auth::is_bcrypt(stored)) {
        return ask(session, {.user = known, .what = password_check{stored, given}}, now);
    }
    if (!auth::verify_password(stored, given)) return conclude(session, {}, now);
    conclude(session, {.accepted = true, .user = known}, now);
}

/// So it is as configured; a service that decides may see it otherwise.
void broker_state::conclude(session& session, login_answer answer, moment now) {
    const auto& options = session.details->options;
    const auto service = answer.service != nullptr ? answer.service : config->authorization.callout;
    if (service == nullptr || !is_delegated(*service, options, answer, config->global_account)) {
        session.by_callout = false;
        return settle_login(session, std::move(answer), now);
    }
    const auto& origin = session.details->origin;
    ask(session,
        {.what = callout_check{.service = service,
                               .options = options,
                               .nonce = nonce_of(session),
                               .client_id = session.client_id,
                               .host = origin.ip,
                               .user = name_for(*session.details, answer),
                               .in_process = origin.in_process,
                               .is_websocket = origin.is_websocket,
                               .tls = origin.tls,
                               .lacks_proxy = session.details->lacks_proxy,
                               .by_trusted_proxy = origin.by_trusted_proxy}},
        now);
}

void broker_state::settle_login(session& session, login_answer answer, moment now,
                                const callout_configuration* decided_by) {
    if (answer.accepted) return finish_connect(session, std::move(answer.user), now);
    if (!answer.why_not.empty()) log(answer.level, session, answer.why_not);
    if (decided_by == nullptr) return refuse_login(session, answer.reason);
    const service_refusal refusal{decided_by->account, decided_by->account_name, answer.told};
    refuse_login(session, answer.reason, &refusal);
}

/// Suspends the session until somebody has found out.
void broker_state::ask(session& session, login_question question, moment now) {
    const bool by_service = std::holds_alternative<callout_check>(question.what);
    question.give_up_at =
        now.steady + (by_service ? config->auth_timeout : nanoseconds(limits::question_deadline));
    const auto deadline = question.give_up_at;
    if (enqueue(session, std::move(question)) == 0) return refuse_login(session);
    session.awaiting_answer = true;
    session.awaiting_callout = by_service;
    session.auth_deadline = deadline;
}

/// The question's number; 0: too much waits already.
std::uint64_t broker_state::enqueue(const session& session, login_question question) {
    const auto bytes = bytes_of(question);
    const auto& address = session.details->origin.ip;
    const party from(address);
    const auto known = questions_of_party.find(from);
    const auto load = known == questions_of_party.end() ? question_load() : known->second;
    if (!has_room(all_questions.count, load.count, 1, limits::open_logins) ||
        !has_room(all_questions.bytes, load.bytes, bytes, limits::open_login_bytes)) {
        return 0;
    }
    question.id = next_question_id++;
    question.address = address;
    open_question open{session.client_id, bytes, config, from, false, false, nullptr};
    open.is_about_proxy = std::holds_alternative<proxy_check>(question.what);
    if (const auto* const check = std::get_if<callout_check>(&question.what)) {
        open.is_refresh = check->is_refresh;
        open.service = check->service;
        if (config->live_permissions && !open.is_refresh) open.again = without_secrets(*check);
    }
    if (open.is_refresh) ++open_refreshes;
    const auto id = question.id;
    open_questions.emplace(id, std::move(open));
    for (auto* const counted : {&all_questions, &questions_of_party[from]}) {
        ++counted->count;
        counted->bytes += bytes;
    }
    unasked.push_back(std::move(question));
    return id;
}

void broker_state::on_answer(std::uint64_t question_id, login_answer answer, moment now) {
    const auto found = open_questions.find(question_id);
    if (found == open_questions.end()) return;
    auto question = std::move(found->second);
    open_questions.erase(found);
    const auto of_party = questions_of_party.find(question.from);
    for (auto* const counted : {&all_questions, &of_party->second}) {
        --counted->count;
        counted->bytes -= question.bytes;
    }
    if (of_party->second.count == 0) questions_of_party.erase(of_party);
    if (question.is_refresh) --open_refreshes;
    auto* session = routing.find_session(question.client_id);
    if (session == nullptr || session->ended()) return;
    if (question.is_refresh) {
        return on_refresh(*session, question_id, std::move(answer), question.asked_under == config,
                          now);
    }

    session->awaiting_answer = false;
    const bool by_service = std::exchange(session->awaiting_callout, false);
    session->auth_deadline = {};
    out.touch(*session);
    // A reload may have changed who may come in: ask anew.
    if (question.asked_under != config && !planted::is(planted::bug::believes_old_answers)) {
        authenticate(*session, session->details->options, now);
    } else if (question.is_about_proxy) {
        on_proxy_answer(*session, std::move(answer), now);
    } else if (by_service) {
        session->by_callout = answer.accepted;
        // Whatever the service says of it.
        if (!answer.accepted && session->details->lacks_proxy) {
            answer.reason = close_reason::proxy_required;
        }
        begin_refreshes(*session, std::move(question.again), answer, now);
        take_name_of(answer, session->details->options);
        settle_login(*session, std::move(answer), now, question.service.get());
    } else {
        conclude(*session, std::move(answer), now);
    }
    reschedule(*session);
    if (session->awaiting_answer || session->ended()) return;
    auto input = std::exchange(session->held_input, {});
    if (planted::is(planted::bug::drops_held_input)) return;
    // Its bytes are gone when this returns, so that what is borrowed of them is copied at once.
    for (bytes_view rest = input; !rest.empty();) {
        rest.remove_prefix(parse(*session, rest, now));
        if (session->awaiting_answer || session->ended()) break;
    }
    out.keep_all_borrowed();
}

void broker_state::refuse_login(session& session, close_reason reason,
                                const service_refusal* by_service) {
    const auto& options = session.details->options;
    std::string line = "authentication error";
    const auto name = [&](std::string_view what, bytes_view text) {
        protocol::append_quoted(line.append(what), text.substr(0, limits::refused_name_bytes));
    };
    if (!options.nkey.empty()) {
        name(" - Nkey ", options.nkey);
    } else if (!options.user.empty()) {
        name(" - User ", options.user);
    } else if (const auto& who = session.details->identity; who != nullptr && who->claims) {
        name(" - JWT User ", who->nkey);
    } else if (options.jwt.empty() && !options.auth_token.empty()) {
        line += " - Token \"[REDACTED]\"";
    }
    log(log_level::error, session, line);
    out.end_with_error(session, texts::authorization_violation, reason);
    tell(session_event::type::refused, session, by_service);
}

void broker_state::finish_connect(session& session, user_pointer user, moment now) {
    auto& details = *session.details;
    auto& options = details.options;
    const bool first = !session.connect_received;
    session.connect_received = true;
    session.awaiting_connect = false;
    details.user = user != nullptr ? user->name : options.user;
    if (goes_on_as(session, user)) {
        change_user(session, std::move(user), now);
        if (session.ended()) return;
    } else {
        if (!first && session.of != nullptr) routing.unsubscribe_all(session);
        if (!bind(session, std::move(user), now)) return;
    }
    if (options.new_account || !options.account.empty()) return refuse_login(session);
    tell(session_event::type::connected, session);
    forget_proofs(details);
    if (log_to.debug_enabled() && details.identity != nullptr && details.identity->claims) {
        log(log_level::debug, session, authenticated_jwt(session));
    }
    if (first) {
        if (const auto label = client_label(options); !label.empty()) append_label(details, label);
        // Who says a name is called so, also where nobody asks.
        if (authorization_of(session).required() || !options.user.empty() ||
            !options.nkey.empty() || !options.auth_token.empty()) {
            append_label(details, login_label(session));
        }
    }
    session.verbose = options.verbose;
    session.pedantic = options.pedantic;
    session.no_responders = options.no_responders;
    session.information_wanted = options.protocol >= 1;
    update_shortcuts(session);
    if (const auto wish = impossible_wish_of(session)) {
        out.end_with_error(session, wish->text, wish->reason);
        return log(log_level::error, session, wish->text);
    }
    if (session.verbose && !session.details->without_connect) send_ok(session);
    if (session.max_subscriptions == 0) {
        // Who may have none at all is not kept.
        log(log_level::error, session, texts::max_subscriptions);
        out.end_with_error(session, texts::max_subscriptions,
                           close_reason::max_subscriptions_exceeded);
    }
}

} // namespace pipit::broker
