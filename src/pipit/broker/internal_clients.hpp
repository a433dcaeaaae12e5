// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/router.hpp>
#include <pipit/broker/session.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

namespace pipit::broker {

/// The server's own subscriptions on this loop: in each account with some of them, one session
/// without a socket owns them. Nobody counts it as a client, and it has no limits.
///
/// What they get is copied and handed to their handlers when the batch ends: a handler may then
/// subscribe, unsubscribe and publish as it likes.
class internal_clients {
public:
    internal_clients(router& router, std::uint64_t seed) : router_(router), seed_(seed) {}
    ~internal_clients();
    internal_clients(const internal_clients&) = delete;
    internal_clients& operator=(const internal_clients&) = delete;

    /// The subject is valid. Returns the subscription's number.
    std::uint64_t subscribe(account& of, bytes_view subject, bytes_view queue,
                            internal_handler handler);
    /// Messages that wait for the handler are dropped.
    void unsubscribe(std::uint64_t number);

    /// A subscription of these got a message.
    void take(const subscription& subscription, const dispatch& dispatch);
    /// Calls the handlers. False: nothing was waiting.
    bool hand_over(moment now);

private:
    struct entry {
        subscription* wants;
        std::shared_ptr<const internal_handler> handler; ///< May unsubscribe itself.
    };
    /// A message on its way: the texts stand one behind the other.
    struct waiting {
        std::uint64_t number;
        account_id account;
        account_id sender_account;
        std::uint64_t sender;
        std::size_t subject_size, reply_size, header_size;
        std::string texts;
    };

    session& session_of(account& of);

    router& router_;
    std::uint64_t seed_;
    std::uint64_t next_number_ = 1;
    std::unordered_map<account_id, std::unique_ptr<session>> sessions_;
    std::unordered_map<std::uint64_t, entry> entries_; ///< By number, which is the sid too.
    std::deque<waiting> waiting_;
};

} // namespace pipit::broker
