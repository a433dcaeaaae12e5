// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/authorization_jwt.hpp>

#include <pipit/auth/detail/base32.hpp>
#include <pipit/auth/detail/claims_reader.hpp>
#include <pipit/auth/detail/read_claims.hpp>
#include <pipit/base/identity_limits.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <sodium.h>

#include <array>
#include <cstdio>

namespace pipit::auth {
namespace {

namespace json = boost::json;

/// Leaves out what is empty, zero or false.
class claims_writer {
public:
    template <class Value>
    claims_writer& add(std::string_view name, const Value& value) {
        if (value != Value{}) object_[name] = value;
        return *this;
    }
    claims_writer& add(std::string_view name, const std::vector<std::string>& values) {
        if (!values.empty()) object_[name] = json::array(values.begin(), values.end());
        return *this;
    }
    claims_writer& add(std::string_view name, json::object value) {
        if (!value.empty()) object_[name] = std::move(value);
        return *this;
    }
    [[nodiscard]] json::object take() { return std::move(object_); }

private:
    json::object object_;
};

/// 52 letters and digits that belong to these claims.
std::string number_of(const std::string& claims) {
    std::array<std::uint8_t, 32> hash{};
    crypto_generichash(hash.data(), hash.size(),
                       reinterpret_cast<const std::uint8_t*>(claims.data()), claims.size(), nullptr,
                       0);
    return detail::to_base32(hash);
}

std::string sign(const jwt_claims& claims, json::object body, std::string_view kind,
                 const signing_key& key) {
    body["type"] = kind;
    body["version"] = 2;
    claims_writer payload;
    payload.add("aud", claims.audience).add("exp", claims.expires);
    payload.add("iat", claims.issued_at).add("iss", encode(key.public_key()));
    payload.add("name", claims.name).add("nbf", claims.not_before);
    payload.add("sub", claims.subject).add("nats", std::move(body));
    auto object = payload.take();
    object["jti"] = number_of(json::serialize(object));
    return sign_jwt(json::serialize(object), key);
}

json::object object_of(const asking_server& server) {
    claims_writer writer;
    writer.add("name", server.name).add("host", server.host).add("id", server.id);
    writer.add("version", server.version).add("cluster", server.cluster);
    return writer.add("tags", server.tags).add("xkey", server.xkey).take();
}

json::object object_of(const asking_client& client) {
    claims_writer writer;
    writer.add("host", client.host).add("id", client.id).add("user", client.user);
    writer.add("name", client.name).add("tags", client.tags).add("name_tag", client.name_tag);
    writer.add("kind", client.kind).add("type", client.type).add("mqtt_id", client.mqtt_id);
    return writer.add("nonce", client.nonce).take();
}

json::object object_of(const asked_options& options) {
    claims_writer writer;
    writer.add("jwt", options.jwt).add("nkey", options.nkey).add("sig", options.signature);
    writer.add("auth_token", options.token).add("user", options.user).add("pass", options.password);
    writer.add("name", options.name).add("lang", options.lang).add("version", options.version);
    auto object = writer.take();
    object["protocol"] = options.protocol;
    return object;
}

json::object object_of(const asking_tls& tls) {
    claims_writer writer;
    writer.add("version", tls.version).add("cipher", tls.cipher).add("certs", tls.certificates);
    json::array chains;
    for (const auto& chain : tls.verified_chains) {
        chains.push_back(json::array(chain.begin(), chain.end()));
    }
    auto object = writer.take();
    if (!chains.empty()) object["verified_chains"] = std::move(chains);
    return object;
}

json::object object_of(const authorization_request_jwt& request) {
    claims_writer writer;
    writer.add("server_id", object_of(request.server)).add("user_nkey", request.user_nkey);
    writer.add("client_info", object_of(request.client));
    writer.add("connect_opts", object_of(request.options));
    if (request.tls) writer.add("client_tls", object_of(*request.tls));
    writer.add("request_nonce", request.request_nonce);
    return writer.add("refresh", request.is_refresh).take();
}

json::object subjects(const std::vector<std::string>& allow, const std::vector<std::string>& deny) {
    return claims_writer().add("allow", allow).add("deny", deny).take();
}

std::string time_text(std::chrono::seconds of_day) {
    const auto seconds = of_day.count();
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%02d:%02d:%02d", static_cast<int>(seconds / 3600 % 24),
                  static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
    return text.data();
}

json::object object_of(const user_jwt& user) {
    const auto& rights = user.rights;
    const auto& lists = rights.permissions;
    claims_writer writer;
    writer.add("pub", subjects(lists.publish_allow, lists.publish_deny));
    writer.add("sub", subjects(lists.subscribe_allow, lists.subscribe_deny));
    if (lists.allow_responses) {
        writer.add("resp", json::object{{"max", lists.allow_responses->max},
                                        {"ttl", lists.allow_responses->expires.count()}});
    }
    writer.add("src", rights.source_networks).add("times_location", rights.times_location);
    writer.add("bearer_token", rights.bearer_token).add("proxy_required", rights.proxy_required);
    writer.add("allowed_connection_types", rights.connection_types);
    writer.add("issuer_account", user.issuer_account).add("tags", user.tags);
    auto object = writer.take();
    json::array times;
    for (const auto& range : rights.times) {
        times.push_back({{"start", time_text(range.start)}, {"end", time_text(range.end)}});
    }
    if (!times.empty()) object["times"] = std::move(times);
    object["subs"] = rights.subscriptions;
    object["data"] = rights.data;
    object["payload"] = rights.payload;
    return object;
}

} // namespace

std::string encode(const authorization_request_jwt& request, const signing_key& key) {
    return sign(request, object_of(request), "authorization_request", key);
}

std::string to_json(const authorization_request_jwt& request) {
    return json::serialize(object_of(request));
}

result<authorization_answer> read_authorization_answer(std::string_view text) {
    json::parse_options options;
    options.max_depth = limits::jwt_depth;
    json::error_code failed;
    const auto value = json::parse(text, failed, {}, options);
    if (failed || !value.is_object()) return error(errc::invalid_jwt, "the answer is no JSON");
    const auto& object = value.get_object();
    authorization_answer answer;
    auto& rights = answer.rights; // Who says nothing of limits means none.
    rights.subscriptions = rights.data = rights.payload = -1;
    std::string wrong;
    detail::claims_reader reader(object, wrong);
    reader.read("error", answer.problem);
    reader.read("account", answer.account);
    reader.read("name", answer.name);
    reader.read("valid_seconds", answer.valid_seconds);
    reader.read("refresh_seconds", answer.refresh_seconds);
    reader.object("user", [&](detail::claims_reader inner) {
        user_jwt user;
        user.rights.subscriptions = user.rights.data = user.rights.payload = -1;
        detail::read_claims({{"nats", inner.members()}}, user, wrong);
        answer.rights = std::move(user.rights);
    });
    if (!wrong.empty()) return error(errc::invalid_jwt, wrong);
    return answer;
}

std::string encode(const authorization_response_jwt& response, const signing_key& key) {
    claims_writer writer;
    writer.add("jwt", response.user_jwt).add("error", response.problem);
    writer.add("issuer_account", response.issuer_account);
    writer.add("refresh", response.refresh_seconds);
    return sign(response, writer.take(), "authorization_response", key);
}

std::string encode(const user_jwt& user, const signing_key& key) {
    return sign(user, object_of(user), "user", key);
}

std::string problem_of(const authorization_response_jwt& response) {
    if (!is_public_key(response.subject, nkey_prefix::user)) {
        return "Subject must be a user public key";
    }
    if (!is_public_key(response.audience, nkey_prefix::server)) {
        return "Audience must be a server public key";
    }
    if (response.problem.empty() && response.user_jwt.empty()) {
        return "Error or Jwt is required";
    }
    if (!response.problem.empty() && !response.user_jwt.empty()) {
        return "Only Error or Jwt can be set";
    }
    if (!response.issuer_account.empty() &&
        !is_public_key(response.issuer_account, nkey_prefix::account)) {
        return "issuer_account is not an account public key";
    }
    return {};
}

} // namespace pipit::auth
