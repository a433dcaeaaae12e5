// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/jwt.hpp>
#include <pipit/auth/test_tokens.hpp>

#include <gtest/gtest.h>

#include <string>

namespace pipit::auth {
namespace {

const test_key the_operator(nkey_prefix::operator_key, 1);
const test_key the_account(nkey_prefix::account, 2);

/// Of an account whose token says this as well.
std::string problem(const std::string& nats) {
    const auto account = decode_account_jwt(
        the_operator.issue_account(the_account.text(), no_account_limits + "," + nats));
    return account ? problem_of(*account) : "unreadable";
}
std::string problem_of_exports(const std::string& members) {
    return problem(R"("exports":[)" + members + "]");
}
std::string problem_of_imports(const std::string& members) {
    return problem(R"("imports":[)" + members + "]");
}

TEST(AccountProblems, AreNoneOfWhatIsNotRuled) { EXPECT_EQ(problem(R"("tags":[])"), ""); }

TEST(AccountProblems, AreOfItsKeysAndMappings) {
    EXPECT_NE(problem(R"("signing_keys":["x"])"), "");
    EXPECT_NE(
        problem(R"("mappings":{"a":[{"subject":"b","weight":60},{"subject":"c","weight":60}]})"),
        "");
}

/// As nats-server: such a token can be read, so that one in a configuration stops no start.
TEST(AccountProblems, AreOfEntriesThatAreNullOrSayTooLittle) {
    for (const auto* const entry : {"null", R"({"subject":"a","account":"A"})"}) {
        EXPECT_EQ(problem_of_exports(entry), "an export is null or has no type") << entry;
        EXPECT_EQ(problem_of_imports(entry), "an import is null or has no type") << entry;
    }
    EXPECT_EQ(problem(R"("mappings":{"a":[null]})"), "subject cannot be empty");
    EXPECT_EQ(problem(R"("signing_keys":[null,5])"), "");
    for (const auto* const entry : {"1", R"({"subject":"a","type":null})"}) {
        EXPECT_EQ(problem_of_exports(entry), "unreadable") << entry;
    }
}

TEST(AccountProblems, AreOfTheAccountsThatACalloutMayName) {
    const auto of = [](const std::string& accounts) {
        const test_key user(nkey_prefix::user, 3);
        return problem(R"("authorization":{"auth_users":[")" + user.text() +
                       R"("],"allowed_accounts":[)" + accounts + "]}");
    };
    const auto account = '"' + the_account.text() + '"';
    EXPECT_EQ(of(account), "");
    EXPECT_EQ(of(R"("*")"), "");
    EXPECT_EQ(of(account + R"(,"*")"), R"(AllowedAccounts can only be a list of accounts or "*")");
    EXPECT_EQ(of(R"("A")"), R"(Account "A" is not a valid account public key)");
}

TEST(AccountProblems, AreOfLimitsOfJetStreamBesideThoseOfTiers) {
    const auto of = [](const std::string& limits) {
        const auto account = decode_account_jwt(the_operator.issue_account(
            the_account.text(), R"("limits":{"imports":-1,"exports":-1,)" + limits + "}"));
        return account ? problem_of(*account) : "unreadable";
    };
    const std::string tiers = R"("tiered_limits":{"R1":{"mem_storage":1}})";
    EXPECT_EQ(of(tiers), "");
    EXPECT_EQ(of(R"("streams":-1,"tiered_limits":{})"), "");
    for (const std::string one :
         {R"("mem_storage":1)", R"("streams":-1)", R"("max_bytes_required":true)"}) {
        EXPECT_EQ(of(one + "," + tiers),
                  "JetStream Limits and tiered JetStream Limits are mutually exclusive");
    }
}

TEST(AccountProblems, AreOfAnExport) {
    const std::string bad[] = {
        R"({"subject":"a..b","type":"stream"})",
        R"({"subject":"a","type":"stream","allow_trace":true})",
        R"({"subject":"a","type":"stream","response_threshold":1})",
        R"({"subject":"a","type":"stream","info_url":"x"})",
        R"({"subject":"a.*","type":"service","account_token_position":1})",
        R"({"subject":"a.*","type":"service","account_token_position":3})",
        R"({"subject":"a.b","type":"service","account_token_position":2})",
    };
    for (const auto& one : bad) EXPECT_NE(problem_of_exports(one), "") << one;
    EXPECT_EQ(
        problem_of_exports(R"({"subject":"a.*","type":"service","account_token_position":2})"), "");
}

TEST(AccountProblems, AreOfHowTheLatencyOfAnExportIsMeasured) {
    const std::string bad[] = {
        R"({"subject":"a","type":"stream","service_latency":{"sampling":9,"results":"r"}})",
        R"({"subject":"a","type":"service","service_latency":{"sampling":101,"results":"r"}})",
        R"({"subject":"a","type":"service","service_latency":{"sampling":-1,"results":"r"}})",
        R"({"subject":"a","type":"service","service_latency":{"sampling":9,"results":"r.>"}})",
        R"({"subject":"a","type":"service","service_latency":{"sampling":9}})",
    };
    for (const auto& one : bad) EXPECT_NE(problem_of_exports(one), "") << one;
    EXPECT_EQ(problem_of_exports(R"({"subject":"a","type":"service",)"
                                 R"("service_latency":{"sampling":"Headers","results":"r"}})"),
              "");
}

TEST(AccountProblems, AreOfExportsThatHoldOneAnother) {
    EXPECT_NE(problem_of_exports(
                  R"({"subject":"a.*","type":"service"},{"subject":"a.b","type":"service"})"),
              "");
    EXPECT_NE(problem_of_exports(
                  R"({"subject":"a.b","type":"stream"},{"subject":"a.>","type":"stream"})"),
              "");
    EXPECT_EQ(problem_of_exports(
                  R"({"subject":"a.*","type":"service"},{"subject":"a.b","type":"stream"})"),
              "");
}

TEST(AccountProblems, AreOfAnImport) {
    const std::string bad[] = {
        R"({"subject":"a","type":"stream"})",
        R"({"subject":"a","account":"A","type":"stream","token":"x"})",
        R"({"subject":"a","account":"A","type":"service","allow_trace":true})",
        R"({"subject":"a","account":"A","type":"stream","share":true})",
    };
    for (const auto& one : bad) EXPECT_NE(problem_of_imports(one), "") << one;
}

TEST(AccountProblems, AreOfWhomAnActivationSaysThatItIsFrom) {
    const test_key exporter(nkey_prefix::account, 4);
    const auto of = [&](const std::string& issuer_account) {
        const auto token = exporter.issue(
            the_account.text(), R"("nats":{"subject":"a","kind":"stream","issuer_account":")" +
                                    issuer_account + R"(","type":"activation","version":2})");
        return problem_of_imports(R"({"subject":"a","account":")" + exporter.text() +
                                  R"(","type":"stream","token":")" + token + R"("})");
    };
    EXPECT_EQ(of(""), "");
    EXPECT_EQ(of(exporter.text()), "");
    EXPECT_EQ(of("A"), "account_id is not an account public key");
}

TEST(AccountProblems, AreOfWhatAnImportIsCalled) {
    const std::string bad[] = {
        R"({"subject":"a","account":"A","type":"service","to":"b","local_subject":"c"})",
        R"({"subject":"a.>","account":"A","type":"stream","local_subject":"b"})",
        R"({"subject":"a.*","account":"A","type":"service","local_subject":"b"})",
        R"({"subject":"a.*","account":"A","type":"service","local_subject":"b.$2"})",
        R"({"subject":"a.*","account":"A","type":"service","local_subject":"b.*.$1"})",
        R"({"subject":"a.*","account":"A","type":"service","local_subject":"b.*.$3000000000"})",
    };
    for (const auto& one : bad) EXPECT_NE(problem_of_imports(one), "") << one;
    EXPECT_EQ(
        problem_of_imports(
            R"({"subject":"a.*.b.*","account":"A","type":"service","local_subject":"b.$2.$1"})"),
        "");
}

TEST(AccountProblems, AreOfSubjectsThatAreTooLongToBeCompared) {
    const auto of_tokens = [](std::size_t count) {
        std::string subject = "*";
        while (--count > 0) subject += ".*";
        return subject;
    };
    const auto exported = [&](std::size_t tokens) {
        return R"({"subject":")" + of_tokens(tokens) + R"(","type":"stream"})";
    };
    const auto called = [&](const std::string& name, std::size_t tokens) {
        return R"({"subject":"a","account":"A","type":"service",")" + name + R"(":")" +
               of_tokens(tokens) + R"("})";
    };
    EXPECT_EQ(problem_of_exports(exported(1024)), "");
    for (const auto tokens : {std::size_t{1025}, std::size_t{100'000}}) {
        const std::string too_long = "subject has more than 1024 tokens";
        EXPECT_EQ(problem_of_exports(exported(tokens) + "," + exported(tokens)), too_long);
        EXPECT_EQ(problem_of_imports(called("to", tokens) + "," + called("to", tokens)), too_long);
        EXPECT_EQ(problem_of_imports(called("local_subject", tokens)), too_long);
    }
}

TEST(AccountProblems, AreOfServicesOfOneAccountWhoseNamesHoldOneAnother) {
    EXPECT_NE(problem_of_imports(R"({"subject":"a.*","account":"A","type":"service"},)"
                                 R"({"subject":"a.b","account":"A","type":"service"})"),
              "");
    EXPECT_EQ(problem_of_imports(R"({"subject":"a.>","account":"A","type":"stream"},)"
                                 R"({"subject":"a.b","account":"A","type":"stream"})"),
              "");
    EXPECT_EQ(problem_of_imports(R"({"subject":"a","account":"A","type":"service"},)"
                                 R"({"subject":"a","account":"B","type":"service"})"),
              "");
}

TEST(AccountProblems, AreOfItsTrace) {
    const std::string bad[] = {
        R"("trace":{})",
        R"("trace":{"dest":"a.*"})",
        R"("trace":{"dest":"a","sampling":101})",
        R"("trace":{"dest":"a","sampling":-1})",
    };
    for (const auto& nats : bad) EXPECT_NE(problem(nats), "") << nats;
    EXPECT_EQ(problem(R"("trace":{"dest":"a.b"})"), "");
}

TEST(AccountProblems, AreOfItsTexts) {
    EXPECT_NE(problem(R"("cluster_traffic":"x")"), "");
    EXPECT_EQ(problem(R"("cluster_traffic":"owner")"), "");
    EXPECT_NE(problem(R"("description":")" + std::string(8193, 'x') + '"'), "");
    EXPECT_EQ(problem(R"("description":")" + std::string(8192, 'x') + '"'), "");
    EXPECT_NE(problem(R"("info_url":"no.host")"), "");
    EXPECT_EQ(problem(R"("info_url":"https://a.example:8443/%20?q=%")"), "");
}

} // namespace
} // namespace pipit::auth
