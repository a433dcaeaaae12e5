// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/account_resolver.hpp>

#include <pipit/base/identity_limits.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/server/account_directory.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/url_resolver.hpp>

#include <algorithm>

namespace pipit::server {

void memory_resolver::fetch(const std::string& account, answer then) {
    const auto found = jwts_.find(account);
    if (found == jwts_.end()) return then(error(errc::no_account, "account missing"));
    then(found->second);
}

result<> memory_resolver::store(const std::string& account, const std::string& jwt) {
    jwts_[account] = jwt;
    return {};
}

namespace {

/// Null: a URL that needs none.
result<std::shared_ptr<const net::tls_context>> tls_for(const resolver_options& options) {
    using context = std::shared_ptr<const net::tls_context>;
    if (!options.url.starts_with("https://")) return context();
    auto made = net::tls_context::for_client(options.tls);
    if (!made) return made.error();
    return context(std::move(*made));
}

} // namespace

result<> try_resolver(const resolver_options& options) {
    if (options.kind != resolver_kind::url) return {};
    const auto tls = tls_for(options);
    if (!tls) return tls.error();
    const auto answered = get_over_http(options.url, *tls, limits::account_fetch_timeout);
    return answered ? result<>() : result<>(answered.error());
}

namespace {

/// As nats-server, where nothing else is said.
constexpr std::size_t cached_accounts = 1000;

account_directory::deletion deletion_by(const resolver_options& options) {
    using enum account_directory::deletion;
    if (options.kind == resolver_kind::cache) return remove; // It can be fetched again.
    if (!options.allow_delete) return none;
    return options.hard_delete ? remove : rename;
}

} // namespace

result<std::unique_ptr<account_resolver>> make_resolver(const resolver_options& options,
                                                        const logger& log) {
    switch (options.kind) {
    case resolver_kind::none:
        return error(errc::invalid_configuration,
                     "operators require an account resolver to be configured");
    case resolver_kind::memory: return std::make_unique<memory_resolver>();
    case resolver_kind::url: {
        auto tls = tls_for(options);
        if (!tls) return tls.error();
        return std::make_unique<url_resolver>(options.url, std::move(*tls));
    }
    case resolver_kind::full:
    case resolver_kind::cache: break;
    }
    const bool is_cache = options.kind == resolver_kind::cache;
    account_directory::settings chosen;
    chosen.folder = options.dir;
    chosen.limit = static_cast<std::size_t>(std::max<std::int64_t>(options.limit, 0));
    if (is_cache && chosen.limit == 0) chosen.limit = cached_accounts;
    chosen.evicts = is_cache;
    chosen.ttl = options.ttl;
    chosen.when_deleted = deletion_by(options);
    auto opened = account_directory::open(std::move(chosen), net::wall_now());
    if (!opened) return opened.error();
    for (const auto& problem : (*opened)->problems()) log.error(problem);
    log.info(std::string("Managing ") + (is_cache ? "some" : "all") +
             " jwt in exclusive directory " + options.dir);
    return std::make_unique<directory_resolver>(std::move(*opened));
}

} // namespace pipit::server
