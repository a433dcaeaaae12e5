// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/mesh.hpp>

#include <pipit/base/assert.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/broker/planted_bug.hpp>

#include <algorithm>
#include <iterator>

namespace pipit::broker {
namespace {

std::size_t size_of(const peer_batch& batch) noexcept {
    auto size = batch.records.size();
    for (const auto& block : batch.blocks) size += block->size();
    return size;
}

} // namespace

mesh::mesh(unsigned loop_count) {
    PIPIT_ASSERT(loop_count <= limits::loops); // Sets of loops are masks of 64 bits.
    for (unsigned i = 0; i < loop_count; ++i) queues_.push_back(std::make_unique<inbound_queue>());
}

void mesh::on_wake(unsigned loop, std::function<void()> wake) {
    queues_[loop]->wake = std::move(wake);
}

void mesh::append(unsigned target, peer_batch batch) {
    auto& queue = *queues_[target];
    queue.waiting_bytes.fetch_add(size_of(batch), std::memory_order_relaxed);
    const std::lock_guard guard(queue.lock);
    queue.batches.push_back(std::move(batch));
    queue.has_batches.store(true, std::memory_order_release);
}

void mesh::make_visible(unsigned source, std::uint64_t number, std::uint64_t target_mask) {
    queues_[source]->visible.store(number, std::memory_order_release);
    for (unsigned target = 0; target < loop_count(); ++target) {
        if ((target_mask >> target & 1) == 0) continue;
        auto& queue = *queues_[target];
        if (!queue.wake_sent.exchange(true) && queue.wake) queue.wake();
    }
}

void mesh::take(unsigned loop, std::vector<peer_batch>& batches) {
    auto& queue = *queues_[loop];
    // Before looking: a batch that becomes visible from now on sends a wake-up again. Also when
    // there is nothing to take: an earlier call may have taken what the wake-up was for.
    if (queue.wake_sent.load(std::memory_order_relaxed)) queue.wake_sent.exchange(false);
    if (!queue.has_batches.load(std::memory_order_acquire)) return;
    const std::lock_guard guard(queue.lock);
    // Nothing stands behind a hidden batch of the same loop, and nothing in the queue was made with
    // knowledge of it. So others pass it by: with them comes what others already know.
    const auto is_visible = [this](const peer_batch& batch) {
        return batch.number <= queues_[batch.source]->visible.load(std::memory_order_acquire);
    };
    const auto begin = queue.batches.begin();
    const auto end = queue.batches.end();
    const auto hidden = planted::is(planted::bug::stops_at_hidden_batches)
                            ? std::find_if_not(begin, end, is_visible)
                            : std::stable_partition(begin, end, is_visible);
    std::move(begin, hidden, std::back_inserter(batches));
    queue.batches.erase(begin, hidden);
    queue.has_batches.store(!queue.batches.empty(), std::memory_order_relaxed);
}

void mesh::release(unsigned loop, const peer_batch& batch) noexcept {
    queues_[loop]->waiting_bytes.fetch_sub(size_of(batch), std::memory_order_relaxed);
}

std::size_t mesh::waiting_bytes(unsigned loop) const noexcept {
    return queues_[loop]->waiting_bytes.load(std::memory_order_relaxed);
}

} // namespace pipit::broker
