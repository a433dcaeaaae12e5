// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cli/context_document.hpp>

#include <pipit/base/time.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pipit::cli {

/// How to connect, as one source says it: the flags, the environment, or a context.
struct connection_settings {
    std::optional<std::string> servers; ///< With commas.
    std::optional<std::string> user;
    std::optional<std::string> password;
    std::optional<std::string> token;
    std::optional<std::string> creds; ///< A path, or `env://`, `nsc://`, `data:`.
    std::optional<std::string> nkey;
    std::optional<std::string> user_jwt;
    std::optional<std::string> user_seed;
    std::optional<std::string> nsc;
    std::optional<std::string> inbox_prefix;
    std::optional<std::string> connection_name;
    std::optional<std::string> context; ///< Its name.
    std::optional<nanoseconds> timeout;
    std::optional<std::string> tls_certificate; ///< Paths.
    std::optional<std::string> tls_key;
    std::optional<std::string> tls_authority;
    bool tls_first = false; ///< One source that says so is enough.
};

using environment = std::function<std::optional<std::string>(const std::string& name)>;

/// NATS_URL, NATS_USER, NATS_PASSWORD, NATS_TOKEN, NATS_CREDS, NATS_NKEY, NATS_CONTEXT,
/// NATS_TIMEOUT, NATS_INBOX_PREFIX, NATS_CERT, NATS_KEY and NATS_CA; an empty variable is none.
/// Errors: `errc::invalid_argument` for a timeout that is none.
[[nodiscard]] result<connection_settings> settings_of(const environment& variables);
/// `~` and `$NAME` in paths are expanded.
[[nodiscard]] connection_settings settings_of(const context_document& context,
                                              const environment& variables);

/// One out of several, the first of them going before the others. Who a user is comes from the
/// first that says anything of it, so that a context's credentials never join another one's name;
/// only a password may stand apart from its user.
[[nodiscard]] connection_settings merged(const std::vector<connection_settings>& sources);

/// A user without a password is a token, as for the `nats` tool.
void take_lone_user_for_token(connection_settings& settings);

/// One of the servers that are named.
struct named_server {
    std::string url;
    bool may_be_secret = false; ///< As of `listed_url`.

    /// Without user and password.
    [[nodiscard]] std::string shown() const;
    /// Why it cannot be connected to.
    [[nodiscard]] std::string failure(const error& why) const;
};
[[nodiscard]] std::vector<named_server> named_servers(std::string_view list);
/// What is wrong with a list of servers, behind what is shown of it.
[[nodiscard]] std::optional<std::string> complaint_about_servers(std::string_view list);
/// The URL of another server, `host:port`, that is reached as `like` is: its scheme, user and path.
[[nodiscard]] std::string url_at(std::string_view like, std::string_view place);

} // namespace pipit::cli
