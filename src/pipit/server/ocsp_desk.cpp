// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/ocsp_desk.hpp>

#include <pipit/base/ocsp_limits.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/net/http_client.hpp>
#include <pipit/server/error.hpp>

#include <functional>
#include <string_view>
#include <utility>

namespace pipit::server {
namespace {

/// For authorities that are asked over HTTPS.
std::shared_ptr<const net::tls_context> tls_for_responders() {
    static const auto made = net::tls_context::for_client({.verifies_peer = true});
    return made ? *made : nullptr;
}

error failed(std::string why) { return {errc::unusable_file, std::move(why)}; }

result<net::http_response> fetch(const std::string& url, const std::optional<std::string>& body,
                                 nanoseconds timeout) {
    auto parts = net::parse_http_url(url);
    if (!parts) return failed("it is no URL that begins with http:// or https://");
    const bool is_secure = parts->is_secure;
    auto answer = net::fetch_http({.to = std::move(*parts),
                                   .content_type = "application/ocsp-request",
                                   .body = body,
                                   .timeout = timeout,
                                   .answer_bytes_max = limits::ocsp_response_bytes,
                                   .tls = is_secure ? tls_for_responders() : nullptr});
    if (!answer) return failed(answer.error().message());
    return answer;
}

} // namespace

result<std::string> fetch_from_responder(const std::string& url, nanoseconds timeout) {
    auto answer = fetch(url, std::nullopt, timeout);
    if (!answer) return answer.error();
    if (answer->status != 200) {
        return failed("bad OCSP responder http status: [" + std::to_string(answer->status) + "]");
    }
    return std::move(answer->body);
}

result<std::string> fetch_staple(const std::string& url, const std::optional<std::string>& body,
                                 const logger& log) {
    const auto begun = net::steady_now();
    auto answer = fetch(url, body, limits::ocsp_staple_timeout);
    if (!answer) return answer.error();
    const std::string method = body ? "POST" : "GET";
    const auto took = std::chrono::duration<double>(net::steady_now() - begun).count();
    log.debug("Received OCSP response (method=" + method +
              ", status=" + std::to_string(answer->status) + ", url=" + url +
              ", duration=" + std::to_string(took) + "s)");
    constexpr int last_good_status = 299;
    if (answer->status > last_good_status) {
        return failed("non-ok http status on " + method +
                      " request: " + std::to_string(answer->status));
    }
    return std::move(answer->body);
}

ocsp_desk::ocsp_desk(ocsp_surroundings surroundings)
    : surroundings_(std::move(surroundings)), rules_(std::make_shared<rules>()) {
    for (std::size_t i = 0; i < limits::ocsp_threads; ++i) {
        threads_.push_back(std::make_unique<task_thread>("ocsp"));
    }
}

ocsp_desk::~ocsp_desk() { stop(); }

void ocsp_desk::stop() {
    for (const auto& each : threads_) each->stop();
    keeper_.stop();
    configure(std::nullopt, {});
}

std::shared_ptr<const ocsp_desk::rules> ocsp_desk::current() const {
    const std::lock_guard guard(lock_);
    return rules_;
}

void ocsp_desk::configure(const std::optional<ocsp_cache_options>& cache, const logger& log) {
    if (const auto before = current(); before->cache) {
        before->log.debug("Stopping OCSP peer cache");
        before->cache->save();
    }
    auto made = std::make_shared<rules>();
    made->log = log;
    if (cache && cache->is_kept) {
        made->cache = std::make_unique<ocsp_cache>(*cache, log);
        made->cache->load();
    }
    if (cache) {
        const std::string_view type = cache->is_kept ? "local" : "none";
        log.info("OCSP peer cache online, type [" + std::string(type) + "]");
    }
    {
        const std::lock_guard guard(lock_);
        rules_ = made;
    }
    if (made->cache) keep_saving(made);
}

void ocsp_desk::keep_saving(const std::shared_ptr<const rules>& of) {
    const std::weak_ptr<const rules> of_these = of;
    keeper_.post_at(net::steady_now() + of->cache->options().save_interval, [this, of_these] {
        const auto still = of_these.lock();
        if (!still || still != current()) return;
        still->log.debug("OCSP peer cache save timer expired");
        still->cache->save();
        keep_saving(still);
    });
}

task_thread& ocsp_desk::thread_for(const net::certificate_chains& chains) {
    const auto own = chains.empty() || chains.front().empty()
                         ? std::string_view()
                         : std::string_view(chains.front().front());
    return *threads_[std::hash<std::string_view>()(own) % threads_.size()];
}

net::peer_judge ocsp_desk::judge(const ocsp_peer_options& how, nanoseconds patience) {
    return [this, how, patience](net::certificate_chains chains,
                                 std::function<void(std::string)> then) {
        if (waiting_.load() >= limits::ocsp_waiting) {
            return then("too many clients wait for their authorities");
        }
        ++waiting_;
        thread_for(chains).post([this, how, chains = std::move(chains), then = std::move(then),
                                 give_up_at = net::steady_now() + patience] {
            --waiting_;
            // Who has given up needs no answer, but somebody may keep the question.
            if (give_up_at < net::steady_now()) return then(std::string(refused_by_ocsp));
            const auto by = current();
            const ocsp_peers peers(surroundings_, by->cache.get(), by->log);
            then(peers.judge(chains, how) ? std::string() : std::string(refused_by_ocsp));
        });
    };
}

std::optional<ocsp_statistics> ocsp_desk::statistics() const {
    const auto now = current();
    if (!now->cache) return std::nullopt;
    return now->cache->statistics();
}

} // namespace pipit::server
