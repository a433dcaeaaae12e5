// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/import_subjects.hpp>

#include <pipit/protocol/error.hpp>
#include <pipit/protocol/subject.hpp>
#include <pipit/protocol/subject_transform.hpp>

#include <algorithm>

namespace pipit::broker {
namespace {

using protocol::is_subset;
using protocol::tokens;

std::vector<bytes_view> split(bytes_view subject) {
    std::vector<bytes_view> all;
    for (const auto token : tokens(subject)) all.push_back(token);
    return all;
}

/// What stands behind so many tokens; empty: there are no more.
bytes_view behind_tokens(bytes_view subject, std::size_t count) noexcept {
    for (; count > 0; --count) {
        const auto dot = subject.find('.');
        if (dot == bytes_view::npos) return {};
        subject.remove_prefix(dot + 1);
    }
    return subject;
}

std::string join(const std::vector<bytes_view>& all) {
    std::string joined;
    for (const auto token : all) {
        if (&token != all.data() && !joined.empty()) joined += '.';
        joined += token;
    }
    return joined;
}

bool is_call(std::string_view token) { return token.starts_with("{{") && token.ends_with("}}"); }

/// Which wildcard of the source a token stands for, from 1; 0: none.
std::size_t placeholder_of(std::string_view token) {
    std::string_view digits;
    if (token.size() > 1 && token.front() == '$') digits = token.substr(1);
    if (is_call(token)) {
        const auto open = token.find('('), close = token.rfind(')');
        if (open != token.npos && close != token.npos && open < close) {
            digits = token.substr(open + 1, close - open - 1);
        }
    }
    std::size_t number = 0;
    for (const char c : digits) {
        if (c == ' ') continue;
        if (c < '0' || c > '9' || number > 1000) return 0;
        number = number * 10 + static_cast<std::size_t>(c - '0');
    }
    return number;
}

bool is_wildcard_call(std::string_view token) {
    const auto name = token.substr(2, token.find('(') - 2);
    const auto begin = name.find_first_not_of(' ');
    const auto word = begin == name.npos ? std::string_view() : name.substr(begin);
    return word.starts_with("wildcard") || word.starts_with("Wildcard");
}

error invalid(std::string reason, std::string_view token) {
    return {protocol::errc::invalid_mapping,
            "invalid mapping destination: " + reason + " in " + std::string(token)};
}

/// `*` becomes `$1`, `$2`, … in their order.
std::string numbered(std::string_view subject) {
    std::string result;
    std::size_t next = 1;
    for (const auto token : tokens(subject)) {
        if (!result.empty()) result += '.';
        if (token == "*") {
            result += '$' + std::to_string(next++);
        } else {
            result += token;
        }
    }
    return result;
}

} // namespace

result<import_subjects> import_subjects::make(std::string_view exported, std::string_view local) {
    import_subjects made;
    made.exported_ = exported;
    made.local_ = local.empty() ? exported : local;
    made.same_ = made.local_ == exported;
    if (made.same_ || protocol::is_literal(exported)) return made;

    const auto destination = numbered(local);
    std::size_t used = 0;
    for (const auto token : tokens(destination)) {
        if (is_call(token) && !is_wildcard_call(token)) {
            return invalid(
                "the only mapping function allowed for import transforms is {{Wildcard()}}", token);
        }
        used += placeholder_of(token) != 0;
    }
    // Its words are the ones that people know.
    if (const auto checked = protocol::subject_transform::make(exported, destination); !checked) {
        return checked.error();
    }
    const auto theirs = split(exported);
    if (used < static_cast<std::size_t>(std::ranges::count(theirs, bytes_view("*")))) {
        return invalid("not using all of the token wildcard(s)", destination);
    }
    made.link(theirs, destination);
    return made;
}

/// Finds out which token goes where, both ways; `destination` holds all wildcards.
void import_subjects::link(const std::vector<bytes_view>& exported, bytes_view destination) {
    std::vector<std::size_t> stars; // The places of the exporter's wildcards.
    for (std::size_t place = 0; place < exported.size(); ++place) {
        if (exported[place] == "*") stars.push_back(place);
    }
    local_.clear();
    std::vector<std::size_t> places(stars.size()); // Where the importer has each of them.
    std::size_t place = 0;
    for (const auto token : tokens(destination)) {
        if (place != 0) local_ += '.';
        if (const auto number = placeholder_of(token); number != 0) {
            to_local_.push_back({{}, stars[number - 1], false});
            places[number - 1] = place;
            local_ += '*';
        } else {
            const bool rest = token == ">";
            to_local_.push_back(rest ? step{{}, exported.size() - 1, true}
                                     : step{std::string(token), std::nullopt, false});
            local_ += token;
        }
        ++place;
    }
    std::size_t star = 0;
    for (const auto token : exported) {
        if (token == "*") {
            to_exported_.push_back({{}, places[star++], false});
        } else if (token == ">") {
            to_exported_.push_back({{}, place - 1, true});
        } else {
            to_exported_.push_back({std::string(token), std::nullopt, false});
        }
    }
}

bytes_view import_subjects::apply(const steps& to, bytes_view subject, std::string& result) {
    result.clear();
    for (const auto& step : to) {
        if (&step != to.data()) result += '.';
        if (!step.place) {
            result += step.literal;
        } else {
            const auto from = behind_tokens(subject, *step.place);
            result += step.rest ? from : from.substr(0, from.find('.'));
        }
    }
    return result;
}

bytes_view import_subjects::to_local(bytes_view subject, std::string& scratch) const {
    if (same_) return subject;
    return to_local_.empty() ? bytes_view(local_) : apply(to_local_, subject, scratch);
}

bytes_view import_subjects::to_exported(bytes_view subject, std::string& scratch) const {
    if (same_) return subject;
    return to_exported_.empty() ? bytes_view(exported_) : apply(to_exported_, subject, scratch);
}

std::optional<std::string> import_subjects::interest_of(bytes_view subscribed) const {
    const auto renamed = [this](bytes_view local) {
        std::string scratch;
        return std::string(to_exported(local, scratch));
    };
    if (subscribed == local_ || is_subset(local_, subscribed)) return exported_;
    if (is_subset(subscribed, local_)) return renamed(subscribed);
    if (protocol::is_literal(subscribed)) return std::nullopt;

    // Where both have wildcards, what they have in common.
    auto common = split(subscribed);
    const auto mine = split(local_);
    for (std::size_t i = 0; i < std::min(common.size(), mine.size()); ++i) {
        if (common[i] == "*" && mine[i] != ">") common[i] = mine[i];
    }
    if (common.back() == ">" && mine.size() >= common.size()) {
        common.back() = mine[common.size() - 1];
        for (auto i = common.size(); i < mine.size(); ++i) common.push_back(mine[i]);
    }
    const auto overlap = join(common);
    if (!is_subset(overlap, local_)) return std::nullopt;
    return renamed(overlap);
}

} // namespace pipit::broker
