// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/connect.hpp>

#include <pipit/protocol/detail/json_object.hpp>
#include <pipit/protocol/json_writer.hpp>

namespace pipit::protocol {

void append_connect(std::string& out, const connect_options& options) {
    out += "CONNECT ";
    json_writer json(out);
    json.begin_object();
    json.member("verbose", options.verbose);
    json.member("pedantic", options.pedantic);
    json.optional_member("user", options.user);
    json.optional_member("pass", options.pass);
    json.optional_member("auth_token", options.auth_token);
    json.optional_member("jwt", options.jwt);
    json.optional_member("nkey", options.nkey);
    json.optional_member("sig", options.sig);
    json.member("tls_required", options.tls_required);
    json.member("name", options.name);
    json.member("lang", options.lang);
    json.member("version", options.version);
    json.member("protocol", options.protocol);
    json.member("echo", options.echo);
    json.member("headers", options.headers);
    json.member("no_responders", options.no_responders);
    json.optional_member("account", options.account);
    json.optional_member("new_account", options.new_account);
    json.optional_member("remote_account", options.remote_account);
    json.optional_member("proxy_sig", options.proxy_sig);
    json.end_object();
    out += "\r\n";
}

result<> read_connect(bytes_view json, connect_options& options) {
    using namespace detail;
    const json_field fields[] = {
        {"echo", &options.echo},
        {"verbose", &options.verbose},
        {"pedantic", &options.pedantic},
        {"tls_required", &options.tls_required},
        {"nkey", &options.nkey},
        {"jwt", &options.jwt},
        {"sig", &options.sig},
        {"auth_token", &options.auth_token},
        {"user", &options.user},
        {"pass", &options.pass},
        {"name", &options.name},
        {"lang", &options.lang},
        {"version", &options.version},
        {"protocol", &options.protocol},
        {"account", &options.account},
        {"new_account", &options.new_account},
        {"headers", &options.headers},
        {"no_responders", &options.no_responders},
        {"import", checked_permissions{}},
        {"export", checked_permissions{}},
        {"remote_account", &options.remote_account},
        {"proxy_sig", &options.proxy_sig},
    };
    return read_json_object(json, fields);
}

} // namespace pipit::protocol
