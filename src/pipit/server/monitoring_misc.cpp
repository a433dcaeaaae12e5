// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/ascii_case.hpp>
#include <pipit/base/url_user.hpp>
#include <pipit/server/detail/monitoring_documents.hpp>
#include <pipit/server/detail/monitoring_text.hpp>

#include <array>

/// The documents about what this server has none of, and the page that links to all of them.
namespace pipit::server {
namespace {

/// Reads `subs`, which may also be `detail`.
void read_subscriptions_flag(parameters& query) {
    if (lower_case(query.text("subs")) == "detail") return;
    static_cast<void>(query.flag("subs"));
}

/// A document that begins with the server's number and the time, and goes on with `rest`.
template <class Rest>
net::http_response plain_document(const document_request& request, Rest rest) {
    if (!request.query.problem().empty()) return bad_request(request.query.problem());
    const auto snapshot = request.collect({});
    if (!snapshot) return unavailable(snapshot.error());
    std::string text;
    json_writer json(text, page_indent);
    json.begin_object();
    rest(json, *snapshot);
    json.end_object();
    return json_answer(std::move(text));
}

void write_empty_object(json_writer& json, std::string_view name) {
    json.begin_object(name);
    json.end_object();
}

/// The queues that every nats-server has; nothing ever waits in them here.
constexpr std::array<std::string_view, 5> always_empty_queues{
    "SendQ", "System recvQ", "System recvQ Pings", "System sendQ", "delayed API responses"};

struct link {
    std::string_view title;
    std::string_view path;
};

constexpr std::array links{
    link{"General", "/varz"},           link{"JetStream", "/jsz"},
    link{"Connections", "/connz"},      link{"Accounts", "/accountz"},
    link{"Account Stats", "/accstatz"}, link{"Subscriptions", "/subsz"},
    link{"Routes", "/routez"},          link{"LeafNodes", "/leafz"},
    link{"Gateways", "/gatewayz"},      link{"Raft Groups", "/raftz"},
    link{"Health Probe", "/healthz"},   link{"Expvar", "/debug/vars"},
    link{"Metrics", "/metrics"},
};

constexpr std::string_view page_head = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Pipit</title>
<style>
body { font-family: system-ui, sans-serif; margin: 2rem; max-width: 40rem; color: #223 }
a { display: flex; gap: 1rem; padding: .3rem 0; color: #335; text-decoration: none }
a:hover { color: #06c }
code { color: #889 }
</style>
</head>
<body>
)";

/// What follows these flags is nobody's business.
bool is_secret_flag(std::string_view argument) {
    if (!argument.starts_with('-')) return false;
    argument.remove_prefix(argument.starts_with("--") ? 2 : 1);
    return argument == "pass" || argument == "auth";
}

/// The command line without passwords and tokens, which nats-server shows to everybody.
std::vector<std::string> redacted(std::vector<std::string> arguments) {
    constexpr auto hidden = "[REDACTED]";
    auto value_is_secret = false;
    for (auto& argument : arguments) {
        const auto equals = argument.find('=');
        const auto url = argument.starts_with('-') && equals != std::string::npos ? equals + 1 : 0;
        const auto user = url_user_of(std::string_view(argument).substr(url));
        if (value_is_secret) {
            argument = hidden;
            value_is_secret = false;
        } else if (equals != std::string::npos && is_secret_flag(argument.substr(0, equals))) {
            argument.replace(equals + 1, std::string::npos, hidden);
        } else if (argument.find("://") != std::string::npos && !user.empty()) {
            argument.replace(url + user.begin, user.end - user.begin, hidden);
        } else {
            value_is_secret = is_secret_flag(argument);
        }
    }
    return arguments;
}

} // namespace

net::http_response root_page(const document_request& request) {
    const auto snapshot = request.collect({});
    if (!snapshot) return unavailable(snapshot.error());
    std::string page(page_head);
    page.append("<h1>Pipit ").append(snapshot->server.pipit_version);
    page.append("</h1>\n<p>Speaks NATS like nats-server ");
    page.append(snapshot->configuration->identity.version).append("</p>\n");
    // Relative, so that they work behind a proxy that puts something in front.
    for (const auto& link : links) {
        page += "<a href=\"." + joined_path(request.base_path, link.path) + "\">" +
                std::string(link.title) + " <code>" + std::string(link.path) + "</code></a>\n";
    }
    return {200, "text/html; charset=utf-8", page.append("</body>\n</html>\n")};
}

net::http_response routez(const document_request& request) {
    read_subscriptions_flag(request.query);
    return plain_document(request, [](json_writer& json, const monitoring_snapshot& snapshot) {
        json.member("server_id", snapshot.configuration->identity.id);
        json.member("server_name", snapshot.configuration->identity.name);
        json.member("now", rfc3339(snapshot.server.now.wall));
        json.member("num_routes", 0);
        json.begin_array("routes");
        json.end_array();
    });
}

net::http_response leafz(const document_request& request) {
    static_cast<void>(request.query.flag("subs"));
    return plain_document(request, [](json_writer& json, const monitoring_snapshot& snapshot) {
        json.member("server_id", snapshot.configuration->identity.id);
        json.member("now", rfc3339(snapshot.server.now.wall));
        json.member("leafnodes", 0);
        json.begin_array("leafs");
        json.end_array();
    });
}

net::http_response gatewayz(const document_request& request) {
    read_subscriptions_flag(request.query);
    static_cast<void>(request.query.flag("accs"));
    return plain_document(request, [](json_writer& json, const monitoring_snapshot& snapshot) {
        json.member("server_id", snapshot.configuration->identity.id);
        json.member("now", rfc3339(snapshot.server.now.wall));
        write_empty_object(json, "outbound_gateways");
        write_empty_object(json, "inbound_gateways");
    });
}

net::http_response jsz(const document_request& request) {
    auto& query = request.query;
    for (const auto* flag : {"accounts", "streams", "consumers", "direct-consumers", "config"}) {
        static_cast<void>(query.flag(flag));
    }
    for (const auto* number : {"offset", "limit"}) static_cast<void>(query.integer(number));
    const auto leader_only = query.flag("leader-only");
    for (const auto* flag : {"raft", "stream-leader-only"}) static_cast<void>(query.flag(flag));
    if (leader_only) query.complain("filtered response: not leader");
    return plain_document(request, [](json_writer& json, const monitoring_snapshot& snapshot) {
        for (const auto* count : {"memory", "storage", "reserved_memory", "reserved_storage",
                                  "accounts", "ha_assets"}) {
            json.member(count, 0);
        }
        json.begin_object("api");
        for (const auto* count : {"level", "total", "errors"}) json.member(count, 0);
        json.end_object();
        json.member("server_id", snapshot.configuration->identity.id);
        json.member("now", rfc3339(snapshot.server.now.wall));
        json.member("disabled", true);
        json.begin_object("config");
        json.member("max_memory", 0);
        json.member("max_storage", 0);
        json.end_object();
        for (const auto* count : {"streams", "consumers", "messages", "bytes", "total"}) {
            json.member(count, 0);
        }
    });
}

net::http_response raftz(const document_request&) {
    return text_answer(404, "No Raft nodes registered");
}

net::http_response ipqueuesz(const document_request& request) {
    const auto all = request.query.flag("all");
    const auto part_of_name = request.query.text("queues");
    if (!request.query.problem().empty()) return bad_request(request.query.problem());
    std::string text;
    json_writer json(text, "   ");
    json.begin_object();
    for (const auto name : always_empty_queues) {
        if (!all || name.find(part_of_name) == std::string_view::npos) continue;
        json.begin_object(name);
        json.member("pending", 0);
        json.end_object();
    }
    json.end_object();
    return json_answer(std::move(text));
}

net::http_response stacksz(const document_request& request) {
    const auto snapshot = request.collect({});
    if (!snapshot) return unavailable(snapshot.error());
    std::string text = "No goroutines: every loop is one thread.\n";
    for (std::size_t loop = 0; loop < snapshot->loops.size(); ++loop) {
        text += "loop " + std::to_string(loop) + ": answers, " +
                std::to_string(snapshot->loops[loop].statistics.connections) + " connections\n";
    }
    return json_answer(std::move(text));
}

net::http_response debug_vars(const document_request& request) {
    const auto snapshot = request.collect({});
    if (!snapshot) return unavailable(snapshot.error());
    std::string text;
    json_writer json(text);
    json.begin_object();
    json.member("cmdline", redacted(snapshot->server.command_line));
    json.begin_object("memstats");
    for (const auto* all : {"Alloc", "Sys", "HeapAlloc", "HeapSys", "HeapInuse"}) {
        json.member(all, snapshot->server.memory_bytes);
    }
    for (const auto* none : {"LastGC", "PauseTotalNs", "NumGC"}) json.member(none, 0);
    json.member("EnableGC", false);
    json.end_object();
    json.end_object();
    text += '\n';
    return {200, "application/json; charset=utf-8", std::move(text)};
}

} // namespace pipit::server
