// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/detail/server_urls.hpp>

#include <pipit/protocol/error.hpp>

#include <algorithm>
#include <iterator>

namespace pipit::client::detail {

result<std::vector<protocol::server_address>>
parse_servers(const std::vector<std::string>& entries) {
    std::vector<protocol::server_address> servers;
    for (const auto& entry : entries) {
        auto some = protocol::parse_server_urls(entry);
        if (!some) return some.error();
        std::ranges::move(*some, std::back_inserter(servers));
    }
    if (servers.empty()) return error(protocol::errc::invalid_url, "no server is named");
    return servers;
}

bool names_host(const std::vector<std::string>& entries, std::string_view host) {
    const auto servers = parse_servers(entries);
    return servers &&
           std::ranges::find(*servers, host, &protocol::server_address::host) != servers->end();
}

} // namespace pipit::client::detail
