// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/log.hpp>
#include <pipit/base/party.hpp>
#include <pipit/base/time.hpp>
#include <pipit/server/fair_queue.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pipit::server {

/// What is to be asked about a certificate.
struct ocsp_question {
    std::string certificate;       ///< Its fingerprint.
    std::vector<std::string> urls; ///< Where; the first that answers is enough.
    std::string request;           ///< What follows a URL and a slash.
    nanoseconds timeout{};         ///< For each place.
};

/// Who wants to know, and for how long.
struct ocsp_asker {
    party from; ///< Those of one take turns with others.
    steady_time give_up_at{};
};

/// What an authority has said.
struct ocsp_reply {
    result<std::string> answer; ///< The detail of an error says why there is none.
    bool is_reached = true;     ///< There was somebody, whatever he has said.
};

/// What did not work lately and need not be tried again at once, with the reason. Bounded in number
/// and time.
class recent_failures {
public:
    void put(const std::string& what, std::string why, steady_time now);
    /// Null: it may be tried.
    [[nodiscard]] const std::string* find(const std::string& what, steady_time now) const;
    /// It works again.
    void forget(const std::string& what) { failures_.erase(what); }

private:
    struct failure {
        std::string why;
        steady_time until;
    };
    std::map<std::string, failure> failures_;
    std::deque<std::pair<steady_time, std::string>> by_age_;
};

/// Asks authorities about certificates.
///
/// Who wants to know the same shares a question. Few are asked at one authority at the same time,
/// and the parties that want to know take turns there, so that a slow authority holds up nobody but
/// those who need it, and a party that wants to know very much nobody but itself. One that cannot
/// be reached is left alone for a moment, and so is a question that nobody has answered: who asks
/// meanwhile is told at once.
///
/// Threads: one.
class ocsp_authorities {
public:
    using fetched = std::function<void(ocsp_reply)>;
    /// One for all who wait for it.
    using shared_answer = std::shared_ptr<const result<std::string>>;
    using told = std::function<void(const shared_answer& answer)>;
    struct dependencies {
        /// GET of a URL; `then` is called once and later, on the same thread.
        std::function<void(const std::string& url, nanoseconds timeout, fetched then)> fetch;
        std::function<steady_time()> now;
    };
    explicit ocsp_authorities(dependencies its) : its_(std::move(its)) {}

    /// Calls `then` once, also at once.
    /// Errors: `errc::unusable_file`; the detail says why.
    void ask(ocsp_question question, const ocsp_asker& who, const logger& log, told then);

private:
    struct open_question;
    using shared_question = std::shared_ptr<open_question>;
    /// A question waits in the turn of each party that wants to know.
    struct turn {
        shared_question of;
        std::size_t place = 0; ///< In the URLs.
        /// False: it was asked meanwhile, when another party had its turn.
        [[nodiscard]] bool is_open() const noexcept;
    };
    /// A server that is asked.
    struct authority {
        fair_queue<party, turn> waiting;
        std::size_t waiting_count = 0;
        std::size_t asked_count = 0;
        steady_time heard_at = steady_time::min(); ///< Something.
    };

    void try_next_place(const shared_question& of);
    void wait_for_turn(const shared_question& of, party wanted_by);
    void ask_those_who_wait();
    [[nodiscard]] std::string next_to_ask() const;
    void fetch(const shared_question& of, const std::string& name);
    void take(const shared_question& of, const std::string& name, steady_time asked_at,
              ocsp_reply reply);
    void give_up(const std::string& name, const std::string& why);
    void forget_if_idle(const std::string& name);
    void close(const shared_question& ended, result<std::string> answer);

    const dependencies its_;
    std::map<std::string, shared_question> open_;
    std::map<std::string, authority> authorities_; ///< Those that somebody needs.
    recent_failures failures_;
    std::size_t asked_count_ = 0;
    std::string last_turn_;
};

} // namespace pipit::server
