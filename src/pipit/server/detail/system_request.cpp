// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/ascii_case.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/server/detail/system_request.hpp>
#include <pipit/server/error.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <utility>

namespace pipit::server {
namespace {

namespace json = boost::json;
using type = request_option::type;

std::string_view kind_of(const json::value& value) noexcept {
    switch (value.kind()) {
    case json::kind::null: return "null";
    case json::kind::bool_: return "bool";
    case json::kind::string: return "string";
    case json::kind::array: return "array";
    case json::kind::object: return "object";
    default: return "number";
    }
}

/// Reads the members of one body; `problem_` is the first that cannot be read.
class reader {
public:
    explicit reader(const json::object& object) noexcept : object_(object) {}

    /// False: it is not there.
    bool text(std::string_view name, std::string& into) {
        const auto* value = find(name);
        if (value == nullptr) return false;
        if (value->is_string()) {
            into = value->get_string();
        } else {
            complain(name, *value, "string");
        }
        return true;
    }
    void flag(std::string_view name, bool& into) {
        const auto* value = find(name);
        if (value == nullptr) return;
        if (!value->is_bool()) return complain(name, *value, "bool");
        into = value->get_bool();
    }
    void texts(std::string_view name, std::vector<std::string>& into) {
        const auto* value = find(name);
        if (value == nullptr) return;
        if (!value->is_array()) return complain(name, *value, "[]string");
        for (const auto& each : value->get_array()) {
            if (!each.is_string()) return complain(name, each, "string");
            into.emplace_back(each.get_string());
        }
    }
    /// For a name that is a list in one request and a flag in another.
    void texts_of_list(std::string_view name, std::vector<std::string>& into) {
        const auto* value = find(name);
        if (value != nullptr && value->is_array()) texts(name, into);
    }
    /// The number as text; empty when it is not there.
    std::string number(std::string_view name, std::string_view go_type) {
        const auto* value = find(name);
        if (value == nullptr) return {};
        if (value->is_int64()) return std::to_string(value->get_int64());
        if (value->is_uint64()) return std::to_string(value->get_uint64());
        complain(name, *value, go_type);
        return {};
    }
    std::string natural(std::string_view name) {
        const auto* value = find(name);
        const bool is_below = value != nullptr && value->is_int64() && value->get_int64() < 0;
        if (!is_below) return number(name, "uint64");
        complain(name, *value, "uint64");
        return {};
    }

    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

private:
    const json::value* find(std::string_view name) const {
        const json::value* found = nullptr;
        for (const auto& member : object_) {
            const std::string_view key(member.key().data(), member.key().size());
            if (equal_without_case(key, name) && !member.value().is_null()) found = &member.value();
        }
        return found;
    }
    void complain(std::string_view name, const json::value& value, std::string_view wanted) {
        if (!problem_.empty()) return;
        problem_.append("json: cannot unmarshal ").append(kind_of(value));
        problem_.append(" into Go struct field ").append(name);
        problem_.append(" of type ").append(wanted);
    }

    const json::object& object_;
    std::string problem_;
};

/// A member as the HTTP parameter that means the same; nothing: it is not there.
std::optional<std::string> parameter_of(reader& from, const request_option& option) {
    const auto unless_empty = [](std::string text) {
        return text.empty() ? std::nullopt : std::optional(std::move(text));
    };
    switch (option.kind) {
    case type::text: {
        std::string text;
        return from.text(option.member, text) ? std::optional(text) : std::nullopt;
    }
    case type::flag: {
        bool set = false;
        from.flag(option.member, set);
        return unless_empty(set ? "1" : "");
    }
    case type::number: return unless_empty(from.number(option.member, "int"));
    case type::natural: return unless_empty(from.natural(option.member));
    case type::connection_state: {
        const auto number = from.number(option.member, "server.ConnState");
        if (number.empty() || number == "0") return std::nullopt;
        if (number == "1") return "closed";
        return number == "2" ? "all" : "none";
    }
    }
    return std::nullopt;
}

} // namespace

result<system_request> read_system_request(bytes_view body,
                                           std::span<const request_option> options) {
    system_request request;
    if (body.empty()) return request;
    boost::system::error_code failed;
    json::parse_options strict;
    strict.max_depth = limits::system_request_depth;
    const auto value = json::parse(body, failed, {}, strict);
    if (failed) return error(errc::invalid_request, "invalid JSON: " + failed.message());
    if (value.is_null()) return request;
    if (!value.is_object()) {
        return error(errc::invalid_request,
                     "json: cannot unmarshal " + std::string(kind_of(value)) + " into Go value");
    }
    reader of_filter(value.get_object());
    auto& filter = request.filter;
    of_filter.text("server_name", filter.name);
    of_filter.text("cluster", filter.cluster);
    of_filter.text("host", filter.host);
    of_filter.text("domain", filter.domain);
    of_filter.texts("tags", filter.tags);
    of_filter.flag("exact_match", filter.exact_match);
    request.filter_problem = of_filter.problem();
    reader from(value.get_object());
    for (const auto& option : options) {
        auto text = parameter_of(from, option);
        if (text) request.parameters.emplace_back(option.parameter, std::move(*text));
    }
    from.texts_of_list("accounts", request.accounts);
    from.flag("include_unused", request.include_unused);
    if (!from.problem().empty()) return error(errc::invalid_request, from.problem());
    return request;
}

} // namespace pipit::server
