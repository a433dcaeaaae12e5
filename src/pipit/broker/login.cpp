// SPDX-License-Identifier: Apache-2.0
// Who a client is, and what follows from that.
#include <pipit/broker/state.hpp>

#include <pipit/auth/password.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/protocol/error_texts.hpp>
#include <pipit/protocol/go_text.hpp>

#include <algorithm>

namespace pipit::broker {
namespace {

namespace texts = protocol::error_texts;

/// -1 means no limit on either side.
std::int64_t smaller_limit(std::int64_t a, std::int64_t b) noexcept {
    if (a < 0) return b;
    return b < 0 ? a : std::min(a, b);
}

/// What is to be compared before somebody is let in.
struct credentials_check {
    const user_configuration* user = nullptr; ///< Null: the token's.
    std::string stored = {};
    std::string given = {};
    bool refused = false;
    bool needs_no_password = false;
};

bool may_connect(const user_configuration& user, const session_origin& origin) noexcept {
    return origin.in_process ? user.in_process_connections_allowed
                             : user.standard_connections_allowed;
}

/// Source: auth, section 1.
credentials_check check_for(const authorization& authorization,
                            const protocol::connect_options& options,
                            const session_origin& origin) {
    if (!authorization.users.empty()) {
        const bool nothing_given =
            options.user.empty() && options.pass.empty() && options.auth_token.empty();
        const bool substituted = nothing_given && !authorization.no_auth_user.empty();
        const auto found =
            authorization.users.find(substituted ? authorization.no_auth_user : options.user);
        if (found == authorization.users.end() || !may_connect(found->second, origin)) {
            return {.refused = true};
        }
        return {.user = &found->second,
                .stored = found->second.password,
                .given = options.pass,
                .needs_no_password = substituted};
    }
    if (!authorization.token.empty()) {
        return {.stored = authorization.token, .given = options.auth_token};
    }
    const auto& user = *authorization.single_user;
    if (user.name != options.user || !may_connect(user, origin)) return {.refused = true};
    return {.user = &user, .stored = user.password, .given = options.pass};
}

/// From now on it is as if the client had said so: a later CONNECT may add to it.
void assume_credentials(protocol::connect_options& options, const user_configuration& user) {
    options.user = user.name;
    options.pass = user.password;
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

} // namespace

/// A client that begins without CONNECT comes in as the `no_auth_user`, if there is one.
bool broker_state::admit_without_connect(session& session) {
    const auto& authorization = config->authorization;
    const auto found = authorization.users.find(authorization.no_auth_user);
    if (authorization.no_auth_user.empty() || found == authorization.users.end() ||
        !may_connect(found->second, session.details->origin)) {
        return false;
    }
    session.auth_deadline = {};
    session.connect_received = true;
    session.awaiting_connect = false;
    assume_credentials(session.details->options, found->second);
    if (!bind(session, &found->second)) return true;
    session.details->user = found->first;
    reschedule(session);
    return true;
}

void broker_state::on_connect(session& session, bytes_view json, moment now) {
    auto& options = session.details->options;
    if ((session.delivery_flags & delivery::traced) != 0) trace_in(session, "CONNECT", json);
    if (!protocol::read_connect(json, options)) {
        out.end(session, close_reason::protocol_violation);
        return;
    }
    session.auth_deadline = {};
    session.last_activity = now.steady;
    session.round_trip = std::max(now.steady - session.details->start.steady, nanoseconds(1));
    session.ping_sent = now.steady;
    const auto first_ping = std::min<nanoseconds>(config->ping_interval, std::chrono::seconds(2));
    const auto jitter_bound = static_cast<std::uint64_t>(first_ping.count() / 5) + 1;
    session.ping_deadline =
        now.steady + first_ping + nanoseconds(routing.random()() % jitter_bound);
    if (session.connect_received && session.of != nullptr) routing.unsubscribe_all(session);
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
    const auto& authorization = config->authorization;
    if (!authorization.required()) return finish_connect(session, nullptr);

    auto check = check_for(authorization, options, session.details->origin);
    if (check.refused) return refuse_login(session, options.user);
    if (check.needs_no_password) {
        assume_credentials(session.details->options, *check.user);
        return finish_connect(session, check.user);
    }
    if (!auth::is_bcrypt(check.stored)) {
        if (!auth::verify_password(check.stored, check.given)) {
            return refuse_login(session, options.user);
        }
        return finish_connect(session, check.user);
    }
    if (open_questions.size() >= limits::open_questions) return refuse_login(session, options.user);
    session.awaiting_answer = true;
    session.auth_deadline = now.steady + limits::question_deadline;
    const auto id = next_question_id++;
    open_questions[id] = {session.client_id, check.user, config};
    unasked.push_back({.id = id,
                       .address = session.details->origin.ip,
                       .stored = std::move(check.stored),
                       .given = std::move(check.given)});
}

void broker_state::on_answer(std::uint64_t question_id, bool yes, moment now) {
    const auto found = open_questions.find(question_id);
    if (found == open_questions.end()) return;
    const auto question = std::move(found->second);
    open_questions.erase(found);
    auto* session = routing.find_session(question.client_id);
    if (session == nullptr) return;

    session->awaiting_answer = false;
    session->auth_deadline = {};
    out.touch(*session);
    // A reload may have changed who may come in: ask anew.
    if (question.asked_under != config) {
        authenticate(*session, session->details->options, now);
    } else if (yes) {
        finish_connect(*session, question.user);
    } else {
        refuse_login(*session, session->details->options.user);
    }
    reschedule(*session);
    if (session->awaiting_answer || session->ended()) return;
    auto input = std::exchange(session->held_input, {});
    // Its bytes are gone when this returns, so that what is borrowed of them is copied at once.
    for (bytes_view rest = input; !rest.empty();) {
        rest.remove_prefix(parse(*session, rest, now));
        if (session->awaiting_answer || session->ended()) break;
    }
    out.keep_all_borrowed();
}

void broker_state::refuse_login(session& session, std::string_view user) {
    std::string line = "authentication error";
    if (!user.empty()) {
        line += " - User ";
        protocol::append_quoted(line, user);
    }
    log(log_level::error, session, line);
    out.end_with_error(session, texts::authorization_violation,
                       close_reason::authentication_failure);
    tell(session_event::type::refused, session);
}

/// `user` is null for a token's holder and where nobody has to say who he is.
void broker_state::finish_connect(session& session, const user_configuration* user) {
    auto& details = *session.details;
    auto& options = details.options;
    const bool first = !session.connect_received;
    session.connect_received = true;
    session.awaiting_connect = false;
    if (!bind(session, user)) return;
    details.user = user != nullptr ? user->name : options.user;
    if (options.new_account || !options.account.empty()) {
        return refuse_login(session, options.user);
    }
    tell(session_event::type::connected, session);
    // A second CONNECT that leaves user and password out means those of the first.
    for (auto* secret : {&options.jwt, &options.sig}) {
        secret->clear();
        secret->shrink_to_fit();
    }
    if (first) {
        if (const auto label = client_label(options); !label.empty()) {
            details.log_name += " - ";
            protocol::append_quoted(details.log_name, label);
        }
        if (!details.user.empty() && config->authorization.required()) {
            details.log_name += " - ";
            protocol::append_quoted(details.log_name,
                                    session.of->config->name + "/" + details.user);
        }
    }
    session.verbose = options.verbose;
    session.pedantic = options.pedantic;
    session.no_responders = options.no_responders;
    session.information_wanted = options.protocol >= 1;
    update_shortcuts(session);
    if (options.protocol < 0 || options.protocol > 1) {
        return out.end_with_error(session, texts::invalid_client_protocol,
                                  close_reason::bad_client_protocol_version);
    }
    if (options.no_responders && (session.delivery_flags & delivery::strips_headers) != 0) {
        return out.end_with_error(session, texts::no_responders_requires_headers,
                                  close_reason::no_responders_requires_headers);
    }
    if (session.verbose) out.send(session, "+OK\r\n");
}

/// Puts the session into its account. False: it was refused and ended.
bool broker_state::bind(session& session, const user_configuration* user) {
    const auto id = user != nullptr ? user->account : config->global_account;
    auto* of = routing.account_of(id);
    if (of == nullptr) {
        leave_account(session);
        out.end_with_error(session, texts::failed_account_registration,
                           close_reason::missing_account);
        return false;
    }
    // Who stays in the account keeps the subscriptions made before the first CONNECT.
    if (session.of != of) {
        leave_account(session);
        ++of->shared->connections;
        session.of = of;
        ++of->connections;
        ++of->total_connections;
        tell(session_event::type::joined, session);
    }
    apply_limits(session);
    set_permissions(session, user != nullptr ? user->permissions : nullptr);
    const auto limit = of->config->limits.max_connections;
    if (limit < 0 || of->shared->connections <= limit) return true;
    log(log_level::error, session, texts::max_account_connections);
    out.end_with_error(session, texts::max_account_connections,
                       close_reason::max_account_connections_exceeded);
    return false;
}

void broker_state::leave_account(session& session) {
    if (session.of == nullptr) return;
    routing.unsubscribe_all(session);
    --session.of->shared->connections;
    --session.of->connections;
    tell(session_event::type::left, session);
    session.of = nullptr;
}

void broker_state::set_permissions(session& session,
                                   std::shared_ptr<const auth::permissions> rules) {
    session.delivery_flags &=
        static_cast<std::uint8_t>(~(delivery::filtered | delivery::grants_replies));
    session.permissions = rules ? std::make_unique<session_permissions>(std::move(rules)) : nullptr;
    if (session.permissions && session.permissions->grants_replies()) {
        session.delivery_flags |= delivery::grants_replies;
    }
    update_shortcuts(session);
}

void broker_state::update_shortcuts(session& session) {
    session.publishes_plainly = session.permissions == nullptr && !session.verbose;
}

void broker_state::apply_limits(session& session) {
    session.max_payload_bytes = config->max_payload_bytes;
    session.max_subscriptions = config->max_subscriptions == 0 ? -1 : config->max_subscriptions;
    if (session.of == nullptr) return;
    const auto& limits = session.of->config->limits;
    session.max_payload_bytes = smaller_limit(session.max_payload_bytes, limits.max_payload_bytes);
    session.max_subscriptions = smaller_limit(session.max_subscriptions, limits.max_subscriptions);
}

/// Source: client-protocol, section 1.
std::string broker_state::info_line(const session& session, bool with_account,
                                    bool as_lame_duck) const {
    const auto& identity = config->identity;
    const auto& origin = session.details->origin;
    protocol::server_info info;
    info.server_id = identity.id;
    info.server_name = identity.name;
    info.version = identity.version;
    info.go = "none (C++)";
    info.host = identity.host;
    info.port = identity.port;
    info.headers = config->headers_supported;
    info.auth_required = config->authorization.required() &&
                         (session.pong_sent || !config->authorization.greeting_asks_for_nothing);
    info.max_payload = static_cast<int>(session.max_payload_bytes);
    info.client_id = session.client_id;
    if (!origin.behind_proxy || with_account) info.client_ip = origin.ip;
    info.connect_urls = identity.connect_urls;
    info.ldm = lame_duck || as_lame_duck;
    info.api_lvl = 5;
    info.xkey = identity.xkey;
    if (with_account && session.of != nullptr) {
        info.connect_info = true;
        info.remote_account = session.of->config->name;
        info.acc_is_sys = session.of->id == config->system_account;
    }
    std::string line;
    protocol::append_info(line, info);
    return line;
}

void broker_state::send_info(session& session, bool with_account, bool as_lame_duck) {
    const auto line = info_line(session, with_account, as_lame_duck);
    if ((session.delivery_flags & delivery::traced) != 0) {
        trace_out(session, bytes_view(line).substr(0, line.size() - 2));
    }
    out.send(session, line);
}

} // namespace pipit::broker
