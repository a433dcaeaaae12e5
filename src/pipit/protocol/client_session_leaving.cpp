// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/client_session.hpp>

#include <chrono>
#include <optional>

namespace pipit::protocol {
namespace {

/// So that a server's clients do not all come to another one at the same moment.
constexpr std::chrono::milliseconds leaving_spread{2000};
/// A server that is about to stop closes nobody's connection for so long, as a rule.
constexpr std::chrono::seconds leaving_patience{10};
/// For answers to requests where there always are some under way; others wait meanwhile.
constexpr std::chrono::seconds leaving_time{1};

} // namespace

void client_session::notice_lame_duck() {
    if (!protocol_.has_elsewhere_to_go() || draining_ != draining::no) return;
    leaving_ = leaving::soon;
    leaves_at_ = now_ + std::chrono::milliseconds(chance_.below(leaving_spread.count()));
    leaves_by_ = now_ + leaving_patience;
}

/// Returns whether something happened.
bool client_session::advance_leaving() {
    const bool is_late = now_ >= leaves_by_;
    if (leaving_ == leaving::soon && now_ >= leaves_at_ && (requests_ == 0 || is_late)) {
        leaving_ = leaving::prepared;
        leaves_by_ = now_ + leaving_time;
        requests_before_ = requests_;
        protocol_.prepare_reconnect(requests_ == 0 ? std::nullopt : inbox_sid_);
        if (protocol_.ping()) pings_.emplace_back(); // Nobody's.
        return true;
    }
    const bool is_everything_here = requests_before_ == 0 && pings_.empty();
    if (leaving_ != leaving::prepared || !(is_late || is_everything_here)) return false;
    leaving_ = leaving::no;
    protocol_.reconnect(now_);
    return true;
}

} // namespace pipit::protocol
