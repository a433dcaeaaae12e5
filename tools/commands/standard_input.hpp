// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/net/socket_handle.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <optional>
#include <string>

namespace pipit::cli {

namespace asio = boost::asio;

/// Reads what is piped or typed without keeping the loop waiting. The descriptor stays as it is:
/// what is shared with a shell must not become non-blocking.
class standard_input {
public:
    explicit standard_input(const asio::any_io_executor& executor);

    /// What is there, at least one byte; empty at the end.
    [[nodiscard]] asio::awaitable<result<std::string>> read_some();

private:
    std::optional<asio::posix::stream_descriptor>
        readiness_; ///< None for a file: it is always ready.
};

} // namespace pipit::cli
