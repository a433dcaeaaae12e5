// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/prefer.hpp>

#include <utility>

namespace pipit::client {

namespace asio = boost::asio;

} // namespace pipit::client

namespace pipit::client::detail {

template <class T>
using handler = asio::any_completion_handler<void(result<T>)>;

/// A handler that waits for its operation, and the work it is for its executor meanwhile.
template <class T>
class waiting {
public:
    /// `otherwise`: the executor of a handler that has none.
    waiting(handler<T> waits, const asio::any_io_executor& otherwise)
        : handler_(std::move(waits)),
          executor_(asio::prefer(asio::get_associated_executor(handler_, otherwise),
                                 asio::execution::outstanding_work.tracked)) {}

    waiting(waiting&&) noexcept = default;
    /// By swaps: a handler of Boost 1.81 that is assigned copies itself without end.
    waiting& operator=(waiting&& other) noexcept {
        waiting taken(std::move(other));
        handler_.swap(taken.handler_);
        executor_.swap(taken.executor_);
        return *this;
    }

    /// What is called when the user gives up; it may be called after the operation has ended.
    template <class Canceller>
    void on_cancel(Canceller cancel) {
        if (auto slot = asio::get_associated_cancellation_slot(handler_); slot.is_connected()) {
            slot.assign([cancel](asio::cancellation_type kind) {
                if (kind != asio::cancellation_type::none) cancel();
            });
        }
    }

    /// Calls the handler on its executor: at once, if this is it.
    void complete(result<T> with) && {
        asio::dispatch(executor_, [waits = std::move(handler_), with = std::move(with)]() mutable {
            auto slot = asio::get_associated_cancellation_slot(waits);
            if (slot.is_connected()) slot.clear();
            std::move(waits)(std::move(with));
        });
    }

private:
    handler<T> handler_;
    asio::any_completion_executor executor_;
};

} // namespace pipit::client::detail
