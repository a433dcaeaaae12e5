// SPDX-License-Identifier: Apache-2.0
#include <cli/settings.hpp>

#include <cli/units.hpp>

#include <pipit/base/url_list.hpp>
#include <pipit/protocol/server_address.hpp>

#include <algorithm>

namespace pipit::cli {
namespace {

std::optional<std::string> unless_empty(std::optional<std::string> text) {
    return text && !text->empty() ? std::move(text) : std::nullopt;
}

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// `$NAME`, `${NAME}`, and a `~` at the beginning.
std::string expanded(std::string_view path, const environment& variables) {
    std::string text;
    if (path.starts_with('~') && (path.size() == 1 || path[1] == '/')) {
        text = variables("HOME").value_or("~");
        path.remove_prefix(1);
    }
    while (!path.empty()) {
        const auto dollar = path.find('$');
        text += path.substr(0, dollar);
        if (dollar == std::string_view::npos) break;
        path.remove_prefix(dollar + 1);
        const bool braces = path.starts_with('{');
        if (braces) path.remove_prefix(1);
        std::size_t size = 0;
        while (size < path.size() && is_name_character(path[size])) ++size;
        text += variables(std::string(path.substr(0, size))).value_or("");
        path.remove_prefix(size);
        if (braces && path.starts_with('}')) path.remove_prefix(1);
    }
    return text;
}

bool says_who(const connection_settings& source) {
    return source.user || source.token || source.creds || source.nkey || source.user_jwt ||
           source.nsc;
}

void take_who(connection_settings& target, const connection_settings& source) {
    target.user = source.user;
    target.token = source.token;
    target.creds = source.creds;
    target.nkey = source.nkey;
    target.user_jwt = source.user_jwt;
    target.user_seed = source.user_seed;
    target.nsc = source.nsc;
}

template <class T>
void take_missing(std::optional<T>& target, const std::optional<T>& source) {
    if (!target) target = source;
}

} // namespace

result<connection_settings> settings_of(const environment& variables) {
    const auto read = [&](const char* name) { return unless_empty(variables(name)); };
    connection_settings settings{.servers = read("NATS_URL"),
                                 .user = read("NATS_USER"),
                                 .password = read("NATS_PASSWORD"),
                                 .token = read("NATS_TOKEN"),
                                 .creds = read("NATS_CREDS"),
                                 .nkey = read("NATS_NKEY"),
                                 .inbox_prefix = read("NATS_INBOX_PREFIX"),
                                 .context = read("NATS_CONTEXT"),
                                 .tls_certificate = read("NATS_CERT"),
                                 .tls_key = read("NATS_KEY"),
                                 .tls_authority = read("NATS_CA")};
    if (const auto timeout = read("NATS_TIMEOUT")) {
        settings.timeout = parse_time_span(*timeout);
        if (!settings.timeout) {
            const auto code = make_error_code(boost::system::errc::invalid_argument);
            return error(code, "NATS_TIMEOUT: '" + *timeout + "' is not a duration such as 5s");
        }
    }
    return settings;
}

connection_settings settings_of(const context_document& context, const environment& variables) {
    const auto read = [&](const char* key) { return unless_empty(context.get(key)); };
    const auto read_path = [&](const char* key) -> std::optional<std::string> {
        const auto text = read(key);
        if (!text || text->starts_with("data:")) return text;
        return expanded(*text, variables);
    };
    return {.servers = read("url"),
            .user = read("user"),
            .password = read("password"),
            .token = read("token"),
            .creds = read_path("creds"),
            .nkey = read_path("nkey"),
            .user_jwt = read("user_jwt"),
            .user_seed = read("user_seed"),
            .nsc = read("nsc"),
            .inbox_prefix = read("inbox_prefix"),
            .tls_certificate = read_path("cert"),
            .tls_key = read_path("key"),
            .tls_authority = read_path("ca"),
            .tls_first = context.is_true("tls_first")};
}

connection_settings merged(const std::vector<connection_settings>& sources) {
    connection_settings all;
    for (const auto& source : sources) {
        const bool decides = !says_who(all) && says_who(source);
        // A password goes with the user of its own source or with one that is found later.
        if (!says_who(all)) take_missing(all.password, source.password);
        if (decides) take_who(all, source);
        take_missing(all.servers, source.servers);
        take_missing(all.inbox_prefix, source.inbox_prefix);
        take_missing(all.connection_name, source.connection_name);
        // A certificate goes with its own key.
        if (!all.tls_certificate && !all.tls_key) {
            all.tls_certificate = source.tls_certificate;
            all.tls_key = source.tls_key;
        }
        take_missing(all.tls_authority, source.tls_authority);
        all.tls_first |= source.tls_first;
        take_missing(all.context, source.context);
        take_missing(all.timeout, source.timeout);
        if (all.user) take_missing(all.password, source.password);
    }
    return all;
}

void take_lone_user_for_token(connection_settings& settings) {
    if (!settings.user || settings.password || settings.token) return;
    settings.token = settings.user;
    settings.user.reset();
}

std::string url_at(std::string_view like, std::string_view place) {
    const auto scheme = like.find("://");
    const auto begin = scheme == std::string_view::npos ? 0 : scheme + 3;
    const auto end = std::min(like.find('/', begin), like.size());
    const auto user = like.substr(begin, end - begin).rfind('@');
    const auto host = user == std::string_view::npos ? begin : begin + user + 1;
    return (begin == 0 ? "nats://" : "") + std::string(like.substr(0, host)) + std::string(place) +
           std::string(like.substr(end));
}

std::vector<named_server> named_servers(std::string_view list) {
    std::vector<named_server> servers;
    for (const auto& [url, may_be_secret] : split_urls(list)) {
        servers.push_back({std::string(url), may_be_secret});
    }
    return servers;
}

std::string named_server::shown() const {
    return may_be_secret ? "(not shown: a comma and an @ follow)" : urls_without_users(url);
}

std::string named_server::failure(const error& why) const {
    return may_be_secret ? why.code().message() : why.message();
}

std::optional<std::string> complaint_about_servers(std::string_view list) {
    const auto servers = protocol::parse_server_urls(list);
    if (servers && !servers->empty()) return std::nullopt;
    const auto urls = split_urls(list);
    const bool may_have_a_comma =
        std::any_of(urls.begin(), urls.end(), [](const auto& each) { return each.may_be_secret; });
    const std::string_view complaint =
        may_have_a_comma ? "is not a server's URL, as nats://HOST:4222 is; a comma in a user or "
                           "password is written %2C"
                         : "is not a server's URL, as nats://HOST:4222 is";
    return std::optional<std::string>(std::in_place, complaint);
}

} // namespace pipit::cli
