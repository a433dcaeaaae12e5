// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/ocsp_authorities.hpp>

#include <pipit/base/ocsp_limits.hpp>
#include <pipit/server/error.hpp>

#include <algorithm>
#include <set>

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
    std::size_t place = 0;      ///< In the URLs.
    std::set<party> waits_with; ///< In whose turns it may be asked; empty: it is asked already.
    std::string why;            ///< The last place has not answered.
    bool was_asked = false;
};

bool ocsp_authorities::turn::is_open() const noexcept {
    return !of->waits_with.empty() && of->place == place;
}

void ocsp_authorities::ask(ocsp_question question, const ocsp_asker& who, const logger& log,
                           told then) {
    // Who is less patient does not decide for others.
    auto key = question.certificate + ' ' + std::to_string(question.timeout.count());
    if (const auto found = open_.find(key); found != open_.end()) {
        const auto open = found->second;
        open->waiters.push_back({who, std::move(then)});
        if (!open->waits_with.empty()) wait_for_turn(open, who.from);
        return;
    }
    if (const auto* const why = failures_.find(key, its_.now())) {
        return then(std::make_shared<result<std::string>>(failed(*why)));
    }
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
        if (const auto* const why = failures_.find(name, its_.now())) {
            of->why = *why;
            continue;
        }
        for (const auto& each : of->waiters) wait_for_turn(of, each.who.from);
        return ask_those_who_wait();
    }
    const auto why = "exhausted OCSP responders: " + of->why;
    // What was not tried is not known any better.
    if (of->was_asked) failures_.put(of->key, why, its_.now());
    close(of, failed(why));
}

void ocsp_authorities::wait_for_turn(const shared_question& of, party wanted_by) {
    if (!of->waits_with.insert(wanted_by).second) return;
    auto& its = authorities_[authority_of(of->what.urls[of->place])];
    its.waiting.push(wanted_by, {of, of->place});
    ++its.waiting_count;
}

void ocsp_authorities::ask_those_who_wait() {
    for (auto name = next_to_ask(); !name.empty(); name = next_to_ask()) {
        last_turn_ = name;
        auto& its = authorities_.at(name);
        const auto next_turn = *its.waiting.take();
        --its.waiting_count;
        if (!next_turn.is_open()) {
            forget_if_idle(name);
            continue;
        }
        const auto& next = next_turn.of;
        next->waits_with.clear();
        const auto now = its_.now();
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
std::string ocsp_authorities::next_to_ask() const {
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
    its_.fetch(url + '/' + of->what.request, of->what.timeout,
               [this, of, name, asked_at = its_.now()](ocsp_reply reply) {
                   take(of, name, asked_at, std::move(reply));
               });
}

void ocsp_authorities::take(const shared_question& of, const std::string& name,
                            steady_time asked_at, ocsp_reply reply) {
    --asked_count_;
    auto& its = authorities_.at(name);
    --its.asked_count;
    if (reply.is_reached) {
        its.heard_at = its_.now();
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
    failures_.put(name, why, its_.now());
    auto& its = authorities_.at(name);
    its.waiting_count = 0;
    auto left = std::exchange(its.waiting, {});
    while (const auto next = left.take()) {
        if (!next->is_open()) continue;
        next->of->waits_with.clear();
        try_next_place(next->of);
    }
}

void ocsp_authorities::forget_if_idle(const std::string& name) {
    const auto found = authorities_.find(name);
    if (found == authorities_.end()) return;
    if (found->second.waiting_count + found->second.asked_count == 0) authorities_.erase(found);
}

void ocsp_authorities::close(const shared_question& ended, result<std::string> answer) {
    open_.erase(ended->key);
    const auto shared = std::make_shared<const result<std::string>>(std::move(answer));
    for (const auto& each : std::exchange(ended->waiters, {})) each.then(shared);
}

} // namespace pipit::server
