// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/log.hpp>
#include <pipit/server/options.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace pipit::server {

/// Where the JWTs of accounts are found.
///
/// Threads: one, the authenticator's; an answer may come on any.
class account_resolver {
public:
    using answer = std::function<void(result<std::string> jwt)>;

    account_resolver() = default;
    virtual ~account_resolver() = default;
    account_resolver(const account_resolver&) = delete;
    account_resolver& operator=(const account_resolver&) = delete;

    /// `account` is a valid public key. Errors: the text is for the log.
    virtual void fetch(const std::string& account, answer then) = 0;
    /// Keeps a JWT that was verified, as the newest of its account.
    [[nodiscard]] virtual result<> store(const std::string& account, const std::string& jwt) = 0;
    /// No answer comes any more.
    virtual void stop() {}
};

/// What was preloaded, and what was sent since.
class memory_resolver final : public account_resolver {
public:
    void fetch(const std::string& account, answer then) override;
    [[nodiscard]] result<> store(const std::string& account, const std::string& jwt) override;

private:
    std::map<std::string, std::string> jwts_;
};

/// A server of accounts is not asked. Errors: `errc::invalid_configuration`, `errc::unusable_file`.
[[nodiscard]] result<std::unique_ptr<account_resolver>>
make_resolver(const resolver_options& options, const logger& log);

/// What has to be there when the server starts, as for nats-server. Errors: `errc::no_account`.
[[nodiscard]] result<> try_resolver(const resolver_options& options);

} // namespace pipit::server
