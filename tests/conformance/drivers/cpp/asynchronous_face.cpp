// SPDX-License-Identifier: Apache-2.0
#include "face.hpp"

#include <pipit/client/connection.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <thread>

namespace pipit::conformance {
namespace {

namespace asio = boost::asio;

using asio::use_awaitable;
using client::connection;
using client::message;
using client::replies;
using client::subscription;

/// One thread for all: what it does is done in order, so that a flush ends after the coroutines
/// have taken what had come before.
class loop {
public:
    ~loop() {
        work_.reset();
        thread_.join();
    }
    [[nodiscard]] asio::any_io_executor executor() { return context_.get_executor(); }

    template <class T>
    std::future<T> start(asio::awaitable<T> operation) {
        return asio::co_spawn(context_, std::move(operation), asio::use_future);
    }
    template <class T>
    T run(asio::awaitable<T> operation) {
        return start(std::move(operation)).get();
    }

private:
    asio::io_context context_;
    asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
    std::thread thread_{[this] { context_.run(); }};
};

asio::awaitable<void> nothing() { co_return; }

asio::awaitable<void> read_all(std::shared_ptr<subscription> from, inbox_pointer into) {
    for (;;) {
        auto next = co_await from->next(use_awaitable);
        if (!next) co_return;
        into->add(std::move(*next));
    }
}

asio::awaitable<result<std::vector<message>>> all_of(replies answers) {
    std::vector<message> found;
    for (;;) {
        auto next = co_await answers.next(use_awaitable);
        if (!next && found.empty()) co_return next.error();
        if (!next || !*next) co_return found;
        found.push_back(std::move(**next));
    }
}

asio::awaitable<bool> asked(connection& nats, std::string subject, std::string number) {
    auto answer = co_await nats.request(subject, number, use_awaitable);
    co_return answer && answer->payload() == number;
}

class asynchronous_subscription final : public face_subscription {
public:
    asynchronous_subscription(loop& on, subscription made, inbox_pointer into)
        : loop_(on), messages_(std::make_shared<subscription>(std::move(made))) {
        if (into) reader_ = loop_.start(read_all(messages_, std::move(into)));
    }
    ~asynchronous_subscription() override {
        messages_->unsubscribe();
        if (reader_.valid()) reader_.wait();
    }

    void collect() override {}
    void unsubscribe(std::uint64_t max) override { messages_->unsubscribe(max); }
    result<> drain() override { return loop_.run(messages_->drain(use_awaitable)); }
    bool is_active() const override { return messages_->is_active(); }

private:
    loop& loop_;
    std::shared_ptr<subscription> messages_;
    std::future<void> reader_;
};

class asynchronous_connection final : public face_connection {
public:
    asynchronous_connection(std::shared_ptr<loop> on, client::connection_options options)
        : loop_(std::move(on)), nats_(loop_->executor(), std::move(options)) {}
    ~asynchronous_connection() override {
        nats_.close();
        loop_->run(nothing()); // A callback that is running uses this.
    }

    result<> connect() override { return loop_->run(nats_.connect(use_awaitable)); }
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
        return loop_->run(nats_.request(subject, payload, options, use_awaitable));
    }
    result<std::vector<message>> request_many(bytes_view subject, bytes_view payload,
                                              client::request_many_options options) override {
        auto answers = nats_.request_many(subject, payload, std::move(options));
        if (!answers) return answers.error();
        return loop_->run(all_of(std::move(*answers)));
    }
    std::size_t right_answers(bytes_view subject, std::size_t count) override {
        std::vector<std::future<bool>> all;
        for (std::size_t index = 0; index < count; ++index) {
            all.push_back(loop_->start(asked(nats_, std::string(subject), std::to_string(index))));
        }
        std::size_t right = 0;
        for (auto& one : all) right += one.get() ? 1 : 0;
        return right;
    }
    result<> flush() override { return loop_->run(nats_.flush(use_awaitable)); }
    result<std::chrono::nanoseconds> rtt() override { return loop_->run(nats_.rtt(use_awaitable)); }
    result<> drain() override { return loop_->run(nats_.drain(use_awaitable)); }
    void close() override { nats_.close(); }
    bool is_closed() const override { return nats_.is_closed(); }
    protocol::server_info server_info() const override { return nats_.server_info(); }

private:
    result<subscription_pointer> wrap(result<subscription> made, inbox_pointer into) {
        if (!made) return made.error();
        return subscription_pointer(
            std::make_unique<asynchronous_subscription>(*loop_, std::move(*made), std::move(into)));
    }

    std::shared_ptr<loop> loop_;
    connection nats_;
};

} // namespace

connection_maker make_asynchronous_face() {
    return [on = std::make_shared<loop>()](client::connection_options options) {
        return std::make_unique<asynchronous_connection>(on, std::move(options));
    };
}

} // namespace pipit::conformance
