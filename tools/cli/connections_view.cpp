// SPDX-License-Identifier: Apache-2.0
#include <cli/connections_view.hpp>

#include <cli/units.hpp>
#include <pipit/base/join_host_port.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace pipit::cli {
namespace {

namespace json = boost::json;

std::uint64_t number(const json::object& from, const char* key) {
    const auto* const value = from.if_contains(key);
    if (!value) return 0;
    if (const auto* const signed_value = value->if_int64()) {
        return *signed_value < 0 ? 0 : static_cast<std::uint64_t>(*signed_value);
    }
    const auto* const unsigned_value = value->if_uint64();
    return unsigned_value ? *unsigned_value : 0;
}

std::string text(const json::object& from, const char* key) {
    const auto* const value = from.if_contains(key);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

double real(const json::object& from, const char* key) {
    const auto* const value = from.if_contains(key);
    if (!value) return 0;
    if (const auto* const real_value = value->if_double()) return *real_value;
    return static_cast<double>(number(from, key));
}

result<json::object> read_object(bytes_view answer, const char* what) {
    error_code failed;
    const auto value = json::parse(answer, failed);
    if (!failed && value.is_object()) return value.get_object();
    const auto code = make_error_code(boost::system::errc::invalid_argument);
    return error(code, std::string("what was answered to ") + what +
                           " is no object of JSON: is that a NATS server's monitoring port?");
}

connection_row read_row(const json::object& from) {
    connection_row row{.cid = number(from, "cid"),
                       .name = text(from, "name"),
                       .language = text(from, "lang"),
                       .address = {},
                       .account = text(from, "account"),
                       .uptime = text(from, "uptime"),
                       .idle = text(from, "idle"),
                       .subscriptions = number(from, "subscriptions"),
                       .pending = number(from, "pending_bytes"),
                       .messages_to = number(from, "out_msgs"),
                       .messages_from = number(from, "in_msgs"),
                       .bytes_to = number(from, "out_bytes"),
                       .bytes_from = number(from, "in_bytes")};
    row.address = join_host_port(text(from, "ip"), static_cast<int>(number(from, "port")));
    if (const auto version = text(from, "version"); !version.empty()) row.language += " " + version;
    if (const auto* const list = from.if_contains("subscriptions_list"); list && list->is_array()) {
        for (const auto& each : list->get_array()) {
            if (each.is_string()) row.subjects.emplace_back(each.get_string());
        }
    }
    return row;
}

double seconds_between(const server_snapshot& before, const server_snapshot& now) {
    const auto span = std::chrono::duration<double>(now.taken - before.taken).count();
    return span > 0 ? span : 1;
}

double rate(std::uint64_t now, std::uint64_t before, double seconds) {
    return now > before ? static_cast<double>(now - before) / seconds : 0;
}

/// What a row is ordered by, downwards.
double sort_value(const std::string& key, const connection_row& row,
                  const connection_rates& rates) {
    if (key == "cid") return -static_cast<double>(row.cid);
    if (key == "subs") return static_cast<double>(row.subscriptions);
    if (key == "pending") return static_cast<double>(row.pending);
    if (key == "msgs_to") return static_cast<double>(row.messages_to);
    if (key == "msgs_from") return static_cast<double>(row.messages_from);
    if (key == "bytes_to") return static_cast<double>(row.bytes_to);
    if (key == "bytes_from") return static_cast<double>(row.bytes_from);
    if (key == "msgs_rate") return rates.messages_to + rates.messages_from;
    return rates.bytes_to + rates.bytes_from;
}

std::vector<const connection_row*>
ordered(const server_snapshot& now, const server_snapshot* before, const view_options& options) {
    std::vector<std::pair<double, const connection_row*>> keyed;
    for (const auto& row : now.rows) {
        keyed.emplace_back(sort_value(options.sort, row, rates_of(row, now, before)), &row);
    }
    std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
        return options.sort == "name" ? a.second->name < b.second->name : a.first > b.first;
    });
    std::vector<const connection_row*> rows;
    for (const auto& [value, row] : keyed) {
        if (rows.size() < options.rows_max) rows.push_back(row);
    }
    return rows;
}

std::string rate_text(double value) { return count_text(static_cast<std::uint64_t>(value + 0.5)); }

std::string joined(const std::vector<std::string>& words) {
    std::string all;
    for (const auto& word : words) all += (all.empty() ? "" : ", ") + word;
    return all;
}

} // namespace

result<server_snapshot> read_snapshot(bytes_view varz, bytes_view connz, steady_time taken) {
    const auto server = read_object(varz, "/varz");
    if (!server) return server.error();
    const auto connections = read_object(connz, "/connz");
    if (!connections) return connections.error();
    server_snapshot snapshot{.name = text(*server, "server_name"),
                             .version = text(*server, "version"),
                             .uptime = text(*server, "uptime"),
                             .cpu_percent = real(*server, "cpu"),
                             .memory_bytes = number(*server, "mem"),
                             .connections = number(*server, "connections"),
                             .subscriptions = number(*server, "subscriptions"),
                             .slow_consumers = number(*server, "slow_consumers"),
                             .messages_in = number(*server, "in_msgs"),
                             .messages_out = number(*server, "out_msgs"),
                             .bytes_in = number(*server, "in_bytes"),
                             .bytes_out = number(*server, "out_bytes"),
                             .rows = {},
                             .taken = taken};
    if (const auto* const list = connections->if_contains("connections");
        list && list->is_array()) {
        for (const auto& each : list->get_array()) {
            if (each.is_object()) snapshot.rows.push_back(read_row(each.get_object()));
        }
    }
    return snapshot;
}

connection_rates rates_of(const connection_row& row, const server_snapshot& now,
                          const server_snapshot* before) {
    if (!before) return {};
    const auto old = std::find_if(before->rows.begin(), before->rows.end(),
                                  [&](const auto& each) { return each.cid == row.cid; });
    if (old == before->rows.end()) return {};
    const auto seconds = seconds_between(*before, now);
    return {.messages_to = rate(row.messages_to, old->messages_to, seconds),
            .messages_from = rate(row.messages_from, old->messages_from, seconds),
            .bytes_to = rate(row.bytes_to, old->bytes_to, seconds),
            .bytes_from = rate(row.bytes_from, old->bytes_from, seconds)};
}

std::string server_lines(const server_snapshot& now, const server_snapshot* before) {
    auto lines =
        fmt::format("{}  v{}  up {}  CPU {:.1f} %  memory {}  connections {}  "
                    "subscriptions {}  slow consumers {}\n",
                    now.name, now.version, now.uptime, now.cpu_percent,
                    size_text(static_cast<double>(now.memory_bytes)), count_text(now.connections),
                    count_text(now.subscriptions), count_text(now.slow_consumers));
    lines += fmt::format("in {} messages, {}  out {} messages, {}", count_text(now.messages_in),
                         size_text(static_cast<double>(now.bytes_in)), count_text(now.messages_out),
                         size_text(static_cast<double>(now.bytes_out)));
    if (before) {
        const auto seconds = seconds_between(*before, now);
        lines += fmt::format("  per second: in {}, {}  out {}, {}",
                             rate_text(rate(now.messages_in, before->messages_in, seconds)),
                             size_text(rate(now.bytes_in, before->bytes_in, seconds)),
                             rate_text(rate(now.messages_out, before->messages_out, seconds)),
                             size_text(rate(now.bytes_out, before->bytes_out, seconds)));
    }
    return lines + '\n';
}

std::string watched_line(const server_snapshot& first, const server_snapshot& last,
                         std::uint64_t looks) {
    // A server that was started again in between counts from 0.
    const auto since = [](std::uint64_t then, std::uint64_t now) {
        return now < then ? now : now - then;
    };
    const auto bytes = [&](std::uint64_t then, std::uint64_t now) {
        return size_text(static_cast<double>(since(then, now)));
    };
    return fmt::format("Looked {} times in {}: in {} messages, {}, out {} messages, {}; {} "
                       "connections at the end",
                       count_text(looks), time_span_text(last.taken - first.taken),
                       count_text(since(first.messages_in, last.messages_in)),
                       bytes(first.bytes_in, last.bytes_in),
                       count_text(since(first.messages_out, last.messages_out)),
                       bytes(first.bytes_out, last.bytes_out), count_text(last.connections));
}

table connections_table(const server_snapshot& now, const server_snapshot* before,
                        const view_options& options) {
    table drawn{.columns = {{"CID", true},
                            {"Name"},
                            {"Address"},
                            {"Subs", true},
                            {"Pending", true},
                            {"Msgs to", true},
                            {"Msgs from", true},
                            {"Bytes to", true},
                            {"Bytes from", true},
                            {"To/s", true},
                            {"From/s", true},
                            {"Client"},
                            {"Uptime"},
                            {"Idle"}},
                .rows = {}};
    if (options.shows_subjects) drawn.columns.push_back({"Subjects"});
    const auto count = [&](std::uint64_t value) {
        return options.exact ? std::to_string(value) : count_text(value);
    };
    const auto size = [&](std::uint64_t value) {
        return options.exact ? std::to_string(value) : size_text(static_cast<double>(value));
    };
    const auto per_second = [&](double value) {
        return options.exact ? fmt::format("{:.0f}", value) : rate_text(value);
    };
    for (const auto* const row : ordered(now, before, options)) {
        const auto rates = rates_of(*row, now, before);
        std::vector<std::string> cells = {
            std::to_string(row->cid),
            row->name,
            row->address,
            count(row->subscriptions),
            size(row->pending),
            count(row->messages_to),
            count(row->messages_from),
            size(row->bytes_to),
            size(row->bytes_from),
            per_second(rates.messages_to),
            per_second(rates.messages_from),
            row->language,
            row->uptime,
            row->idle,
        };
        if (options.shows_subjects) cells.push_back(joined(row->subjects));
        drawn.rows.push_back(std::move(cells));
    }
    return drawn;
}

std::string snapshot_line(const server_snapshot& now, const server_snapshot* before,
                          const view_options& options) {
    json::array connections;
    for (const auto* const row : ordered(now, before, options)) {
        const auto rates = rates_of(*row, now, before);
        json::object each{{"cid", row->cid},
                          {"name", row->name},
                          {"address", row->address},
                          {"subscriptions", row->subscriptions},
                          {"pending_bytes", row->pending},
                          {"messages_to", row->messages_to},
                          {"messages_from", row->messages_from},
                          {"bytes_to", row->bytes_to},
                          {"bytes_from", row->bytes_from},
                          {"messages_to_per_second", rates.messages_to},
                          {"messages_from_per_second", rates.messages_from},
                          {"client", row->language}};
        if (options.shows_subjects)
            each["subjects"] = json::array(row->subjects.begin(), row->subjects.end());
        connections.push_back(std::move(each));
    }
    return json::serialize(json::object{{"server", now.name},
                                        {"version", now.version},
                                        {"cpu_percent", now.cpu_percent},
                                        {"memory_bytes", now.memory_bytes},
                                        {"connection_count", now.connections},
                                        {"subscriptions", now.subscriptions},
                                        {"slow_consumers", now.slow_consumers},
                                        {"messages_in", now.messages_in},
                                        {"messages_out", now.messages_out},
                                        {"bytes_in", now.bytes_in},
                                        {"bytes_out", now.bytes_out},
                                        {"connections", std::move(connections)}});
}

} // namespace pipit::cli
