// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/monitoring.hpp>

#include <pipit/server/detail/monitoring_documents.hpp>

#include <algorithm>
#include <array>

namespace pipit::server {
namespace {

struct route {
    std::string_view path;
    document* make;
    std::string_view counted_as;      ///< In `http_req_stats`; empty: not counted.
    bool counts_what_is_read = false; ///< Not what has parameters that cannot be read.
};

constexpr std::array routes{
    route{"/", root_page, "/"},
    route{"/varz", varz, "/varz"},
    route{"/connz", connz, "/connz", true},
    route{"/routez", routez, "/routez", true},
    route{"/gatewayz", gatewayz, "/gatewayz"},
    route{"/leafz", leafz, "/leafz"},
    route{"/subsz", subsz, "/subsz"},
    route{"/subscriptionsz", subsz, "/subsz"},
    route{"/accountz", accountz, "/accountz"},
    route{"/accstatz", accstatz, "/accstatz"},
    route{"/jsz", jsz, "/jsz"},
    route{"/healthz", healthz, "/healthz"},
    route{"/raftz", raftz, ""},
    route{"/ipqueuesz", ipqueuesz, ""},
    route{"/stacksz", stacksz, ""},
    route{"/debug/vars", debug_vars, ""},
    route{"/metrics", metrics, "/metrics"},
};

std::string normalized_base_path(const std::string& configured) {
    auto path = clean_path(configured);
    if (path.size() > 1 && path.back() == '/') path.pop_back();
    return path;
}

net::http_response not_found() {
    auto answer = text_answer(404, "404 page not found\n");
    answer.headers.emplace_back("X-Content-Type-Options", "nosniff");
    return answer;
}

std::string html_escaped(std::string_view text) {
    std::string result;
    for (const auto c : text) {
        switch (c) {
        case '&': result += "&amp;"; break;
        case '<': result += "&lt;"; break;
        case '>': result += "&gt;"; break;
        case '"': result += "&#34;"; break;
        case '\'': result += "&#39;"; break;
        default: result += c;
        }
    }
    return result;
}

/// `//varz` and `/a/../varz` are sent on to `/varz`, which a URL put together carelessly needs.
net::http_response redirect(std::string location, std::string_view query) {
    if (!query.empty()) (location += '?') += query;
    net::http_response answer{307, "text/html; charset=utf-8",
                              "<a href=\"" + html_escaped(location) +
                                  "\">Temporary Redirect</a>.\n\n"};
    answer.headers.emplace_back("Location", std::move(location));
    return answer;
}

} // namespace

monitor::monitor(std::string base_path, collect_function collect, logger log)
    : base_path_(normalized_base_path(base_path)),
      collect_(std::move(collect)),
      log_(std::move(log)) {}

net::http_response monitor::respond(std::string_view target) {
    const auto parsed = parse_target(target);
    if (!parsed) return text_answer(400, "400 Bad Request");
    if (auto clean = clean_path(parsed->path); clean != parsed->path) {
        return redirect(std::move(clean), parsed->query);
    }
    // An escaped slash is part of a name, and no document has one.
    const auto path = *unescaped(parsed->path, false);
    const auto slashes = [](std::string_view text) { return std::ranges::count(text, '/'); };
    const auto* found = slashes(path) != slashes(parsed->path)
                            ? routes.end()
                            : std::ranges::find_if(routes, [&](const route& candidate) {
                                  return joined_path(base_path_, candidate.path) == path;
                              });
    if (found == routes.end()) return not_found();
    if (!found->counts_what_is_read) count(found->counted_as);
    parameters query(parsed->query);
    const auto counts = request_counts();
    auto answer = found->make({query, collect_, counts, base_path_, log_});
    if (found->counts_what_is_read && query.problem().empty()) count(found->counted_as);
    return answer;
}

void monitor::count(std::string_view path) {
    if (path.empty()) return;
    const std::lock_guard guard(counts_lock_);
    ++request_counts_[std::string(path)];
}

request_counts monitor::request_counts() const {
    const std::lock_guard guard(counts_lock_);
    return request_counts_;
}

std::string joined_path(std::string_view base_path, std::string_view path) {
    if (base_path == "/") return std::string(path);
    auto joined = std::string(base_path);
    if (path != "/") joined += path;
    return joined;
}

net::http_response json_answer(std::string body, int status) {
    return {status, "application/json", std::move(body), {{"Access-Control-Allow-Origin", "*"}}};
}

net::http_response text_answer(int status, std::string text) {
    return {status, "text/plain; charset=utf-8", std::move(text)};
}

net::http_response bad_request(const std::string& problem) { return text_answer(400, problem); }

net::http_response unavailable(const error& why) { return text_answer(503, why.message()); }

broker::broker_statistics total_statistics(const monitoring_snapshot& snapshot) {
    broker::broker_statistics total;
    for (const auto& loop : snapshot.loops) {
        const auto& of_loop = loop.statistics;
        total.connections += of_loop.connections;
        total.total_connections += of_loop.total_connections;
        total.subscriptions += of_loop.subscriptions;
        total.in += of_loop.in;
        total.out += of_loop.out;
        total.slow_consumers += of_loop.slow_consumers;
        total.stale_connections += of_loop.stale_connections;
        total.stalled_clients += of_loop.stalled_clients;
        total.cache_entries += of_loop.cache_entries;
        total.cache_hits += of_loop.cache_hits;
        total.subscription_inserts += of_loop.subscription_inserts;
        total.subscription_removes += of_loop.subscription_removes;
        total.matches += of_loop.matches;
        total.max_fanout = std::max(total.max_fanout, of_loop.max_fanout);
        total.cached_fanout += of_loop.cached_fanout;
    }
    return total;
}

std::vector<broker::account_snapshot> total_accounts(const monitoring_snapshot& snapshot) {
    std::vector<broker::account_snapshot> totals;
    std::map<broker::account_id, std::size_t> positions;
    for (const auto& account : snapshot.configuration->accounts) {
        positions.emplace(account.id, totals.size());
        totals.emplace_back().id = account.id;
    }
    for (const auto& loop : snapshot.loops) {
        for (const auto& of_loop : loop.accounts) {
            const auto position = positions.find(of_loop.id);
            if (position == positions.end()) continue; // Gone with a reload.
            totals[position->second] += of_loop;
        }
    }
    return totals;
}

const broker::account_configuration* account_named(const broker::configuration& configuration,
                                                   std::string_view name) {
    const auto found =
        std::ranges::find(configuration.accounts, name, &broker::account_configuration::name);
    return found == configuration.accounts.end() ? nullptr : &*found;
}

std::string_view account_name(const broker::configuration& configuration, broker::account_id id) {
    const auto found =
        std::ranges::find(configuration.accounts, id, &broker::account_configuration::id);
    return found == configuration.accounts.end() ? std::string_view() : found->name;
}

std::string_view account_tag(const broker::configuration& configuration, std::string_view name) {
    const auto* const account = account_named(configuration, name);
    return account == nullptr ? name : account_tag(*account);
}

std::string_view system_account_name(const broker::configuration& configuration) {
    if (!configuration.system_account) return {};
    return account_name(configuration, *configuration.system_account);
}

} // namespace pipit::server
