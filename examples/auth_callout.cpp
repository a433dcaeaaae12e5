// SPDX-License-Identifier: Apache-2.0
// Says who may come in: auth_callout <url> <seed of the issuing account> [<seed of the xkey>]
//
// auth_callout --public <seed of an xkey> prints its public key.
// The server's configuration names the public keys of these seeds, the account where this service
// listens, and its user among the `auth_users`.
#include <pipit/client/auth_callout.hpp>

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <variant>

namespace auth = pipit::auth;
namespace client = pipit::client;

namespace {

client::admission decide(const auth::authorization_request_jwt& request) {
    static const std::map<std::string, std::string> passwords{{"alice", "wonder"},
                                                              {"bob", "builder"}};
    const auto& given = request.options;
    const auto known = passwords.find(given.user);
    if (known == passwords.end()) return client::refused_user{"unknown user or wrong password"};
    // Who is asked about again has shown his password before.
    if (!request.is_refresh && known->second != given.password) {
        return client::refused_user{"unknown user or wrong password"};
    }
    client::admitted_user user{.account = "APP", .name = given.user};
    if (given.user == "bob") user.permissions.publish_deny = {"secret.>"};
    user.refresh_after = std::chrono::minutes(1); // Only where `live_permissions` is set.
    return user;
}

/// Whoever cannot be answered is refused when his time is over, and nobody would know why.
void complain(const client::connection_event& happened) {
    const auto* const failed = std::get_if<client::event::asynchronous_error>(&happened);
    if (failed) std::fprintf(stderr, "%s\n", failed->why.message().c_str());
}

} // namespace

int main(int argument_count, char** arguments) {
    if (argument_count == 3 && std::string_view(arguments[1]) == "--public") {
        const auth::curve_key key(auth::decode_nkey_seed(arguments[2]).value());
        return std::puts(auth::encode(key.public_key()).c_str()) < 0;
    }
    if (argument_count < 3) return std::fputs("usage: auth_callout URL SEED [XKEY]\n", stderr), 2;
    client::callout_keys keys{.issuer = auth::decode_nkey_seed(arguments[2]).value()};
    if (argument_count > 3) keys.xkey = auth::decode_nkey_seed(arguments[3]).value();

    client::blocking_connection nats(
        {.servers = {arguments[1]}, .name = "callout", .on_event = complain});
    nats.connect().value();
    const auto served = client::serve_auth_callout(nats, keys, decide).value();
    nats.flush().value();
    std::puts("ready");
    std::fflush(stdout);
    return std::getchar(), 0; // Until somebody says a word.
}
