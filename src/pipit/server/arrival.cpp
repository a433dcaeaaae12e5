// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/arrival.hpp>

#include <pipit/auth/certificate.hpp>

#include <chrono>
#include <utility>

namespace pipit::server {

bool rate_limit::allow(steady_time now) {
    const std::lock_guard guard(lock_);
    if (now - second_began_ >= std::chrono::seconds(1)) {
        second_began_ = now;
        in_this_second_ = 0;
    }
    if (++in_this_second_ <= per_second_) return true;
    ++blocked_;
    return false;
}

std::uint64_t rate_limit::take_blocked(steady_time now) {
    const std::lock_guard guard(lock_);
    if (blocked_ == 0 || now - told_at_ < std::chrono::seconds(1)) return 0;
    told_at_ = now;
    return std::exchange(blocked_, 0);
}

result<std::shared_ptr<const tls_rules>> make_tls_rules(const std::optional<tls_options>& options,
                                                        bool allow_non_tls,
                                                        net::tls_server_parts parts) {
    if (!options) return std::shared_ptr<const tls_rules>();
    auto context = net::tls_context::for_server(options->settings, std::move(parts));
    if (!context) return context.error();
    auto rules = std::make_shared<tls_rules>();
    rules->context = std::move(*context);
    rules->timeout = options->timeout;
    rules->before_info = options->handshake_first;
    rules->fallback = options->handshake_first_fallback;
    rules->required = !allow_non_tls;
    if (options->connection_rate_limit > 0) {
        rules->rate = std::make_shared<rate_limit>(options->connection_rate_limit);
    }
    return std::shared_ptr<const tls_rules>(std::move(rules));
}

broker::tls_facts facts_of(const net::tls_filter& tls, bool before_info) {
    broker::tls_facts facts;
    facts.version = tls.version();
    facts.cipher_suite = tls.cipher_suite();
    facts.before_info = before_info;
    for (const auto& der : tls.peer_certificates()) {
        if (auto certificate = auth::read_certificate(der)) {
            facts.peer.push_back(std::move(*certificate));
        }
    }
    facts.chain = tls.verified_chain();
    return facts;
}

} // namespace pipit::server
