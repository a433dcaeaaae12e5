// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/ocsp.hpp>

#include <pipit/auth/error.hpp>
#include <pipit/auth/test_ocsp.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>

namespace pipit::auth {
namespace {

using test::answer_wishes;
using test::link_of;
using test::make_answer;
using test::make_holder;

wall_time now() { return wall_time(std::chrono::seconds(std::time(nullptr))); }

struct Ocsp : testing::Test {
    test::holder issuer = make_holder({.name = "Authority"});
    test::holder client = make_holder({}, &issuer);
    ocsp_link link = link_of(client, issuer);
};

TEST_F(Ocsp, ReadsWhatTheIssuerSaysOfACertificate) {
    for (const auto& [status, expected] :
         {std::pair{V_OCSP_CERTSTATUS_GOOD, ocsp_status::good},
          std::pair{V_OCSP_CERTSTATUS_REVOKED, ocsp_status::revoked},
          std::pair{V_OCSP_CERTSTATUS_UNKNOWN, ocsp_status::unknown}}) {
        for (const bool says_signer : {true, false}) {
            const auto der =
                make_answer(client, issuer, issuer, {.status = status, .says_signer = says_signer});
            const auto answer = read_ocsp_answer(der, link, now());
            ASSERT_TRUE(answer) << answer.error().detail();
            EXPECT_EQ(answer->status, expected);
            EXPECT_LT(answer->this_update, now());
            EXPECT_GT(answer->next_update.value(), now());
        }
    }
    const auto endless = make_answer(client, issuer, issuer, {.seconds_until = std::nullopt});
    EXPECT_FALSE(read_ocsp_answer(endless, link, now()).value().next_update);
}

TEST_F(Ocsp, TakesTheWordOfSomebodyWhomTheIssuerHasCharged) {
    const auto charged = make_holder(
        {.name = "Responder", .extensions = {{NID_ext_key_usage, "OCSPSigning"}}}, &issuer);
    EXPECT_TRUE(read_ocsp_answer(make_answer(client, issuer, charged), link, now()));
    EXPECT_FALSE(
        read_ocsp_answer(make_answer(client, issuer, charged, {.says_signer = false}), link, now()))
        << "nobody knows who that was";

    for (const auto& extensions :
         {std::vector<std::pair<int, std::string>>{},
          std::vector<std::pair<int, std::string>>{{NID_ext_key_usage, "clientAuth"}}}) {
        const auto other = make_holder({.name = "Client", .extensions = extensions}, &issuer);
        const auto answer = read_ocsp_answer(make_answer(client, issuer, other), link, now());
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error(), errc::unauthorized_ocsp_signer);
    }
    const auto expired = make_holder({.name = "Responder",
                                      .extensions = {{NID_ext_key_usage, "OCSPSigning"}},
                                      .seconds_from = -7200,
                                      .seconds_until = -3600},
                                     &issuer);
    EXPECT_FALSE(read_ocsp_answer(make_answer(client, issuer, expired), link, now()));

    const auto stranger = make_holder({.name = "Stranger"});
    const auto his = make_holder(
        {.name = "Responder", .extensions = {{NID_ext_key_usage, "OCSPSigning"}}}, &stranger);
    EXPECT_FALSE(read_ocsp_answer(make_answer(client, issuer, his), link, now()));
    EXPECT_FALSE(read_ocsp_answer(make_answer(client, issuer, stranger), link, now()));
}

TEST_F(Ocsp, IsToldOfARevocationByLeavingOutTheStatusAsGoDoes) {
    const auto der = test::make_answer_without_status(client, issuer, issuer);
    const auto answer = read_ocsp_answer(der, link, now());
    ASSERT_TRUE(answer) << answer.error().detail();
    EXPECT_EQ(answer->status, ocsp_status::revoked);
    EXPECT_LT(answer->this_update, now());

    const auto stranger = make_holder({.name = "Stranger"});
    EXPECT_FALSE(
        read_ocsp_answer(test::make_answer_without_status(client, issuer, stranger), link, now()));
    const auto other = make_holder({.name = "other"}, &issuer);
    EXPECT_FALSE(
        read_ocsp_answer(test::make_answer_without_status(other, issuer, issuer), link, now()));
    for (std::size_t i = 0; i < der.size(); i += 3) {
        EXPECT_FALSE(read_ocsp_answer(bytes_view(der).substr(0, i), link, now())) << i;
        auto changed = der;
        changed[i] = static_cast<char>(changed[i] ^ 0x10);
        const auto read = read_ocsp_answer(changed, link, now());
        EXPECT_TRUE(!read || read->status == ocsp_status::revoked) << i;
    }
}

TEST_F(Ocsp, TakesNoAnswerAboutAnotherCertificate) {
    const auto other = make_holder({.name = "other"}, &issuer);
    EXPECT_FALSE(read_ocsp_answer(make_answer(other, issuer, issuer), link, now()));
    EXPECT_FALSE(read_ocsp_answer(make_answer(client, issuer, issuer, {.times = 2}), link, now()));
    EXPECT_FALSE(read_ocsp_answer(make_answer(client, issuer, issuer, {.times = 0}), link, now()));
}

TEST_F(Ocsp, SaysWhyAnAuthorityDoesNotAnswer) {
    const auto refused =
        read_ocsp_answer(test::make_refusal(OCSP_RESPONSE_STATUS_UNAUTHORIZED), link, now());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().detail(), "ocsp: error from server: unauthorized");
}

TEST_F(Ocsp, TakesNothingThatIsCutOrChanged) {
    const auto der = make_answer(client, issuer, issuer);
    for (std::size_t i = 0; i < der.size(); ++i) {
        EXPECT_FALSE(read_ocsp_answer(bytes_view(der).substr(0, i), link, now())) << i;
    }
    EXPECT_FALSE(read_ocsp_answer(der + "x", link, now()));
    EXPECT_FALSE(read_ocsp_answer(std::string(1'000'000, '0'), link, now()));
    // A bit of the signature, which stands at the end when no certificate follows.
    auto changed = make_answer(client, issuer, issuer, {.says_signer = false});
    changed.back() = static_cast<char>(changed.back() ^ 1);
    EXPECT_FALSE(read_ocsp_answer(changed, link, now()));
    EXPECT_FALSE(read_ocsp_answer(der, {link.certificate, "nonsense"}, now()));
}

TEST_F(Ocsp, AsksAboutACertificateByItsNumber) {
    const auto request = ocsp_request(link);
    ASSERT_TRUE(request);
    const auto* bytes = reinterpret_cast<const unsigned char*>(request->data());
    const c_pointer<OCSP_REQUEST, OCSP_REQUEST_free> parsed(
        d2i_OCSP_REQUEST(nullptr, &bytes, static_cast<long>(request->size())));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(OCSP_request_onereq_count(parsed.get()), 1);
    EXPECT_FALSE(ocsp_request({link.certificate, ""}));
}

TEST_F(Ocsp, FindsWhereAnAuthorityCanBeAsked) {
    const auto several =
        make_holder({.extensions = {{NID_info_access,
                                     "OCSP;URI:http://a/x,caIssuers;URI:http://b,OCSP;URI:ldap://c,"
                                     "OCSP;URI:https://d,OCSP;email:e@f"}}},
                    &issuer);
    EXPECT_EQ(ocsp_responders(several.der()),
              (std::vector<std::string>{"http://a/x", "https://d"}));
    EXPECT_TRUE(ocsp_responders(client.der()).empty());
    const auto shouting =
        make_holder({.extensions = {{NID_info_access, "OCSP;URI:HTTP://a,OCSP;URI:Https://b"}}});
    EXPECT_EQ(ocsp_responders(shouting.der()), (std::vector<std::string>{"HTTP://a", "Https://b"}));
}

TEST_F(Ocsp, DoesNotTakeWhatCannotBeReadForACertificateThatNamesNobody) {
    EXPECT_FALSE(has_readable_responders("nonsense"));
    EXPECT_TRUE(has_readable_responders(client.der()));
    const std::pair<int, std::string> one(NID_info_access, "OCSP;URI:http://a");
    EXPECT_TRUE(has_readable_responders(make_holder({.extensions = {one}}).der()));
    EXPECT_FALSE(has_readable_responders(make_holder({.extensions = {one, one}}).der()));
    EXPECT_FALSE(has_readable_responders(
        make_holder({.extensions = {{NID_info_access, "DER:05:00"}}}).der()));
}

TEST_F(Ocsp, HoldsForLongWhereItSaysForEver) {
    constexpr long until_9026 = 7000L * 365 * 86400;
    const auto der = make_answer(client, issuer, issuer, {.seconds_until = until_9026});
    const auto answer = read_ocsp_answer(der, link, now());
    ASSERT_TRUE(answer) << answer.error().detail();
    EXPECT_GT(answer->next_update.value(), now() + std::chrono::years(100));
}

TEST_F(Ocsp, KnowsWhoHasToShowAnAnswer) {
    const auto must = make_holder({.extensions = {{NID_tlsfeature, "status_request"}}}, &issuer);
    EXPECT_TRUE(demands_staple(must.der()));
    EXPECT_FALSE(demands_staple(client.der()));
    EXPECT_TRUE(is_authority(issuer.der()));
    EXPECT_FALSE(is_authority(client.der()));
}

} // namespace
} // namespace pipit::auth
