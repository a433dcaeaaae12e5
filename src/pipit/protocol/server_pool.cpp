// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/server_pool.hpp>

#include <pipit/base/limits.hpp>

#include <algorithm>
#include <utility>

namespace pipit::protocol {
server_pool::server_pool(std::vector<server_address> servers, server_pool_options options,
                         random_source random)
    : options_(options), random_(random) {
    for (auto& server : servers) entries_.push_back({std::move(server), false, 0, {}});
    shuffle(0);
}

void server_pool::shuffle(std::size_t first) {
    if (!options_.randomize) return;
    for (auto last = entries_.size(); last > first + 1; --last) {
        const auto choices = static_cast<std::uint32_t>(last - first);
        std::swap(entries_[last - 1], entries_[first + random_.below(choices)]);
    }
}

const server_address* server_pool::current() const noexcept {
    return entries_.empty() ? nullptr : &entries_.front().server;
}

std::vector<std::string> server_pool::names() const {
    std::vector<std::string> out;
    for (const auto& item : entries_) out.push_back(to_string(item.server));
    return out;
}

void server_pool::succeeded() noexcept {
    if (entries_.empty()) return;
    entries_.front().failures = 0;
    entries_.front().auth_error.clear();
}

void server_pool::failed(std::string_view auth_error) {
    if (entries_.empty()) return;
    auto& current = entries_.front();
    const bool repeated = !auth_error.empty() && current.auth_error == auth_error;
    current.auth_error = auth_error;
    ++current.failures;
    const bool exhausted = options_.attempts_max >= 0 && current.failures >= options_.attempts_max;
    if (exhausted || (repeated && options_.remove_on_repeated_auth_error)) {
        entries_.erase(entries_.begin());
    } else {
        left();
    }
}

void server_pool::left() {
    if (!entries_.empty()) std::rotate(entries_.begin(), entries_.begin() + 1, entries_.end());
}

std::vector<std::string> server_pool::discover(const std::vector<std::string>& urls) {
    if (entries_.empty() || urls.empty()) return {}; // A server without a cluster names nobody.
    std::vector<server_address> named;
    for (const auto& url : urls) {
        auto server = parse_server_url(url);
        if (!server || named.size() == limits::discovered_servers) continue;
        const auto& like = entries_.front().server;
        server->over = like.over;
        server->user = like.user;
        server->pass = like.pass;
        server->token = like.token;
        server->path = like.path;
        named.push_back(std::move(*server));
    }
    const auto same = [](const server_address& a, const server_address& b) {
        return a.host == b.host && a.port == b.port;
    };
    const auto is_named = [&](const entry& item) {
        return std::any_of(named.begin(), named.end(),
                           [&](const auto& server) { return same(server, item.server); });
    };
    entries_.erase(
        std::remove_if(entries_.begin() + 1, entries_.end(),
                       [&](const entry& item) { return item.discovered && !is_named(item); }),
        entries_.end());
    std::vector<std::string> joined;
    for (auto& server : named) {
        const bool is_known = std::any_of(entries_.begin(), entries_.end(), [&](const entry& item) {
            return same(item.server, server);
        });
        if (is_known) continue;
        joined.push_back(to_string(server));
        entries_.push_back({std::move(server), true, 0, {}});
    }
    if (!joined.empty()) shuffle(1);
    return joined;
}

} // namespace pipit::protocol
