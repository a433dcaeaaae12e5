// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/limits.hpp>
#include <pipit/net/error.hpp>
#include <pipit/net/pipe.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

namespace pipit::net {
namespace {

/// Bytes in the order they came, at most `limits::pipe_bytes`.
class byte_ring {
public:
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] bool full() const noexcept { return size_ == limits::pipe_bytes; }

    std::size_t put(bytes_view bytes) {
        if (bytes_.empty()) bytes_.resize(limits::pipe_bytes);
        const auto count = std::min(bytes.size(), bytes_.size() - size_);
        const auto begin = (first_ + size_) % bytes_.size();
        const auto head = std::min(count, bytes_.size() - begin);
        std::memcpy(bytes_.data() + begin, bytes.data(), head);
        std::memcpy(bytes_.data(), bytes.data() + head, count - head);
        size_ += count;
        return count;
    }

    std::size_t take(std::span<char> space) noexcept {
        const auto count = std::min(space.size(), size_);
        if (count == 0) return 0;
        const auto head = std::min(count, bytes_.size() - first_);
        std::memcpy(space.data(), bytes_.data() + first_, head);
        std::memcpy(space.data() + head, bytes_.data(), count - head);
        first_ = (first_ + count) % bytes_.size();
        size_ -= count;
        return count;
    }

private:
    std::vector<char> bytes_; ///< Empty until the first byte.
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

} // namespace

/// What both ends share. Everything is guarded by `lock` but `user`, which is the loop's own.
struct pipe_state {
    std::mutex lock;
    std::condition_variable changed; ///< For the caller's end.
    byte_ring to_loop;
    byte_ring to_caller;
    bool caller_closed = false;
    bool loop_closed = false;
    event_loop* loop = nullptr; ///< Null before and after the loop has its end.
    bool wants_readable = false;
    bool wants_writable = false;

    transport_user* user = nullptr;
};

namespace {

/// Tells the loop what it waits for. The caller holds the lock.
void wake_loop(const std::shared_ptr<pipe_state>& pipe) {
    if (pipe->loop == nullptr) return;
    const auto readable = pipe->wants_readable && (!pipe->to_loop.empty() || pipe->caller_closed);
    const auto writable = pipe->wants_writable && (!pipe->to_caller.full() || pipe->caller_closed);
    if (readable) {
        pipe->wants_readable = false;
        pipe->loop->post([pipe] {
            if (pipe->user != nullptr) pipe->user->on_readable();
        });
    }
    if (writable) {
        pipe->wants_writable = false;
        pipe->loop->post([pipe] {
            if (pipe->user != nullptr) pipe->user->on_writable();
        });
    }
}

class pipe_transport final : public transport {
public:
    explicit pipe_transport(std::shared_ptr<pipe_state> pipe) noexcept : pipe_(std::move(pipe)) {}

    io_result read(std::span<char> first, std::span<char> second) noexcept override {
        const std::lock_guard guard(pipe_->lock);
        auto count = pipe_->to_loop.take(first);
        count += pipe_->to_loop.take(second);
        pipe_->changed.notify_all();
        if (count > 0) return {io_status::done, count};
        return {pipe_->caller_closed ? io_status::closed : io_status::would_block};
    }

    io_result write(std::span<const bytes_view> pieces) noexcept override {
        const std::lock_guard guard(pipe_->lock);
        if (pipe_->caller_closed) return {io_status::failed};
        std::size_t count = 0;
        for (const auto piece : pieces) {
            const auto taken = pipe_->to_caller.put(piece);
            count += taken;
            if (taken < piece.size()) break;
        }
        pipe_->changed.notify_all();
        return {count > 0 ? io_status::done : io_status::would_block, count};
    }

    void wait_readable() override {
        const std::lock_guard guard(pipe_->lock);
        pipe_->wants_readable = true;
        wake_loop(pipe_);
    }

    void wait_writable() override {
        const std::lock_guard guard(pipe_->lock);
        pipe_->wants_writable = true;
        wake_loop(pipe_);
    }

    void set_user(transport_user& user) noexcept override { pipe_->user = &user; }

    void close() noexcept override {
        {
            const std::lock_guard guard(pipe_->lock);
            pipe_->user = nullptr;
            pipe_->loop = nullptr;
            pipe_->loop_closed = true;
            pipe_->changed.notify_all();
        }
        delete this;
    }

private:
    std::shared_ptr<pipe_state> pipe_;
};

} // namespace

pipe_end::pipe_end(std::shared_ptr<pipe_state> state) noexcept : state_(std::move(state)) {}

pipe_end::~pipe_end() { close(); }

pipe_end& pipe_end::operator=(pipe_end&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
}

result<std::size_t> pipe_end::read_some(std::span<char> buffer, nanoseconds timeout) {
    std::unique_lock guard(state_->lock);
    const auto ready = [&] {
        return !state_->to_caller.empty() || state_->loop_closed || state_->caller_closed;
    };
    if (!state_->changed.wait_for(guard, timeout, ready)) return errc::timeout;
    const auto count = state_->to_caller.take(buffer);
    wake_loop(state_);
    return count;
}

result<> pipe_end::write(bytes_view bytes, nanoseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    std::unique_lock guard(state_->lock);
    const auto ready = [&] {
        return !state_->to_loop.full() || state_->loop_closed || state_->caller_closed;
    };
    while (!bytes.empty()) {
        if (!state_->changed.wait_until(guard, deadline, ready)) return errc::timeout;
        if (state_->loop_closed || state_->caller_closed) return errc::closed;
        bytes.remove_prefix(state_->to_loop.put(bytes));
        wake_loop(state_);
    }
    return {};
}

void pipe_end::close() noexcept {
    if (!state_) return;
    const std::lock_guard guard(state_->lock);
    state_->caller_closed = true;
    state_->changed.notify_all();
    wake_loop(state_);
}

pipe_offer::pipe_offer(std::shared_ptr<pipe_state> state) noexcept : state_(std::move(state)) {}

pipe_offer::~pipe_offer() {
    if (!state_) return;
    const std::lock_guard guard(state_->lock);
    state_->loop_closed = true;
    state_->changed.notify_all();
}

transport_pointer pipe_offer::accept(event_loop& loop, transport_user& user) && {
    const auto pipe = std::exchange(state_, nullptr);
    const std::lock_guard guard(pipe->lock);
    pipe->loop = &loop;
    pipe->user = &user;
    return transport_pointer(new pipe_transport(pipe));
}

pipe make_pipe() {
    auto state = std::make_shared<pipe_state>();
    return {pipe_end(state), pipe_offer(state)};
}

} // namespace pipit::net
