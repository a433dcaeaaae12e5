// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/net/tls_context.hpp>
#include <pipit/server/account_resolver.hpp>
#include <pipit/server/task_thread.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace pipit::server {

/// GET of a document by `http[s]://[user:password@]host[:port]/path`, at most as large as a JWT.
/// `tls`: whom to trust, if the URL is a secure one.
/// Errors: `errc::no_account`, with nats-server's words: what was asked for, and why it did not
///         come. A password in the URL is not shown.
/// Cost:   waits, at most until the timeout or until `is_given_up` says so; looking up a host's
///         name is the system's business.
[[nodiscard]] result<std::string> get_over_http(const std::string& url,
                                                const std::shared_ptr<const net::tls_context>& tls,
                                                nanoseconds timeout,
                                                const std::function<bool()>& is_given_up = {});

/// The accounts of a server of accounts: `<url><account>`, asked on threads of its own.
class url_resolver final : public account_resolver {
public:
    url_resolver(std::string url, std::shared_ptr<const net::tls_context> tls)
        : url_(std::move(url)), tls_(std::move(tls)) {}
    ~url_resolver() override;

    void fetch(const std::string& account, answer then) override;
    /// Nothing is kept.
    [[nodiscard]] result<> store(const std::string& account, const std::string& jwt) override;
    /// Waits for nobody.
    void stop() override;

private:
    std::atomic<bool> is_stopping_ = false;
    std::string url_;
    std::shared_ptr<const net::tls_context> tls_;
    /// As many are asked at once.
    std::array<task_thread, 4> threads_{task_thread("accounts 0"), task_thread("accounts 1"),
                                        task_thread("accounts 2"), task_thread("accounts 3")};
    std::size_t next_ = 0;
};

} // namespace pipit::server
