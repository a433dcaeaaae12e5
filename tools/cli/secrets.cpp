// SPDX-License-Identifier: Apache-2.0
#include <cli/secrets.hpp>

#include <pipit/auth/creds.hpp>
#include <pipit/base/url_list.hpp>
#include <pipit/base/url_user.hpp>

#include <map>
#include <utility>

namespace pipit::cli {
namespace {

constexpr auto nowhere = std::string_view::npos;

/// A word of the command line, and where in it a value begins.
struct valued_word {
    secrecy hides = secrecy::none;
    std::size_t value = 0; ///< `nowhere`: the next word is the value.
};

/// The options that hide something, by their names.
class hiding_options {
public:
    explicit hiding_options(const command& root) {
        visit_commands(root, [this](const std::string&, const command& each) {
            for (const auto& option : each.options) add(option);
        });
    }

    /// A word that follows no option that takes it for its value.
    [[nodiscard]] valued_word read(std::string_view word) const {
        if (!word.starts_with('-')) return {};
        const auto equals = word.find('=');
        if (const auto named = hides_.find(word.substr(0, equals)); named != hides_.end()) {
            return {named->second, equals == nowhere ? nowhere : equals + 1};
        }
        if (word.starts_with("--")) return {.value = equals == nowhere ? 0 : equals + 1};
        constexpr std::size_t short_size = 2; // -sURL
        const auto named = hides_.find(word.substr(0, short_size));
        return named == hides_.end() ? valued_word() : valued_word{named->second, short_size};
    }

private:
    void add(const option& each) {
        if (each.hides == secrecy::none) return;
        for (const auto name : each.all_names()) hides_.emplace(name, each.hides);
    }

    std::map<std::string_view, secrecy> hides_;
};

struct text_range {
    std::size_t offset = 0;
    std::size_t size = 0;
};

/// What of a value must not be seen.
text_range find_secret(std::string_view value, secrecy hides) {
    if (hides == secrecy::whole) return {0, value.size()};
    // A URL needs no scheme where one is expected: me:password@host.
    const auto scheme = value.find("://");
    const auto user = hides == secrecy::urls ? url_user_of(value).begin
                      : scheme == nowhere    ? nowhere
                                             : scheme + 3;
    const auto at = value.rfind('@');
    if (at != nowhere && user < at) return {user, at - user};
    constexpr std::string_view encoded = ";base64,";
    const auto data = value.find(encoded);
    if (data != nowhere && value.find("data:") < data) { // Credentials.
        return {data + encoded.size(), value.size() - data - encoded.size()};
    }
    return looks_secret(value) ? text_range{0, value.size()} : text_range();
}

} // namespace

bool looks_secret(std::string_view text) {
    for (const std::string_view reference : {"file://", "env://"}) {
        if (text.starts_with(reference)) text.remove_prefix(reference.size());
    }
    return auth::looks_secret(text);
}

std::string quoted_unless_secret(std::string_view text) {
    if (looks_secret(text) || text.starts_with("data:")) return "this";
    // A URL needs no scheme: me:password@host.
    const bool may_be_url =
        text.find("://") != std::string_view::npos || text.find(':') < text.find('@');
    return "'" + (may_be_url ? urls_without_users(text) : std::string(text)) + "'";
}

std::vector<secret_place> secret_places(const command& root,
                                        const std::vector<std::string>& words) {
    const hiding_options options(root);
    std::vector<secret_place> places;
    auto follows = secrecy::none; // As the value of the option before it.
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string_view word = words[i];
        valued_word read{.hides = std::exchange(follows, secrecy::none)};
        if (read.hides == secrecy::none) read = options.read(word);
        if (read.value == nowhere) {
            follows = read.hides;
            continue;
        }
        const auto found = find_secret(word.substr(read.value), read.hides);
        if (found.size != 0) places.push_back({i, read.value + found.offset, found.size});
    }
    return places;
}

} // namespace pipit::cli
