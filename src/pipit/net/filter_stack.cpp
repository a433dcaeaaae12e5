// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/filter_stack.hpp>

#include <algorithm>
#include <utility>

namespace pipit::net {

result<> filter_stack::add(std::unique_ptr<filter> upper, std::string& wire) {
    levels_.push_back(std::move(upper));
    return begin_next(wire);
}

result<> filter_stack::begin(std::string&) { return {}; }

/// Begins those that stand on open ones.
result<> filter_stack::begin_next(std::string& wire) {
    while (begun_ < levels_.size() && (begun_ == 0 || levels_[begun_ - 1]->is_open())) {
        const auto level = begun_++;
        std::string first_bytes;
        auto begun = levels_[level]->begin(first_bytes);
        // Also of one that failed: it may say why.
        if (auto sent = send_below(level, first_bytes, wire); begun && !sent) return sent;
        if (!begun) return begun;
    }
    return {};
}

result<> filter_stack::receive(bytes_view from_wire, std::string& plain, std::string& wire) {
    return receive_at(0, from_wire, plain, wire);
}

result<> filter_stack::receive_at(std::size_t level, bytes_view bytes, std::string& plain,
                                  std::string& wire) {
    if (level == levels_.size()) {
        plain += bytes;
        return {};
    }
    // What needs to go through no other level is not copied.
    const bool is_top = level + 1 == levels_.size();
    std::string carried;
    std::string answer;
    auto outcome =
        levels_[level]->receive(bytes, is_top ? plain : carried, level == 0 ? wire : answer);
    if (auto sent = send_below(level, answer, wire); outcome && !sent) outcome = sent;
    if (outcome) outcome = begin_next(wire);
    const bool above_holds = level + 1 < levels_.size() && levels_[level + 1]->holds_more();
    if (carried.empty() && !above_holds) return outcome;
    auto above = receive_at(level + 1, carried, plain, wire);
    return outcome ? above : outcome;
}

result<> filter_stack::send(std::span<const bytes_view> plain, std::string& wire) {
    if (levels_.empty()) {
        for (const auto piece : plain) wire += piece;
        return {};
    }
    std::string carried;
    if (auto sent = levels_.back()->send(plain, levels_.size() == 1 ? wire : carried); !sent) {
        return sent;
    }
    return send_below(levels_.size() - 1, carried, wire);
}

/// Sends what a level has to say by those below it.
result<> filter_stack::send_below(std::size_t level, bytes_view bytes, std::string& wire) {
    if (bytes.empty()) return {};
    if (level == 0) {
        wire += bytes;
        return {};
    }
    std::string carried;
    if (auto sent = levels_[level - 1]->send({&bytes, 1}, carried); !sent) return sent;
    return send_below(level - 1, carried, wire);
}

void filter_stack::finish(std::string& wire) {
    for (std::size_t level = begun_; level-- > 0;) {
        std::string last_bytes;
        levels_[level]->finish(last_bytes);
        if (!send_below(level, last_bytes, wire)) return;
    }
}

bool filter_stack::is_open() const noexcept {
    return std::ranges::all_of(levels_, [](const auto& each) { return each->is_open(); });
}

bool filter_stack::holds_more() const noexcept {
    return std::ranges::any_of(levels_, [](const auto& each) { return each->holds_more(); });
}

bool filter_stack::is_finished() const noexcept {
    return std::ranges::any_of(levels_, [](const auto& each) { return each->is_finished(); });
}

} // namespace pipit::net
