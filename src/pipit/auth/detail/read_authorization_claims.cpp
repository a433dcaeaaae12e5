// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/detail/claims_reader.hpp>
#include <pipit/auth/detail/read_claims.hpp>

#include <boost/json/array.hpp>

namespace pipit::auth::detail {
namespace {

namespace json = boost::json;

void read_server(claims_reader reader, asking_server& to) {
    reader.read("name", to.name);
    reader.read("host", to.host);
    reader.read("id", to.id);
    reader.read("version", to.version);
    reader.read("cluster", to.cluster);
    reader.read("xkey", to.xkey);
    reader.read("tags", to.tags);
}

void read_client(claims_reader reader, asking_client& to) {
    std::int64_t id = 0;
    reader.read("host", to.host);
    reader.read("id", id);
    to.id = static_cast<std::uint64_t>(id);
    reader.read("user", to.user);
    reader.read("name", to.name);
    reader.read("tags", to.tags);
    reader.read("name_tag", to.name_tag);
    reader.read("kind", to.kind);
    reader.read("type", to.type);
    reader.read("mqtt_id", to.mqtt_id);
    reader.read("nonce", to.nonce);
}

void read_options(claims_reader reader, asked_options& to) {
    reader.read("jwt", to.jwt);
    reader.read("nkey", to.nkey);
    reader.read("sig", to.signature);
    reader.read("auth_token", to.token);
    reader.read("user", to.user);
    reader.read("pass", to.password);
    reader.read("name", to.name);
    reader.read("lang", to.lang);
    reader.read("version", to.version);
    reader.read("protocol", to.protocol);
}

void read_tls(claims_reader reader, asking_tls& to) {
    reader.read("version", to.version);
    reader.read("cipher", to.cipher);
    reader.read("certs", to.certificates);
    reader.for_each("verified_chains", [&](const json::value& each) {
        const auto* const chain = each.if_array();
        if (chain == nullptr) return reader.spoil("verified_chains");
        auto& certificates = to.verified_chains.emplace_back();
        for (const auto& certificate : *chain) {
            const auto* const text = certificate.if_string();
            if (text == nullptr) return reader.spoil("verified_chains");
            certificates.emplace_back(text->data(), text->size());
        }
    });
}

} // namespace

void read_claims(const json::object& payload, authorization_request_jwt& to, std::string& wrong) {
    claims_reader(payload, wrong).object("nats", [&](claims_reader reader) {
        reader.object("server_id", [&](claims_reader inner) { read_server(inner, to.server); });
        reader.read("user_nkey", to.user_nkey);
        reader.object("client_info", [&](claims_reader inner) { read_client(inner, to.client); });
        reader.object("connect_opts",
                      [&](claims_reader inner) { read_options(inner, to.options); });
        reader.object("client_tls",
                      [&](claims_reader inner) { read_tls(inner, to.tls.emplace()); });
        reader.read("request_nonce", to.request_nonce);
        if (const auto* const refresh = reader.find("refresh")) {
            to.is_refresh = refresh->is_bool() && refresh->get_bool();
        }
    });
}

void read_claims(const json::object& payload, authorization_response_jwt& to, std::string& wrong) {
    claims_reader(payload, wrong).object("nats", [&](claims_reader reader) {
        reader.read("jwt", to.user_jwt);
        reader.read("error", to.problem);
        reader.read("issuer_account", to.issuer_account);
        // nats-server does not know it, and minds nothing that stands there.
        const auto* const refresh = reader.find("refresh");
        if (refresh != nullptr && refresh->is_int64()) to.refresh_seconds = refresh->get_int64();
    });
}

} // namespace pipit::auth::detail
