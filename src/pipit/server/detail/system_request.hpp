// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>
#include <pipit/server/detail/monitoring_request.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::server {

/// How a member of a request's JSON is called by HTTP, and what it holds.
struct request_option {
    enum class type : std::uint8_t { flag, number, natural, text, connection_state };

    std::string_view member;
    std::string_view parameter;
    type kind;
};

/// Which servers a request is for; empty: any. Names may be parts, unless `exact_match` is set.
struct server_filter {
    std::string name, cluster, host, domain;
    std::vector<std::string> tags; ///< All of them.
    bool exact_match = false;
};

/// What the body of a system request says.
struct system_request {
    server_filter filter;
    std::string filter_problem; ///< Why it cannot be read; empty: it can.
    std::vector<std::pair<std::string, std::string>> parameters; ///< As of an HTTP query.
    std::vector<std::string> accounts;
    bool include_unused = false;
};

/// Reads the JSON of a body, which may be empty; members that nobody knows are skipped. As Go reads
/// it: a name may be written in any case, and of several members the last one counts.
/// Errors: `errc::invalid_request`; the detail says what is wrong.
[[nodiscard]] result<system_request> read_system_request(bytes_view body,
                                                         std::span<const request_option> options);

} // namespace pipit::server
