// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/config_digest.hpp>
#include <pipit/server/config_language.hpp>
#include <pipit/server/error.hpp>

#include <gtest/gtest.h>

#include <map>

namespace pipit::server {
namespace {

using files = std::map<std::string, std::string>;

config_source source_with(files contents, files environment = {}) {
    config_source source;
    source.read_file = [contents](const std::string& path) -> result<std::string> {
        const auto found = contents.find(path);
        if (found != contents.end()) return found->second;
        return error(errc::unusable_file, "open " + path + ": no such file or directory");
    };
    source.environment = [environment](const std::string& name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        if (found == environment.end()) return std::nullopt;
        return found->second;
    };
    return source;
}

/// The tree as JSON, or the error.
std::string read(std::string_view text, const config_source& source = source_with({})) {
    const auto map = parse_config(text, "c.conf", source);
    if (!map) return std::string(map.error().detail());
    auto json = canonical_json(*map);
    json.pop_back();
    return json;
}

TEST(ConfigLanguage, SeparatesKeysFromValuesByEqualsColonOrSpace) {
    EXPECT_EQ(read("a = 1\nb: 2\nc 3\nd=4;e:5,f=6"), R"({"a":1,"b":2,"c":3,"d":4,"e":5,"f":6})");
    EXPECT_EQ(read("a\n5\n"), R"({"a":5})");
    EXPECT_EQ(read("'a b' 1\n\"c=d\": 2"), R"({"a b":1,"c=d":2})");
}

TEST(ConfigLanguage, ReadsJson) {
    EXPECT_EQ(read(R"({"a": {"b": [1, 2, "x"], "c": true}, "d": -1.5})"),
              R"({"a":{"b":[1,2,"x"],"c":true},"d":-1.5})");
    EXPECT_EQ(read("{\n \"a\": 1\n}\n"), R"({"a":1})");
    EXPECT_EQ(read("a = 1\n}\n"), R"({"a":1})");
}

TEST(ConfigLanguage, IgnoresCommentsBetweenItems) {
    EXPECT_EQ(read("# one\na = 1 # two\n// three\nb [ # four\n 1, // five\n 2\n]\nc { # six\n}"),
              R"({"a":1,"b":[1,2],"c":{}})");
    EXPECT_EQ(read("a = b#c"), R"({"a":"b#c"})");
}

TEST(ConfigLanguage, ReadsMapsAndArraysWithAndWithoutCommas) {
    EXPECT_EQ(read("users [\n {user: a, pass: b}\n {user: c; pass: d},\n]"),
              R"({"users":[{"pass":"b","user":"a"},{"pass":"d","user":"c"}]})");
    EXPECT_EQ(read("m {\n a\n =\n 1\n b 2 }"), R"({"m":{"a":1,"b":2}})");
    EXPECT_EQ(read("a [[1,2],[x]]"), R"({"a":[[1,2],["x"]]})");
}

TEST(ConfigLanguage, ReadsStringsInAllForms) {
    EXPECT_EQ(read(R"(a = 'raw \n' b = 1)"),
              "c.conf:1:13: Parse error on line 1: 'Expected the end of the line after a value, "
              "but got 'b''");
    EXPECT_EQ(read("a = 'raw \\n'\nb = \"\\t\\x41\\\"\"\nc = bare\\x42\nd = it'"),
              R"({"a":"raw \\n","b":"\tA\"","c":"bareB","d":"it"})");
    EXPECT_EQ(read("a = (\n one\n two )\n)\n"), R"({"a":"\n one\n two )\n"})");
    EXPECT_EQ(read("a = \"two\nlines\""), R"({"a":"two\nlines"})");
    EXPECT_EQ(read("a =\n"), "c.conf:1:3: Parse error on line 1: 'Expected value but found new "
                             "line'");
    EXPECT_EQ(read("a = "), R"({"a":""})");
}

TEST(ConfigLanguage, KnowsBooleansOnlyWhenTheyAreBare) {
    EXPECT_EQ(read("a=true;b=NO;c=On;d=\"true\";e=truex"),
              R"({"a":true,"b":false,"c":true,"d":"true","e":"truex"})");
}

TEST(ConfigLanguage, CountsIntegersInThousandsAndIn1024s) {
    EXPECT_EQ(read("a=1k;b=1kb;c=2M;d=2MiB;e=-3g;f=1Ki;g=1e;h=7"),
              R"({"a":1000,"b":1024,"c":2000000,"d":2097152,"e":-3000000000,"f":1024,)"
              R"("g":1000000000000000000,"h":7})");
    EXPECT_EQ(read("a = [1]"), R"({"a":[1]})");
    EXPECT_EQ(read("a = 1kbb"), "c.conf:1:8: Parse error on line 1: 'Unknown unit in '1kbb''");
    EXPECT_EQ(read("a = 99e"),
              "c.conf:1:7: Parse error on line 1: 'integer '99e' is out of the range'");
    EXPECT_EQ(read("a = 9223372036854775808").find("c.conf:1:23: "), 0u);
}

TEST(ConfigLanguage, TakesWhatOnlyBeginsLikeANumberAsText) {
    EXPECT_EQ(read("a=5s;b=127.0.0.1:4222;c=10Gx;d=1h30m;e=0K1abc;f=5m;g=1.2.3"),
              R"({"a":"5s","b":"127.0.0.1:4222","c":"10Gx","d":"1h30m","e":"0K1abc",)"
              R"("f":5000000,"g":"1.2.3"})");
    EXPECT_EQ(read("a=1.").find("c.conf:1:4: "), 0u);
    EXPECT_EQ(read("a=1.5h").find("c.conf:1:5: "), 0u);
    EXPECT_EQ(read("a=-x").find("c.conf:1:3: "), 0u);
}

TEST(ConfigLanguage, KeepsADateAsItWasWritten) {
    EXPECT_EQ(read("a = 2006-01-02T15:04:05Z"), R"({"a":"2006-01-02T15:04:05Z"})");
    for (const auto* wrong : {"2006-01-02", "2006-13-02T15:04:05Z", "206-01-02T15:04:05Z",
                              "2006-02-30T15:04:05Z", "2006-01-02T25:04:05Z"}) {
        EXPECT_NE(read("a = " + std::string(wrong)).find("quotes"), std::string::npos) << wrong;
    }
}

TEST(ConfigLanguage, LooksVariablesUpInEnclosingMapsAndThenInTheEnvironment) {
    EXPECT_EQ(read("x = 1\nm { x = 2; a = $x }\nb = $x"), R"({"b":1,"m":{"a":2,"x":2},"x":1})");
    const auto source = source_with({}, {{"E", "[a, 5m]"}, {"F", "$E"}, {"G", "$G"}});
    EXPECT_EQ(read("a = $E\nb = $F", source), R"({"a":["a",5000000],"b":["a",5000000]})");
    EXPECT_EQ(read("a = $NOPE"),
              "c.conf:1:4: variable reference for 'NOPE' on line 1 can not be found");
    EXPECT_NE(read("a = $G", source).find("refers to itself"), std::string::npos);
    EXPECT_EQ(read("a = $2a$10$abc"), R"({"a":"$2a$10$abc"})");
    EXPECT_EQ(read("a = '$x'; b = \"$x\""), R"({"a":"$x","b":"$x"})");
}

TEST(ConfigLanguage, MarksKeysThatVariablesUse) {
    const auto map = parse_config("x = 1\ny = 2\na = $x", "c.conf", source_with({}));
    ASSERT_TRUE(map);
    EXPECT_TRUE(map->at(0).used_as_variable);
    EXPECT_FALSE(map->at(1).used_as_variable);
}

TEST(ConfigLanguage, AddsTheKeysOfIncludedFilesWhereTheyAreIncluded) {
    const auto source = source_with({{"dir/a.conf", "x = 1\ninclude sub/b.conf"},
                                     {"dir/sub/b.conf", "y = $E"},
                                     {"dir/again.conf", "include 'again.conf'"}},
                                    {{"E", "2"}});
    const auto map = parse_config("x = 0\nm { include \"a.conf\"; z = $y }", "dir/c.conf", source);
    ASSERT_TRUE(map) << map.error().detail();
    EXPECT_EQ(canonical_json(*map), "{\"m\":{\"x\":1,\"y\":2,\"z\":2},\"x\":0}\n");
    EXPECT_EQ(map->at(1).value.as<config_map>()->at(1).place.to_text(), "dir/sub/b.conf:1:0");
    const auto cycle = parse_config("include again.conf", "dir/c.conf", source);
    EXPECT_EQ(cycle.error().detail(),
              "dir/c.conf:1:0: error parsing include file 'again.conf', dir/again.conf:1:0: error "
              "parsing include file 'again.conf', it includes itself");
    EXPECT_EQ(read("include ./x.conf"), "c.conf:1:0: error parsing include file './x.conf', open "
                                        "x.conf: no such file or directory");
}

TEST(ConfigLanguage, LetsTheLastOfEqualKeysWin) {
    EXPECT_EQ(read("a = 1\nb = 2\na = 3"), R"({"a":3,"b":2})");
}

TEST(ConfigLanguage, SaysWhereKeysAndValuesStand) {
    const auto map = parse_config("a = 1\n  b { c: x }\n", "c.conf", source_with({}));
    ASSERT_TRUE(map);
    EXPECT_EQ(map->at(0).place.to_text(), "c.conf:1:0");
    EXPECT_EQ(map->at(1).place.to_text(), "c.conf:2:3");
    EXPECT_EQ(map->at(1).value.as<config_map>()->at(0).place.to_text(), "c.conf:2:7");
    EXPECT_EQ(map->at(1).value.as<config_map>()->at(0).value.place().to_text(), "c.conf:2:10");
}

TEST(ConfigLanguage, RefusesWhatIsNotTheLanguage) {
    for (const auto* text : {"a",        "= 1",         "m { a }",       "m { a 1",   "m { ] }",
                             "a [ 1",    "a [ , ]",     "a [ x y ]",     "a = \"x",   "a = 'x",
                             "a = (\nx", "a = \"\\q\"", "a = \"\\xZZ\"", "m { = 1 }", "{ a = 1",
                             "'a",       "include",     "include \n",    "include 5", "include [x]",
                             "a = .5",   "m { a = , }"}) {
        const auto answer = read(text);
        EXPECT_EQ(answer.find("c.conf:"), 0u) << text << " gave " << answer;
    }
    EXPECT_EQ(read(std::string_view("a = b\0c", 7)),
              "c.conf:1:5: Parse error on line 1: 'A zero byte'");
}

TEST(ConfigLanguage, BoundsHowDeepMapsArraysAndCopiesOfThemAre) {
    EXPECT_EQ(read("a = " + std::string(99, '[') + std::string(99, ']')).find("{"), 0u);
    EXPECT_NE(read("a = " + std::string(100'000, '[')).find("nested"), std::string::npos);
    EXPECT_NE(read("a " + std::string(100'000, '{')).find("c.conf"), std::string::npos);
    std::string chain = "a0 = [1]\n";
    for (int i = 1; i < 200; ++i) {
        chain += "a" + std::to_string(i) + " = [$a" + std::to_string(i - 1) + "]\n";
    }
    EXPECT_NE(read(chain).find("nested"), std::string::npos);
}

TEST(ConfigLanguage, BoundsWhatAShortFileCanAskFor) {
    std::string doubling = "a0 = [x, x]\n";
    for (int i = 1; i < 60; ++i) {
        const auto before = std::to_string(i - 1);
        doubling += "a" + std::to_string(i) + " = [$a" + before + ", $a" + before + "]\n";
    }
    auto source = source_with({});
    source.limits.tree_bytes_max = 1 << 20;
    EXPECT_NE(read(doubling, source).find("holds more than 1048576 bytes"), std::string::npos);
    source.limits.read_bytes_max = 10;
    EXPECT_NE(read("a = 12345678", source).find("larger than 10 bytes"), std::string::npos);
}

// The digests are those of nats-server v2.15.2 for the same files.
TEST(ConfigDigest, IsTheOneOfNatsServer) {
    const auto digest = [](std::string_view text) {
        return config_digest(*parse_config(text, "c.conf", source_with({})));
    };
    EXPECT_EQ(digest("a = (\nfoo\n)\n"),
              "sha256:085bf5372a9f0e1426a98e28abe44b23c58ef257a4f69af3176c339d83de4e0d");
    EXPECT_EQ(digest("b=<x>&\na = 2006-01-02T15:04:05Z"),
              "sha256:a5dcb5c257a146e467f73e0004c5aeedb5b31d32ac909e7f762d5761323c8be3");
    EXPECT_EQ(digest("a: [ { x: 1 }\n { y: 2 } ]"),
              "sha256:f080669f7f6bdea6b3381dcd0594cc7e92310484f991ddc23b9c1c6ea9aa3a82");
}

} // namespace
} // namespace pipit::server
