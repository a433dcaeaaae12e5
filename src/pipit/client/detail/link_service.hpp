// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/execution_context.hpp>

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

    void add(const std::shared_ptr<link>& user);
    void remove(const link& user);

private:
    void shutdown() override;

    std::mutex mutex_;
    std::unordered_map<const link*, std::weak_ptr<link>> links_;
};

} // namespace pipit::client::detail
