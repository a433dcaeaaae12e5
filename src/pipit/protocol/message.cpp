// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/message.hpp>

#include <pipit/base/assert.hpp>

#include <cstring>
#include <limits>
#include <utility>

namespace pipit::protocol {
namespace {

constexpr std::size_t message_bytes_max = std::numeric_limits<std::uint32_t>::max();

std::uint32_t narrow(std::size_t size) noexcept {
    PIPIT_ASSERT(size <= message_bytes_max);
    return static_cast<std::uint32_t>(size);
}

} // namespace

message::message(bytes_view subject, bytes_view reply, bytes_view header_block,
                 bytes_view payload) {
    const auto total = subject.size() + reply.size() + header_block.size() + payload.size();
    PIPIT_ASSERT(total <= message_bytes_max);
    block_ = block::make(total);
    block_->share_between_threads();
    char* const begin = block_->data();
    char* at = begin;
    const auto append = [&](bytes_view text) {
        if (!text.empty()) std::memcpy(at, text.data(), text.size());
        const part where{static_cast<std::uint32_t>(at - begin),
                         static_cast<std::uint32_t>(text.size())};
        at += text.size();
        return where;
    };
    subject_ = append(subject);
    reply_ = append(reply);
    headers_ = append(header_block);
    payload_ = append(payload);
}

message::message(block_pointer whole, bytes_view subject, bytes_view reply, bytes_view header_block,
                 bytes_view payload) noexcept
    : block_(std::move(whole)) {
    block_->share_between_threads();
    const char* const begin = block_->data();
    const auto place = [&](bytes_view text) {
        if (text.empty()) return part{};
        const auto offset = static_cast<std::size_t>(text.data() - begin);
        PIPIT_ASSERT(offset + text.size() <= block_->size());
        return part{narrow(offset), narrow(text.size())};
    };
    subject_ = place(subject);
    reply_ = place(reply);
    headers_ = place(header_block);
    payload_ = place(payload);
}

std::optional<bytes_view> message::header(bytes_view name) const noexcept {
    return find_header(header_block(), name);
}

result<headers> message::headers() const {
    if (!has_headers()) return protocol::headers();
    return protocol::headers::parse(header_block());
}

int message::status() const noexcept { return find_status(header_block()); }

} // namespace pipit::protocol
