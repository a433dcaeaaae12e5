// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/auth_callout.hpp>

#include <pipit/base/unix_time.hpp>
#include <pipit/client/detail/link.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/net/random_bytes.hpp>
#include <pipit/protocol/headers.hpp>

#include <memory>
#include <utility>

namespace pipit::client {
namespace {

/// The key that a request is sealed with; nothing: it is not sealed.
std::optional<std::string> sealing_key(bytes_view headers) {
    if (headers.empty()) return std::nullopt;
    const auto parsed = protocol::headers::parse(headers);
    if (!parsed) return std::nullopt;
    const auto value = parsed->get(auth::callout_xkey_header);
    if (!value) return std::nullopt;
    return std::string(*value);
}

/// What the service's user is told of a request that got no answer.
error unanswered(const error& why) {
    const auto detail = std::string(why.detail());
    return {why.code(), "a request for an auth callout" + (detail.empty() ? "" : ": " + detail)};
}

} // namespace

callout_answerer::callout_answerer(const callout_keys& keys, doorkeeper decide)
    : issuer_(keys.issuer), issuer_account_(keys.issuer_account), decide_(std::move(decide)) {
    if (keys.xkey) xkey_.emplace(*keys.xkey);
}

result<std::string> callout_answerer::answer(bytes_view headers, bytes_view request, wall_time now,
                                             const auth::xkey_nonce& nonce) const {
    std::string opened;
    std::optional<auth::public_nkey> server_key;
    const auto text = sealing_key(headers);
    if (text.has_value() != xkey_.has_value()) {
        return error(auth::errc::invalid_xkey,
                     "sealed though no xkey is set, or not though one is");
    }
    if (text) {
        const auto key = auth::decode_public_nkey(*text);
        if (!key) return key.error();
        auto message = auth::open(*xkey_, *key, request);
        if (!message) return message.error();
        server_key = *key;
        opened = std::move(*message);
        request = opened;
    }
    const auto read = auth::decode_authorization_request_jwt(request);
    if (!read) return read.error();
    auto answered = answer_to(*read, now);
    if (!server_key) return answered;
    return auth::seal(*xkey_, *server_key, answered, nonce);
}

std::string callout_answerer::answer_to(const auth::authorization_request_jwt& request,
                                        wall_time now) const {
    auth::authorization_response_jwt response;
    response.subject = request.user_nkey;
    response.audience = request.server.id;
    response.issued_at = unix_seconds(now);
    response.issuer_account = issuer_account_;
    const auto decided = decide_(request);
    if (const auto* const refused = std::get_if<refused_user>(&decided)) {
        response.problem = refused->why.empty() ? "not authorized" : refused->why;
        return auth::encode(response, issuer_);
    }
    const auto& admitted = std::get<admitted_user>(decided);
    auth::user_jwt user;
    user.subject = request.user_nkey;
    user.audience = admitted.account;
    user.name = admitted.name;
    user.issued_at = response.issued_at;
    if (admitted.valid_for) user.expires = user.issued_at + admitted.valid_for->count();
    user.tags = admitted.tags;
    user.issuer_account = issuer_account_;
    user.rights.permissions = admitted.permissions;
    user.rights.subscriptions = admitted.max_subscriptions;
    user.rights.payload = admitted.max_payload_bytes;
    user.rights.data = -1;
    user.rights.connection_types = admitted.connection_types;
    response.user_jwt = auth::encode(user, issuer_);
    if (admitted.refresh_after) response.refresh_seconds = admitted.refresh_after->count();
    return auth::encode(response, issuer_);
}

result<blocking_subscription> serve_auth_callout(blocking_connection& connection,
                                                 const callout_keys& keys, doorkeeper decide) {
    const auto answerer = std::make_shared<const callout_answerer>(keys, std::move(decide));
    auto answers = [answerer, &connection](const message& request) {
        auth::xkey_nonce nonce{};
        net::fill_randomly(nonce);
        const auto answered =
            answerer->answer(request.header_block(), request.payload(), net::wall_now(), nonce);
        const auto sent =
            answered ? connection.respond(request, *answered) : result<>(answered.error());
        if (!sent) connection.internals()->tell_user(unanswered(sent.error()));
    };
    return connection.subscribe(auth::callout_subject, std::move(answers),
                                {.queue = "auth_callout"});
}

} // namespace pipit::client
