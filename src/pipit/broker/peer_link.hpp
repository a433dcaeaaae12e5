// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>
#include <pipit/broker/configuration.hpp>
#include <pipit/broker/mesh.hpp>
#include <pipit/protocol/operations.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace pipit::broker {

/// The sender has plain subscriptions on a subject, or has none any more.
struct interest_change {
    account_id account{};
    bytes_view subject;
    bool has_interest = false;
};

/// The sender's part of a queue group.
struct members_change {
    account_id account{};
    bytes_view subject;
    bytes_view queue;
    std::uint64_t group_id = 0; ///< The sender's number.
    std::uint32_t count = 0;
};

/// Who answers a measured request with the message that follows.
struct peer_responder {
    bytes_view facts; ///< JSON.
    nanoseconds round_trip{};
};

/// What became of a traced message at the sender.
struct peer_trace {
    std::uint64_t trace_number = 0; ///< Of the receiver's open traces.
    bytes_view events;              ///< JSON.
};

/// One record between two loops. All views point into the batch that carries it.
///
/// What it says of a message stands in its fields; in other records these carry what the structs
/// above name, which `of` puts in and the functions of their kinds take out.
struct peer_record {
    enum class type : std::uint8_t {
        interest,  ///< See `interest_change`.
        members,   ///< See `members_change`.
        message,   ///< To the receiver's plain subscriptions, if `plain`, and to one member of each
                   ///< of `groups`.
        returned,  ///< A message for one group that had no member any more: the origin chooses
                   ///< again.
        nobody,    ///< A request found nobody at the sender; it comes without its payload.
        responder, ///< See `peer_responder`.
        congested, ///< The receiver's `publisher` has met a reader that is behind.
        traced,    ///< See `peer_trace`.
    };

    [[nodiscard]] static peer_record of(const interest_change& change) noexcept;
    [[nodiscard]] static peer_record of(const members_change& change) noexcept;
    [[nodiscard]] static peer_record of(const peer_responder& responder) noexcept;
    [[nodiscard]] static peer_record of(const peer_trace& trace) noexcept;
    [[nodiscard]] interest_change interest() const noexcept;
    [[nodiscard]] members_change members() const noexcept;
    [[nodiscard]] peer_responder responder() const noexcept;
    [[nodiscard]] peer_trace traced() const noexcept;

    type kind{};
    bool plain = false;
    bool has_headers = false;
    bool imported = false; ///< It came into its account by an import of a service.
    account_id account{};
    bytes_view subject;
    bytes_view reply;
    /// A message's reply, sizes, headers and payload as they follow `MSG <subject> <sid> `, and
    /// the parts of it; empty for records that are no messages.
    bytes_view tail;
    bytes_view headers;
    bytes_view payload;
    std::uint32_t count = 0;        ///< How many loops were told of a request.
    std::uint64_t group_id = 0;     ///< Of a returned message's group, the origin's number.
    std::uint64_t tried = 0;        ///< Loops that have had this group's message.
    std::uint64_t publisher = 0;    ///< Its client number at the origin; 0: the server itself.
    account_id publisher_account{}; ///< Where it is.
    /// Numbers a request whose publisher is told when nobody is there; 0: nobody asks.
    std::uint64_t request_number = 0;
    std::uint64_t trace_number = 0;       ///< Of the origin's open traces; 0: not traced.
    bool trace_only = false;              ///< It is traced, and delivered to nobody.
    account_id trace_ingress{};           ///< Where the traced message came in.
    const block_pointer* whole = nullptr; ///< Holds exactly `tail` when it is large.
    struct chosen_group {
        std::uint64_t id;        ///< The receiver's number.
        std::uint64_t origin_id; ///< The sender's number of the same group, to send it back to.
    };
    std::span<const chosen_group> groups;
};

/// Encodes what this loop tells the others, and reads what they tell it.
///
/// Within one process the encoding is plain memory; it is bounded by the batch and never outlives
/// the process.
class peer_link {
public:
    /// Tails of at least this size cross as blocks, smaller ones are copied.
    static constexpr std::size_t block_bytes_min = 16 * 1024;
    /// A block with these bytes that several loops may count; for a record's `whole`.
    [[nodiscard]] static block_pointer make_shared_block(bytes_view tail);

    peer_link(mesh& mesh, unsigned loop);

    [[nodiscard]] unsigned loop() const noexcept { return loop_; }
    [[nodiscard]] unsigned loop_count() const noexcept {
        return static_cast<unsigned>(outgoing_.size());
    }
    [[nodiscard]] bool alone() const noexcept { return outgoing_.size() == 1; }

    /// A tail of `block_bytes_min` or more comes with its `whole`.
    void send(unsigned peer, const peer_record& record);
    void send_to_all(const peer_record& record);

    /// More than `limits::peer_waiting_bytes` waits for that loop.
    [[nodiscard]] bool is_full(unsigned peer) const noexcept;
    /// All loops for which that holds, a bit each.
    [[nodiscard]] std::uint64_t full_loops() const noexcept;

    /// Hands over what was sent since the last call.
    void append_batch();
    /// Makes visible what was handed over.
    void show_batch();

    /// Fetches what is visible now, to be read behind what is left of before.
    void fetch();
    /// Something that was fetched has not been read.
    [[nodiscard]] bool has_rest() const noexcept { return !incoming_.empty(); }
    /// Calls `visit(unsigned source, const peer_record&)` for all that was fetched, or until
    /// `is_enough()`; the rest is left for the next call.
    template <class Visit, class IsEnough>
    void read(Visit visit, IsEnough is_enough) {
        for (; batches_read_ < incoming_.size(); ++batches_read_) {
            auto& batch = incoming_[batches_read_];
            peer_record record;
            while (records_.has_more(batch)) {
                if (is_enough()) return;
                records_.next(batch, record);
                visit(batch.source, record);
            }
            mesh_->release(loop_, batch);
            batch = {};
            records_.rewind();
        }
        incoming_.clear();
        batches_read_ = 0;
    }

private:
    /// How far a batch has been read.
    class batch_reader {
    public:
        [[nodiscard]] bool has_more(const peer_batch& batch) const noexcept {
            return offset_ != batch.records.size();
        }
        void next(const peer_batch& batch, peer_record& record);
        void rewind() noexcept { offset_ = block_ = 0; }

    private:
        std::size_t offset_ = 0;
        std::size_t block_ = 0;
        std::vector<peer_record::chosen_group> groups_;
    };

    mesh* mesh_;
    unsigned loop_;
    std::uint64_t batch_number_ = 0;
    std::uint64_t told_ = 0; ///< Loops that have a part of the batch that is not visible yet.
    std::vector<peer_batch> outgoing_; ///< One for each loop; this one's stays empty.
    std::vector<peer_batch> incoming_; ///< What was fetched, until all of it is read.
    std::size_t batches_read_ = 0;     ///< Of `incoming_`.
    batch_reader records_;             ///< Of the batch behind those.
};

} // namespace pipit::broker
