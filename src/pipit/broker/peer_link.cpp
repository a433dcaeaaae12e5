// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/peer_link.hpp>

#include <pipit/base/limits.hpp>
#include <pipit/broker/planted_bug.hpp>

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

namespace pipit::broker {
namespace {

/// What stands before the texts of a record. Copied, so that alignment does not matter.
struct fixed_part {
    peer_record::type kind;
    bool plain;
    bool has_headers;
    bool in_block;
    bool imported;
    bool traced; ///< A `trace_part` follows.
    account_id account;
    account_id publisher_account;
    std::uint32_t count;
    std::uint32_t subject_size;
    std::uint32_t reply_size;
    std::uint32_t tail_size;
    std::uint32_t header_size;
    std::uint32_t payload_size;
    std::uint32_t group_count;
    std::uint64_t group_id;
    std::uint64_t tried;
    std::uint64_t publisher;
    std::uint64_t request_number;
};
static_assert(std::is_trivially_copyable_v<fixed_part>);

struct trace_part {
    std::uint64_t number;
    account_id ingress;
    bool only;
};
static_assert(std::is_trivially_copyable_v<trace_part>);

void append(std::vector<char>& to, const void* bytes, std::size_t size) {
    const auto* begin = static_cast<const char*>(bytes);
    to.insert(to.end(), begin, begin + size);
}

void append(std::vector<char>& to, bytes_view bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}

} // namespace

peer_record peer_record::of(const interest_change& change) noexcept {
    return {.kind = type::interest,
            .account = change.account,
            .subject = change.subject,
            .count = change.has_interest ? 1u : 0u};
}

interest_change peer_record::interest() const noexcept { return {account, subject, count != 0}; }

peer_record peer_record::of(const members_change& change) noexcept {
    return {.kind = type::members,
            .account = change.account,
            .subject = change.subject,
            .reply = change.queue,
            .count = change.count,
            .group_id = change.group_id};
}

members_change peer_record::members() const noexcept {
    return {account, subject, reply, group_id, count};
}

peer_record peer_record::of(const peer_responder& responder) noexcept {
    return {.kind = type::responder,
            .reply = responder.facts,
            .group_id = static_cast<std::uint64_t>(responder.round_trip.count())};
}

peer_responder peer_record::responder() const noexcept {
    return {reply, nanoseconds(static_cast<std::int64_t>(group_id))};
}

peer_record peer_record::of(const peer_trace& trace) noexcept {
    return {.kind = type::traced, .reply = trace.events, .trace_number = trace.trace_number};
}

peer_trace peer_record::traced() const noexcept { return {trace_number, reply}; }

block_pointer peer_link::make_shared_block(bytes_view tail) {
    auto made = block::make(tail.size());
    std::memcpy(made->data(), tail.data(), tail.size());
    made->share_between_threads();
    return made;
}

peer_link::peer_link(mesh& mesh, unsigned loop)
    : mesh_(&mesh), loop_(loop), outgoing_(mesh.loop_count()) {}

void peer_link::send(unsigned peer, const peer_record& record) {
    auto& batch = outgoing_[peer];
    const bool in_block = record.tail.size() >= block_bytes_min;
    const fixed_part fixed{
        .kind = record.kind,
        .plain = record.plain,
        .has_headers = record.has_headers,
        .in_block = in_block,
        .imported = record.imported,
        .traced = record.trace_number != 0,
        .account = record.account,
        .publisher_account = record.publisher_account,
        .count = record.count,
        .subject_size = static_cast<std::uint32_t>(record.subject.size()),
        .reply_size = static_cast<std::uint32_t>(record.reply.size()),
        .tail_size = static_cast<std::uint32_t>(record.tail.size()),
        .header_size = static_cast<std::uint32_t>(record.headers.size()),
        .payload_size = static_cast<std::uint32_t>(record.payload.size()),
        .group_count = static_cast<std::uint32_t>(record.groups.size()),
        .group_id = record.group_id,
        .tried = record.tried,
        .publisher = record.publisher,
        .request_number = record.request_number,
    };
    append(batch.records, &fixed, sizeof fixed);
    if (fixed.traced) {
        const trace_part trace{record.trace_number, record.trace_ingress, record.trace_only};
        append(batch.records, &trace, sizeof trace);
    }
    append(batch.records, record.groups.data(), record.groups.size_bytes());
    append(batch.records, record.subject);
    if (in_block) {
        batch.blocks.push_back(*record.whole);
    } else {
        append(batch.records, record.tail.empty() ? record.reply : record.tail);
    }
}

void peer_link::send_to_all(const peer_record& record) {
    for (unsigned peer = 0; peer < outgoing_.size(); ++peer) {
        if (peer != loop_) send(peer, record);
    }
}

bool peer_link::is_full(unsigned peer) const noexcept {
    return mesh_->waiting_bytes(peer) + outgoing_[peer].records.size() > limits::peer_waiting_bytes;
}

std::uint64_t peer_link::full_loops() const noexcept {
    std::uint64_t full = 0;
    for (unsigned peer = 0; peer < outgoing_.size(); ++peer) {
        if (peer != loop_ && is_full(peer)) full |= std::uint64_t{1} << peer;
    }
    return full;
}

void peer_link::append_batch() {
    for (unsigned peer = 0; peer < outgoing_.size(); ++peer) {
        if (outgoing_[peer].records.empty()) continue;
        if (told_ == 0) ++batch_number_;
        told_ |= std::uint64_t{1} << peer;
        outgoing_[peer].source = loop_;
        outgoing_[peer].number = batch_number_;
        mesh_->append(peer, std::exchange(outgoing_[peer], {}));
    }
}

void peer_link::show_batch() {
    if (told_ == 0) return;
    mesh_->make_visible(loop_, batch_number_, std::exchange(told_, 0));
}

void peer_link::fetch() {
    if (alone()) return;
    mesh_->take(loop_, incoming_);
    if (planted::is(planted::bug::takes_batches_backwards)) std::ranges::reverse(incoming_);
}

void peer_link::batch_reader::next(const peer_batch& batch, peer_record& record) {
    const char* at = batch.records.data() + offset_;
    fixed_part fixed;
    std::memcpy(&fixed, at, sizeof fixed);
    at += sizeof fixed;
    trace_part trace{};
    if (fixed.traced) {
        std::memcpy(&trace, at, sizeof trace);
        at += sizeof trace;
    }

    groups_.resize(fixed.group_count);
    if (fixed.group_count != 0) {
        std::memcpy(groups_.data(), at, fixed.group_count * sizeof(peer_record::chosen_group));
        at += fixed.group_count * sizeof(peer_record::chosen_group);
    }
    const auto take = [&at](std::size_t size) {
        const bytes_view taken(at, size);
        at += size;
        return taken;
    };
    record.kind = fixed.kind;
    record.plain = fixed.plain;
    record.has_headers = fixed.has_headers;
    record.imported = fixed.imported;
    record.account = fixed.account;
    record.count = fixed.count;
    record.group_id = fixed.group_id;
    record.tried = fixed.tried;
    record.publisher = fixed.publisher;
    record.publisher_account = fixed.publisher_account;
    record.request_number = fixed.request_number;
    record.trace_number = trace.number;
    record.trace_only = trace.only;
    record.trace_ingress = trace.ingress;
    record.groups = groups_;
    record.subject = take(fixed.subject_size);
    record.whole = fixed.in_block ? &batch.blocks[block_++] : nullptr;
    if (fixed.tail_size == 0) {
        record.tail = record.headers = record.payload = {};
        record.reply = take(fixed.reply_size);
    } else {
        record.tail = fixed.in_block ? bytes_view((*record.whole)->data(), fixed.tail_size)
                                     : take(fixed.tail_size);
        record.reply = record.tail.substr(0, fixed.reply_size);
        const auto payload_at = fixed.tail_size - 2 - fixed.payload_size;
        record.payload = record.tail.substr(payload_at, fixed.payload_size);
        record.headers = record.tail.substr(payload_at - fixed.header_size, fixed.header_size);
    }
    offset_ = static_cast<std::size_t>(at - batch.records.data());
}

} // namespace pipit::broker
