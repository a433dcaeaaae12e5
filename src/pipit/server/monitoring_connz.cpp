// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/ascii_case.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/broker/tls_facts.hpp>
#include <pipit/protocol/subject.hpp>
#include <pipit/server/detail/monitoring_documents.hpp>
#include <pipit/server/detail/monitoring_text.hpp>
#include <pipit/server/duration_text.hpp>
#include <pipit/server/start_by_clock.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <span>
#include <unordered_set>

namespace pipit::server {
namespace {

using broker::session_snapshot;
using broker::session_state;

constexpr std::int64_t default_limit = 1024;

struct connz_options {
    std::string sort;
    bool auth = false;
    bool subscriptions = false;
    bool subscription_details = false;
    std::int64_t offset = 0;
    std::int64_t limit = default_limit;
    std::uint64_t client_id = 0;                              ///< 0: any.
    std::optional<session_state> state = session_state::open; ///< Nothing: no connection is in it.
    std::string user;
    std::string account;
    std::string mqtt_client;
    std::string subject; ///< With a subscription that overlaps it; empty: any.
};

/// A message names a state by a number, which may be none of theirs.
std::optional<session_state> read_state(parameters& query, bool as_message) {
    const auto text = query.text("state");
    const auto state = lower_case(text);
    if (state == "closed") return session_state::closed;
    if (as_message && state == "none") return std::nullopt;
    if (state == "any" || state == "all") return session_state::any;
    if (!state.empty() && state != "open") query.complain("Error decoding state for " + text);
    return session_state::open;
}

bool is_sort_order(std::string_view name) {
    constexpr std::array<std::string_view, 15> names{
        "",           "cid",  "start", "subs",   "pending", "msgs_to", "msgs_from", "bytes_to",
        "bytes_from", "last", "idle",  "uptime", "stop",    "reason",  "rtt"};
    return std::ranges::find(names, name) != names.end();
}

/// As in nats-server, HTTP has no parameter that filters by a subject.
connz_options read_options(parameters& query, bool as_message) {
    connz_options options;
    options.sort = query.text("sort");
    options.auth = query.flag("auth");
    options.subscription_details = lower_case(query.text("subs")) == "detail";
    if (!options.subscription_details) options.subscriptions = query.flag("subs");
    options.offset = std::max<std::int64_t>(query.integer("offset"), 0);
    options.limit = query.integer("limit");
    if (options.limit <= 0) options.limit = default_limit;
    options.client_id = query.natural("cid");
    if (options.client_id > 0) options.limit = 1;
    options.state = read_state(query, as_message);
    options.user = query.text("user");
    options.account = query.text("acc");
    options.mqtt_client = query.text("mqtt_client");
    if (as_message) options.subject = query.text("filter_subject");
    if (options.subject == ">") options.subject.clear();
    return options;
}

/// What does not go together in what could be read.
std::string problem_of(const connz_options& options) {
    if (!is_sort_order(options.sort)) return "invalid sorting option: " + options.sort;
    const bool sorts_by_end = options.sort == "stop" || options.sort == "reason";
    if (sorts_by_end && options.state != session_state::closed) {
        return "sort by " + options.sort + " only valid on closed connections";
    }
    if (!options.subject.empty() && options.account.empty()) {
        return "filter by subject only valid with account filtering";
    }
    return {};
}

/// The account that a connection is shown with: an open one has the global account until it says
/// who it is, a closed one that never did has none.
std::string_view account_of(const session_snapshot& session,
                            const broker::configuration& configuration) {
    if (session.authenticated) return account_name(configuration, session.account);
    if (session.stop) return {};
    return account_name(configuration, configuration.global_account);
}

/// The sessions of all loops that are of the account and in the state asked for.
std::vector<session_snapshot> gather(monitoring_snapshot& snapshot, const connz_options& options) {
    std::vector<session_snapshot> sessions;
    if (!options.state) return sessions;
    for (auto& loop : snapshot.loops) {
        for (auto& session : loop.sessions) {
            if (!options.account.empty() &&
                account_of(session, *snapshot.configuration) != options.account) {
                continue;
            }
            sessions.push_back(std::move(session));
        }
    }
    return sessions;
}

/// Keeps those that the other filters let pass.
void filter(std::vector<session_snapshot>& sessions, const connz_options& options) {
    std::erase_if(sessions, [&](const session_snapshot& session) {
        return (options.client_id > 0 && session.client_id != options.client_id) ||
               (!options.user.empty() && session.user != options.user) ||
               !options.mqtt_client.empty();
    });
}

/// Sorts by a key: ascending, or descending for everything that is an amount.
template <class Key>
void sort_by(std::vector<session_snapshot>& sessions, bool descending, Key key) {
    std::ranges::stable_sort(sessions, [&](const auto& a, const auto& b) {
        return descending ? key(b) < key(a) : key(a) < key(b);
    });
}

void sort(std::vector<session_snapshot>& sessions, const std::string& order, moment now) {
    using view = const session_snapshot&;
    const auto uptime = [now](view s) { return s.stop.value_or(now).steady - s.start.steady; };
    sort_by(sessions, false, [](view s) { return s.client_id; });
    if (order == "subs") sort_by(sessions, true, [](view s) { return s.subscription_count; });
    if (order == "pending") sort_by(sessions, true, [](view s) { return s.pending_bytes; });
    if (order == "msgs_to") sort_by(sessions, true, [](view s) { return s.out.messages; });
    if (order == "msgs_from") sort_by(sessions, true, [](view s) { return s.in.messages; });
    if (order == "bytes_to") sort_by(sessions, true, [](view s) { return s.out.bytes; });
    if (order == "bytes_from") sort_by(sessions, true, [](view s) { return s.in.bytes; });
    if (order == "last") sort_by(sessions, true, [](view s) { return s.last_activity.steady; });
    if (order == "idle") sort_by(sessions, false, [](view s) { return s.last_activity.steady; });
    if (order == "uptime") sort_by(sessions, false, uptime);
    if (order == "stop") {
        sort_by(sessions, true, [](view s) { return s.stop ? s.stop->steady : steady_time(); });
    }
    if (order == "reason") sort_by(sessions, false, [](view s) { return text(s.reason); });
    if (order == "rtt") sort_by(sessions, true, [](view s) { return s.round_trip; });
}

/// The subscriptions of the connections on the page, by the connection's number.
using subscriptions_by_client = std::map<std::uint64_t, std::vector<broker::subscription_snapshot>>;

/// As nats-server: those that ended with their connection are shown with its account, and without
/// a limit.
void write_subscriptions(json_writer& json, const session_snapshot& session,
                         const connz_options& options, const monitoring_snapshot& snapshot,
                         const subscriptions_by_client& subscriptions) {
    const auto found = subscriptions.find(session.client_id);
    if (found == subscriptions.end()) return;
    if (options.subscription_details) {
        json.begin_array("subscriptions_list_detail");
        const auto shown = session.stop ? named_account(*snapshot.configuration, session.account)
                                        : account_names();
        for (auto subscription : found->second) {
            json.element();
            if (session.stop) subscription.max = 0;
            write_subscription(json, subscription, shown);
        }
    } else {
        json.begin_array("subscriptions_list");
        for (const auto& subscription : found->second) json.element(subscription.subject);
    }
    json.end_array();
}

void write_activity(json_writer& json, const session_snapshot& session, moment now) {
    // What has passed is told by the clock that nobody sets.
    const auto end = session.stop.value_or(now).steady;
    json.member("start", rfc3339(session.start.wall));
    json.member("last_activity", rfc3339(start_by_clock(session.last_activity, now)));
    if (session.stop) {
        json.member("stop", rfc3339(session.stop->wall));
        json.member("reason", text(session.reason));
    }
    json.member("rtt",
                duration_text(shown_round_trip(session.round_trip.value_or(nanoseconds(0)))));
    json.member("uptime", uptime_text(end - session.start.steady));
    json.member("idle", uptime_text(end - session.last_activity.steady));
}

void write_tls(json_writer& json, const broker::tls_facts& tls, const connz_options& options) {
    json.member("tls_version", tls.version);
    json.member("tls_cipher_suite", tls.cipher_suite);
    if (options.auth && !tls.peer.empty()) {
        json.begin_array("tls_peer_certs");
        for (const auto& certificate : tls.peer) {
            json.element();
            json.begin_object();
            json.optional_member("subject", certificate.subject);
            json.member("spki_sha256", certificate.key_sha256);
            json.member("cert_sha256", certificate.sha256);
            json.end_object();
        }
        json.end_array();
    }
    json.optional_member("tls_first", tls.before_info);
}

void write_connection(json_writer& json, const session_snapshot& session,
                      const connz_options& options, const monitoring_snapshot& snapshot,
                      const subscriptions_by_client& subscriptions) {
    const auto account = account_of(session, *snapshot.configuration);
    const auto global =
        account_name(*snapshot.configuration, snapshot.configuration->global_account);
    json.element();
    json.begin_object();
    json.member("cid", session.client_id);
    json.member("kind", "Client");
    json.member("type", session.is_websocket ? "websocket" : "nats");
    json.member("ip", session.ip);
    json.member("port", session.port);
    write_activity(json, session, snapshot.server.now);
    json.member("pending_bytes", session.pending_bytes);
    json.member("in_msgs", session.in.messages);
    json.member("out_msgs", session.out.messages);
    json.member("in_bytes", session.in.bytes);
    json.member("out_bytes", session.out.bytes);
    json.optional_member("stalls", session.stalls);
    json.member("subscriptions", session.subscription_count);
    json.optional_member("name", session.name);
    json.optional_member("lang", session.language);
    json.optional_member("version", session.version);
    if (session.tls) write_tls(json, *session.tls, options);
    if (options.auth) {
        json.optional_member("authorized_user", session.user);
        if (account != global) json.optional_member("account", account);
    }
    write_subscriptions(json, session, options, snapshot, subscriptions);
    const bool shows_claims = session.claims && (options.auth || session.stop);
    if (shows_claims) {
        // Whoever holds a bearer's token is its user.
        if (!session.claims->is_bearer) json.member("jwt", session.claims->jwt);
        json.member("issuer_key", session.claims->issuer);
    }
    // A closed connection of the global account has no tag: so it is in nats-server.
    if (options.auth && !(session.stop && account == global)) {
        json.optional_member("name_tag", account_tag(*snapshot.configuration, account));
    }
    if (shows_claims) json.optional_member("tags", session.claims->tags);
    if (!session.proxy_key.empty()) {
        json.begin_object("proxy");
        json.member("key", session.proxy_key);
        json.end_object();
    }
    json.end_object();
}

/// One open connection looked up by its number needs no copy of all the others.
bool is_lookup(const connz_options& options) {
    return options.client_id > 0 && options.account.empty() && options.state == session_state::open;
}

monitoring_query query_for(const connz_options& options) {
    monitoring_query query;
    query.sessions.emplace();
    query.sessions->state = options.state.value_or(session_state::open);
    if (is_lookup(options)) query.sessions->client_id = options.client_id;
    return query;
}

/// A million of them may be, of all connections together: no more than may be shown.
result<subscriptions_by_client> subscriptions_of(std::span<const session_snapshot> sessions,
                                                 const collect_function& collect) {
    subscriptions_by_client found;
    broker::subscription_query query;
    query.limit = limits::shown_subscriptions;
    for (const auto& session : sessions) {
        if (session.subscription_count != 0) query.client_ids.push_back(session.client_id);
    }
    if (query.client_ids.empty()) return found;
    auto snapshot = collect({.subscriptions = std::move(query)});
    if (!snapshot) return snapshot.error();
    for (auto& loop : snapshot->loops) {
        for (auto& each : loop.subscriptions.page) {
            found[each.client_id].push_back(std::move(each));
        }
    }
    return found;
}

/// Which of the open ones may get a message that a subscription to the subject gets. However many
/// subscriptions they have, no more are copied at a time than may be shown.
result<std::unordered_set<std::uint64_t>> subscribers_of(const std::string& subject,
                                                         std::span<const session_snapshot> sessions,
                                                         const collect_function& collect) {
    std::unordered_set<std::uint64_t> found;
    broker::subscription_query query;
    query.limit = limits::shown_subscriptions;
    for (const auto& session : sessions) {
        if (!session.stop && session.subscription_count != 0) {
            query.client_ids.push_back(session.client_id);
        }
    }
    if (query.client_ids.empty()) return found;
    for (std::uint64_t total = 1; query.offset < total; query.offset += query.limit) {
        const auto snapshot = collect({.subscriptions = query});
        if (!snapshot) return snapshot.error();
        total = 0;
        for (const auto& loop : snapshot->loops) {
            total += loop.subscriptions.total;
            for (const auto& each : loop.subscriptions.page) {
                if (protocol::subjects_collide(each.subject, subject)) found.insert(each.client_id);
            }
        }
    }
    return found;
}

/// Of the open ones those that subscribe to the subject asked for. Some at a time, as a loop looks
/// through all connections it is asked about for each part of their subscriptions.
result<> keep_subscribers(std::vector<session_snapshot>& sessions, const connz_options& options,
                          const collect_function& collect) {
    if (options.subject.empty()) return {};
    std::unordered_set<std::uint64_t> kept;
    for (std::span<const session_snapshot> rest = sessions; !rest.empty();) {
        const auto some = rest.first(std::min(rest.size(), limits::sessions_at_a_time));
        rest = rest.subspan(some.size());
        auto found = subscribers_of(options.subject, some, collect);
        if (!found) return found.error();
        kept.merge(*found);
    }
    std::erase_if(sessions,
                  [&](const auto& each) { return !each.stop && !kept.contains(each.client_id); });
    return {};
}

void write_head(json_writer& json, const monitoring_snapshot& snapshot, std::string_view server_id,
                const connz_options& options, std::size_t shown, std::uint64_t total) {
    json.member("server_id", server_id);
    json.member("now", rfc3339(snapshot.server.now.wall));
    json.member("num_connections", shown);
    json.member("total", total);
    json.member("offset", options.offset);
    json.member("limit", options.limit);
}

} // namespace

nanoseconds shown_round_trip(nanoseconds round_trip) noexcept {
    using std::chrono::microseconds;
    if (round_trip > microseconds(1) && round_trip < std::chrono::milliseconds(1)) {
        round_trip = std::chrono::floor<microseconds>(round_trip);
    }
    return round_trip;
}

net::http_response connz(const document_request& request) {
    const auto options = read_options(request.query, request.as_message);
    if (!request.query.problem().empty()) return bad_request(request.query.problem());
    if (const auto problem = problem_of(options); !problem.empty()) return bad_request(problem);
    auto snapshot = request.collect(query_for(options));
    if (!snapshot) return unavailable(snapshot.error());
    const auto& configuration = *snapshot->configuration;

    std::string text;
    json_writer json(text, page_indent);
    json.begin_object();
    if (!options.account.empty() && account_named(configuration, options.account) == nullptr) {
        write_head(json, *snapshot, "", options, 0, 0);
        json.null_member("connections");
        json.end_object();
        return json_answer(std::move(text));
    }
    auto sessions = gather(*snapshot, options);
    const auto total =
        is_lookup(options) ? total_statistics(*snapshot).connections : sessions.size();
    filter(sessions, options);
    if (auto kept = keep_subscribers(sessions, options, request.collect); !kept) {
        return unavailable(kept.error());
    }
    sort(sessions, options.sort, snapshot->server.now);
    const auto count = static_cast<std::int64_t>(sessions.size());
    const auto first = std::min(options.offset, count);
    const auto last = first + std::min(options.limit, count - first);
    const auto page = std::span(sessions).subspan(static_cast<std::size_t>(first),
                                                  static_cast<std::size_t>(last - first));
    const bool shows_subscriptions = options.subscriptions || options.subscription_details;
    const auto subscriptions = shows_subscriptions ? subscriptions_of(page, request.collect)
                                                   : result<subscriptions_by_client>();
    if (!subscriptions) return unavailable(subscriptions.error());

    write_head(json, *snapshot, configuration.identity.id, options, page.size(), total);
    json.begin_array("connections");
    for (const auto& session : page) {
        write_connection(json, session, options, *snapshot, *subscriptions);
    }
    json.end_array();
    json.end_object();
    return json_answer(std::move(text));
}

} // namespace pipit::server
