// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/log.hpp>
#include <pipit/base/ocsp_limits.hpp>
#include <pipit/base/party.hpp>
#include <pipit/base/time.hpp>
#include <pipit/net/tls_context.hpp>
#include <pipit/server/fair_worker.hpp>
#include <pipit/server/ocsp_cache.hpp>
#include <pipit/server/ocsp_peers.hpp>
#include <pipit/server/task_thread.hpp>
#include <pipit/server/waiting_room.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace pipit::server {

/// Answers the handshakes' questions about clients on threads of its own, which wait for nobody:
/// neither a loop nor another client is held up by a slow authority, or by very many clients of one
/// party, as each party has its turn. Bounded in clients, and closer in those who wait for an
/// authority, by party.
///
/// Threads: all.
class ocsp_verifier {
public:
    /// So many may wait for an authority.
    static constexpr waiting_room::bounds waiting_bounds{.most = limits::ocsp_waiting,
                                                         .few = limits::ocsp_waiting_of_party};

    explicit ocsp_verifier(ocsp_dependencies dependencies,
                           waiting_room::bounds waiting = waiting_bounds);
    ~ocsp_verifier();
    ocsp_verifier(const ocsp_verifier&) = delete;
    ocsp_verifier& operator=(const ocsp_verifier&) = delete;

    /// From then on. What was kept so far is saved, and what is in the file is read. Nothing: no
    /// listener asks.
    void configure(const std::optional<ocsp_cache_options>& cache, const logger& log);

    /// Of clients that wait at most so long. Lives as long as the verifier. Threads: one.
    [[nodiscard]] net::peer_judge judge(const ocsp_peer_options& how, nanoseconds patience);

    /// Nothing where no answer is kept.
    [[nodiscard]] std::optional<ocsp_statistics> statistics() const;

    /// Saves what is kept, and waits for no authority. Whoever waits hears nothing any more.
    void stop();

private:
    struct rules {
        std::unique_ptr<ocsp_cache> cache; ///< Null: none.
        logger log;
    };
    struct asking;
    struct client;

    void keep_saving(const std::shared_ptr<const rules>& of);
    [[nodiscard]] std::shared_ptr<const rules> current() const;
    void go_on(const std::shared_ptr<client>& with);
    void ask(const std::shared_ptr<client>& with);
    void take(const std::shared_ptr<client>& with, const result<std::string>& said);
    void finish(const client& with, std::string_view why_not);

    const ocsp_dependencies its_;
    mutable std::mutex lock_;
    std::shared_ptr<const rules> rules_;
    waiting_room judged_{{.most = limits::ocsp_judged, .few = limits::ocsp_waiting_of_party}};
    waiting_room waiting_;
    std::unique_ptr<asking> asking_; ///< Null: no listener has asked for a judge.
    task_thread keeper_{"ocsp cache"};
    fair_worker<party> judging_{"ocsp judge"};
};

} // namespace pipit::server
