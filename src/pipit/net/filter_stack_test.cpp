// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/error.hpp>
#include <pipit/net/filter_stack.hpp>
#include <pipit/net/test_certificates.hpp>
#include <pipit/net/test_filters.hpp>
#include <pipit/net/tls_filter.hpp>

#include <gtest/gtest.h>

#include <utility>

namespace pipit::net {
namespace {

/// TLS in TLS: what a stack has to do for any two.
struct FilterStack : testing::Test {
    void add(filter_stack& to, std::string& wire, bool is_server) {
        auto one = is_server ? std::make_unique<tls_filter>(server)
                             : std::make_unique<tls_filter>(client, "localhost");
        EXPECT_TRUE(to.add(std::move(one), wire));
    }
    /// Carries what both have to say, a few bytes at a time; the first failure.
    result<> talk() {
        while (!here_wire.empty() || !there_wire.empty()) {
            const auto from_here = std::exchange(here_wire, {});
            for (std::size_t i = 0; i < from_here.size(); i += 100) {
                const auto part = bytes_view(from_here).substr(i, 100);
                if (auto done = there.receive(part, there_plain, there_wire); !done) return done;
            }
            const auto from_there = std::exchange(there_wire, {});
            if (auto done = here.receive(from_there, here_plain, here_wire); !done) return done;
        }
        return {};
    }

    test::authority issuer;
    std::shared_ptr<const tls_context> server =
        tls_context::for_server({.key_pairs = {issuer.issue()}}).value();
    std::shared_ptr<const tls_context> client =
        tls_context::for_client({.authorities_file = issuer.file(), .verifies_peer = true}).value();
    filter_stack here, there;
    std::string here_wire, there_wire, here_plain, there_plain;
};

TEST_F(FilterStack, GoesOnWithWhatOneOfThemKeeps) {
    for (const auto& [lower, upper] : {std::pair(1, 100), std::pair(100, 1), std::pair(2, 1)}) {
        filter_stack stack;
        std::string plain, wire;
        ASSERT_TRUE(stack.add(std::make_unique<test::slow_filter>(lower), wire));
        ASSERT_TRUE(stack.add(std::make_unique<test::slow_filter>(upper), wire));
        ASSERT_TRUE(stack.receive("abcdef", plain, wire));
        EXPECT_TRUE(stack.holds_more());
        for (int i = 0; i < 20 && stack.holds_more(); ++i) {
            ASSERT_TRUE(stack.receive({}, plain, wire));
        }
        EXPECT_FALSE(stack.holds_more());
        EXPECT_EQ(plain, "abcdef");
    }
}

TEST_F(FilterStack, OfNoneGivesOnWhatItIsGiven) {
    EXPECT_TRUE(here.is_open());
    const bytes_view text = "text";
    ASSERT_TRUE(here.send({&text, 1}, here_wire));
    ASSERT_TRUE(talk());
    EXPECT_EQ(there_plain, "text");
}

TEST_F(FilterStack, OpensOneAfterTheOtherAndCarriesThroughAll) {
    for (int i = 0; i < 2; ++i) {
        add(here, here_wire, false);
        add(there, there_wire, true);
    }
    EXPECT_FALSE(here.is_open());
    ASSERT_TRUE(talk());
    EXPECT_TRUE(here.is_open() && there.is_open());
    const bytes_view text = "text";
    ASSERT_TRUE(here.send({&text, 1}, here_wire));
    EXPECT_EQ(here_wire.find("text"), std::string::npos);
    ASSERT_TRUE(talk());
    EXPECT_EQ(there_plain, "text");
    here.finish(here_wire);
    ASSERT_TRUE(talk());
    EXPECT_TRUE(there.is_finished());
}

TEST_F(FilterStack, TakesAnotherOneWhileItIsOpen) {
    ASSERT_TRUE(talk());
    add(here, here_wire, false);
    add(there, there_wire, true);
    EXPECT_FALSE(here.is_open());
    ASSERT_TRUE(talk());
    EXPECT_TRUE(here.is_open() && there.is_open());
}

TEST_F(FilterStack, FailsWithTheOneThatFails) {
    add(here, here_wire, false);
    EXPECT_EQ(here.receive("HTTP/1.1 400 Bad Request\r\n", here_plain, here_wire).error(),
              errc::not_tls);
}

} // namespace
} // namespace pipit::net
