// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/password.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace std::string_literals;
using pipit::auth::is_bcrypt;
using pipit::auth::verify_password;

// Made with the bcrypt of golang.org/x/crypto, cost 4.
const auto secret_hash =
    "$2a$04$iXC2mgc1PKJJCOJqX3cTre852Zx48Pdl8DFqb7yq2JJdeHzf3YAiy"s; // "secret"
const auto umlaut_hash =
    "$2a$04$ImLBHOJlzrNusB/WZpqziO8k.f1aJyCopXGD8E.ourkU4z.7uE.ZS"s; // "schlüssel"
const auto long_hash =
    "$2a$04$gn1dJhB0iKSzQGejCQqoSeH3MKpu03a7j0U3UFUjD9EDjxVbF7c9S"s; // 72 times "x"

TEST(Password, IsBcryptOnlyWithOneOfItsFourPrefixesAndACost) {
    EXPECT_TRUE(is_bcrypt("$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy"));
    EXPECT_TRUE(is_bcrypt("$2b$04$"));
    EXPECT_TRUE(is_bcrypt("$2x$04$"));
    EXPECT_TRUE(is_bcrypt("$2y$04$anything"));
    EXPECT_FALSE(is_bcrypt("$2c$04$"));
    EXPECT_FALSE(is_bcrypt("$2a$4$aaaaaa"));
    EXPECT_FALSE(is_bcrypt("$2a$04"));
    EXPECT_FALSE(is_bcrypt("2a$04$aa"));
    EXPECT_FALSE(is_bcrypt(""));
}

TEST(Password, IsComparedAsPlainTextWhenItIsNoHash) {
    EXPECT_TRUE(verify_password("s3cret", "s3cret"));
    EXPECT_FALSE(verify_password("s3cret", "s3cre"));
    EXPECT_FALSE(verify_password("s3cret", "s3crets"));
    EXPECT_FALSE(verify_password("s3cret", "s3creT"));
    EXPECT_FALSE(verify_password("s3cret", ""));
    EXPECT_FALSE(verify_password("", "s3cret"));
    EXPECT_FALSE(verify_password("ab", "abab"));
    EXPECT_FALSE(verify_password("s3cret", "s3cret\0"s));
    EXPECT_TRUE(verify_password("", ""));
}

TEST(Password, IsCheckedAgainstItsBcryptHash) {
    EXPECT_TRUE(verify_password(secret_hash, "secret"));
    EXPECT_FALSE(verify_password(secret_hash, "Secret"));
    EXPECT_FALSE(verify_password(secret_hash, ""));
    EXPECT_FALSE(verify_password(secret_hash, secret_hash));
}

TEST(Password, IsHashedAlikeForEveryLetterOfBcrypt) {
    for (const auto letter : "abxy"s) {
        auto hash = umlaut_hash;
        hash[2] = letter;
        EXPECT_TRUE(verify_password(hash, "schl\xc3\xbcssel")) << hash;
        EXPECT_FALSE(verify_password(hash, "schlussel")) << hash;
    }
}

TEST(Password, DoesNotEndAtAZeroForBcrypt) {
    EXPECT_FALSE(verify_password(secret_hash, "secret\0"s));
    EXPECT_FALSE(verify_password(secret_hash, "secret\0more"s));
}

TEST(Password, CountsUpTo72BytesForBcryptHoweverLongItIs) {
    EXPECT_TRUE(verify_password(long_hash, std::string(72, 'x')));
    EXPECT_TRUE(verify_password(long_hash, std::string(4000, 'x')));
    EXPECT_FALSE(verify_password(long_hash, std::string(71, 'x')));
}

TEST(Password, FitsNoHashThatIsCutOrOfAnImpossibleCost) {
    EXPECT_FALSE(verify_password(secret_hash.substr(0, 59), "secret"));
    EXPECT_FALSE(verify_password("$2a$04$", ""));
    auto impossible = secret_hash;
    impossible.replace(4, 2, "99");
    EXPECT_FALSE(verify_password(impossible, "secret"));
    auto unreadable = secret_hash;
    unreadable[10] = '!';
    EXPECT_FALSE(verify_password(unreadable, "secret"));
}

TEST(Password, MayHaveAHashWithSomethingBehindItAsInNatsServer) {
    EXPECT_TRUE(verify_password(secret_hash + "\n", "secret"));
}

} // namespace
