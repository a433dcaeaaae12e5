// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/nkey.hpp>

#include <gtest/gtest.h>

#include <numeric>

namespace {

using namespace pipit::auth;

/// The seed 0, 1, 2, … 31, and what github.com/nats-io/nkeys makes of it.
struct known_key {
    nkey_prefix prefix;
    std::string_view seed;
    std::string_view public_key;
};

constexpr known_key known_keys[] = {
    {nkey_prefix::server, "SNAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H2D5U",
     "NAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RSWB"},
    {nkey_prefix::account, "SAAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4HYMHI",
     "AAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3QPZV"},
    {nkey_prefix::user, "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y",
     "UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK"},
    {nkey_prefix::operator_key, "SOAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H2AJA",
     "OAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3QZVT"},
    {nkey_prefix::cluster, "SCAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4HYO7Q",
     "CAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3R53J"},
    {nkey_prefix::curve, "SXAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H74KM",
     "XCHUBRNNW2HSKYSK4WZBJ2TWPJXMSTMCTU6XWXQ22G5G6PRBHAUF76G7"},
};
constexpr std::string_view known_private_key =
    "PAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB6A5BA677HTQQXYOXBXIY45F4BGLH4TLDBG5FBVPR3X"
    "EGMQJFKMNYJGWQ";
constexpr std::uint8_t signature_of_nonce[] = {
    0xf8, 0x74, 0xea, 0xe1, 0xde, 0x83, 0x0c, 0x75, 0x4d, 0x6f, 0xc3, 0x2c, 0x4d, 0x10, 0x19, 0xb5,
    0x22, 0x1a, 0xd2, 0xf5, 0xc0, 0xff, 0x2b, 0x99, 0x6e, 0x5c, 0x13, 0x03, 0xb2, 0x53, 0xe7, 0x06,
    0x33, 0x98, 0xa0, 0x71, 0x27, 0x6c, 0x29, 0x61, 0xf8, 0xc7, 0x87, 0xb8, 0x5c, 0xa6, 0xd6, 0x65,
    0x89, 0xd6, 0xd5, 0xc3, 0xfe, 0x99, 0x2f, 0x2b, 0x9b, 0x8e, 0x6f, 0xf2, 0x0e, 0x4f, 0x8e, 0x09};

nkey_seed counting_seed(nkey_prefix prefix) {
    key_bytes bytes;
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
    return {prefix, secret_key_bytes(bytes)};
}

public_nkey public_key_of(const nkey_seed& seed) {
    return seed.prefix == nkey_prefix::curve ? curve_key(seed).public_key()
                                             : signing_key(seed).public_key();
}

TEST(Nkey, HasTheTextThatNatsToolsGiveIt) {
    for (const auto& known : known_keys) {
        const auto seed = counting_seed(known.prefix);
        EXPECT_EQ(encode(seed), known.seed);
        EXPECT_EQ(encode(public_key_of(seed)), known.public_key);
    }
}

TEST(Nkey, IsReadBackFromItsText) {
    for (const auto& known : known_keys) {
        const auto seed = decode_nkey_seed(known.seed);
        ASSERT_TRUE(seed) << seed.error().message();
        EXPECT_EQ(seed->prefix, known.prefix);
        EXPECT_EQ(seed->secret.bytes()[31], 31);
        const auto key = decode_public_nkey(known.public_key);
        ASSERT_TRUE(key) << key.error().message();
        EXPECT_EQ(*key, public_key_of(*seed));
    }
}

TEST(Nkey, IsRefusedWhenAnyCharacterIsMistyped) {
    for (const auto& known : known_keys) {
        for (std::size_t i = 0; i < known.public_key.size(); ++i) {
            std::string text(known.public_key);
            text[i] = text[i] == 'A' ? 'B' : 'A';
            EXPECT_EQ(decode_public_nkey(text).error(), errc::invalid_nkey_checksum) << text;
        }
        for (std::size_t i = 0; i < known.seed.size(); ++i) {
            std::string text(known.seed);
            text[i] = text[i] == 'A' ? 'B' : 'A';
            EXPECT_FALSE(decode_nkey_seed(text)) << text;
        }
    }
}

TEST(Nkey, SaysWhatIsWrongWithItsText) {
    const std::string user(known_keys[2].public_key), seed(known_keys[2].seed);
    EXPECT_EQ(decode_public_nkey("").error(), errc::invalid_nkey_length);
    EXPECT_EQ(decode_public_nkey(seed).error(), errc::invalid_nkey_length);
    EXPECT_EQ(decode_public_nkey(known_private_key).error(), errc::invalid_nkey_length);
    EXPECT_EQ(decode_nkey_seed(user).error(), errc::invalid_nkey_length);
    EXPECT_EQ(decode_public_nkey("u" + user.substr(1)).error(), errc::invalid_nkey_encoding);
    EXPECT_EQ(decode_public_nkey("1" + user.substr(1)).error(), errc::invalid_nkey_encoding);
    EXPECT_EQ(decode_public_nkey(" " + user.substr(1)).error(), errc::invalid_nkey_encoding);
}

TEST(Nkey, HasOneTextOnly) {
    // The last character of a seed carries 3 bits of the checksum and 2 bits that mean nothing.
    std::string seed(known_keys[0].seed);
    ASSERT_EQ(seed.back(), 'U');
    seed.back() = 'V';
    EXPECT_EQ(decode_nkey_seed(seed).error(), errc::invalid_nkey_encoding);
}

TEST(SigningKey, SignsAsNatsToolsDoAndIsVerified) {
    const signing_key key(counting_seed(nkey_prefix::user));
    const auto signature = key.sign("nonce");
    EXPECT_TRUE(std::equal(signature.begin(), signature.end(), std::begin(signature_of_nonce)));
    EXPECT_TRUE(verify(key.public_key(), "nonce", signature));
}

TEST(SigningKey, RefusesOtherMessagesSignaturesAndKeys) {
    const signing_key key(counting_seed(nkey_prefix::user));
    auto signature = key.sign("nonce");
    EXPECT_FALSE(verify(key.public_key(), "Nonce", signature));
    EXPECT_FALSE(verify(key.public_key(), "nonce", std::span(signature).first(63)));
    EXPECT_FALSE(verify(key.public_key(), "nonce", {}));
    auto other = key.public_key();
    other.bytes[5] ^= 1;
    EXPECT_FALSE(verify(other, "nonce", signature));
    other = key.public_key();
    other.prefix = nkey_prefix::curve;
    EXPECT_FALSE(verify(other, "nonce", signature));
    signature[20] ^= 1;
    EXPECT_FALSE(verify(key.public_key(), "nonce", signature));
}

} // namespace
