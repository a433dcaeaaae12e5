// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace pipit::net {

/// Asks the system for the addresses of a name, on a thread that nobody waits for: the system takes
/// as long as it likes, and cannot be interrupted. An execution context waits for Asio's resolver
/// when it ends, and so would everybody who asks for a name.
///
/// Threads: any.
class lookup {
public:
    using endpoints = std::vector<boost::asio::ip::tcp::endpoint>;
    using done_function = std::function<void(const error_code&, endpoints)>;
    /// How many are under way, of all that share it. One that was cancelled is until the system has
    /// answered.
    using counter = std::shared_ptr<std::atomic<int>>;

    /// Calls `done` on the executor, with `asio::error::try_again` when `most` are under way.
    lookup(const boost::asio::any_io_executor& executor, counter running, int most,
           std::string host, std::string port, done_function done);
    ~lookup() { cancel(); }
    lookup(const lookup&) = delete;
    lookup& operator=(const lookup&) = delete;

    /// `done` is not called any more, nor the executor used.
    void cancel();

private:
    struct state {
        std::mutex mutex;
        boost::asio::any_io_executor executor; ///< Has work meanwhile.
        done_function done;

        void finish(const error_code& code, endpoints found);
    };
    std::shared_ptr<state> state_ = std::make_shared<state>();
};

} // namespace pipit::net
