// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/connect.hpp>

#include <pipit/protocol/detail/json_object.hpp>

namespace pipit::protocol {

void append_connect(std::string& out, const connect_options& options) {
    out += "CONNECT ";
    detail::json_object_writer json(out);
    json.add("verbose", options.verbose);
    json.add("pedantic", options.pedantic);
    json.add_unless_empty("user", options.user);
    json.add_unless_empty("pass", options.pass);
    json.add_unless_empty("auth_token", options.auth_token);
    json.add_unless_empty("jwt", options.jwt);
    json.add_unless_empty("nkey", options.nkey);
    json.add_unless_empty("sig", options.sig);
    json.add("tls_required", options.tls_required);
    json.add("name", options.name);
    json.add("lang", options.lang);
    json.add("version", options.version);
    json.add("protocol", options.protocol);
    json.add("echo", options.echo);
    json.add("headers", options.headers);
    json.add("no_responders", options.no_responders);
    json.add_unless_empty("account", options.account);
    json.add_unless_empty("new_account", options.new_account);
    json.add_unless_empty("remote_account", options.remote_account);
    json.add_unless_empty("proxy_sig", options.proxy_sig);
    json.end();
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
