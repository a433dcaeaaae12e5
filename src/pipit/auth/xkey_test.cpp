// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/xkey.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace pipit;
using namespace pipit::auth;

curve_key key_of(std::uint8_t number) {
    key_bytes bytes{};
    bytes.fill(number);
    return curve_key({nkey_prefix::curve, secret_key_bytes(bytes)});
}

xkey_nonce nonce_of(std::uint8_t number) {
    xkey_nonce nonce{};
    nonce.fill(number);
    return nonce;
}

TEST(Xkey, OpensWhatWasSealedForIt) {
    const auto sender = key_of(1);
    const auto receiver = key_of(2);
    for (const auto* const text : {"", "a", "a JWT, for example"}) {
        const auto sealed = seal(sender, receiver.public_key(), text, nonce_of(3));
        ASSERT_TRUE(sealed);
        EXPECT_TRUE(sealed->starts_with("xkv1"));
        EXPECT_EQ(sealed->size(), 4 + 24 + 16 + std::string_view(text).size());
        const auto opened = open(receiver, sender.public_key(), *sealed);
        ASSERT_TRUE(opened);
        EXPECT_EQ(*opened, text);
    }
}

TEST(Xkey, RefusesWhatIsForOrFromSomebodyElseOrWasChanged) {
    const auto sender = key_of(1);
    const auto receiver = key_of(2);
    const auto other = key_of(4);
    const auto sealed = *seal(sender, receiver.public_key(), "secret", nonce_of(3));
    EXPECT_FALSE(open(other, sender.public_key(), sealed));
    EXPECT_FALSE(open(receiver, other.public_key(), sealed));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        auto changed = sealed;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(open(receiver, sender.public_key(), changed)) << i;
        EXPECT_FALSE(open(receiver, sender.public_key(), sealed.substr(0, i))) << i;
    }
}

TEST(Xkey, SealsForCurveKeysOnly) {
    const auto sender = key_of(1);
    auto account = key_of(2).public_key();
    account.prefix = nkey_prefix::account;
    EXPECT_FALSE(seal(sender, account, "x", nonce_of(3)));
    const auto nobody = public_nkey{nkey_prefix::curve, {}};
    EXPECT_FALSE(seal(sender, nobody, "x", nonce_of(3)));
}

} // namespace
