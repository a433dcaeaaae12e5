// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/close_reason.hpp>
#include <pipit/protocol/error.hpp>
#include <pipit/protocol/error_texts.hpp>

#include <gtest/gtest.h>

namespace pipit::protocol {
namespace {

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
