// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/user_template.hpp>

#include <pipit/base/ascii_case.hpp>
#include <pipit/base/identity_limits.hpp>
#include <pipit/base/trimmed.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/protocol/subject.hpp>

#include <algorithm>

namespace pipit::auth {
namespace {

error invalid(std::string why) { return {errc::invalid_jwt, std::move(why)}; }

/// A piece of a template: text, or the values of which one takes its place.
struct piece {
    std::vector<std::string> values;
};

/// Where the first `{{…}}` begins and ends.
struct word_place {
    std::size_t begin, end;
};
std::optional<word_place> find_word(std::string_view line) {
    for (auto begin = line.find("{{"); begin != std::string_view::npos;
         begin = line.find("{{", begin + 1)) {
        const auto end = line.find('}', begin + 2);
        if (end == std::string_view::npos) break;
        if (end > begin + 2 && line.substr(end).starts_with("}}")) {
            return word_place{begin, end + 2};
        }
    }
    return std::nullopt;
}

class filler {
public:
    filler(const user_jwt& user, const account_jwt& account) : user_(user), account_(account) {}

    /// What one line becomes. Nothing: a word that nothing knows.
    [[nodiscard]] std::optional<std::vector<piece>> pieces_of(std::string_view line) const {
        std::vector<piece> pieces;
        while (const auto found = find_word(line)) {
            const auto [begin, end] = *found;
            if (begin > 0) pieces.push_back({{std::string(line.substr(0, begin))}});
            auto values = values_of(trimmed(line.substr(begin + 2, end - begin - 4), " "));
            if (!values) return std::nullopt;
            pieces.push_back({std::move(*values)});
            line.remove_prefix(end);
        }
        if (!line.empty()) pieces.push_back({{std::string(line)}});
        return pieces;
    }

private:
    [[nodiscard]] std::optional<std::vector<std::string>> values_of(std::string_view word) const {
        const auto name = lower_case(word);
        if (name == "name()") return std::vector{user_.name};
        if (name == "subject()") return std::vector{user_.subject};
        if (name == "account-name()") return std::vector{account_.name};
        if (name == "account-subject()") return std::vector{user_.issuer_account};
        if (!name.ends_with(')')) return std::nullopt;
        for (const auto& [prefix, tags] :
             {std::pair<std::string_view, const std::vector<std::string>&>{"tag(", user_.tags},
              std::pair<std::string_view, const std::vector<std::string>&>{"account-tag(",
                                                                           account_.tags}}) {
            if (!name.starts_with(prefix)) continue;
            const auto tag = name.substr(prefix.size(), name.size() - prefix.size() - 1) + ":";
            std::vector<std::string> values;
            for (const auto& each : tags) {
                if (each.starts_with(tag)) values.push_back(each.substr(tag.size()));
            }
            return values;
        }
        return std::nullopt;
    }

    const user_jwt& user_;
    const account_jwt& account_;
};

/// How many subjects the pieces make; nothing: too many.
std::optional<std::size_t> product_of(const std::vector<piece>& pieces) {
    std::size_t product = 1;
    for (const auto& each : pieces) {
        product *= each.values.size();
        if (product > limits::template_subjects) return std::nullopt;
    }
    return product;
}

std::string subject_of(const std::vector<piece>& pieces, std::size_t number) {
    std::string subject;
    for (const auto& each : pieces) {
        subject += each.values[number % each.values.size()];
        number /= each.values.size();
    }
    return subject;
}

result<std::vector<std::string>> fill(const std::vector<std::string>& list, bool denies,
                                      const filler& words) {
    const auto has_word = [](const std::string& line) { return find_word(line).has_value(); };
    if (std::none_of(list.begin(), list.end(), has_word)) return list;
    std::vector<std::string> filled;
    for (const auto& line : list) {
        const auto pieces = words.pieces_of(line);
        if (!pieces) return invalid("template operation in " + protocol::quoted(line));
        const auto count = product_of(*pieces);
        if (!count || filled.size() + *count > limits::template_subjects) {
            return invalid("template expansion exceeds limit");
        }
        // A tag that nobody has: nothing to allow, and nobody knows what to deny.
        if (*count == 0 && denies) return invalid("generated invalid subject");
        for (std::size_t number = 0; number < *count; ++number) {
            auto subject = subject_of(*pieces, number);
            // As nats-server: beside a template no entry can name a queue.
            if (protocol::is_valid_subject(subject)) {
                filled.push_back(std::move(subject));
            } else if (denies) {
                return invalid("generated invalid subject");
            }
        }
    }
    return filled;
}

} // namespace

result<user_rights> fill_template(const user_rights& scope, const user_jwt& user,
                                  const account_jwt& account) {
    const filler words(user, account);
    auto rights = scope;
    auto& lists = rights.permissions;
    struct direction {
        std::vector<std::string>& allow;
        std::vector<std::string>& deny;
    };
    for (const auto& [allow, deny] : {direction{lists.subscribe_allow, lists.subscribe_deny},
                                      direction{lists.publish_allow, lists.publish_deny}}) {
        auto allowed = fill(allow, false, words);
        if (!allowed) return allowed.error();
        auto denied = fill(deny, true, words);
        if (!denied) return denied.error();
        // An empty list would allow everything.
        if (!allow.empty() && allowed->empty()) denied->emplace_back(">");
        allow = std::move(*allowed);
        deny = std::move(*denied);
    }
    return rights;
}

} // namespace pipit::auth
