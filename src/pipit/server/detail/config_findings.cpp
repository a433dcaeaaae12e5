// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/config_findings.hpp>

#include <pipit/base/ascii_case.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/base/nearest_name.hpp>
#include <pipit/protocol/go_text.hpp>

#include <algorithm>
#include <tuple>

namespace pipit::server::detail {

void config_findings::add(std::vector<finding>& list, const config_place& place,
                          std::string_view text) {
    if (list.size() < limits::config_findings) {
        list.push_back({place, std::string(text)});
    } else {
        ++unshown_;
    }
}

void config_findings::unknown_key(const config_entry& entry,
                                  const std::vector<std::string_view>& known) {
    if (entry.used_as_variable) return;
    auto text = "unknown field " + protocol::quoted(entry.key);
    const auto nearest = errors_.size() < limits::config_findings
                             ? nearest_name(lower_case(entry.key), known)
                             : std::string_view();
    if (!nearest.empty()) text += "; did you mean " + protocol::quoted(nearest) + "?";
    error(entry.place, text);
}

void config_findings::leave_out(const config_entry& entry, std::string_view what) {
    add(notices_, entry.place,
        "not supported yet: " + std::string(what) + ", line " + std::to_string(entry.place.line) +
            "; the server starts without it");
}

void config_findings::wrong_kind(const config_entry& entry, std::string_view wanted) {
    error(entry.place, protocol::quoted(entry.key) + " takes " + std::string(wanted) + ", not " +
                           std::string(entry.value.kind()));
}

std::string config_findings::all_texts() const {
    std::string all;
    for (const auto* list : {&warnings_, &errors_}) {
        for (const auto& text : texts(*list)) all += text + '\n';
    }
    if (unshown_ > 0) all += "and " + std::to_string(unshown_) + " more\n";
    return all;
}

std::vector<std::string> config_findings::texts(const std::vector<finding>& list) {
    auto sorted = list;
    const auto place_of = [](const finding& one) {
        return std::make_tuple(one.place.file ? std::string_view(*one.place.file) : "",
                               one.place.line, one.place.column);
    };
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](const finding& a, const finding& b) { return place_of(a) < place_of(b); });
    std::vector<std::string> result;
    for (const auto& one : sorted) result.push_back(one.place.to_text() + ": " + one.text);
    return result;
}

} // namespace pipit::server::detail
