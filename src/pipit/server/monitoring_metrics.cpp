// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/limits.hpp>
#include <pipit/base/utf8.hpp>
#include <pipit/server/detail/monitoring_documents.hpp>

#include <array>
#include <charconv>
#include <span>

namespace pipit::server {
namespace {

std::string number(double value) {
    std::array<char, 512> digits{};
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed)
            .ptr;
    return {digits.data(), end};
}

std::string number(std::uint64_t value) { return std::to_string(value); }

/// A label's value: backslash, quote and line end escaped, UTF-8 throughout.
std::string label_value(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const auto decoded = decode_utf8(text);
        if (!decoded.valid) {
            result += "\ufffd";
        } else if (text[0] == '\n') {
            result += "\\n";
        } else {
            if (text[0] == '\\' || text[0] == '"') result += '\\';
            result += text.substr(0, decoded.length);
        }
        text.remove_prefix(decoded.length);
    }
    return result;
}

/// Writes the Prometheus text format, version 0.0.4.
class metrics_writer {
public:
    /// Begins a family; its samples follow.
    void family(std::string_view name, std::string_view type, std::string_view help) {
        name_ = "pipit_" + std::string(name);
        text_ += "# HELP " + name_ + ' ' + std::string(help) + "\n# TYPE " + name_ + ' ' +
                 std::string(type) + '\n';
    }

    template <class Number>
    void sample(Number value) {
        text_ += name_ + ' ' + number(value) + '\n';
    }
    template <class Number>
    void sample(std::string_view label, std::string_view value_of_label, Number value) {
        text_ += name_ + '{' + std::string(label) + "=\"" + label_value(value_of_label) + "\"} " +
                 number(value) + '\n';
    }

    /// A family with one sample and no label.
    template <class Number>
    void single(std::string_view name, std::string_view type, std::string_view help, Number value) {
        family(name, type, help);
        sample(value);
    }

    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    std::string text_;
    std::string name_;
};

/// A number of a loop or of an account, and how it is called.
template <class Snapshot>
struct series {
    std::string_view name;
    std::string_view type;
    std::string_view help;
    std::uint64_t (*value)(const Snapshot&);
};

using broker::account_snapshot;
using broker::broker_statistics;

/// Written as `pipit_<name>` over all loops, and as `pipit_loop_<name>` of each.
constexpr std::array statistics_series{
    series<broker_statistics>{"connections", "gauge", "Open client connections.",
                              [](const broker_statistics& s) { return s.connections; }},
    series<broker_statistics>{"connections_total", "counter", "Client connections since the start.",
                              [](const broker_statistics& s) { return s.total_connections; }},
    series<broker_statistics>{"subscriptions", "gauge", "Subscriptions.",
                              [](const broker_statistics& s) { return s.subscriptions; }},
    series<broker_statistics>{"received_messages_total", "counter", "Messages from clients.",
                              [](const broker_statistics& s) { return s.in.messages; }},
    series<broker_statistics>{"received_bytes_total", "counter",
                              "Headers and payload of messages from clients.",
                              [](const broker_statistics& s) { return s.in.bytes; }},
    series<broker_statistics>{"sent_messages_total", "counter", "Messages to clients.",
                              [](const broker_statistics& s) { return s.out.messages; }},
    series<broker_statistics>{"sent_bytes_total", "counter",
                              "Headers and payload of messages to clients.",
                              [](const broker_statistics& s) { return s.out.bytes; }},
    series<broker_statistics>{"slow_consumers_total", "counter",
                              "Connections closed because they read too slowly.",
                              [](const broker_statistics& s) { return s.slow_consumers; }},
    series<broker_statistics>{"stale_connections_total", "counter",
                              "Connections closed because they answered no PING.",
                              [](const broker_statistics& s) { return s.stale_connections; }},
    series<broker_statistics>{"stalled_clients_total", "counter",
                              "Pauses of publishers that were too fast for a subscriber.",
                              [](const broker_statistics& s) { return s.stalled_clients; }},
};

/// Written as `pipit_account_<name>`.
constexpr std::array account_series{
    series<account_snapshot>{"connections", "gauge", "Open client connections.",
                             [](const account_snapshot& a) { return a.connections; }},
    series<account_snapshot>{"connections_total", "counter", "Client connections since the start.",
                             [](const account_snapshot& a) { return a.total_connections; }},
    series<account_snapshot>{"subscriptions", "gauge", "Subscriptions.",
                             [](const account_snapshot& a) { return a.subscriptions; }},
    series<account_snapshot>{"received_messages_total", "counter", "Messages from clients.",
                             [](const account_snapshot& a) { return a.received.messages; }},
    series<account_snapshot>{"received_bytes_total", "counter",
                             "Headers and payload of messages from clients.",
                             [](const account_snapshot& a) { return a.received.bytes; }},
    series<account_snapshot>{"sent_messages_total", "counter", "Messages to clients.",
                             [](const account_snapshot& a) { return a.sent.messages; }},
    series<account_snapshot>{"sent_bytes_total", "counter",
                             "Headers and payload of messages to clients.",
                             [](const account_snapshot& a) { return a.sent.bytes; }},
    series<account_snapshot>{"slow_consumers_total", "counter",
                             "Connections closed because they read too slowly.",
                             [](const account_snapshot& a) { return a.slow_consumers; }},
};

/// An account's numbers under the name they are shown with.
struct named_account {
    std::string_view name;
    account_snapshot numbers;
};

/// The first accounts as they are, and all that are left over as one.
std::vector<named_account> bounded_accounts(const monitoring_snapshot& snapshot) {
    std::vector<named_account> accounts;
    for (const auto& account : total_accounts(snapshot)) {
        if (accounts.size() < limits::metrics_accounts) {
            accounts.push_back({account_name(*snapshot.configuration, account.id), account});
            continue;
        }
        if (accounts.size() == limits::metrics_accounts) accounts.push_back({"(others)", {}});
        auto& others = accounts.back().numbers;
        others.connections += account.connections;
        others.total_connections += account.total_connections;
        others.subscriptions += account.subscriptions;
        others.received += account.received;
        others.sent += account.sent;
        others.slow_consumers += account.slow_consumers;
    }
    return accounts;
}

void write_server(metrics_writer& writer, const monitoring_snapshot& snapshot) {
    const auto& server = snapshot.server;
    writer.family("build_info", "gauge", "Always 1; the label says which version this is.");
    writer.sample("version", server.pipit_version, std::uint64_t{1});
    const auto start = std::chrono::duration<double>(server.start.time_since_epoch()).count();
    writer.single("start_time_seconds", "gauge", "When the server was started, in Unix time.",
                  start);
    writer.single("resident_memory_bytes", "gauge", "Resident memory.", server.memory_bytes);
    writer.single("cpu_percent", "gauge", "Processor use; 100 is one core.", server.cpu_percent);
    writer.single("ready", "gauge", "1 when the server accepts connections.",
                  std::uint64_t{server.not_ready.empty()});
    writer.single("max_connections", "gauge", "How many connections are allowed.",
                  static_cast<double>(snapshot.configuration->max_connections));
}

void write_loops(metrics_writer& writer, const monitoring_snapshot& snapshot) {
    for (const auto& each : statistics_series) {
        writer.family("loop_" + std::string(each.name), each.type, each.help);
        for (std::size_t loop = 0; loop < snapshot.loops.size(); ++loop) {
            writer.sample("loop", std::to_string(loop),
                          each.value(snapshot.loops[loop].statistics));
        }
    }
}

void write_accounts(metrics_writer& writer, const monitoring_snapshot& snapshot) {
    const auto accounts = bounded_accounts(snapshot);
    for (const auto& each : account_series) {
        writer.family("account_" + std::string(each.name), each.type, each.help);
        for (const auto& account : accounts) {
            writer.sample("account", account.name, each.value(account.numbers));
        }
    }
}

} // namespace

net::http_response metrics(const document_request& request) {
    const auto snapshot = request.collect({.accounts = true});
    if (!snapshot) return unavailable(snapshot.error());
    const auto total = total_statistics(*snapshot);
    metrics_writer writer;
    write_server(writer, *snapshot);
    for (const auto& each : statistics_series) {
        writer.single(each.name, each.type, each.help, each.value(total));
    }
    writer.family("http_requests_total", "counter", "Monitoring requests, by path.");
    for (const auto& [path, count] : request.counts) writer.sample("path", path, count);
    write_loops(writer, *snapshot);
    write_accounts(writer, *snapshot);
    return {200, "text/plain; version=0.0.4; charset=utf-8", writer.take()};
}

} // namespace pipit::server
