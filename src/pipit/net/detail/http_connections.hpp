// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/party.hpp>
#include <pipit/net/http.hpp>
#include <pipit/net/tls_context.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace pipit::net::detail {

class http_connection_base;

/// The connections of one server.
struct http_connections {
    std::vector<http_connection_base*> open;
    std::uint64_t changes = 0; ///< Numbers what happens, so that the oldest is known.
};

/// One connection among the others.
class http_connection_base {
public:
    /// In the order in which connections of a party give way to a new one.
    enum class state { lingering, reading, writing };

    http_connection_base(http_connections& connections, party from)
        : connections_(connections), from_(from) {
        connections_.open.push_back(this);
    }
    virtual ~http_connection_base() { forget(); }
    http_connection_base(const http_connection_base&) = delete;
    http_connection_base& operator=(const http_connection_base&) = delete;

    [[nodiscard]] std::pair<state, std::uint64_t> rank() const noexcept { return {state_, since_}; }
    [[nodiscard]] party from() const noexcept { return from_; }
    /// Ends it at once.
    virtual void give_way() = 0;

protected:
    void enter(state next) {
        state_ = next;
        since_ = ++connections_.changes;
    }
    void forget() { std::erase(connections_.open, this); }

private:
    http_connections& connections_;
    const party from_;
    state state_ = state::reading;
    std::uint64_t since_ = 0;
};

/// The server's thread as others see it, who may outlive it.
///
/// Threads: all.
class http_thread {
public:
    explicit http_thread(boost::asio::io_context& context) : context_(&context) {}

    /// Drops the task when the server has ended.
    void post(std::function<void()> task) {
        const std::lock_guard guard(lock_);
        if (context_ != nullptr) boost::asio::post(*context_, std::move(task));
    }
    void end() {
        const std::lock_guard guard(lock_);
        context_ = nullptr;
    }

private:
    std::mutex lock_;
    boost::asio::io_context* context_;
};

/// What a connection needs of its server, which outlives it.
struct http_dependencies {
    const http_server_options& options;
    const http_handler& handler;
    http_connections& connections;
    const std::shared_ptr<http_thread>& thread;
};

/// A connection that keeps itself alive, and is among the `connections` meanwhile. Each of the two
/// is in a file of its own: nothing else takes as long to compile.
void begin_plain_http(boost::asio::ip::tcp::socket socket, party from,
                      const http_dependencies& its);
void begin_secure_http(boost::asio::ip::tcp::socket socket, party from, const tls_context& tls,
                       const http_dependencies& its);

} // namespace pipit::net::detail
