// SPDX-License-Identifier: Apache-2.0
#include <cli/settings.hpp>

#include <gtest/gtest.h>

#include <map>

namespace {

using namespace pipit;
using namespace pipit::cli;
using namespace std::chrono_literals;

environment variables(std::map<std::string, std::string> values) {
    return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
        const auto found = values.find(name);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    };
}

TEST(Settings, ComeFromTheEnvironment) {
    const auto read = settings_of(variables({{"NATS_URL", "a,b"},
                                             {"NATS_USER", "u"},
                                             {"NATS_PASSWORD", ""},
                                             {"NATS_TIMEOUT", "3s"},
                                             {"NATS_CONTEXT", "one"}}));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->servers, "a,b");
    EXPECT_EQ(read->user, "u");
    EXPECT_FALSE(read->password);
    EXPECT_EQ(read->timeout, 3s);
    EXPECT_EQ(read->context, "one");
    const auto wrong = settings_of(variables({{"NATS_TIMEOUT", "soon"}}));
    ASSERT_FALSE(wrong);
    EXPECT_NE(wrong.error().message().find("NATS_TIMEOUT: 'soon'"), std::string::npos);
}

TEST(Settings, OfAContextHaveTheirPathsExpanded) {
    context_document context;
    context.set("creds", "~/x.creds");
    context.set("nkey", "$DIR/${NAME}.nk");
    context.set("url", "$NOT");
    const auto read =
        settings_of(context, variables({{"HOME", "/home/me"}, {"DIR", "/d"}, {"NAME", "n"}}));
    EXPECT_EQ(read.creds, "/home/me/x.creds");
    EXPECT_EQ(read.nkey, "/d/n.nk");
    EXPECT_EQ(read.servers, "$NOT");
    context.set("creds", "data:;base64,$A~");
    EXPECT_EQ(settings_of(context, variables({})).creds, "data:;base64,$A~");
}

TEST(Settings, OfFlagsGoBeforeTheEnvironmentAndThatBeforeTheContext) {
    const connection_settings flags{.servers = "flag", .timeout = 1s};
    const connection_settings variable{.servers = "variable", .inbox_prefix = "I", .timeout = 2s};
    const connection_settings context{
        .servers = "context", .inbox_prefix = "C", .connection_name = "N"};
    const auto all = merged({flags, variable, context});
    EXPECT_EQ(all.servers, "flag");
    EXPECT_EQ(all.inbox_prefix, "I");
    EXPECT_EQ(all.connection_name, "N");
    EXPECT_EQ(all.timeout, 1s);
}

TEST(Settings, NeverMixTheCredentialsOfTwoSources) {
    const connection_settings flags{.user = "me", .password = "mine"};
    const connection_settings context{.user = "other", .password = "theirs", .creds = "c"};
    const auto all = merged({flags, {}, context});
    EXPECT_EQ(all.user, "me");
    EXPECT_EQ(all.password, "mine");
    EXPECT_FALSE(all.creds);

    const auto token = merged({{.token = "t"}, {}, context});
    EXPECT_EQ(token.token, "t");
    EXPECT_FALSE(token.user);
    EXPECT_FALSE(token.password);
}

TEST(Settings, LetAPasswordStandApartFromItsUser) {
    const auto all = merged({{.user = "me"}, {.password = "secret"}, {}});
    EXPECT_EQ(all.user, "me");
    EXPECT_EQ(all.password, "secret");
    const auto other = merged({{.password = "secret"}, {.user = "me"}, {.creds = "c"}});
    EXPECT_EQ(other.user, "me");
    EXPECT_EQ(other.password, "secret");
    EXPECT_FALSE(other.creds);
}

TEST(Settings, TakeALoneUserForAToken) {
    connection_settings alone{.user = "t"};
    take_lone_user_for_token(alone);
    EXPECT_EQ(alone.token, "t");
    EXPECT_FALSE(alone.user);
    connection_settings both{.user = "u", .password = "p"};
    take_lone_user_for_token(both);
    EXPECT_EQ(both.user, "u");
    EXPECT_FALSE(both.token);
}

TEST(Servers, AreNamedWithoutSecrets) {
    const auto servers = named_servers("nats://me:pa,ss@a, nats://u:p@b");
    ASSERT_EQ(servers.size(), 3u);
    const auto why = error(make_error_code(boost::system::errc::timed_out), "me:4222");
    EXPECT_EQ(servers[0].shown().find("pa"), std::string::npos);
    EXPECT_EQ(servers[0].failure(why), why.code().message());
    EXPECT_EQ(servers[1].shown(), "a");
    EXPECT_EQ(servers[2].shown(), "nats://b");
    EXPECT_EQ(servers[2].failure(why), why.message());
}

TEST(Servers, AreComplainedAboutWithAHintWhereACommaMayBeAPassword) {
    EXPECT_FALSE(complaint_about_servers("nats://a, b:1"));
    const std::string none = "is not a server's URL, as nats://HOST:4222 is";
    EXPECT_EQ(complaint_about_servers("http://a"), none);
    EXPECT_EQ(complaint_about_servers(","), none);
    EXPECT_EQ(complaint_about_servers("nats://me:pa,ss@a"),
              none + "; a comma in a user or password is written %2C");
}

TEST(Servers, AreReachedAsTheOneThatNamedThem) {
    EXPECT_EQ(url_at("nats://u:p@a:1", "b:2"), "nats://u:p@b:2");
    EXPECT_EQ(url_at("wss://a/path@home", "b:2"), "wss://b:2/path@home");
    EXPECT_EQ(url_at("me@a", "b:2"), "nats://me@b:2");
    EXPECT_EQ(url_at("", "b:2"), "nats://b:2");
}

} // namespace
