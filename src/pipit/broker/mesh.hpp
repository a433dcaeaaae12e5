// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/block.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace pipit::broker {

/// What one loop tells another in one batch: interest and messages, in order, as encoded records.
struct peer_batch {
    unsigned source = 0;
    std::uint64_t number = 0; ///< Of the source's batches; visible when the mesh says so.
    std::vector<char> records;
    std::vector<block_pointer> blocks; ///< Large payloads, in the order the records name them.
};

/// The queues between the loops of one server. Each loop has ONE inbound queue.
///
/// At the end of a batch a loop appends to the queues of all peers and then calls `make_visible`
/// once; a reader passes by a batch that is not visible yet, and takes what others have made
/// visible behind it: their clients may have been told so already. Whatever anybody does after
/// seeing an effect of a batch comes after that batch in every queue, and is taken after it.
///
/// Threads: all. One short lock per batch and peer, none per message.
class mesh {
public:
    explicit mesh(unsigned loop_count);

    [[nodiscard]] unsigned loop_count() const noexcept {
        return static_cast<unsigned>(queues_.size());
    }

    /// Called (from any thread) when a loop that may be waiting has something to take. Set before
    /// the loops run.
    void on_wake(unsigned loop, std::function<void()> wake);

    void append(unsigned target, peer_batch batch);
    /// Makes everything that `source` appended up to `number` visible, and wakes its targets.
    void make_visible(unsigned source, std::uint64_t number, std::uint64_t target_mask);

    /// Moves what is visible in the loop's queue behind `batches`. Costs one relaxed load when
    /// there is nothing.
    void take(unsigned loop, std::vector<peer_batch>& batches);
    /// The reader is done with a batch that it took: room for the writers.
    void release(unsigned loop, const peer_batch& batch) noexcept;

    /// Bytes that wait for the loop; a connection that adds to more than the bound is not read.
    [[nodiscard]] std::size_t waiting_bytes(unsigned loop) const noexcept;

private:
    struct alignas(64) inbound_queue {
        std::mutex lock;
        std::vector<peer_batch> batches;
        std::atomic<bool> has_batches{false};
        std::atomic<bool> wake_sent{false};
        std::atomic<std::size_t> waiting_bytes{0};
        std::atomic<std::uint64_t> visible{0}; ///< Batches of this loop as a source.
        std::function<void()> wake;
    };
    std::vector<std::unique_ptr<inbound_queue>> queues_;
};

} // namespace pipit::broker
