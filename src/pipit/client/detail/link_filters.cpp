// SPDX-License-Identifier: Apache-2.0
// What stands between a link's socket and its session: TLS, a WebSocket.
#include <pipit/client/detail/link.hpp>

#include <pipit/base/websocket_limits.hpp>
#include <pipit/client/detail/server_urls.hpp>
#include <pipit/client/detail/tls.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/net/error.hpp>
#include <pipit/net/tls_filter.hpp>
#include <pipit/net/websocket_filter.hpp>
#include <pipit/protocol/error.hpp>

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace pipit::client::detail {
namespace {

/// Of the wire, at a time: a record and what belongs to it, and more.
constexpr std::size_t wire_bytes = std::size_t{32} * 1024;

bool is_about_websocket(const error& why) {
    return why == net::errc::websocket_refused || why == net::errc::websocket_violation ||
           why == net::errc::websocket_too_big || why == net::errc::invalid_http;
}

bool is_address(const std::string& host) {
    error_code no_address;
    (void)asio::ip::make_address(host, no_address);
    return !no_address;
}

} // namespace

/// The socket is connected: tells the session, at once or when all that must come before is open.
void link::begin_filters() {
    const auto which = transport_;
    using over = protocol::server_address::transport;
    const auto wanted = session_.pool().current()->over;
    if (options_.tls.first || wanted == over::websocket_tls) return ask_for_tls(which);
    if (wanted == over::websocket) add_websocket(which);
    if (which == transport_) notice_open(which);
}

void link::ask_for_tls(const transport_pointer& which) {
    if (!which) return;
    which->awaits_tls = true;
    tasks_.emplace_back(tls_question{which});
    schedule_turn();
}

void link::perform(tls_question& question) {
    auto files = read_tls_files(options_.tls); // Without the lock: others may publish meanwhile.
    const lock held(mutex_);
    const auto& which = question.of;
    if (which != transport_) return;
    which->awaits_tls = false;
    if (!files) return lose_transport(which, explained(files.error()));
    secure(which, std::move(*files));
    using over = protocol::server_address::transport;
    const bool begins = !which->is_known;
    const auto wanted = session_.pool().current()->over;
    const bool has_websocket = wanted == over::websocket || wanted == over::websocket_tls;
    if (begins && has_websocket) add_websocket(which);
    if (which == transport_) notice_open(which);
}

void link::add_websocket(const transport_pointer& which) {
    if (!which || which != transport_) return;
    const auto& server = *session_.pool().current();
    auto filter = std::make_unique<net::websocket_client_filter>(
        net::websocket_client_options{protocol::to_string(server), server.path,
                                      options_.websocket_compression},
        which->deflate, random_source(random_()));
    filter->set_message_bytes_max(limits::websocket_message_bytes_max);
    add_filter(which, std::move(filter));
}

void link::secure(const transport_pointer& which, std::shared_ptr<const net::tls_context> files) {
    const auto& server = *session_.pool().current();
    which->is_secure = true;
    add_filter(which, std::make_unique<net::tls_filter>(std::move(files), tls_name(server)));
}

void link::add_filter(const transport_pointer& which, std::unique_ptr<net::filter> upper) {
    which->opens = true;
    auto added = which->filters.add(std::move(upper), which->answers);
    if (!added) return lose_transport(which, explained(added.error()));
    schedule_turn();
}

void link::notice_open(const transport_pointer& which) {
    if (!which->filters.is_open()) return;
    const bool has_opened = std::exchange(which->opens, false);
    const auto now = net::steady_now();
    if (!std::exchange(which->is_known, true)) session_.transport_opened(now);
    if (has_opened && which->is_secure) session_.tls_established(now);
}

void link::receive_filtered(const transport_pointer& from) {
    std::array<char, wire_bytes> arrived;
    error_code code;
    const auto count = from->wire.receive(arrived, code);
    const bool is_idle = code == asio::error::would_block || code == asio::error::try_again ||
                         code == asio::error::interrupted;
    if (is_idle) return;
    const error closed(protocol::errc::connection_lost, "the server closed it");
    if (code) return lose_transport(from, code == asio::error::eof ? closed : error(code));
    auto& plain = from->plain_input;
    bytes_view input(arrived.data(), count);
    result<> received;
    do {
        received = from->filters.receive(std::exchange(input, {}), plain, from->answers);
        if (!from->answers.empty()) schedule_turn();
        if (received) notice_open(from);
        for (bytes_view rest = plain; !rest.empty() && from == transport_;) {
            const auto space = session_.prepare();
            const auto part = rest.substr(0, space.size());
            std::memcpy(space.data(), part.data(), part.size());
            session_.commit(part.size(), net::steady_now());
            rest.remove_prefix(part.size());
            if (!rest.empty()) take_events(); // Which makes room.
        }
        clear_buffer(plain);
        if (received && from->filters.holds_more()) take_events();
    } while (received && from == transport_ && from->filters.holds_more());
    if (received && !from->filters.is_finished()) return;
    take_events(); // The last that came says why, as a rule.
    lose_transport(from, received ? closed : explained(received.error()));
}

bool link::fill_output(const transport_pointer& to) {
    if (to->awaits_tls) return true;
    if (to->filters.is_empty()) {
        session_.take_output(to->output);
        return true;
    }
    to->output += to->answers;
    to->answers.clear();
    if (!to->filters.is_open()) return true;
    auto& plain = to->plain_output;
    session_.take_output(plain);
    if (plain.empty()) return true;
    const bytes_view piece = plain;
    const auto sent = to->filters.send({&piece, 1}, to->output);
    clear_buffer(plain);
    if (!sent) lose_transport(to, explained(sent.error()));
    return sent.has_value();
}

/// What a certificate must be for. Servers that others told of are known by their addresses, and
/// have the certificate of the name that led to them.
std::string link::tls_name(const protocol::server_address& server) {
    if (!options_.tls.server_name.empty()) return options_.tls.server_name;
    if (!is_address(server.host)) {
        tls_host_ = server.host;
        return server.host;
    }
    const bool is_users_own = names_host(options_.servers, server.host);
    return is_users_own || tls_host_.empty() ? server.host : tls_host_;
}

error link::explained(const error& why) const {
    const auto* const server = session_.pool().current();
    const auto& options = options_.tls;
    if (server == nullptr || is_about_websocket(why)) return why;
    const auto& name = options.server_name.empty() ? server->host : options.server_name;
    return explain_tls_failure(why, *server, name, options);
}

} // namespace pipit::client::detail
