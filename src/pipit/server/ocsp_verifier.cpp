// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/ocsp_verifier.hpp>

#include <pipit/net/clock.hpp>
#include <pipit/net/event_loop.hpp>
#include <pipit/server/ocsp_fetch.hpp>

#include <functional>
#include <string_view>
#include <utility>

namespace pipit::server {

/// The thread on which authorities are asked, and which does nothing that takes time.
struct ocsp_verifier::asking {
    asking() {
        thread.post([this] { events.run(); });
    }
    ~asking() { stop(); }
    asking(const asking&) = delete;
    asking& operator=(const asking&) = delete;

    void stop() {
        events.stop();
        thread.stop();
    }

    ocsp_authorities authorities{
        {.fetch =
             [this](const std::string& url, nanoseconds timeout, ocsp_authorities::fetched then) {
                 fetch_from_responder(events, url, timeout, std::move(then));
             },
         .now = [] { return net::steady_now(); }}};
    net::event_loop events; ///< What waits there is dropped before the authorities are.
    task_thread thread{"ocsp"};
};

/// Somebody whose handshake waits.
struct ocsp_verifier::client {
    client(const ocsp_dependencies& dependencies, std::shared_ptr<const rules> its_rules,
           const ocsp_asker& asker, net::certificate_chains chains, const ocsp_peer_options& how,
           std::function<void(std::string)> told)
        : who(asker),
          by(std::move(its_rules)),
          inquiry(dependencies, by->cache.get(), by->log, std::move(chains), how),
          then(std::move(told)) {}

    [[nodiscard]] bool has_given_up() const { return who.give_up_at < net::steady_now(); }

    const ocsp_asker who;
    const std::shared_ptr<const rules> by;
    ocsp_inquiry inquiry;
    const std::function<void(std::string why_not)> then;
    bool is_waiting = false; ///< For an authority; counted.
};

ocsp_verifier::ocsp_verifier(ocsp_dependencies dependencies, waiting_room::bounds waiting)
    : its_(std::move(dependencies)), rules_(std::make_shared<rules>()), waiting_(waiting) {}

ocsp_verifier::~ocsp_verifier() { stop(); }

void ocsp_verifier::stop() {
    judging_.thread().stop();
    if (asking_) asking_->stop();
    keeper_.stop();
    configure(std::nullopt, {});
}

std::shared_ptr<const ocsp_verifier::rules> ocsp_verifier::current() const {
    const std::lock_guard guard(lock_);
    return rules_;
}

void ocsp_verifier::configure(const std::optional<ocsp_cache_options>& cache, const logger& log) {
    const auto before = current();
    bool is_saved = true;
    if (before->cache) {
        before->log.debug("Stopping OCSP peer cache");
        is_saved = before->cache->save();
    }
    auto made = std::make_shared<rules>();
    made->log = log;
    if (cache && cache->is_kept) {
        made->cache = std::make_unique<ocsp_cache>(*cache, log);
        // An older file may call somebody good who was called back since.
        const bool is_there = !is_saved && made->cache->file() == before->cache->file();
        if (is_there) {
            made->cache->continue_with(*before->cache);
        } else {
            made->cache->load();
        }
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

void ocsp_verifier::keep_saving(const std::shared_ptr<const rules>& of) {
    const std::weak_ptr<const rules> of_these = of;
    keeper_.post_at(net::steady_now() + of->cache->options().save_interval, [this, of_these] {
        const auto still = of_these.lock();
        if (!still || still != current()) return;
        still->log.debug("OCSP peer cache save timer expired");
        (void)still->cache->save();
        keep_saving(still);
    });
}

net::peer_judge ocsp_verifier::judge(const ocsp_peer_options& how, nanoseconds patience) {
    if (!asking_) asking_ = std::make_unique<asking>();
    return [this, how, patience](net::peer_to_judge peer, std::function<void(std::string)> then) {
        const ocsp_asker who{.from = peer.from, .give_up_at = net::steady_now() + patience};
        if (!judged_.enter(who.from)) return then("too many clients are judged");
        auto made = std::make_shared<client>(its_, current(), who, std::move(peer.chains), how,
                                             std::move(then));
        judging_.post(who.from, [this, with = std::move(made)] {
            if (with->has_given_up()) return finish(*with, refused_by_ocsp);
            go_on(with);
        });
    };
}

/// In its turn, as `take`: to read and verify what was said takes a millisecond.
void ocsp_verifier::go_on(const std::shared_ptr<client>& with) {
    if (const auto is_good = with->inquiry.go_on())
        return finish(*with, *is_good ? "" : refused_by_ocsp);
    if (!with->is_waiting && !waiting_.enter(with->who.from)) {
        return finish(*with, "too many clients wait for their authorities");
    }
    with->is_waiting = true;
    asking_->events.post([this, with] { ask(with); });
}

/// On the thread of `asking_`.
void ocsp_verifier::ask(const std::shared_ptr<client>& with) {
    asking_->authorities.ask(with->inquiry.question(), with->who, with->by->log,
                             [this, with](const ocsp_authorities::shared_answer& said) {
                                 judging_.post(with->who.from,
                                               [this, with, said] { take(with, *said); });
                             });
}

void ocsp_verifier::take(const std::shared_ptr<client>& with, const result<std::string>& said) {
    // An answer is kept for the next one, even if it came too late.
    if (!said && with->has_given_up()) return finish(*with, refused_by_ocsp);
    with->inquiry.answer(said);
    go_on(with);
}

void ocsp_verifier::finish(const client& with, std::string_view why_not) {
    judged_.leave(with.who.from);
    if (with.is_waiting) waiting_.leave(with.who.from);
    with.then(std::string(why_not));
}

std::optional<ocsp_statistics> ocsp_verifier::statistics() const {
    const auto now = current();
    if (!now->cache) return std::nullopt;
    return now->cache->statistics();
}

} // namespace pipit::server
