// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/net/forks.hpp>

#include <boost/asio/execution_context.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace pipit::client::detail {

class link;

/// Lets go of what links hold of an execution context when that is destroyed: a handler may own the
/// coroutine that owns the connection, and nobody else would ever end that circle.
class link_service final : public boost::asio::execution_context::service {
public:
    static boost::asio::execution_context::id id;

    explicit link_service(boost::asio::execution_context& context) : service(context) {}
    ~link_service() override;
    link_service(const link_service&) = delete;
    link_service& operator=(const link_service&) = delete;

    void add(const std::shared_ptr<link>& user);
    void remove(const link& user);

private:
    void shutdown() override;

    struct registry {
        net::process_mark process;
        std::mutex mutex;
        std::unordered_map<const link*, std::weak_ptr<link>> links;
    };
    /// A child by `fork` begins anew: a thread that is not there may have held the lock.
    [[nodiscard]] registry& of_this_process();

    std::atomic<registry*> registry_ = new registry;
};

} // namespace pipit::client::detail
