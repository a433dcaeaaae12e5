// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/creds.hpp>
#include <pipit/auth/nonce.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace {

using namespace pipit;

auth::nkey_seed seed(std::uint8_t first) {
    auth::key_bytes bytes{};
    bytes[0] = first;
    return {auth::nkey_prefix::user, auth::secret_key_bytes(bytes)};
}
std::string public_key(const auth::nkey_seed& of) {
    return auth::encode(auth::signing_key(of).public_key());
}

TEST(Nonce, IsAnotherForEachConnectionAndEachServer) {
    const auth::nonce_maker one(seed(1).secret);
    const auth::nonce_maker other(seed(2).secret);
    EXPECT_EQ(one.make(7).size(), 15u);
    EXPECT_EQ(one.make(7), one.make(7));
    EXPECT_NE(one.make(7), one.make(8));
    EXPECT_NE(one.make(7), other.make(7));
}

TEST(Nonce, IsVerifiedInBothWritingsOfASignature) {
    const auto signature = auth::sign_nonce(seed(1), "nonce");
    EXPECT_TRUE(auth::verify_nonce(public_key(seed(1)), "nonce", signature));
    auto padded = signature + "==";
    std::replace(padded.begin(), padded.end(), '-', '+');
    std::replace(padded.begin(), padded.end(), '_', '/');
    EXPECT_TRUE(auth::verify_nonce(public_key(seed(1)), "nonce", padded));
}

TEST(Nonce, IsSignedByOneOfSeveralKeysInOneWriting) {
    const std::vector<std::string> keys{public_key(seed(1)), public_key(seed(2)), "UABC"};
    const auto signature = auth::sign_nonce(seed(2), "nonce");
    EXPECT_EQ(auth::signer_of(keys, "nonce", signature).value(), keys[1]);
    EXPECT_EQ(auth::signer_of(keys, "nonces", signature).error().detail(),
              "signature not verified");
    EXPECT_FALSE(auth::signer_of({}, "nonce", signature));
    EXPECT_FALSE(auth::signer_of(keys, "nonce", auth::sign_nonce(seed(3), "nonce")));
    for (const auto& text : {signature + "==", std::string("!"), signature + " "}) {
        EXPECT_EQ(auth::signer_of(keys, "nonce", text).error().detail(),
                  "signature not valid base64");
    }
}

TEST(Nonce, IsNotVerifiedByAnotherKeyNonceOrText) {
    const auto key = public_key(seed(1));
    const auto signature = auth::sign_nonce(seed(1), "nonce");
    EXPECT_FALSE(auth::verify_nonce(public_key(seed(2)), "nonce", signature));
    EXPECT_FALSE(auth::verify_nonce(key, "nonces", signature));
    EXPECT_FALSE(auth::verify_nonce(key, "nonce", ""));
    EXPECT_FALSE(auth::verify_nonce(key, "nonce", signature + "A"));
    EXPECT_FALSE(auth::verify_nonce(key, "nonce", signature + " "));
    EXPECT_FALSE(auth::verify_nonce(key, "nonce", std::string(86, 'A')));
    EXPECT_FALSE(auth::verify_nonce("UABC", "nonce", signature));
}

} // namespace
