// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/block.hpp>
#include <pipit/base/bytes.hpp>

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace pipit::broker {

class output_pool;

/// What waits to be written to one session: a chain of pieces. Small bytes are copied into pooled
/// fixed stores, large ones are referenced where they lie. A session without output has none of
/// this: it takes an output from its loop's pool and gives it back when all is written.
class output {
public:
    /// Payloads of at least this size are referenced instead of copied: there a piece for the
    /// kernel costs less than the copy.
    static constexpr std::size_t reference_bytes_min = 4096;
    static constexpr std::size_t store_bytes = 16 * 1024;

    explicit output(output_pool& pool) noexcept : pool_(&pool) {}
    ~output() { clear(); }
    output(const output&) = delete;
    output& operator=(const output&) = delete;

    /// Room for `size` bytes in one piece, to be followed by `advance`, or null when `size` does
    /// not fit behind what the open store already holds.
    [[nodiscard]] char* room(std::size_t size) noexcept {
        return static_cast<std::size_t>(limit_ - cursor_) >= size ? cursor_ : nullptr;
    }
    void advance(std::size_t size) noexcept { cursor_ += size; }

    /// Copies `bytes` behind what is there, however many.
    void append(bytes_view bytes);
    /// References bytes that live in `owner`.
    void append_shared(bytes_view bytes, const block_pointer& owner);
    /// References bytes that live until the end of the batch; `keep_borrowed` copies what is left.
    void append_borrowed(bytes_view bytes);

    /// The bytes that wait.
    [[nodiscard]] std::size_t pending_bytes() const noexcept {
        return closed_bytes_ + static_cast<std::size_t>(cursor_ - open_begin_);
    }

    std::size_t gather(std::span<bytes_view> pieces) const noexcept;
    void consume(std::size_t count) noexcept;
    /// Copies what was borrowed and is still here.
    void keep_borrowed();
    /// Drops everything and gives the stores back.
    void clear() noexcept;

private:
    friend class output_pool;
    struct store {
        store* next = nullptr;
        std::size_t pieces = 0; ///< Not yet consumed ones that point into it.
        char bytes[store_bytes];
    };
    struct chain_piece {
        const char* data;
        std::size_t size;
        store* in_store;     ///< Null for referenced bytes.
        block_pointer owner; ///< Null for borrowed and stored bytes.
    };

    void close_piece();
    void open_store();
    void release(chain_piece& piece) noexcept;

    output_pool* pool_;
    char* cursor_ = nullptr;     ///< Where the next byte goes in the open store.
    char* limit_ = nullptr;      ///< Its end.
    char* open_begin_ = nullptr; ///< Bytes from here to the cursor are not in `pieces_` yet.
    store* open_store_ = nullptr;
    std::vector<chain_piece> pieces_;
    std::size_t first_ = 0; ///< Pieces before this one are consumed.
    std::size_t closed_bytes_ = 0;
    bool has_borrowed_ = false;
};

/// The spare outputs and stores of one loop.
class output_pool {
public:
    output_pool() = default;
    ~output_pool();
    output_pool(const output_pool&) = delete;
    output_pool& operator=(const output_pool&) = delete;

    [[nodiscard]] std::unique_ptr<output> take();
    void give_back(std::unique_ptr<output> unused) noexcept;

private:
    friend class output;
    [[nodiscard]] output::store* take_store();
    void give_back(output::store* unused) noexcept;

    std::vector<std::unique_ptr<output>> outputs_;
    output::store* stores_ = nullptr;
    std::size_t store_count_ = 0;
};

} // namespace pipit::broker
