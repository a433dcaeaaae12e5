// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/user_template.hpp>
#include <pipit/base/identity_limits.hpp>

#include <gtest/gtest.h>

namespace pipit::auth {
namespace {

using texts = std::vector<std::string>;

user_jwt somebody() {
    user_jwt user;
    user.name = "me";
    user.subject = "UME";
    user.issuer_account = "AMINE";
    user.tags = {"team:red", "team:blue", "level:1"};
    return user;
}
account_jwt its_account() {
    account_jwt account;
    account.name = "Mine";
    account.tags = {"region:eu"};
    return account;
}
user_rights allows(texts subjects) {
    user_rights scope;
    scope.permissions.publish_allow = std::move(subjects);
    return scope;
}
texts allowed(texts subjects) {
    const auto rights = fill_template(allows(std::move(subjects)), somebody(), its_account());
    return rights ? rights->permissions.publish_allow
                  : texts{"! " + std::string(rights.error().detail())};
}

TEST(UserTemplate, FillsInEveryWord) {
    EXPECT_EQ(allowed({"a.{{name()}}", "b.{{subject()}}.>", "{{account-name()}}",
                       "{{account-subject()}}.c", "d.{{account-tag(region)}}",
                       "e.{{ NAME() }}.{{tag(level)}}", "plain"}),
              (texts{"a.me", "b.UME.>", "Mine", "AMINE.c", "d.eu", "e.me.1", "plain"}));
}

TEST(UserTemplate, MakesASubjectForEachValueOfATag) {
    EXPECT_EQ(allowed({"{{tag(team)}}.x"}), (texts{"red.x", "blue.x"}));
    EXPECT_EQ(allowed({"{{tag(team)}}.{{tag(Team)}}"}),
              (texts{"red.red", "blue.red", "red.blue", "blue.blue"}));
}

TEST(UserTemplate, LeavesOutWhatCannotBeAllowedAndNeverAllowsEverythingInstead) {
    EXPECT_EQ(allowed({"{{tag(none)}}", "a.{{name()}}"}), texts{"a.me"});
    const auto rights = fill_template(allows({"{{tag(none)}}"}), somebody(), its_account());
    ASSERT_TRUE(rights);
    EXPECT_EQ(rights->permissions.publish_allow, texts{});
    EXPECT_EQ(rights->permissions.publish_deny, texts{">"});
    EXPECT_EQ(rights->permissions.subscribe_deny, texts{});
}

TEST(UserTemplate, RefusesWhatItCannotDeny) {
    user_rights scope;
    scope.permissions.subscribe_deny = {"a.{{tag(none)}}"};
    EXPECT_FALSE(fill_template(scope, somebody(), its_account()));
    auto blank = somebody();
    blank.name = "two words";
    scope.permissions.subscribe_deny = {"a.{{name()}}"};
    EXPECT_FALSE(fill_template(scope, blank, its_account()));
}

TEST(UserTemplate, RefusesUnknownWordsAndTooManySubjects) {
    EXPECT_EQ(allowed({"{{nobody()}}"}).at(0).front(), '!');
    EXPECT_EQ(allowed({"{{}}", "a.{{name()}"}), (texts{"{{}}", "a.{{name()}"}));
    auto many = somebody();
    for (int i = 0; i < 100; ++i) many.tags.push_back("n:" + std::to_string(i));
    EXPECT_TRUE(fill_template(allows({"{{tag(n)}}"}), many, its_account()));
    const auto rights = fill_template(allows({"{{tag(n)}}.{{tag(n)}}"}), many, its_account());
    ASSERT_FALSE(rights);
    EXPECT_EQ(rights.error().detail(), "template expansion exceeds limit");
}

} // namespace
} // namespace pipit::auth
