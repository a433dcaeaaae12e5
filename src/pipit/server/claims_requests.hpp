// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/log.hpp>
#include <pipit/server/account_directory.hpp>
#include <pipit/server/known_accounts.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::server {

/// What `nsc push`, `nsc pull` and other servers ask of a server about the JWTs of accounts, by
/// messages in the system account: a request goes in, an answer comes out.
///
/// Threads: that of the accounts.
/// Source: auth, section 7 ("Account resolvers" in the NATS docs).
class claims_requests {
public:
    struct dependencies {
        known_accounts& accounts;
        account_directory* directory = nullptr; ///< Null: the resolver keeps nothing in a folder.
        bool is_cache = false;                  ///< The folder has only what was asked for.
        /// `{"name":…}`, as every answer of the system account begins.
        std::function<std::string()> server_json;
        logger log;
    };
    explicit claims_requests(dependencies its) : its_(std::move(its)) {}

    /// The account's JWT; empty: there is none. Nothing: that is no account, or its JWT cannot be
    /// read, and no answer is better than that there is none.
    [[nodiscard]] std::optional<std::string> lookup(const std::string& account);
    /// `account` is the one that the subject names; empty: that of the JWT.
    [[nodiscard]] std::string update(const std::string& account, const std::string& jwt);
    [[nodiscard]] std::string list();
    /// `request` is a JWT that an operator signed.
    [[nodiscard]] std::string remove(const std::string& request);
    /// What another server does not have, if its hash is another one; the last one is empty.
    [[nodiscard]] std::vector<std::string> pack(std::string_view hash);
    /// Takes what another server sent for `pack`, and obeys it, but does not wait for the disk.
    void merge(const std::string& pack);
    /// Waits for the disk, for one account of those; false: there is nothing to wait for.
    [[nodiscard]] bool sync_next();

private:
    [[nodiscard]] std::string answer(const std::string& account, const std::string& message) const;
    [[nodiscard]] std::string refusal(const std::string& account, const std::string& message,
                                      const std::string& why) const;
    [[nodiscard]] std::string problem_of_removal(const auth::generic_jwt& request) const;
    [[nodiscard]] std::string update_known(const std::string& account, const std::string& jwt);
    [[nodiscard]] std::string update_folder(const std::string& account, const std::string& jwt);
    void fail_merging(const error& reason) const;
    [[nodiscard]] result<> keep(const std::string& account, const std::string& jwt, bool if_newer);

    dependencies its_;
};

} // namespace pipit::server
