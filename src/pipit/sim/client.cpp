// SPDX-License-Identifier: Apache-2.0
#include <pipit/sim/client.hpp>

#include <pipit/base/assert.hpp>

#include <utility>

namespace pipit::sim {
namespace {

struct visitor {
    client& to;
    protocol::flow on_message(const protocol::message_operation& operation) {
        return to.on_message_operation(operation);
    }
    protocol::flow on_info(bytes_view) { return protocol::flow::proceed; }
    protocol::flow on_ok() { return protocol::flow::proceed; }
    protocol::flow on_ping() { return to.on_ping(); }
    protocol::flow on_pong() { return to.on_pong(); }
    protocol::flow on_error(bytes_view text) { return to.on_error(text); }
};

} // namespace

void client::connect(const std::string& options) {
    send("CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true" +
         options + "}\r\n");
}

void client::subscribe(const std::string& subject, const std::string& sid,
                       const std::string& queue) {
    send("SUB " + subject + ' ' + (queue.empty() ? "" : queue + ' ') + sid + "\r\n");
}

void client::unsubscribe(const std::string& sid, int max) {
    send("UNSUB " + sid + (max == 0 ? "" : ' ' + std::to_string(max)) + "\r\n");
}

void client::publish(const std::string& subject, const std::string& payload,
                     const std::string& reply) {
    send("PUB " + subject + ' ' + (reply.empty() ? "" : reply + ' ') +
         std::to_string(payload.size()) + "\r\n" + payload + "\r\n");
}

void client::flush(std::function<void()> done) {
    flushes_.push_back(std::move(done));
    send("PING\r\n");
}

void client::receive(bytes_view bytes) {
    if (on_bytes) return on_bytes(bytes);
    visitor visitor{*this};
    const auto outcome = parser_.parse(bytes, {.max_payload_bytes = -1}, visitor);
    if (outcome.status == protocol::parse_status::need_more) return;
    errors.emplace_back("what the server wrote is no protocol");
    closed = true;
}

protocol::flow client::on_message_operation(const protocol::message_operation& operation) {
    if (on_message) {
        on_message({std::string(operation.subject), std::string(operation.sid),
                    std::string(operation.reply), std::string(operation.headers),
                    std::string(operation.payload)});
    }
    return protocol::flow::proceed;
}

protocol::flow client::on_ping() {
    send("PONG\r\n");
    return protocol::flow::proceed;
}

protocol::flow client::on_pong() {
    PIPIT_ASSERT(!flushes_.empty());
    const auto done = std::move(flushes_.front());
    flushes_.erase(flushes_.begin());
    if (done) done();
    return protocol::flow::proceed;
}

protocol::flow client::on_error(bytes_view text) {
    errors.emplace_back(text);
    return protocol::flow::proceed;
}

} // namespace pipit::sim
