// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>
#include <pipit/broker/tls_facts.hpp>
#include <pipit/net/tls_context.hpp>
#include <pipit/net/tls_filter.hpp>
#include <pipit/server/tls_options.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

namespace pipit::server {

/// So many in a second; for all threads.
class rate_limit {
public:
    explicit rate_limit(std::int64_t per_second) : per_second_(per_second) {}

    /// False: there were enough in this second.
    [[nodiscard]] bool allow(steady_time now);
    /// How many were not allowed since this was asked last; 0 until a second has passed.
    [[nodiscard]] std::uint64_t take_blocked(steady_time now);

private:
    std::mutex lock_;
    const std::int64_t per_second_;
    steady_time second_began_{};
    std::int64_t in_this_second_ = 0;
    std::uint64_t blocked_ = 0;
    steady_time told_at_{};
};

/// How the connections of a listener become encrypted.
struct tls_rules {
    std::shared_ptr<const net::tls_context> context;
    nanoseconds timeout{}; ///< Of a handshake.
    bool required = true;  ///< False: the client's first byte says whether it wants to.
    bool before_info = false;
    nanoseconds fallback{}; ///< Who has said nothing for so long gets INFO first; 0: nobody.
    std::shared_ptr<rate_limit> rate; ///< Null: no limit.
};

/// What may come before the protocol on the connections of a listener.
struct arrival_rules {
    bool behind_proxy = false;            ///< A PROXY header may come first.
    std::shared_ptr<const tls_rules> tls; ///< Null: nothing is encrypted.
};

/// What a `tls` block comes to; nothing without one.
/// Errors: those of `net::tls_context::for_server`.
[[nodiscard]] result<std::shared_ptr<const tls_rules>>
make_tls_rules(const std::optional<tls_options>& options, bool allow_non_tls,
               net::tls_server_parts parts = {});

/// What is known of a connection whose handshake is over.
[[nodiscard]] broker::tls_facts facts_of(const net::tls_filter& tls, bool before_info);

} // namespace pipit::server
