// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/detail/event_loop_state.hpp>
#include <pipit/net/tcp.hpp>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <array>
#include <cerrno>
#include <new>
#include <sys/socket.h>
#include <sys/uio.h>

namespace pipit::net {
namespace {

/// Where Asio keeps what a connection waits for while it is idle: without it every read would
/// allocate. One waits at a time.
class wait_slot {
public:
    void* take(std::size_t size) {
        if (taken_ || size > sizeof(bytes_)) return ::operator new(size);
        taken_ = true;
        return bytes_;
    }
    void give_back(void* pointer) noexcept {
        if (pointer == bytes_) {
            taken_ = false;
        } else {
            ::operator delete(pointer);
        }
    }

private:
    alignas(std::max_align_t) char bytes_[128];
    bool taken_ = false;
};

template <class T>
struct slot_allocator {
    using value_type = T;

    explicit slot_allocator(wait_slot& its_slot) noexcept : slot(&its_slot) {}
    template <class U>
    slot_allocator(const slot_allocator<U>& other) noexcept : slot(other.slot) {}

    T* allocate(std::size_t count) { return static_cast<T*>(slot->take(count * sizeof(T))); }
    void deallocate(T* pointer, std::size_t) noexcept { slot->give_back(pointer); }
    friend bool operator==(const slot_allocator&, const slot_allocator&) = default;

    wait_slot* slot;
};

class tcp_transport final : public transport {
public:
    tcp_transport(asio::io_context& context, socket_handle socket, transport_user& user)
        : user_(&user), socket_(context.get_executor(), socket.release()) {}

    io_result read(std::span<char> first, std::span<char> second) noexcept override {
        iovec parts[2] = {{first.data(), first.size()}, {second.data(), second.size()}};
        // The plain calls spare the kernel the way around the list; it shows in request and reply.
        const auto count = first.empty() ? ::recv(descriptor(), second.data(), second.size(), 0)
                                         : ::readv(descriptor(), parts, 2);
        if (count == 0) return {io_status::closed};
        return outcome(count);
    }

    io_result write(std::span<const bytes_view> pieces) noexcept override {
        // A peer that is gone is an error to be returned, not a signal.
        if (pieces.size() == 1) {
            const auto only = pieces.front();
            return outcome(::send(descriptor(), only.data(), only.size(), MSG_NOSIGNAL));
        }
        std::array<iovec, pieces_max> parts;
        const auto part_count = std::min(pieces.size(), parts.size());
        for (std::size_t i = 0; i < part_count; ++i) {
            parts[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
        }
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = part_count;
        return outcome(::sendmsg(descriptor(), &message, MSG_NOSIGNAL));
    }

    void wait_readable() override {
        if (std::exchange(waits_to_read_, true)) return;
        ++waits_;
        socket_.async_wait(decltype(socket_)::wait_read,
                           waiter(*this, &transport_user::on_readable));
    }

    void wait_writable() override {
        if (std::exchange(waits_to_write_, true)) return;
        ++waits_;
        socket_.async_wait(decltype(socket_)::wait_write,
                           waiter(*this, &transport_user::on_writable));
    }

    void set_user(transport_user& user) noexcept override { user_ = &user; }

    void close() noexcept override {
        user_ = nullptr;
        // Bytes that came and that nobody reads any more would make the system reset the
        // connection, and the peer might never see the last that was written to it.
        ::recv(descriptor(), nullptr, discarded_bytes, MSG_TRUNC | MSG_DONTWAIT);
        boost::system::error_code ignored;
        socket_.close(ignored);
        if (waits_ == 0) delete this;
    }

private:
    static constexpr std::size_t pieces_max = 256;
    static constexpr std::size_t discarded_bytes = 16 * 1024 * 1024;

    /// What Asio holds while the transport waits. A loop that has stopped drops it without a call.
    class waiter {
    public:
        using allocator_type = slot_allocator<void>;

        waiter(tcp_transport& its_transport, void (transport_user::*its_ready)()) noexcept
            : of_(&its_transport), slot_(its_transport.slot_), ready_(its_ready) {}
        waiter(waiter&& other) noexcept
            : of_(std::exchange(other.of_, nullptr)), slot_(other.slot_), ready_(other.ready_) {}
        waiter& operator=(waiter&&) = delete;
        ~waiter() {
            if (of_ != nullptr) of_->drop_wait();
        }

        [[nodiscard]] allocator_type get_allocator() const noexcept {
            return allocator_type(slot_);
        }
        void operator()(const boost::system::error_code&) {
            std::exchange(of_, nullptr)->finish_wait(ready_);
        }

    private:
        tcp_transport* of_;
        wait_slot& slot_;
        void (transport_user::*ready_)();
    };

    [[nodiscard]] int descriptor() noexcept { return socket_.native_handle(); }
    static io_result outcome(ssize_t count) noexcept {
        if (count > 0) return {io_status::done, static_cast<std::size_t>(count)};
        const auto again = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
        return {again ? io_status::would_block : io_status::failed};
    }

    void finish_wait(void (transport_user::*ready)()) {
        if (user_ == nullptr) return drop_wait();
        --waits_;
        (ready == &transport_user::on_readable ? waits_to_read_ : waits_to_write_) = false;
        (user_->*ready)();
    }

    void drop_wait() noexcept {
        --waits_;
        if (user_ == nullptr && waits_ == 0) delete this;
    }

    transport_user* user_; ///< Null once closed; then it lives until nothing waits any more.
    asio::posix::basic_stream_descriptor<asio::io_context::executor_type> socket_;
    int waits_ = 0;
    bool waits_to_read_ = false;
    bool waits_to_write_ = false;
    wait_slot slot_;
};

} // namespace

transport_pointer make_tcp_transport(event_loop& loop, socket_handle socket, transport_user& user) {
    return transport_pointer(new tcp_transport(loop.internals().context, std::move(socket), user));
}

} // namespace pipit::net
