// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/close_reason.hpp>
#include <pipit/protocol/error.hpp>
#include <pipit/protocol/error_texts.hpp>

#include <gtest/gtest.h>

namespace pipit::protocol {
namespace {

using namespace std::string_view_literals;

std::string quoted(bytes_view text) {
    std::string out;
    error_texts::append_quoted(out, text);
    return out;
}

TEST(ErrorTexts, NameTheSubjectInTheWordsThatClientsCompare) {
    EXPECT_EQ(error_texts::publish_violation("a.b"),
              "Permissions Violation for Publish to \"a.b\"");
    EXPECT_EQ(error_texts::reply_violation("_R_.x"),
              "Permissions Violation for Publish with Reply of \"_R_.x\"");
    EXPECT_EQ(error_texts::subscription_violation("a", ""),
              "Permissions Violation for Subscription to \"a\"");
    EXPECT_EQ(error_texts::subscription_violation("a", "q"),
              "Permissions Violation for Subscription to \"a\" using queue \"q\"");
    EXPECT_EQ(error_texts::subscription_too_many_tokens("a.b"),
              "Permissions Violation for Subscription to \"a.b\", too many tokens");
    EXPECT_EQ(error_texts::subscription_withdrawn("a", "q", "7"),
              "Permissions Violation for Subscription to \"a\" using queue \"q\" (sid \"7\")");
}

TEST(ErrorTexts, QuoteWhatCannotBePrinted) {
    EXPECT_EQ(quoted("plain ü 漢 😀"), "\"plain ü 漢 😀\"");
    EXPECT_EQ(quoted("say \"hi\" \\"), R"("say \"hi\" \\")");
    EXPECT_EQ(quoted("\n\r\t\x00\x1b\x7f"sv), R"("\n\r\t\x00\x1b\x7f")");
    EXPECT_EQ(quoted("\xff\xc3\x28\xed\xa0\x80"), R"("\xff\xc3(\xed\xa0\x80")");
    EXPECT_EQ(quoted("\u00a0\u200b"), R"("\u00a0\u200b")");
    EXPECT_EQ(quoted("\xf3\xa0\x80\x81"), R"("\U000e0001")");
}

TEST(CloseReason, HasTheTextThatConnzShows) {
    EXPECT_EQ(text(close_reason::slow_consumer_pending_bytes), "Slow Consumer (Pending Bytes)");
    EXPECT_EQ(text(close_reason::proxy_required), "Proxy Required");
    EXPECT_EQ(text(close_reason::none), "Unknown State");
}

TEST(ProtocolError, SaysASentence) {
    const error why = errc::payload_too_large;
    EXPECT_EQ(why.message(), "headers and payload are larger than max_payload");
    EXPECT_EQ(why, errc::payload_too_large);
}

} // namespace
} // namespace pipit::protocol
