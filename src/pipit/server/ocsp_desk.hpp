// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/log.hpp>
#include <pipit/base/time.hpp>
#include <pipit/net/tls_context.hpp>
#include <pipit/server/ocsp_cache.hpp>
#include <pipit/server/ocsp_peers.hpp>
#include <pipit/server/task_thread.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace pipit::server {

/// Answers the handshakes' questions about clients on threads of its own, so that no loop waits
/// for an authority. Bounded in threads and in questions that wait. The same certificate is asked
/// about by one of them at a time, and the next one finds the answer kept.
///
/// Threads: all.
class ocsp_desk {
public:
    explicit ocsp_desk(ocsp_surroundings surroundings);
    ~ocsp_desk();
    ocsp_desk(const ocsp_desk&) = delete;
    ocsp_desk& operator=(const ocsp_desk&) = delete;

    /// From then on. What was kept so far is saved, and what is in the file is read. Nothing: no
    /// listener asks.
    void configure(const std::optional<ocsp_cache_options>& cache, const logger& log);

    /// Of clients that wait at most so long. Lives as long as the desk.
    [[nodiscard]] net::peer_judge judge(const ocsp_peer_options& how, nanoseconds patience);

    /// Nothing where no answer is kept.
    [[nodiscard]] std::optional<ocsp_statistics> statistics() const;

    /// Saves what is kept. Whoever waits hears nothing any more.
    void stop();

private:
    struct rules {
        std::unique_ptr<ocsp_cache> cache; ///< Null: none.
        logger log;
    };

    void keep_saving(const std::shared_ptr<const rules>& of);
    [[nodiscard]] std::shared_ptr<const rules> current() const;
    task_thread& thread_for(const net::certificate_chains& chains);

    const ocsp_surroundings surroundings_;
    mutable std::mutex lock_;
    std::shared_ptr<const rules> rules_;
    std::atomic<std::size_t> waiting_ = 0;
    std::vector<std::unique_ptr<task_thread>> threads_;
    task_thread keeper_{"ocsp cache"};
};

/// GET over HTTP, bounded as an authority's answer. Errors: `errc::unusable_file`; the detail says
/// why, without the URL.
[[nodiscard]] result<std::string> fetch_from_responder(const std::string& url, nanoseconds timeout);
/// What a staple is asked for by: a POST, or a GET without a body. Errors: the same.
[[nodiscard]] result<std::string>
fetch_staple(const std::string& url, const std::optional<std::string>& body, const logger& log);

} // namespace pipit::server
