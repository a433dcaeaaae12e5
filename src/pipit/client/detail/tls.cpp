// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/detail/tls.hpp>

#include <pipit/client/error.hpp>
#include <pipit/net/error.hpp>

#include <string>
#include <utility>

namespace pipit::client::detail {
namespace {

/// What somebody can do, as a sentence's end.
std::string advice(const error& why, std::string_view server_name, const tls_options& options) {
    const auto code = why.code();
    if (code == net::errc::tls_unknown_authority) {
        return options.ca_file.empty()
                   ? "name the certificate of its authority (ca_file)"
                   : "is " + options.ca_file + " the certificate of the server's authority?";
    }
    if (code == net::errc::tls_wrong_name) {
        return "connect by a name that the certificate is for, or say which one to expect in place "
               "of '" +
               std::string(server_name) + "' (server_name)";
    }
    if (code == net::errc::tls_certificate_expired) {
        return "the server needs a new one, unless the clock of this machine is wrong";
    }
    if (code == net::errc::not_tls) {
        return options.first ? "does this server begin with TLS (handshake_first)?"
                             : "is there a server with TLS at this port?";
    }
    const bool has_certificate = !options.certificate_file.empty();
    if (code == net::errc::tls_refused && why.detail().find("certificate") != std::string::npos) {
        return has_certificate
                   ? "the server does not accept " + options.certificate_file
                   : "the server wants to see a client's certificate (certificate_file, key_file)";
    }
    return {};
}

} // namespace

std::optional<error> find_tls_option_error(const tls_options& options) {
    const bool names_files =
        !options.ca_file.empty() || !options.certificate_file.empty() || !options.key_file.empty();
    if (!names_files) return std::nullopt;
    const auto made = read_tls_files(options);
    return made ? std::nullopt : std::optional(made.error());
}

result<std::shared_ptr<const net::tls_context>> read_tls_files(const tls_options& options) {
    net::tls_settings settings;
    if (!options.certificate_file.empty() || !options.key_file.empty()) {
        settings.key_pairs = {{options.certificate_file, options.key_file}};
    }
    settings.authorities_file = options.ca_file;
    settings.verifies_peer = !options.insecure_accept_any_certificate;
    auto made = net::tls_context::for_client(settings);
    if (!made) return error(errc::unusable_tls_options, std::string(made.error().detail()));
    return std::move(*made);
}

error explain_tls_failure(const error& why, const protocol::server_address& server,
                          std::string_view server_name, const tls_options& options) {
    auto text = "tls://" + protocol::to_string(server) + ": ";
    // The code says it too, but for what the other side said.
    text += why.detail();
    if (const auto what_to_do = advice(why, server_name, options); !what_to_do.empty()) {
        text += "; " + what_to_do;
    }
    return {why.code(), std::move(text)};
}

} // namespace pipit::client::detail
