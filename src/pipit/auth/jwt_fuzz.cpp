// SPDX-License-Identifier: Apache-2.0
// Claims that somebody signed are read or refused, and nothing else changes a token without being
// noticed: the input is taken for a token, and for the claims of one.
#include <pipit/auth/jwt.hpp>
#include <pipit/auth/test_tokens.hpp>
#include <pipit/auth/user_template.hpp>
#include <pipit/base/assert.hpp>

namespace {

using namespace pipit::auth;

void look_at(std::string_view token) {
    const auto user = decode_user_jwt(token);
    const auto account = decode_account_jwt(token);
    const auto others = int(decode_operator_jwt(token).has_value()) +
                        int(decode_activation_jwt(token).has_value()) +
                        int(decode_generic_jwt(token).has_value());
    // A token is of one kind.
    PIPIT_ASSERT(int(user.has_value()) + int(account.has_value()) + others <= 1);
    if (user) {
        (void)problem_of(*user);
        PIPIT_ASSERT(decode_user_jwt(token)->rights == user->rights);
        const auto filled = fill_template(user->rights, *user, {});
        PIPIT_ASSERT(!filled || user->rights.permissions.publish_allow.empty() ||
                     !filled->permissions.publish_allow.empty() ||
                     !filled->permissions.publish_deny.empty());
    }
    if (account) (void)problem_of(*account);
    (void)undecorated_jwt(token);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    look_at(text);
    // The first `@` stands for the key that signs.
    static const test_key account(nkey_prefix::account, 1);
    static const test_key its_operator(nkey_prefix::operator_key, 2);
    for (const auto* key : {&account, &its_operator}) {
        std::string claims(text);
        if (const auto at = claims.find('@'); at != std::string::npos) {
            claims.replace(at, 1, key->text());
        }
        const auto token = sign_jwt(claims, key->key());
        look_at(token);
        if (decode_user_jwt(token)) {
            auto changed = token;
            auto& last = changed[changed.size() - 10];
            last = last == 'A' ? 'B' : 'A';
            PIPIT_ASSERT(!decode_user_jwt(changed));
        }
    }
    return 0;
}
