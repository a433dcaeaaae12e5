// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client/options.hpp>
#include <pipit/protocol/info.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

/// The two faces of Pipit's client, as one: the steps are played on either.
namespace pipit::conformance {

/// What has arrived; read and written by several threads.
class inbox {
public:
    void add(client::message one) {
        const std::lock_guard held(mutex_);
        messages_.push_back(std::move(one));
    }
    [[nodiscard]] std::vector<client::message> seen() const {
        const std::lock_guard held(mutex_);
        return messages_;
    }
    [[nodiscard]] std::size_t size() const {
        const std::lock_guard held(mutex_);
        return messages_.size();
    }
    void forget() {
        const std::lock_guard held(mutex_);
        messages_.clear();
    }

private:
    mutable std::mutex mutex_;
    std::vector<client::message> messages_;
};

using inbox_pointer = std::shared_ptr<inbox>;

class face_subscription {
public:
    face_subscription() = default;
    face_subscription(const face_subscription&) = delete;
    face_subscription& operator=(const face_subscription&) = delete;
    virtual ~face_subscription() = default;

    /// Puts what is here into the inbox, unless it goes there by itself.
    virtual void collect() = 0;
    virtual void unsubscribe(std::uint64_t max) = 0;
    [[nodiscard]] virtual result<> drain() = 0;
    [[nodiscard]] virtual bool is_active() const = 0;
};

using subscription_pointer = std::unique_ptr<face_subscription>;

/// Each call waits for its end, but `publish`, which may stand in a callback.
class face_connection {
public:
    face_connection() = default;
    face_connection(const face_connection&) = delete;
    face_connection& operator=(const face_connection&) = delete;
    virtual ~face_connection() = default;

    [[nodiscard]] virtual result<> connect() = 0;
    [[nodiscard]] virtual result<> publish(bytes_view subject, bytes_view payload,
                                           client::publish_options options) = 0;
    [[nodiscard]] virtual result<subscription_pointer>
    subscribe(bytes_view subject, client::subscribe_options options, inbox_pointer into) = 0;
    [[nodiscard]] virtual result<subscription_pointer>
    subscribe(bytes_view subject, client::subscribe_options options,
              std::function<void(client::message)> callback) = 0;
    [[nodiscard]] virtual result<client::message> request(bytes_view subject, bytes_view payload,
                                                          client::request_options options) = 0;
    [[nodiscard]] virtual result<std::vector<client::message>>
    request_many(bytes_view subject, bytes_view payload, client::request_many_options options) = 0;
    /// Asks `count` times at once, each with a number; how many got their own number back.
    [[nodiscard]] virtual std::size_t right_answers(bytes_view subject, std::size_t count) = 0;
    [[nodiscard]] virtual result<> flush() = 0;
    [[nodiscard]] virtual result<std::chrono::nanoseconds> rtt() = 0;
    [[nodiscard]] virtual result<> drain() = 0;
    virtual void close() = 0;
    [[nodiscard]] virtual bool is_closed() const = 0;
    [[nodiscard]] virtual protocol::server_info server_info() const = 0;
};

using connection_maker =
    std::function<std::unique_ptr<face_connection>(client::connection_options options)>;

/// Connections of coroutines, on one thread that lives as long as the maker.
[[nodiscard]] connection_maker make_asynchronous_face();
[[nodiscard]] connection_maker make_blocking_face();

} // namespace pipit::conformance
