// SPDX-License-Identifier: Apache-2.0
// The envelope of a token: its three parts, its algorithm, its issuer and its signature.
#include <pipit/auth/jwt.hpp>
#include <pipit/auth/revocations.hpp>
#include <pipit/base/ascii_case.hpp>
#include <pipit/base/trimmed.hpp>
#include <pipit/base/unix_time.hpp>

#include <pipit/auth/detail/claims_reader.hpp>
#include <pipit/auth/detail/octets.hpp>
#include <pipit/auth/detail/read_claims.hpp>
#include <pipit/base/base64.hpp>
#include <pipit/base/identity_limits.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <initializer_list>

namespace pipit::auth {
namespace {

namespace json = boost::json;

constexpr int newest_version = 2;

error invalid(std::string_view why) { return {errc::invalid_jwt, std::string(why)}; }

std::optional<json::object> decode_object(std::string_view part) {
    const auto text = from_base64url(part);
    if (!text) return std::nullopt;
    json::parse_options options;
    options.max_depth = limits::jwt_depth;
    json::error_code failed;
    auto value = json::parse(*text, failed, {}, options);
    if (failed || !value.is_object()) return std::nullopt;
    return std::move(value.as_object());
}

/// The three parts of a token.
struct token_parts {
    std::string_view header, payload, signature;
    std::string_view signed_part; ///< Header, point and payload.
};

std::optional<token_parts> split(std::string_view token) {
    const auto first = token.find('.');
    if (first == std::string_view::npos) return std::nullopt;
    const auto second = token.find('.', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    if (token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
    return token_parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
                       token.substr(second + 1), token.substr(0, second)};
}

/// `none`, `HS256` and everything else that is not a signature by an nkey is refused.
std::string problem_of_header(std::string_view part) {
    const auto header = decode_object(part);
    if (!header) return "the header cannot be read";
    std::string type, algorithm, wrong;
    detail::claims_reader reader(*header, wrong);
    reader.read("typ", type);
    reader.read("alg", algorithm);
    if (!wrong.empty()) return wrong;
    if (lower_case(type) != "jwt") return "its type is not JWT";
    algorithm = lower_case(algorithm);
    if (algorithm != "ed25519-nkey" && algorithm != "ed25519") {
        return "its algorithm is not ed25519-nkey";
    }
    return {};
}

std::span<const nkey_prefix> issuers_of(jwt_kind kind) {
    using enum nkey_prefix;
    static constexpr std::array by_operator{operator_key};
    static constexpr std::array by_account{account};
    static constexpr std::array by_both{account, operator_key};
    static constexpr std::array by_server{server};
    switch (kind) {
    case jwt_kind::operator_claims: return by_operator;
    case jwt_kind::account:
    case jwt_kind::activation: return by_both;
    case jwt_kind::user:
    case jwt_kind::authorization_response: return by_account;
    case jwt_kind::authorization_request: return by_server;
    case jwt_kind::generic: break;
    }
    return {};
}

/// Everything that does not depend on the kind. `payload` is what `Claims` is read from.
result<json::object> open(std::string_view token, jwt_kind wanted, jwt_claims& claims) {
    if (token.size() > limits::jwt_bytes) return invalid("it is too long");
    const auto parts = split(token);
    if (!parts) return invalid("it has not three parts");
    if (const auto problem = problem_of_header(parts->header); !problem.empty()) {
        return invalid(problem);
    }
    auto payload = decode_object(parts->payload);
    if (!payload) return invalid("the claims cannot be read");
    std::string wrong;
    detail::read_common_claims(*payload, claims, wrong);
    if (!wrong.empty()) return invalid(wrong);
    if (claims.kind != wanted) return invalid("it is a token of another kind");
    if (claims.version > newest_version) return invalid("it is of a newer version");
    if (wanted != jwt_kind::generic && claims.version < 1) return invalid("it has no version");

    const auto key = decode_public_nkey(claims.issuer);
    if (!key) return invalid("the issuer is no key");
    const auto allowed = issuers_of(wanted);
    if (!allowed.empty() &&
        std::find(allowed.begin(), allowed.end(), key->prefix) == allowed.end()) {
        return invalid("its issuer may not issue such a token");
    }
    const auto signature = from_base64url(parts->signature);
    const bool signs_all = claims.version >= 2 || wanted == jwt_kind::generic;
    // Of generic tokens there are both forms, and no version.
    const auto is_of = [&](std::string_view text) {
        return signature && verify(*key, text, detail::octets_of(*signature));
    };
    const bool is_signed = is_of(signs_all ? parts->signed_part : parts->payload) ||
                           (wanted == jwt_kind::generic && is_of(parts->payload));
    if (!is_signed) return invalid("its signature is not its issuer's");
    return std::move(*payload);
}

template <class Claims>
result<Claims> decode(std::string_view token, jwt_kind kind) {
    Claims claims;
    const auto payload = open(token, kind, claims);
    if (!payload) return payload.error();
    std::string wrong;
    detail::read_claims(*payload, claims, wrong);
    if (!wrong.empty()) return invalid(wrong);
    return claims;
}

/// Claims of the first version have some members beside those that they belong to since.
void move_to_newer_places(json::object& claims) {
    if (!claims.contains("type")) return;
    json::object moved;
    if (const auto* const rights = claims.if_contains("nats"); rights && rights->is_object()) {
        moved = rights->get_object();
    }
    if (moved.contains("version")) return;
    for (const auto* const name : {"tags", "type"}) {
        if (const auto* const member = claims.if_contains(name)) moved[name] = *member;
        if (const auto found = claims.find(name); found != claims.end()) claims.stable_erase(found);
    }
    moved["version"] = 1;
    claims["nats"] = std::move(moved);
}

} // namespace

jwt_time time_of(const jwt_claims& claims, wall_time now) noexcept {
    const auto seconds = unix_seconds(now);
    if (claims.expires > 0 && seconds > claims.expires) return jwt_time::expired;
    if (claims.not_before > 0 && claims.not_before > seconds) return jwt_time::not_yet_valid;
    return jwt_time::valid;
}

std::optional<wall_time> end_of(const jwt_claims& claims) noexcept {
    if (claims.expires <= 0) return std::nullopt;
    return wall_time_of(claims.expires);
}

bool account_jwt::revokes(const std::string& user, std::int64_t issued) const {
    return is_revoked(revocations, user, issued);
}

result<user_jwt> decode_user_jwt(std::string_view token) {
    return decode<user_jwt>(token, jwt_kind::user);
}
result<account_jwt> decode_account_jwt(std::string_view token) {
    return decode<account_jwt>(token, jwt_kind::account);
}
result<operator_jwt> decode_operator_jwt(std::string_view token) {
    return decode<operator_jwt>(token, jwt_kind::operator_claims);
}
result<activation_jwt> decode_activation_jwt(std::string_view token) {
    return decode<activation_jwt>(token, jwt_kind::activation);
}
result<generic_jwt> decode_generic_jwt(std::string_view token) {
    return decode<generic_jwt>(token, jwt_kind::generic);
}

result<authorization_request_jwt> decode_authorization_request_jwt(std::string_view token) {
    return decode<authorization_request_jwt>(token, jwt_kind::authorization_request);
}
result<authorization_response_jwt> decode_authorization_response_jwt(std::string_view token) {
    return decode<authorization_response_jwt>(token, jwt_kind::authorization_response);
}

std::string sign_jwt(std::string_view claims_json, const signing_key& key) {
    auto token = to_base64url(R"({"typ":"JWT","alg":"ed25519-nkey"})");
    token += '.';
    token += to_base64url(claims_json);
    const auto signature = key.sign(token);
    token += '.';
    token += to_base64url(detail::text_of(signature));
    return token;
}

std::optional<std::string> claims_json(std::string_view token) {
    const auto parts = split(token);
    auto claims = parts ? decode_object(parts->payload) : std::nullopt;
    if (!claims) return std::nullopt;
    move_to_newer_places(*claims);
    return json::serialize(*claims);
}

bool is_public_key(std::string_view text, nkey_prefix prefix) noexcept {
    const auto key = decode_public_nkey(text);
    return key && key->prefix == prefix;
}

std::optional<std::string> undecorated_jwt(bytes_view text) {
    if (text.size() > 2 * limits::jwt_bytes) return std::nullopt;
    if (const auto begin = text.find("-----BEGIN"); begin != bytes_view::npos) {
        const auto line_end = text.find('\n', begin);
        if (line_end == bytes_view::npos) return std::nullopt;
        const auto end = text.find("-----", line_end);
        if (end == bytes_view::npos) return std::nullopt;
        text = text.substr(line_end, end - line_end);
        // The closing line may have more than five dashes.
        while (text.ends_with('-')) text.remove_suffix(1);
    }
    const auto token = trimmed(text, " \t\r\n");
    if (token.empty() || !split(token)) return std::nullopt;
    return std::string(token);
}

} // namespace pipit::auth
