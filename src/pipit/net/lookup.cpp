// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/lookup.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <system_error>
#include <thread>
#include <utility>

namespace pipit::net {

namespace asio = boost::asio;

namespace {

lookup::endpoints resolve(const std::string& host, const std::string& port, error_code& code) {
    asio::io_context unused(1);
    asio::ip::tcp::resolver resolver(unused);
    lookup::endpoints out;
    for (const auto& found : resolver.resolve(host, port, code)) out.push_back(found.endpoint());
    return out;
}

} // namespace

lookup::lookup(const asio::any_io_executor& executor, counter running, int most, std::string host,
               std::string port, done_function done) {
    state_->executor = asio::prefer(executor, asio::execution::outstanding_work.tracked);
    state_->done = std::move(done);
    if (running->fetch_add(1) >= most) {
        --*running;
        state_->finish(asio::error::try_again, {});
        return;
    }
    try {
        std::thread([state = state_, running, host = std::move(host), port = std::move(port)] {
            error_code code;
            auto found = resolve(host, port, code);
            state->finish(code, std::move(found));
            --*running;
        }).detach();
    } catch (const std::system_error&) { // There are no more threads to be had.
        --*running;
        state_->finish(asio::error::try_again, {});
    }
}

void lookup::state::finish(const error_code& code, endpoints found) {
    // Under the lock: the executor may be gone as soon as `cancel` returns.
    const std::lock_guard held(mutex);
    if (!done) return;
    asio::post(executor, [tells = std::exchange(done, nullptr), code, found = std::move(found)] {
        tells(code, found);
    });
    executor = nullptr;
}

void lookup::cancel() {
    done_function unused; // Dies without the lock.
    const std::lock_guard held(state_->mutex);
    unused.swap(state_->done);
    state_->executor = nullptr;
}

} // namespace pipit::net
