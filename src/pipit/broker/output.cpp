// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/output.hpp>

#include <pipit/base/assert.hpp>
#include <pipit/base/limits.hpp>

#include <algorithm>

namespace pipit::broker {

void output::close_piece() {
    if (cursor_ == open_begin_) return;
    const auto size = static_cast<std::size_t>(cursor_ - open_begin_);
    pieces_.push_back({open_begin_, size, open_store_, {}});
    ++open_store_->pieces;
    closed_bytes_ += size;
    open_begin_ = cursor_;
}

void output::open_store() {
    close_piece();
    if (open_store_ != nullptr && open_store_->pieces == 0) pool_->give_back(open_store_);
    open_store_ = pool_->take_store();
    cursor_ = open_begin_ = open_store_->bytes;
    limit_ = cursor_ + store_bytes;
}

void output::append(bytes_view bytes) {
    while (!bytes.empty()) {
        if (cursor_ == limit_) open_store();
        const auto count = std::min(bytes.size(), static_cast<std::size_t>(limit_ - cursor_));
        std::memcpy(cursor_, bytes.data(), count);
        cursor_ += count;
        bytes.remove_prefix(count);
    }
}

void output::append_shared(bytes_view bytes, const block_pointer& owner) {
    close_piece();
    pieces_.push_back({bytes.data(), bytes.size(), nullptr, owner});
    closed_bytes_ += bytes.size();
}

void output::append_borrowed(bytes_view bytes) {
    close_piece();
    pieces_.push_back({bytes.data(), bytes.size(), nullptr, {}});
    closed_bytes_ += bytes.size();
    has_borrowed_ = true;
}

std::size_t output::gather(std::span<bytes_view> pieces) const noexcept {
    std::size_t count = 0;
    for (auto i = first_; i < pieces_.size() && count < pieces.size(); ++i) {
        pieces[count++] = {pieces_[i].data, pieces_[i].size};
    }
    if (count < pieces.size() && cursor_ != open_begin_) {
        pieces[count++] = {open_begin_, static_cast<std::size_t>(cursor_ - open_begin_)};
    }
    return count;
}

void output::release(chain_piece& piece) noexcept {
    if (piece.in_store != nullptr && --piece.in_store->pieces == 0 &&
        piece.in_store != open_store_) {
        pool_->give_back(piece.in_store);
    }
    piece.owner = {};
}

void output::consume(std::size_t count) noexcept {
    while (count > 0 && first_ < pieces_.size()) {
        auto& piece = pieces_[first_];
        const auto taken = std::min(count, piece.size);
        piece.data += taken;
        piece.size -= taken;
        closed_bytes_ -= taken;
        count -= taken;
        if (piece.size > 0) return;
        release(piece);
        ++first_;
    }
    if (first_ == pieces_.size()) {
        pieces_.clear();
        first_ = 0;
    } else if (first_ >= 1024) { // A slow reader's chain must not keep what it has read.
        pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }
    open_begin_ += count;
    PIPIT_ASSERT(open_begin_ <= cursor_);
}

void output::keep_borrowed() {
    if (!has_borrowed_) return;
    has_borrowed_ = false;
    for (auto i = first_; i < pieces_.size(); ++i) {
        auto& piece = pieces_[i];
        if (piece.in_store != nullptr || piece.owner) continue;
        auto copy = block::make(piece.size);
        std::memcpy(copy->data(), piece.data, piece.size);
        piece.data = copy->data();
        piece.owner = std::move(copy);
    }
}

void output::clear() noexcept {
    for (auto i = first_; i < pieces_.size(); ++i) release(pieces_[i]);
    pieces_.clear();
    if (pieces_.capacity() > 256) pieces_ = {};
    if (open_store_ != nullptr) pool_->give_back(open_store_);
    open_store_ = nullptr;
    cursor_ = limit_ = open_begin_ = nullptr;
    first_ = closed_bytes_ = 0;
    has_borrowed_ = false;
}

output_pool::~output_pool() {
    outputs_.clear();
    while (stores_ != nullptr) delete std::exchange(stores_, stores_->next);
}

std::unique_ptr<output> output_pool::take() {
    if (outputs_.empty()) return std::make_unique<output>(*this);
    auto taken = std::move(outputs_.back());
    outputs_.pop_back();
    return taken;
}

void output_pool::give_back(std::unique_ptr<output> unused) noexcept {
    unused->clear();
    if (outputs_.size() < limits::spare_outputs) outputs_.push_back(std::move(unused));
}

output::store* output_pool::take_store() {
    if (stores_ == nullptr) return new output::store;
    --store_count_;
    return std::exchange(stores_, stores_->next);
}

void output_pool::give_back(output::store* unused) noexcept {
    if (store_count_ >= limits::spare_stores) {
        delete unused;
        return;
    }
    unused->pieces = 0;
    unused->next = std::exchange(stores_, unused);
    ++store_count_;
}

} // namespace pipit::broker
