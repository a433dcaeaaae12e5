// SPDX-License-Identifier: Apache-2.0
#include <cli/context_document.hpp>

#include <cli/secrets.hpp>

#include <pipit/base/url_list.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace pipit::cli {
namespace {

namespace json = boost::json;

constexpr std::array texts_of_a_new_one = {
    "description",
    "url",
    "socks_proxy",
    "token",
    "user",
    "password",
    "creds",
    "nkey",
    "cert",
    "key",
    "ca",
    "nsc",
    "jetstream_domain",
    "jetstream_api_prefix",
    "jetstream_event_prefix",
    "inbox_prefix",
    "user_jwt",
    "user_seed",
    "color_scheme",
};

json::parse_options bounded() {
    json::parse_options options;
    options.max_depth = 32;
    return options;
}

} // namespace

context_document::context_document() {
    for (const auto* key : texts_of_a_new_one) members_.emplace_back(key, "\"\"");
    members_.emplace_back("tls_first", "false");
}

result<context_document> context_document::parse(bytes_view text) {
    error_code failed;
    const auto value = json::parse(text, failed, {}, bounded());
    if (failed) return error(failed, "in the context's file");
    const auto* const object = value.if_object();
    if (!object) {
        const auto code = make_error_code(boost::system::errc::invalid_argument);
        return error(code, "the context's file holds no object of JSON");
    }
    context_document document;
    document.members_.clear();
    for (const auto& member : *object) {
        document.members_.emplace_back(member.key(), json::serialize(member.value()));
    }
    return document;
}

std::string context_document::get(std::string_view key) const {
    for (const auto& [name, value] : members_) {
        if (name != key || !value.starts_with('"')) continue;
        const auto parsed = json::parse(value);
        return std::string(parsed.get_string());
    }
    return {};
}

bool context_document::is_true(std::string_view key) const {
    return std::any_of(members_.begin(), members_.end(), [&](const auto& member) {
        return member.first == key && member.second == "true";
    });
}

void context_document::set(std::string_view key, std::string_view value) {
    set_written(key, json::serialize(json::value(json::string(value))));
}

void context_document::set_flag(std::string_view key) { set_written(key, "true"); }

void context_document::set_written(std::string_view key, std::string value) {
    for (auto& [name, old] : members_) {
        if (name != key) continue;
        old = std::move(value);
        return;
    }
    members_.emplace_back(key, std::move(value));
}

std::string context_document::to_text() const {
    std::string text = "{";
    for (const auto& [name, value] : members_) {
        text += (text.size() > 1 ? ",\n  " : "\n  ");
        text += json::serialize(json::value(json::string(name))) + ": " + value;
    }
    return text + "\n}";
}

std::string context_document::to_line(std::string_view name) const {
    json::object line{{"name", name}};
    for (const auto& [key, value] : members_) {
        auto shown = json::parse(value);
        if (const auto* const text = shown.if_string()) shown = shown_value(key, *text);
        line[key] = std::move(shown);
    }
    return json::serialize(line);
}

std::string shown_value(std::string_view key, std::string_view value) {
    constexpr std::array secrets = {"password", "token", "user_seed", "user_jwt"};
    if (key == "url" || key == "socks_proxy") return urls_without_users(value);
    const bool is_secret = std::find(secrets.begin(), secrets.end(), key) != secrets.end() ||
                           // Credentials, where others have a path.
                           value.starts_with("data:") || looks_secret(value);
    return is_secret && !value.empty() ? "***" : std::string(value);
}

bool is_valid_context_name(std::string_view name) {
    return !name.empty() && name.size() <= 200 && name.find("..") == std::string_view::npos &&
           name.find_first_of(std::string_view("/\\\0\n", 4)) == std::string_view::npos;
}

} // namespace pipit::cli
