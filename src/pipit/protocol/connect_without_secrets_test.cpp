// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/connect_without_secrets.hpp>

#include <gtest/gtest.h>

namespace pipit::protocol {
namespace {

TEST(ConnectWithoutSecrets, LeavesTheRestAsItCame) {
    const bytes_view json = R"({"verbose" :false, "user":"u","x":[1,{"y":"a\"b"}],"name":"pass"})";
    EXPECT_EQ(connect_without_secrets(json), json);
    EXPECT_EQ(connect_without_secrets("{}"), "{}");
    EXPECT_EQ(connect_without_secrets(""), "");
}

TEST(ConnectWithoutSecrets, HidesWhatIsOrMayBeASecret) {
    EXPECT_EQ(connect_without_secrets(
                  R"({"user":"u","pass": "p","auth_token":"","jwt":"j","sig":"s","nkey":"n"})"),
              R"({"user":"u","pass": "[REDACTED]","auth_token":"[REDACTED]",)"
              R"("jwt":"[REDACTED]","sig":"[REDACTED]","nkey":"[REDACTED]"})");
    for (const bytes_view key : {"pass", "PASS", "password", "proxy_sig", "p\\u0061ss", "paſs"}) {
        for (const bytes_view value :
             {R"("hunter2")", R"("a\"hunter2")", R"(["hunter2",{"a":"}"}])", R"({"x":"hunter2"})",
              "12", "null", R"("hunter2")"}) {
            const auto name = '"' + std::string(key) + "\"\t: ";
            EXPECT_EQ(connect_without_secrets("{" + name + std::string(value) + " ,\"a\":1}"),
                      "{" + name + "\"[REDACTED]\" ,\"a\":1}")
                << value;
        }
    }
}

} // namespace
} // namespace pipit::protocol
