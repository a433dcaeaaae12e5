// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>

namespace pipit::conformance {

/// The runner, who has the behaviours, the servers and all that is not the client's own.
///
/// Threads: any, several at the same time.
class control {
public:
    explicit control(const std::string& url); ///< `http://host:port/`

    /// The lanes of behaviours, and how many to play at a time.
    [[nodiscard]] boost::json::object plan() const;
    [[nodiscard]] boost::json::object ask(const boost::json::object& request) const;

private:
    [[nodiscard]] boost::json::object exchange(const std::string& request) const;

    std::string host_;
    std::string port_;
};

} // namespace pipit::conformance
