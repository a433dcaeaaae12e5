// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/detail/octets.hpp>
#include <pipit/auth/jwt.hpp>
#include <pipit/auth/test_tokens.hpp>
#include <pipit/base/base64.hpp>
#include <pipit/base/identity_limits.hpp>

#include <gtest/gtest.h>

#include <string>

namespace pipit::auth {
namespace {

using namespace std::chrono_literals;

const test_key the_operator(nkey_prefix::operator_key, 1);
const test_key the_account(nkey_prefix::account, 2);
const test_key the_signer(nkey_prefix::account, 3);
const test_key the_user(nkey_prefix::user, 4);

std::string signature_by(const test_key& signer, std::string_view text) {
    return to_base64url(detail::text_of(signer.key().sign(text)));
}
/// A token with this header, which is signed as it should be.
std::string with_header(std::string_view header, std::string_view claims, const test_key& by) {
    auto token = to_base64url(header) + "." + to_base64url(claims);
    return token + "." + signature_by(by, token);
}
std::string user_claims(const std::string& issuer) {
    return R"({"iss":")" + issuer + R"(","sub":")" + the_user.text() +
           R"(","nats":{"type":"user","version":2}})";
}
std::string complaint(const result<user_jwt>& user) {
    return user ? "none" : std::string(user.error().detail());
}

TEST(Jwt, SaysWhatStandsInTheTokenOfAUser) {
    const auto token = the_account.issue_user(
        the_user.text(),
        R"("pub":{"allow":["a"],"deny":["b"]},"sub":{"allow":["c q"]},"resp":{"max":3,"ttl":5},)"
        R"("src":["10.0.0.0/8"],"times":[{"start":"08:30:00","end":"17:00:01"}],)"
        R"("times_location":"Europe/Vienna","bearer_token":true,"tags":["x:y"],)"
        R"("allowed_connection_types":["STANDARD"])",
        R"("name":"me","exp":12,"nbf":11,"jti":"J","aud":"Z")");
    const auto user = decode_user_jwt(token);
    ASSERT_TRUE(user) << complaint(user);
    EXPECT_EQ(user->issuer, the_account.text());
    EXPECT_EQ(user->account(), the_account.text());
    EXPECT_EQ(user->subject, the_user.text());
    EXPECT_EQ(user->name, "me");
    EXPECT_EQ(user->audience, "Z");
    EXPECT_EQ(user->id, "J");
    EXPECT_EQ(user->issued_at, 1'700'000'000);
    EXPECT_EQ(user->expires, 12);
    EXPECT_EQ(user->not_before, 11);
    EXPECT_EQ(user->tags, std::vector<std::string>{"x:y"});
    const auto& rights = user->rights;
    EXPECT_EQ(rights.permissions.publish_allow, std::vector<std::string>{"a"});
    EXPECT_EQ(rights.permissions.publish_deny, std::vector<std::string>{"b"});
    EXPECT_EQ(rights.permissions.subscribe_allow, std::vector<std::string>{"c q"});
    EXPECT_EQ(rights.permissions.allow_responses, (response_permission{3, 5ns}));
    EXPECT_EQ(rights.times, (std::vector<time_range>{{8h + 30min, 17h + 1s}}));
    EXPECT_EQ(rights.source_networks, std::vector<std::string>{"10.0.0.0/8"});
    EXPECT_EQ(rights.subscriptions, -1);
    EXPECT_TRUE(rights.bearer_token);
    EXPECT_EQ(problem_of(*user), "");
}

/// What a token says of the times of a user, from midnight until then.
user_rights rights_until(const std::string& end) {
    return decode_user_jwt(
               the_account.issue_user(the_user.text(),
                                      R"("times":[{"start":"0:00:00","end":")" + end + "\"}]"))
        .value()
        .rights;
}

TEST(Jwt, ReadsTimesAsGoDoes) {
    for (const auto& [text, time] :
         {std::pair<const char*, std::chrono::seconds>{"08:30:00", 8h + 30min},
          {"8:30:00", 8h + 30min},
          {"23:59:59", 24h - 1s},
          {"8:00:01.5", 8h + 1s},
          {"08:00:01,999999999999", 8h + 1s}}) {
        const auto rights = rights_until(text);
        EXPECT_EQ(rights.times, (std::vector<time_range>{{0s, time}})) << text;
        EXPECT_EQ(rights.times_problem, "") << text;
    }
    for (const auto* text : {"",          "8",         "8:30",       "8:3:00",      "8:30:0",
                             "24:00:00",  "08:60:00",  "08:00:60",   "008:00:00",   "08:000:00",
                             "08:00:000", "08:00:00.", "08:00:00.x", "08:00:00.5x", "08:00:00 ",
                             " 08:00:00", "-8:00:00",  "+8:00:00",   "08-00-00",    "noon"}) {
        EXPECT_EQ(rights_until(text).times_problem,
                  "end in time range is invalid \"" + std::string(text) + "\"");
    }
    EXPECT_NE(decode_user_jwt(the_account.issue_user(the_user.text(), R"("times":[null])"))
                  .value()
                  .rights.times_problem,
              "");
}

TEST(Jwt, SaysWhatStandsInTheTokenOfAnAccount) {
    const auto account = decode_account_jwt(the_operator.issue_account(
        the_account.text(),
        R"("limits":{"conn":3,"subs":4,"payload":5,"disallow_bearer":true,"mem_storage":1,)"
        R"("imports":-1,"exports":-1,"wildcards":true},"signing_keys":[")" +
            the_signer.text() + R"(",{"kind":"user_scope","key":")" + the_account.text() +
            R"(","role":"r","template":{"pub":{"allow":["{{name()}}"]},"subs":9}}],)"
            R"("revocations":{"*":5,"U":7},"default_permissions":{"sub":{"deny":["x"]}},)"
            R"("mappings":{"a":[{"subject":"b","weight":40}]},)"
            R"("exports":[{"subject":"s.*","type":"service","token_req":true,)"
            R"("service_latency":{"sampling":"headers","results":"l"}}],)"
            R"("imports":[{"subject":"i","account":"A","type":"stream","local_subject":"j"}])"));
    ASSERT_TRUE(account) << account.error().detail();
    EXPECT_EQ(account->limits.connections, 3);
    EXPECT_EQ(account->limits.subscriptions, 4);
    EXPECT_EQ(account->limits.payload, 5);
    EXPECT_TRUE(account->limits.disallow_bearer);
    EXPECT_TRUE(account->limits.jetstream);
    EXPECT_FALSE(account->signing_keys.at(the_signer.text()));
    const auto& scope = account->signing_keys.at(the_account.text());
    ASSERT_TRUE(scope);
    EXPECT_EQ(scope->subscriptions, 9);
    EXPECT_EQ(scope->payload, -1);
    EXPECT_EQ(account->mappings.at("a").at(0).weight_percent, 40);
    EXPECT_EQ(account->exports.at(0).latency_sampling, 0);
    EXPECT_EQ(account->imports.at(0).local_subject, "j");
    EXPECT_EQ(account->default_permissions.subscribe_deny, std::vector<std::string>{"x"});
    EXPECT_TRUE(account->revokes("anybody", 5));
    EXPECT_FALSE(account->revokes("anybody", 6));
    EXPECT_TRUE(account->revokes("U", 7));
    EXPECT_EQ(problem_of(*account), "");
}

TEST(Jwt, SaysWhatStandsInTheTokenOfAnOperator) {
    const auto claims = decode_operator_jwt(the_operator.issue(
        the_operator.text(), R"("nats":{"signing_keys":["O1"],"system_account":"A1",)"
                             R"("strict_signing_key_usage":true,"type":"operator","version":2})"));
    ASSERT_TRUE(claims) << claims.error().detail();
    EXPECT_EQ(claims->signing_keys, std::vector<std::string>{"O1"});
    EXPECT_EQ(claims->system_account, "A1");
    EXPECT_TRUE(claims->strict_signing_keys);
}

TEST(Jwt, OfVersionOneSignsOnlyItsPayload) {
    const auto claims =
        R"({"iss":")" + the_account.text() + R"(","sub":")" + the_user.text() +
        R"(","type":"user","issuer_account":"A","nats":{"src":"10.0.0.0/8, 1.2.3.4/32"}})";
    const auto payload = to_base64url(claims);
    const auto token = to_base64url(R"({"typ":"jwt","alg":"ed25519"})") + "." + payload + "." +
                       signature_by(the_account, payload);
    const auto user = decode_user_jwt(token);
    ASSERT_TRUE(user) << complaint(user);
    EXPECT_EQ(user->version, 1);
    EXPECT_EQ(user->issuer_account, "A");
    EXPECT_EQ(user->rights.subscriptions, -1);
    EXPECT_EQ(user->rights.source_networks, (std::vector<std::string>{"10.0.0.0/8", "1.2.3.4/32"}));
    // The form of version 1 does not do for version 2.
    const auto newer = to_base64url(user_claims(the_account.text()));
    EXPECT_EQ(complaint(decode_user_jwt(to_base64url(R"({"typ":"JWT","alg":"ed25519"})") + "." +
                                        newer + "." + signature_by(the_account, newer))),
              "its signature is not its issuer's");
}

TEST(Jwt, OfVersionOneIsShownAsANewerOneWouldBe) {
    const auto shown = [](std::string_view claims) {
        return claims_json("e30." + to_base64url(claims) + ".e30");
    };
    EXPECT_EQ(shown(R"({"jti":"J","name":"O","tags":["t"],"type":"operator","sub":"S",)"
                    R"("nats":{"signing_keys":["O1"]}})"),
              R"({"jti":"J","name":"O","sub":"S",)"
              R"("nats":{"signing_keys":["O1"],"tags":["t"],"type":"operator","version":1}})");
    EXPECT_EQ(shown(R"({"type":"operator","sub":"S"})"),
              R"({"sub":"S","nats":{"type":"operator","version":1}})");
    const auto* const newer = R"({"sub":"S","nats":{"type":"operator","version":2}})";
    EXPECT_EQ(shown(newer), newer);
}

TEST(Jwt, IsRefusedWithAnyOtherAlgorithm) {
    const auto claims = user_claims(the_account.text());
    for (const auto* header :
         {R"({"typ":"JWT","alg":"none"})", R"({"typ":"JWT","alg":"HS256"})",
          R"({"typ":"JWT","alg":"EdDSA"})", R"({"typ":"JWT"})", R"({"typ":"JWT","alg":null})",
          R"({"typ":"JWT","alg":["ed25519-nkey"]})", R"({"typ":"JWT","alg":"ed25519-nkey2"})",
          R"({"typ":"JWE","alg":"ed25519-nkey"})", R"([])", ""}) {
        EXPECT_FALSE(decode_user_jwt(with_header(header, claims, the_account))) << header;
    }
    EXPECT_TRUE(
        decode_user_jwt(with_header(R"({"typ":"jwt","alg":"Ed25519-NKEY"})", claims, the_account)));
    // Without a signature nothing helps.
    const auto unsigned_token =
        to_base64url(R"({"typ":"JWT","alg":"none"})") + "." + to_base64url(claims) + ".";
    EXPECT_FALSE(decode_user_jwt(unsigned_token));
    EXPECT_FALSE(decode_user_jwt(to_base64url(R"({"typ":"JWT","alg":"ed25519-nkey"})") + "." +
                                 to_base64url(claims) + "."));
}

TEST(Jwt, IsRefusedWhenAnyByteWasChanged) {
    const auto token = the_account.issue_user(the_user.text());
    ASSERT_TRUE(decode_user_jwt(token));
    for (std::size_t at = 0; at < token.size(); ++at) {
        auto changed = token;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(decode_user_jwt(changed)) << at;
    }
    for (std::size_t size = 0; size < token.size(); ++size) {
        EXPECT_FALSE(decode_user_jwt(token.substr(0, size))) << size;
    }
    EXPECT_FALSE(decode_user_jwt(token + "="));
    EXPECT_FALSE(decode_user_jwt(token + ".x"));
    EXPECT_FALSE(decode_user_jwt(" " + token));
}

TEST(Jwt, IsRefusedWhenSomebodyElseSignedOrIssuedIt) {
    EXPECT_EQ(complaint(decode_user_jwt(with_header(R"({"typ":"JWT","alg":"ed25519-nkey"})",
                                                    user_claims(the_account.text()), the_signer))),
              "its signature is not its issuer's");
    // Users and operators issue no users; users issue no accounts.
    EXPECT_EQ(complaint(decode_user_jwt(the_user.issue_user(the_user.text()))),
              "its issuer may not issue such a token");
    EXPECT_EQ(complaint(decode_user_jwt(the_operator.issue_user(the_user.text()))),
              "its issuer may not issue such a token");
    EXPECT_FALSE(decode_account_jwt(the_user.issue_account(the_account.text())));
    EXPECT_EQ(complaint(decode_user_jwt(the_account.issue_account(the_account.text()))),
              "it is a token of another kind");
}

TEST(Jwt, IsRefusedWhenSomethingIsNotWhatItMustBe) {
    for (const auto* nats :
         {R"("pub":1)", R"("pub":{"allow":[1]})", R"("bearer_token":"yes")", R"("subs":1.5)",
          R"("subs":1e3)", R"("subs":18446744073709551615)", R"("src":[1])", R"("times":[1])",
          R"("times":[{"start":8}])", R"("tags":"x")", R"("resp":[])"}) {
        EXPECT_FALSE(decode_user_jwt(the_account.issue_user(the_user.text(), nats))) << nats;
    }
    EXPECT_TRUE(decode_user_jwt(the_account.issue_user(
        the_user.text(), R"("pub":null,"resp":null,"times":null,"unknown":{"a":[1]})")));
    EXPECT_FALSE(decode_user_jwt(
        the_account.issue(the_user.text(), R"("nats":{"type":"user","version":3})")));
    EXPECT_FALSE(decode_user_jwt(the_account.issue(the_user.text(), R"("nats":{"type":"user"})")));
    EXPECT_FALSE(decode_user_jwt(the_account.issue_user(
        the_user.text(), R"("deep":)" + std::string(50, '[') + std::string(50, ']'))));
}

TEST(Jwt, IsBounded) {
    const auto large = the_account.issue_user(
        the_user.text(), R"("x":")" + std::string(limits::jwt_bytes, 'x') + "\"");
    EXPECT_EQ(complaint(decode_user_jwt(large)), "it is too long");
}

TEST(Jwt, HasItsTime) {
    jwt_claims claims;
    const auto at = [](std::int64_t second) { return wall_time(std::chrono::seconds(second)); };
    EXPECT_EQ(time_of(claims, at(100)), jwt_time::valid);
    EXPECT_FALSE(end_of(claims));
    claims.expires = 100;
    EXPECT_EQ(time_of(claims, at(100)), jwt_time::valid);
    EXPECT_EQ(time_of(claims, at(101)), jwt_time::expired);
    EXPECT_EQ(end_of(claims), at(100));
    claims.not_before = 50;
    EXPECT_EQ(time_of(claims, at(49)), jwt_time::not_yet_valid);
    EXPECT_EQ(time_of(claims, at(50)), jwt_time::valid);
    claims.expires = std::numeric_limits<std::int64_t>::max();
    EXPECT_GT(end_of(claims).value(), at(0) + std::chrono::years(200));
}

TEST(Jwt, OfAUserMayNotSayEverything) {
    const auto user =
        decode_user_jwt(the_account.issue_user(the_user.text(), R"("pub":{"allow":["a q"]})"));
    EXPECT_NE(problem_of(user.value()), "");
    const auto nobody = decode_user_jwt(the_account.issue_user(the_account.text()));
    EXPECT_EQ(problem_of(nobody.value()), "its subject is no user");
}

TEST(Jwt, StandsInDecoratedFilesToo) {
    EXPECT_EQ(undecorated_jwt("-----BEGIN NATS OPERATOR JWT-----\na.b.c\n------END NATS OPERATOR "
                              "JWT------\n\n"),
              "a.b.c");
    EXPECT_EQ(undecorated_jwt(" a.b.c\r\n"), "a.b.c");
    EXPECT_FALSE(undecorated_jwt("-----BEGIN"));
    EXPECT_FALSE(undecorated_jwt("a.b"));
}

TEST(Jwt, OfARequestToDeleteNamesAccounts) {
    const auto request = decode_generic_jwt(the_operator.issue(
        the_operator.text(), R"("nats":{"accounts":["A","B"],"type":"generic","version":2})"));
    ASSERT_TRUE(request) << request.error().detail();
    EXPECT_EQ(request->accounts, (std::vector<std::string>{"A", "B"}));
    const auto wrong =
        decode_generic_jwt(the_operator.issue(the_operator.text(), R"("nats":{"accounts":[1]})"));
    ASSERT_TRUE(wrong);
    EXPECT_FALSE(wrong->accounts);
}

} // namespace
} // namespace pipit::auth
