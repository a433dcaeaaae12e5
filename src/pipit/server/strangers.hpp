// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/party.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <utility>

namespace pipit::server {

/// What those who have not said who they are make one loop keep: lines and heads of requests that
/// have not ended, handshakes. Each of these has its bound; here they have one together.
///
/// Who has to go when it is too much: of the party that keeps most, whoever has kept something
/// longest. So whoever needs little, and not for long, comes in however many others there are.
///
/// Cost: the logarithm of the number of parties, when a stranger has to be waited for. Nobody else
/// is counted.
class strangers {
    struct crowd;
    /// By what it keeps; of equals, the one that keeps something longest is the last.
    using crowd_ranks = std::map<std::pair<std::size_t, std::uint64_t>, crowd*>;

public:
    /// `too_much` is called when more than `most_bytes` are kept; `make_room` should follow, from
    /// where connections may be ended.
    strangers(std::size_t most_bytes, std::function<void()> too_much);
    ~strangers();
    strangers(const strangers&) = delete;
    strangers& operator=(const strangers&) = delete;

    /// One of them, as long as it is one and something is kept for it.
    class stay {
    public:
        /// `turn_away` is called at most once, by `make_room`, and may end this stay and others.
        stay(strangers& among, party of, std::function<void()> turn_away);
        ~stay();
        stay(const stay&) = delete;
        stay& operator=(const stay&) = delete;

        void keeps(std::size_t bytes);

    private:
        friend class strangers;
        void leave();

        strangers* among_; ///< Null: it was turned away.
        crowd* of_;
        std::list<stay*>::iterator place_;
        std::size_t bytes_ = 0;
        std::function<void()> turn_away_;
    };

    /// Turns some away if too much is kept. Returns how many.
    std::size_t make_room();

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    /// Those of one party.
    struct crowd {
        party of;
        std::uint64_t order = 0; ///< The later it came, the less.
        std::size_t bytes = 0;
        std::list<stay*> stays; ///< The longest first.
    };

    [[nodiscard]] crowd& crowd_of(party of);
    void count(crowd& of, std::size_t before, std::size_t after);

    std::size_t most_bytes_;
    std::function<void()> too_much_;
    std::size_t bytes_ = 0;
    std::uint64_t next_order_ = UINT64_MAX;
    std::map<party, crowd> crowds_;
    crowd_ranks ranks_; ///< Of all of them.
};

} // namespace pipit::server
