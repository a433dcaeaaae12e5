// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/protocol/client_session.hpp>
#include <pipit/protocol/detail/reply_token.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace pipit::protocol::detail {

/// A session's driver without a network, for tests: what the server sends is handed over, what the
/// session sends and tells is kept. Operations go by the order in which they were asked for: 1, 2,
/// …; `INBOX.1` stands for the reply subject of the first.
struct session_script {
    explicit session_script(client_session_options chosen = {})
        : session(prepared(std::move(chosen)), random_source(1)) {
        session.start(now);
        drain();
    }

    static client_session_options prepared(client_session_options options) {
        if (options.protocol.servers.empty()) options.protocol.servers.push_back({.host = "a"});
        options.protocol.pool.randomize = false;
        options.protocol.reconnect_jitter = std::chrono::milliseconds(0);
        return options;
    }

    // --- The network's side ---

    void opens() {
        session.transport_opened(now);
        drain();
    }
    void receives(bytes_view bytes) {
        while (!bytes.empty()) {
            const auto space = session.prepare();
            const auto count = std::min(space.size(), bytes.size());
            std::memcpy(space.data(), bytes.data(), count);
            session.commit(count, now);
            bytes.remove_prefix(count);
            drain();
        }
    }
    void loses_transport() {
        session.transport_closed(now);
        drain();
    }
    void waits(nanoseconds time) {
        now += time;
        session.expire(now);
        drain();
    }
    /// Up to and with `connected`; what was told and sent until then is forgotten.
    void connects() {
        opens();
        receives("INFO {\"server_id\":\"N\",\"headers\":true,\"max_payload\":1000} \r\n");
        session.connect({});
        (void)raw_output();
        receives("PONG\r\n");
        told.clear();
    }

    // --- What came of it ---

    /// Everything that was told since the last call, one word each.
    std::string events() { return std::exchange(told, {}); }
    /// Everything that was sent since the last call.
    std::string sent() {
        auto out = raw_output();
        if (inbox.empty()) return out;
        for (std::size_t i = operations.size(); i-- > 0;) {
            replace_all(out, inbox + token(operations[i]), "INBOX." + std::to_string(i + 1));
        }
        replace_all(out, inbox, "INBOX.");
        return out;
    }

    // --- The user's side ---

    operation_id asks(const result<operation_id>& asked) {
        operations.push_back(asked.value());
        return operations.back();
    }
    operation_id requests(bytes_view subject, nanoseconds timeout = std::chrono::seconds(5)) {
        return asks(session.request({.subject = subject}, now, timeout));
    }
    operation_id requests_many(bytes_view subject, request_many_limits limits) {
        return asks(session.request_many({.subject = subject}, now, std::move(limits)));
    }
    operation_id flushes(nanoseconds timeout = std::chrono::seconds(5)) {
        return asks(session.flush(now, timeout));
    }
    void drain() {
        while (auto event = session.next_event()) std::visit([&](auto& e) { tell(e); }, *event);
    }

    /// The server's MSG to a request's reply subject.
    std::string reply(operation_id request, bytes_view payload) {
        find_inbox();
        return "MSG " + inbox + token(request) + " " + inbox_sid + " " +
               std::to_string(payload.size()) + "\r\n" + std::string(payload) + "\r\n";
    }
    std::string no_responders(operation_id request) {
        find_inbox();
        return "HMSG " + inbox + token(request) + " " + inbox_sid +
               " 16 16\r\nNATS/1.0 503\r\n\r\n\r\n";
    }

    steady_time now{std::chrono::hours(1)};
    client_session session;
    std::vector<operation_id> operations;
    std::string inbox; ///< With its last dot.
    std::string inbox_sid;
    std::string told;

private:
    static void replace_all(std::string& text, const std::string& from, const std::string& to) {
        for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
            text.replace(at, from.size(), to);
        }
    }
    static std::string token(operation_id id) {
        std::string out;
        append_reply_token(out, static_cast<std::uint64_t>(id));
        return out;
    }
    std::string raw_output() {
        find_inbox();
        std::string out(session.pending_output());
        session.consume_output(out.size());
        return out;
    }
    /// In the SUB that waits to be sent.
    void find_inbox() {
        const auto out = session.pending_output();
        const auto at = out.rfind("SUB _INBOX.");
        if (at == bytes_view::npos) return;
        const auto star = out.find("* ", at);
        inbox = out.substr(at + 4, star - at - 4);
        inbox_sid = out.substr(star + 2, out.find('\r', star) - star - 2);
    }

    void say(const std::string& word) { told += told.empty() ? word : " | " + word; }
    std::string name(operation_id id) const {
        const auto found = std::find(operations.begin(), operations.end(), id);
        return std::to_string(found - operations.begin() + 1);
    }
    static std::string name(sid id) { return std::to_string(static_cast<std::uint64_t>(id)); }
    static std::string why(const error& e) { return e.code() ? ":" + e.message() : ""; }

    void tell(const open_requested& e) { say("open:" + e.server.host); }
    void tell(const tls_requested&) { say("tls"); }
    void tell(const connect_requested&) { say("connect"); }
    void tell(const connected& e) { say(e.again ? "reconnected" : "connected"); }
    void tell(const disconnected&) { say("disconnected"); }
    void tell(const closed& e) { say("closed" + why(e.why)); }
    void tell(const error_received& e) { say("error:" + e.text); }
    void tell(const info_changed&) { say("info"); }
    void tell(const servers_discovered& e) {
        std::string all;
        for (const auto& server : e.servers) all += ":" + server;
        say("discovered" + all);
    }
    void tell(const lame_duck&) { say("lame_duck"); }
    void tell(const subscription_message& e) {
        say("message:" + name(e.subscription) + ":" + std::string(e.message.payload));
    }
    void tell(const subscription_ended& e) { say("ended:" + name(e.subscription) + why(e.why)); }
    void tell(const request_answered& e) {
        say("answered:" + name(e.operation) +
            (e.reply ? ":" + std::string(e.reply->payload()) : why(e.reply.error())));
    }
    void tell(const reply_received& e) {
        say("reply:" + name(e.operation) + ":" + std::string(e.reply.payload()));
    }
    void tell(const replies_ended& e) {
        constexpr const char* words[] = {"all", "sentinel", "stalled", "timed_out", "cancelled"};
        say("replies_ended:" + name(e.operation) +
            (e.how ? std::string(":") + words[static_cast<int>(*e.how)] : why(e.how.error())));
    }
    void tell(const flushed& e) {
        say("flushed:" + name(e.operation) +
            (e.round_trip ? ":" + std::to_string(e.round_trip->count() / 1'000'000) + "ms"
                          : why(e.round_trip.error())));
    }
};

} // namespace pipit::protocol::detail
