// SPDX-License-Identifier: Apache-2.0
#include "face.hpp"

#include <pipit/client/blocking_connection.hpp>

#include <atomic>
#include <thread>

namespace pipit::conformance {
namespace {

using client::blocking_subscription;
using client::message;

class blocking_face_subscription final : public face_subscription {
public:
    blocking_face_subscription(blocking_subscription made, inbox_pointer into)
        : messages_(std::move(made)), into_(std::move(into)) {}

    void collect() override {
        if (!into_) return;
        while (auto one = messages_.try_next()) into_->add(std::move(*one));
    }
    void unsubscribe(std::uint64_t max) override { messages_.unsubscribe(max); }
    result<> drain() override { return messages_.drain(); }
    bool is_active() const override { return messages_.is_active(); }

private:
    blocking_subscription messages_;
    inbox_pointer into_; ///< None with a callback.
};

class blocking_face_connection final : public face_connection {
public:
    explicit blocking_face_connection(client::connection_options options)
        : nats_(std::move(options)) {}

    result<> connect() override { return nats_.connect(); }
    result<> publish(bytes_view subject, bytes_view payload,
                     client::publish_options options) override {
        return nats_.publish(subject, payload, options);
    }
    result<subscription_pointer> subscribe(bytes_view subject, client::subscribe_options options,
                                           inbox_pointer into) override {
        return wrap(nats_.subscribe(subject, std::move(options)), std::move(into));
    }
    result<subscription_pointer> subscribe(bytes_view subject, client::subscribe_options options,
                                           std::function<void(message)> callback) override {
        return wrap(nats_.subscribe(subject, std::move(callback), std::move(options)), nullptr);
    }
    result<message> request(bytes_view subject, bytes_view payload,
                            client::request_options options) override {
        return nats_.request(subject, payload, options);
    }
    result<std::vector<message>> request_many(bytes_view subject, bytes_view payload,
                                              client::request_many_options options) override {
        return nats_.request_many(subject, payload, std::move(options));
    }
    std::size_t right_answers(bytes_view subject, std::size_t count) override {
        std::atomic<std::size_t> right = 0;
        std::vector<std::thread> all;
        for (std::size_t index = 0; index < count; ++index) {
            all.emplace_back([&, number = std::to_string(index)] {
                const auto answer = nats_.request(subject, number);
                if (answer && answer->payload() == number) ++right;
            });
        }
        for (auto& one : all) one.join();
        return right;
    }
    result<> flush() override { return nats_.flush(); }
    result<std::chrono::nanoseconds> rtt() override { return nats_.rtt(); }
    result<> drain() override { return nats_.drain(); }
    void close() override { nats_.close(); }
    bool is_closed() const override { return nats_.is_closed(); }
    protocol::server_info server_info() const override { return nats_.server_info(); }

private:
    static result<subscription_pointer> wrap(result<blocking_subscription> made,
                                             inbox_pointer into) {
        if (!made) return made.error();
        return subscription_pointer(
            std::make_unique<blocking_face_subscription>(std::move(*made), std::move(into)));
    }

    client::blocking_connection nats_;
};

} // namespace

connection_maker make_blocking_face() {
    return [](client::connection_options options) {
        return std::make_unique<blocking_face_connection>(std::move(options));
    };
}

} // namespace pipit::conformance
