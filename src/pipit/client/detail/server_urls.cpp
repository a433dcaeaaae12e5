// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/detail/server_urls.hpp>

#include <pipit/base/trimmed.hpp>
#include <pipit/protocol/error.hpp>

#include <algorithm>
#include <utility>

namespace pipit::client::detail {

result<std::vector<protocol::server_address>>
parse_servers(const std::vector<std::string>& entries) {
    std::vector<protocol::server_address> servers;
    for (std::string_view urls : entries) {
        while (!urls.empty()) {
            const auto comma = std::min(urls.find(','), urls.size());
            const auto url = trimmed(urls.substr(0, comma), " ");
            urls.remove_prefix(std::min(comma + 1, urls.size()));
            if (url.empty()) continue;
            auto server = protocol::parse_server_url(url);
            if (!server) return server.error();
            servers.push_back(std::move(*server));
        }
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
