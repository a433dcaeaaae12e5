// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/jwt.hpp>
#include <pipit/auth/nkey.hpp>

#include <string>

namespace pipit::auth {

/// For tests: a key pair made of a number, and tokens that it signs.
class test_key {
public:
    test_key(nkey_prefix prefix, std::uint8_t number)
        : seed_{prefix, secret_of(number)}, key_(seed_) {}

    [[nodiscard]] std::string text() const { return encode(key_.public_key()); }
    [[nodiscard]] const nkey_seed& seed() const { return seed_; }
    [[nodiscard]] const signing_key& key() const { return key_; }

    /// `members` are written as JSON, without braces; they follow iss, sub and iat.
    [[nodiscard]] std::string issue(const std::string& subject, const std::string& members,
                                    std::int64_t issued_at = 1'700'000'000) const {
        return sign_jwt(R"({"iss":")" + text() + R"(","sub":")" + subject + R"(","iat":)" +
                            std::to_string(issued_at) + "," + members + "}",
                        key_);
    }
    [[nodiscard]] std::string issue_user(const std::string& user, const std::string& nats = {},
                                         const std::string& members = {}) const {
        return issue(user, (members.empty() ? "" : members + ",") +
                               R"("nats":{"subs":-1,"data":-1,"payload":-1,)" +
                               (nats.empty() ? "" : nats + ",") + R"("type":"user","version":2})");
    }
    [[nodiscard]] std::string issue_scoped_user(const std::string& user, const std::string& account,
                                                const std::string& nats = {},
                                                const std::string& members = {}) const {
        return issue(user, (members.empty() ? "" : members + ",") +
                               R"("nats":{"issuer_account":")" + account + "\"," +
                               (nats.empty() ? "" : nats + ",") + R"("type":"user","version":2})");
    }
    [[nodiscard]] std::string issue_account(const std::string& account,
                                            const std::string& nats = {},
                                            const std::string& members = {}) const {
        return issue(account, (members.empty() ? "" : members + ",") + R"("nats":{)" +
                                  (nats.empty() ? "" : nats + ",") +
                                  R"("type":"account","version":2})");
    }

private:
    static secret_key_bytes secret_of(std::uint8_t number) {
        key_bytes bytes{};
        bytes.fill(number);
        return secret_key_bytes(bytes);
    }
    nkey_seed seed_;
    signing_key key_;
};

/// Limits of an account that limit nothing, to be put among its `nats`.
inline const std::string no_account_limits =
    R"("limits":{"subs":-1,"data":-1,"payload":-1,"imports":-1,"exports":-1,"wildcards":true,)"
    R"("conn":-1,"leaf":-1})";

} // namespace pipit::auth
