// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/permissions.hpp>

#include <pipit/base/random.hpp>
#include <pipit/protocol/subject.hpp>

#include <gtest/gtest.h>
#include <support/allocations.hpp>

#include <algorithm>

namespace {

using namespace pipit::auth;
using words = std::vector<std::string>;

std::shared_ptr<const permissions> make(permission_lists lists) {
    return permissions::make(std::move(lists)).value();
}

TEST(Permissions, AllowEverythingWhenNothingIsWritten) {
    const auto user = make({});
    EXPECT_TRUE(user->may_publish("a.b"));
    EXPECT_TRUE(user->may_publish(""));
    EXPECT_TRUE(user->may_subscribe(">", ""));
    EXPECT_TRUE(user->may_subscribe("a", "q"));
    EXPECT_FALSE(user->needs_delivery_filter(">"));
    EXPECT_FALSE(user->denies_delivery("a", ""));
}

TEST(Permissions, LetPublishOnlyWhatIsAllowedAndNotDenied) {
    const auto user = make(
        {.publish_allow = {"a", "b.*", "c.>", "*.x.>"}, .publish_deny = {"b.secret", "c.*.no"}});
    EXPECT_TRUE(user->may_publish("a"));
    EXPECT_TRUE(user->may_publish("b.1"));
    EXPECT_TRUE(user->may_publish("c.1.2.3"));
    EXPECT_TRUE(user->may_publish("d.x.1"));
    EXPECT_FALSE(user->may_publish("a.b"));
    EXPECT_FALSE(user->may_publish("b"));
    EXPECT_FALSE(user->may_publish("b.1.2"));
    EXPECT_FALSE(user->may_publish("c"));
    EXPECT_FALSE(user->may_publish("b.secret"));
    EXPECT_FALSE(user->may_publish("c.1.no"));
    EXPECT_FALSE(user->may_publish("d.x"));
}

TEST(Permissions, TakeWildcardsInAPublishedSubjectLiterally) {
    const auto user = make({.publish_deny = {"a.b", "c.*"}});
    EXPECT_TRUE(user->may_publish("a.*"));
    EXPECT_TRUE(user->may_publish("a.>"));
    EXPECT_FALSE(user->may_publish("c.*"));
    EXPECT_FALSE(user->may_publish("c.>"));
}

TEST(Permissions, KnowNoSubjectWithAnEmptyToken) {
    const auto allowed = make({.publish_allow = {">"}});
    const auto denied = make({.publish_deny = {">"}});
    for (const auto* subject : {"", ".", "a.", ".a", "a..b"}) {
        EXPECT_FALSE(allowed->may_publish(subject)) << subject;
        EXPECT_TRUE(denied->may_publish(subject)) << subject;
    }
}

TEST(Permissions, TakeTheSubjectOfASubscriptionLiterally) {
    const auto user = make({.subscribe_allow = {"foo.*", "bar.>"}});
    EXPECT_TRUE(user->may_subscribe("foo.1", ""));
    EXPECT_TRUE(user->may_subscribe("foo.*", ""));
    EXPECT_TRUE(user->may_subscribe("foo.>", "")); // As nats-server: `>` is one token.
    EXPECT_TRUE(user->may_subscribe("bar.*.x", ""));
    EXPECT_TRUE(user->may_subscribe("bar.>", ""));
    EXPECT_FALSE(user->may_subscribe("foo.1.2", ""));
    EXPECT_FALSE(user->may_subscribe("foo.*.*", ""));
    EXPECT_FALSE(user->may_subscribe("*.1", ""));
    EXPECT_FALSE(user->may_subscribe("bar", ""));
    EXPECT_FALSE(user->may_subscribe(">", ""));
}

TEST(Permissions, WithoutAQueueAllowPlainSubscriptionsAndEveryQueue) {
    const auto user = make({.subscribe_allow = {"foo"}});
    EXPECT_TRUE(user->may_subscribe("foo", ""));
    EXPECT_TRUE(user->may_subscribe("foo", "any"));
}

TEST(Permissions, WithAQueueAllowThisQueueOnly) {
    const auto user = make({.subscribe_allow = {"foo q", "bar \t v1.*", "baz >"}});
    EXPECT_TRUE(user->may_subscribe("foo", "q"));
    EXPECT_FALSE(user->may_subscribe("foo", ""));
    EXPECT_FALSE(user->may_subscribe("foo", "r"));
    EXPECT_TRUE(user->may_subscribe("bar", "v1.a"));
    EXPECT_TRUE(user->may_subscribe("bar", "v1.*"));
    EXPECT_FALSE(user->may_subscribe("bar", "v1.>"));
    EXPECT_FALSE(user->may_subscribe("bar", "v1"));
    EXPECT_TRUE(user->may_subscribe("baz", "any.thing"));
    EXPECT_FALSE(user->may_subscribe("baz", ""));
}

TEST(Permissions, LetAnEntryForAQueueDecideAloneAboutQueueSubscriptions) {
    const auto user = make({.subscribe_allow = {"foo.>", "foo.a q"}});
    EXPECT_TRUE(user->may_subscribe("foo.a", ""));
    EXPECT_TRUE(user->may_subscribe("foo.a", "q"));
    EXPECT_FALSE(user->may_subscribe("foo.a", "r"));
    EXPECT_TRUE(user->may_subscribe("foo.b", "r"));
}

TEST(Permissions, DenyAQueueOrEverybody) {
    const auto user = make({.subscribe_deny = {"foo", "bar q.*"}});
    EXPECT_FALSE(user->may_subscribe("foo", ""));
    EXPECT_FALSE(user->may_subscribe("foo", "q"));
    EXPECT_TRUE(user->may_subscribe("bar", ""));
    EXPECT_FALSE(user->may_subscribe("bar", "q.1"));
    EXPECT_TRUE(user->may_subscribe("bar", "r"));
}

TEST(Permissions, WithholdWhatIsDeniedFromAWiderSubscription) {
    const auto user = make({.subscribe_deny = {"a.secret", "b.*.x", "c.> q"}});
    EXPECT_TRUE(user->may_subscribe("a.*", ""));
    EXPECT_TRUE(user->needs_delivery_filter("a.*"));
    EXPECT_TRUE(user->needs_delivery_filter(">"));
    EXPECT_TRUE(user->needs_delivery_filter("b.1.*"));
    EXPECT_TRUE(user->needs_delivery_filter("c.*"));
    EXPECT_FALSE(user->needs_delivery_filter("b.*.y"));
    EXPECT_FALSE(user->needs_delivery_filter("b.*"));
    EXPECT_FALSE(user->needs_delivery_filter("d.>"));
    EXPECT_FALSE(user->needs_delivery_filter("a.open")); // Literal: allowed or refused as a whole.

    EXPECT_TRUE(user->denies_delivery("a.secret", ""));
    EXPECT_TRUE(user->denies_delivery("a.secret", "any"));
    EXPECT_FALSE(user->denies_delivery("a.open", ""));
    EXPECT_TRUE(user->denies_delivery("b.1.x", ""));
    EXPECT_TRUE(user->denies_delivery("c.1", "q"));
    EXPECT_FALSE(user->denies_delivery("c.1", "r"));
    EXPECT_FALSE(user->denies_delivery("c.1", ""));
}

TEST(Permissions, AllowOnlyAnswersWhenNothingElseIsWritten) {
    const auto only = make({.allow_responses = response_permission{}});
    EXPECT_FALSE(only->may_publish("a"));
    EXPECT_TRUE(only->may_subscribe("a", ""));
    const auto both =
        make({.publish_allow = {"a"}, .allow_responses = response_permission{.max = 5}});
    EXPECT_TRUE(both->may_publish("a"));
    EXPECT_FALSE(both->may_publish("b"));
    EXPECT_EQ(both->allow_responses()->max, 5);
}

TEST(Permissions, TakeTheDefaultsOfAllowResponsesFor0AndKeepWhatIsNegative) {
    using namespace std::chrono_literals;
    const auto zero = make({.allow_responses = response_permission{.max = 0, .expires = 0s}});
    EXPECT_EQ(zero->allow_responses(), (response_permission{.max = 1, .expires = 2min}));
    const auto endless = make({.allow_responses = response_permission{.max = -1, .expires = -1s}});
    EXPECT_EQ(endless->allow_responses(), (response_permission{.max = -1, .expires = -1s}));
}

TEST(Permissions, RefuseWhatIsNoSubjectAndSayWhich) {
    const auto detail_of = [](permission_lists lists) {
        const auto made = permissions::make(std::move(lists));
        EXPECT_EQ(made.error(), errc::invalid_permission);
        return std::string(made.error().detail());
    };
    EXPECT_EQ(detail_of({.publish_allow = {"a", "a..b"}}),
              "subject \"a..b\" is not a valid subject");
    EXPECT_EQ(detail_of({.publish_deny = {"a q"}}), "subject \"a q\" is not a valid subject");
    EXPECT_EQ(detail_of({.subscribe_allow = {"a q r"}}),
              "subject \"a q r\" is not a valid subject");
    EXPECT_EQ(detail_of({.subscribe_allow = {"a "}}), "subject \"a \" is not a valid subject");
    EXPECT_EQ(detail_of({.subscribe_deny = {""}}), "subject \"\" is not a valid subject");
    EXPECT_EQ(detail_of({.subscribe_deny = {".a q"}}), "subject \".a\" is not a valid subject");
    EXPECT_EQ(detail_of({.subscribe_deny = {"a q..r"}}), "queue \"q..r\" is not a valid queue");
}

TEST(Permissions, AreEqualWhenTheirListsAre) {
    EXPECT_TRUE(*make({.publish_allow = {"a"}}) == *make({.publish_allow = {"a"}}));
    EXPECT_FALSE(*make({.publish_allow = {"a"}}) == *make({.publish_deny = {"a"}}));
}

/// A subject of one to four tokens out of few, so that subjects meet.
std::string any_subject(pipit::random_source& random, bool wildcards) {
    constexpr std::string_view choices[] = {"a", "b", "a*", "*", "*", ">"};
    std::string subject;
    for (auto left = 1 + random.below(4); left > 0; --left) {
        const auto token = choices[random.below(wildcards ? 6 : 3)];
        subject.append(subject.empty() ? "" : ".").append(token);
        if (token == ">") break;
    }
    return subject;
}

TEST(Permissions, DecideAsAWalkOverTheListsDoes) {
    using pipit::protocol::subject_matches;
    pipit::random_source random(1);
    for (int round = 0; round < 500; ++round) {
        words allow, deny;
        for (auto left = random.below(6) + 1; left > 0; --left) {
            allow.push_back(any_subject(random, true));
            deny.push_back(any_subject(random, true));
        }
        const auto user =
            make({.publish_allow = allow, .publish_deny = deny, .subscribe_deny = deny});
        for (int question = 0; question < 20; ++question) {
            const auto subject = any_subject(random, question % 2 == 0);
            const auto matches = [&](const auto& entry) { return subject_matches(entry, subject); };
            const auto meets = [&](const auto& entry) {
                return pipit::protocol::subjects_collide(entry, subject);
            };
            const bool denied = std::ranges::any_of(deny, matches);
            EXPECT_EQ(user->may_publish(subject), std::ranges::any_of(allow, matches) && !denied);
            EXPECT_EQ(user->denies_delivery(subject, ""), denied);
            EXPECT_EQ(user->needs_delivery_filter(subject),
                      !pipit::protocol::is_literal(subject) && std::ranges::any_of(deny, meets))
                << subject << " against " << testing::PrintToString(deny);
        }
    }
}

TEST(Permissions, AllocateNothingForADecision) {
    const auto user = make({.publish_allow = {"orders.*.new.with.a.long.subject.and.more", "log.>"},
                            .subscribe_allow = {"orders.> workers.*"},
                            .subscribe_deny = {"orders.secret.*"}});
    const auto before = pipit::test::allocation_count();
    bool decided = user->may_publish("orders.eu.new.with.a.long.subject.and.more");
    decided &= user->may_subscribe("orders.>", "workers.in.a.queue.with.a.long.name") ||
               user->may_subscribe("orders.>", "workers.longer-than-any-small-string");
    decided &= user->needs_delivery_filter("orders.>");
    decided &= user->denies_delivery("orders.secret.of.no.one", "workers.1") ||
               user->denies_delivery("orders.secret.longer-than-any-small-string", "");
    EXPECT_EQ(pipit::test::allocation_count(), before);
    EXPECT_TRUE(decided);
}

} // namespace
