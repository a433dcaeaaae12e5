// SPDX-License-Identifier: Apache-2.0
#include <cli/secrets.hpp>

#include <cli/settings.hpp>

#include <pipit/auth/creds.hpp>

namespace pipit::cli {

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
    return "'" + (may_be_url ? without_secrets(text) : std::string(text)) + "'";
}

} // namespace pipit::cli
