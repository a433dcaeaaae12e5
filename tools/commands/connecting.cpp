// SPDX-License-Identifier: Apache-2.0
#include <commands/connecting.hpp>

#include <cli/secrets.hpp>
#include <commands/context_store.hpp>
#include <commands/subprocess.hpp>

#include <pipit/auth/creds.hpp>
#include <pipit/base/base64.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/base/url_list.hpp>

#include <boost/json.hpp>

#include <algorithm>

namespace pipit::cli {
namespace {

constexpr nanoseconds default_timeout = std::chrono::seconds(5);

error invalid(const std::string& what) {
    return {make_error_code(boost::system::errc::invalid_argument), what};
}

/// What `nsc` knows of a user: the servers and the file of credentials.
struct nsc_profile {
    std::string servers;
    std::string creds;
};

result<nsc_profile> ask_nsc(std::string user) {
    if (!user.starts_with("nsc://")) user = "nsc://" + user;
    const auto answer = run_command({.words = {"nsc", "generate", "profile", user}});
    if (!answer) return invalid(user + ": cannot run nsc: " + text_of(answer.error()));
    if (answer->exit_code != 0) return invalid(user + ": nsc failed: " + answer->errors);
    error_code failed;
    const auto parsed = boost::json::parse(answer->output, failed);
    const auto* const object = parsed.if_object();
    if (failed || !object) return invalid(user + ": nsc did not answer with JSON");
    nsc_profile profile;
    if (const auto* const creds = object->if_contains("user_creds"); creds && creds->is_string()) {
        profile.creds = std::string(creds->get_string());
    }
    const auto* const owner = object->if_contains("operator");
    const auto* const services =
        owner && owner->is_object() ? owner->get_object().if_contains("service") : nullptr;
    if (services && services->is_array()) {
        for (const auto& each : services->get_array()) {
            if (!each.is_string()) continue;
            if (!profile.servers.empty()) profile.servers += ',';
            profile.servers += std::string_view(each.get_string());
        }
    }
    return profile;
}

/// What a reference to credentials means: a path, `file://`, `env://NAME`, `nsc://…` or `data:`.
result<std::string> read_reference(const std::string& reference, const environment& variables) {
    if (reference.starts_with("env://")) {
        auto text = variables(reference.substr(6));
        if (!text) return invalid(reference + ": there is no such variable");
        return *text;
    }
    if (reference.starts_with("data:")) {
        const auto comma = reference.find(";base64,");
        const auto text =
            comma == std::string::npos ? std::nullopt : from_base64(reference.substr(comma + 8));
        if (!text)
            return invalid("credentials that begin with 'data:' are base64 behind ';base64,'");
        return *text;
    }
    if (reference.starts_with("nsc://")) {
        const auto profile = ask_nsc(reference);
        if (!profile) return profile.error();
        return read_file(profile->creds, limits::creds_file_bytes);
    }
    if (reference.starts_with("op://")) {
        return invalid(reference +
                       ": references to 1Password are not supported; write it to a file");
    }
    const auto path = reference.starts_with("file://") ? reference.substr(7) : reference;
    return read_file(path, limits::creds_file_bytes);
}

/// How a user signs in: a JWT (or none) and the seed that signs the server's nonce.
result<auth::user_credentials> read_credentials(const connection_settings& settings,
                                                const environment& variables) {
    if (settings.user_jwt) {
        if (!settings.user_seed) return invalid("the context has a user_jwt without a user_seed");
        auto seed = auth::read_seed(*settings.user_seed);
        if (!seed) return invalid("user_seed: " + seed.error().message());
        return auth::user_credentials{*settings.user_jwt, *seed};
    }
    const auto& reference = settings.creds ? *settings.creds : *settings.nkey;
    if (looks_secret(reference)) {
        return invalid("a secret itself stands where a file is named that holds it: in " +
                       std::string(settings.creds ? "NATS_CREDS or the context's creds"
                                                  : "NATS_NKEY or the context's nkey"));
    }
    const auto text = read_reference(reference, variables);
    if (!text) return text.error();
    const auto shown = reference.starts_with("data:") ? std::string("data:") : reference;
    if (settings.creds) {
        auto creds = auth::read_creds(*text);
        if (!creds) return invalid(shown + ": " + creds.error().message());
        return creds;
    }
    auto seed = auth::read_seed(*text);
    if (!seed) return invalid(shown + ": " + seed.error().message());
    return auth::user_credentials{{}, *seed};
}

protocol::credentials signed_in(const auth::user_credentials& user, std::string_view nonce) {
    protocol::credentials who;
    who.jwt = user.jwt;
    if (user.jwt.empty()) who.nkey = auth::encode(auth::signing_key(user.seed).public_key());
    who.sig = auth::sign_nonce(user.seed, nonce);
    return who;
}

/// Reads the credentials now, to say at once what is wrong with them, and at each later connect,
/// because files are renewed while a program runs.
result<> use_credentials(client::connection_options& options, const connection_settings& settings,
                         const environment& variables) {
    const auto first = read_credentials(settings, variables);
    if (!first) return first.error();
    options.credentials_provider = [settings, variables,
                                    last = *first](const protocol::server_info& server) mutable {
        if (const auto renewed = read_credentials(settings, variables)) last = *renewed;
        return signed_in(last, server.nonce);
    };
    return {};
}

result<connection_settings> gather(const program& with) {
    auto variables = settings_of(with.variables);
    if (!variables) return variables.error();
    auto all = merged({with.flags, *variables});
    if (with.no_context) return all;
    const context_store store(with.variables);
    const auto selected = all.context ? result<std::string>(*all.context) : store.selected();
    if (!selected && all.servers) return all;
    if (!selected) {
        return invalid("which context is selected cannot be read: " + text_of(selected.error()) +
                       ". Name a server with --server URL or $NATS_URL, or a context with "
                       "--context; --no-context means this machine's server");
    }
    const auto& name = *selected;
    if (name.empty()) return all;
    if (!all.context && !store.exists(name)) {
        // Nobody asked for it, where the servers are named. But this machine's is not meant.
        if (all.servers) return all;
        return invalid("the selected context '" + name +
                       "' is gone. Name a server with --server URL or $NATS_URL, or select no "
                       "context any more: pipit context unselect");
    }
    const auto document = store.load(name);
    if (!document) return document.error();
    // Around the proxy is not where its user wants to go.
    if (!document->get("socks_proxy").empty()) {
        return invalid("context '" + name +
                       "' goes through a SOCKS proxy (socks_proxy), which this program cannot. "
                       "Take it out with: pipit context edit " +
                       name + "; or use none: --no-context --server URL");
    }
    all = merged({all, settings_of(*document, with.variables)});
    all.context = name;
    return all;
}

} // namespace

result<connecting> settle_connection(const program& with) {
    auto settings = gather(with);
    if (!settings) return settings.error();
    if (settings->nsc) {
        const auto profile = ask_nsc(*settings->nsc);
        if (!profile) return profile.error();
        if (!settings->servers && !profile->servers.empty()) settings->servers = profile->servers;
        if (!settings->creds && !profile->creds.empty()) settings->creds = profile->creds;
    }
    take_lone_user_for_token(*settings);
    connecting how;
    how.context = settings->context.value_or("");
    how.timeout = settings->timeout.value_or(default_timeout);
    if (how.timeout <= nanoseconds::zero()) return invalid("--timeout is longer than 0");
    const auto servers = settings->servers.value_or("nats://127.0.0.1:4222");
    how.servers = urls_without_users(servers);
    if (const auto complaint = complaint_about_servers(servers)) {
        return invalid("'" + how.servers + "' " + *complaint);
    }
    how.options.servers = {servers};
    how.options.name = settings->connection_name.value_or("pipit");
    how.options.user = settings->user.value_or("");
    how.options.password = settings->password.value_or("");
    how.options.token = settings->token.value_or("");
    how.options.inbox_prefix = settings->inbox_prefix.value_or("_INBOX");
    auto& tls = how.options.tls;
    tls.certificate_file = settings->tls_certificate.value_or("");
    tls.key_file = settings->tls_key.value_or("");
    tls.ca_file = settings->tls_authority.value_or("");
    tls.first = settings->tls_first;
    const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(how.timeout);
    how.options.connect_timeout = timeout;
    how.options.request_timeout = timeout;
    how.options.drain_timeout = timeout;
    how.options.gives_up_on_repeated_refusal = false;
    if (settings->creds || settings->nkey || settings->user_jwt) {
        if (const auto used = use_credentials(how.options, *settings, with.variables); !used) {
            return used.error();
        }
    }
    return how;
}

std::string text_of(const error& why) {
    const bool is_ours = why.code() == make_error_code(boost::system::errc::invalid_argument);
    return is_ours && !why.detail().empty() ? std::string(why.detail()) : why.message();
}

} // namespace pipit::cli
