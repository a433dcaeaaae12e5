// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/ocsp_authorities.hpp>

#include <pipit/base/ocsp_limits.hpp>
#include <pipit/server/error.hpp>

#include <algorithm>

namespace pipit::server {
namespace {

error failed(std::string why) { return {errc::unusable_file, std::move(why)}; }

/// `http://host:port`: what of a URL is the same for all questions to one server.
std::string authority_of(const std::string& url) {
    const auto begin = url.find("://");
    return url.substr(0, url.find_first_of("/?#", begin == std::string::npos ? 0 : begin + 3));
}

} // namespace

void recent_failures::put(const std::string& what, std::string why, steady_time now) {
    while (!by_age_.empty() &&
           (by_age_.front().first <= now || by_age_.size() >= limits::ocsp_failures)) {
        const auto& [until, oldest] = by_age_.front();
        const auto found = failures_.find(oldest);
        if (found != failures_.end() && found->second.until == until) failures_.erase(found);
        by_age_.pop_front();
    }
    const auto until = now + limits::ocsp_failure_memory;
    failures_[what] = {std::move(why), until};
    by_age_.emplace_back(until, what);
}

const std::string* recent_failures::find(const std::string& what, steady_time now) const {
    const auto found = failures_.find(what);
    return found == failures_.end() || found->second.until <= now ? nullptr : &found->second.why;
}

struct ocsp_authorities::open_question {
    struct waiter {
        ocsp_asker who;
        told then;
    };
    std::string key;
    ocsp_question what;
    logger log;
    std::vector<waiter> waiters;
    std::size_t place = 0; ///< In the URLs.
    std::string why;       ///< The last place has not answered.
    bool was_asked = false;
};

void ocsp_authorities::ask(ocsp_question question, const ocsp_asker& who, const logger& log,
                           told then) {
    // Who is less patient does not decide for others.
    auto key = question.certificate + ' ' + std::to_string(question.timeout.count());
    if (const auto found = open_.find(key); found != open_.end()) {
        return found->second->waiters.push_back({who, std::move(then)});
    }
    if (const auto* const why = failures_.find(key, around_.now())) return then(failed(*why));
    auto made = std::make_shared<open_question>();
    made->key = key;
    made->what = std::move(question);
    made->log = log;
    made->waiters.push_back({who, std::move(then)});
    open_.emplace(std::move(key), made);
    try_next_place(made);
}

void ocsp_authorities::try_next_place(const shared_question& of) {
    for (; of->place < of->what.urls.size(); ++of->place) {
        const auto name = authority_of(of->what.urls[of->place]);
        if (const auto* const why = failures_.find(name, around_.now())) {
            of->why = *why;
            continue;
        }
        auto& its = authorities_[name];
        its.waiting.push(of->waiters.front().who.party, of);
        ++its.waiting_count;
        return ask_those_who_wait();
    }
    const auto why = "exhausted OCSP responders: " + of->why;
    // What was not tried is not known any better.
    if (of->was_asked) failures_.put(of->key, why, around_.now());
    close(of, failed(why));
}

void ocsp_authorities::ask_those_who_wait() {
    for (auto name = next_turn(); !name.empty(); name = next_turn()) {
        last_turn_ = name;
        auto& its = authorities_.at(name);
        const auto next = *its.waiting.take();
        --its.waiting_count;
        const auto now = around_.now();
        const bool is_late = std::ranges::all_of(
            next->waiters, [&](const auto& one) { return one.who.give_up_at < now; });
        if (is_late) {
            close(next, failed("nobody wants to know any more"));
            forget_if_idle(name);
        } else {
            fetch(next, name);
        }
    }
}

/// The next authority that may be asked something; empty: there is none.
std::string ocsp_authorities::next_turn() const {
    if (asked_count_ >= limits::ocsp_questions) return {};
    const auto may_be_asked = [](const auto& one) {
        return one.second.waiting_count > 0 &&
               one.second.asked_count < limits::ocsp_questions_of_authority;
    };
    const auto behind = authorities_.upper_bound(last_turn_);
    auto found = std::find_if(behind, authorities_.end(), may_be_asked);
    if (found == authorities_.end()) {
        found = std::find_if(authorities_.begin(), behind, may_be_asked);
        if (found == behind) return {};
    }
    return found->first;
}

void ocsp_authorities::fetch(const shared_question& of, const std::string& name) {
    auto url = of->what.urls[of->place];
    of->log.debug("Trying OCSP responder url [" + url + "]");
    if (url.ends_with('/')) url.pop_back();
    ++asked_count_;
    ++authorities_.at(name).asked_count;
    of->was_asked = true;
    around_.fetch(url + '/' + of->what.request, of->what.timeout,
                  [this, of, name, asked_at = around_.now()](ocsp_reply reply) {
                      take(of, name, asked_at, std::move(reply));
                  });
}

void ocsp_authorities::take(const shared_question& of, const std::string& name,
                            steady_time asked_at, ocsp_reply reply) {
    --asked_count_;
    auto& its = authorities_.at(name);
    --its.asked_count;
    if (reply.is_reached) {
        its.heard_at = around_.now();
        failures_.forget(name);
    }
    if (reply.answer && reply.answer->empty()) reply.answer = failed("it says nothing");
    // One of many answers that was lost on its way is nobody's death.
    const bool is_dead = !reply.is_reached && its.heard_at < asked_at;
    if (reply.answer) {
        close(of, reply.answer);
    } else {
        of->why = reply.answer.error().detail();
        if (is_dead) give_up(name, of->why);
        ++of->place;
        try_next_place(of);
    }
    forget_if_idle(name);
    ask_those_who_wait();
}

/// Whoever waits for this authority goes on without it.
void ocsp_authorities::give_up(const std::string& name, const std::string& why) {
    failures_.put(name, why, around_.now());
    auto& its = authorities_.at(name);
    its.waiting_count = 0;
    auto left = std::exchange(its.waiting, {});
    while (const auto next = left.take()) try_next_place(*next);
}

void ocsp_authorities::forget_if_idle(const std::string& name) {
    const auto found = authorities_.find(name);
    if (found == authorities_.end()) return;
    if (found->second.waiting_count + found->second.asked_count == 0) authorities_.erase(found);
}

void ocsp_authorities::close(const shared_question& ended, const result<std::string>& answer) {
    open_.erase(ended->key);
    for (const auto& each : std::exchange(ended->waiters, {})) each.then(answer);
}

} // namespace pipit::server
