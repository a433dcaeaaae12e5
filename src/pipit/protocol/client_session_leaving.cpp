// SPDX-License-Identifier: Apache-2.0
// How a session leaves a server that is about to stop: ADR-5.
#include <pipit/protocol/client_session.hpp>

#include <chrono>

namespace pipit::protocol {
namespace {

/// So that a server's clients do not all come to another one at the same moment.
constexpr std::chrono::milliseconds leaving_spread{2000};
/// For exchanges that are under way. A server that is about to stop closes nobody's connection for
/// so long, as a rule.
constexpr std::chrono::seconds leaving_patience{10};

} // namespace

void client_session::notice_lame_duck() {
    if (!protocol_.has_elsewhere_to_go() || draining_ != draining::no) return;
    leaving_ = leaving::soon;
    leaves_at_ = now_ + std::chrono::milliseconds(chance_.below(leaving_spread.count()));
    leaves_by_ = now_ + leaving_patience;
}

/// Returns whether something happened.
bool client_session::advance_leaving() {
    const bool is_busy = requests_ + exchanges_ != 0;
    if (leaving_ == leaving::soon && now_ >= leaves_at_ && (!is_busy || now_ >= leaves_by_)) {
        protocol_.prepare_reconnect(requests_ == 0 ? std::nullopt : inbox_sid_);
        if (!protocol_.ping()) return false; // So many are asked that a PONG has to come first.
        pings_.emplace_back();               // Nobody's.
        leaving_ = leaving::prepared;
        return true;
    }
    // However long it takes: what is on its way would be lost. The server closes, in the end.
    if (leaving_ != leaving::prepared || !pings_.empty()) return false;
    leaving_ = leaving::no;
    protocol_.reconnect(now_);
    return true;
}

/// When there is something to do, but for what a PONG brings.
std::optional<steady_time> client_session::next_step_of_leaving() const noexcept {
    if (leaving_ != leaving::soon) return std::nullopt;
    if (now_ < leaves_at_) return leaves_at_;
    if (now_ < leaves_by_) return leaves_by_;
    return std::nullopt;
}

void client_session::stay() {
    leaving_ = leaving::no;
    protocol_.stay();
}

} // namespace pipit::protocol
