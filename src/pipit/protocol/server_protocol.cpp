// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/server_protocol.hpp>

#include <pipit/protocol/error.hpp>
#include <pipit/protocol/error_texts.hpp>
#include <pipit/protocol/subject.hpp>

#include <algorithm>
#include <utility>

namespace pipit::protocol {
namespace {

/// The first PING comes early, to learn the round trip time.
constexpr std::chrono::seconds first_ping_interval_max{2};

} // namespace

/// Takes one operation, or several that say nothing to the user.
class server_protocol::visitor {
public:
    explicit visitor(server_protocol& server) : server_(server) {}

    std::optional<server_event> event;

    flow on_message(const message_operation& received) {
        if (received.whole != nullptr) server_.held_ = *received.whole;
        server_.confirm();
        return give(publication_received{{.subject = received.subject,
                                          .reply = received.reply,
                                          .headers = received.headers,
                                          .payload = received.payload}});
    }
    void on_invalid_publish_subject() { server_.send_error(error_texts::invalid_publish_subject); }
    flow on_subscribe(const subscribe_operation& received) {
        if (!is_valid_subject(received.subject)) {
            server_.send_error(error_texts::invalid_subject);
            return flow::proceed;
        }
        server_.confirm();
        return give(subscription_received{std::string(received.subject),
                                          std::string(received.queue), std::string(received.sid)});
    }
    flow on_unsubscribe(const unsubscribe_operation& received) {
        server_.confirm();
        const auto max = std::max<std::int64_t>(received.max, 0);
        return give(
            unsubscription_received{std::string(received.sid), static_cast<std::uint64_t>(max)});
    }
    flow on_connect(bytes_view json) {
        server_.receive_connect(json);
        return flow::pause;
    }
    flow on_info(bytes_view json) {
        if (parse_info(json)) return flow::proceed;
        server_.close(close_reason::protocol_violation);
        return flow::pause;
    }
    flow on_ping() {
        server_.receive_ping();
        return flow::proceed;
    }
    flow on_pong() {
        server_.pings_outstanding_ = 0;
        return flow::proceed;
    }
    flow on_ok() { return flow::proceed; }
    flow on_error(bytes_view) {
        server_.close(close_reason::parse_error);
        return flow::pause;
    }

private:
    flow give(server_event found) {
        event = std::move(found);
        return flow::pause;
    }

    server_protocol& server_;
};

server_protocol::server_protocol(server_options options, steady_time now)
    : options_(std::move(options)), now_(now) {
    append_info(output_.end(), options_.info);
    limits_.max_control_line_bytes = options_.max_control_line_bytes;
    limits_.max_payload_bytes = options_.info.max_payload;
    limits_.headers_allowed = false;
    limits_.pedantic = client_.pedantic;
    deadline_ = now + options_.ping_interval;
    if (options_.info.auth_required) {
        state_ = state::awaiting_connect;
        limits_.connect_required = true;
        deadline_ = now + options_.auth_timeout;
    }
}

std::span<char> server_protocol::prepare() { return input_.prepare(); }

void server_protocol::commit(std::size_t received_bytes, steady_time now) {
    now_ = now;
    input_.commit(received_bytes);
    if (state_ == state::closed) input_.reset(); // Nobody will read it.
}

std::optional<server_event> server_protocol::next_event() {
    for (;;) {
        if (!events_.empty()) {
            auto event = std::move(events_.front());
            events_.pop_front();
            return event;
        }
        if (state_ == state::closed || state_ == state::awaiting_answer) return std::nullopt;
        held_ = {};
        visitor reader(*this);
        const auto status = input_.parse(limits_, reader);
        if (reader.event) return reader.event;
        if (output_.size() > options_.max_pending_bytes) {
            end_slow_consumer(); // One that asks for PONGs and does not read them.
            continue;
        }
        if (status == parse_status::paused) continue;
        if (status == parse_status::need_more) return std::nullopt;
        refuse_input(status);
    }
}

void server_protocol::refuse_input(parse_status status) {
    switch (status) {
    case parse_status::need_more:
    case parse_status::paused: return;
    case parse_status::unknown_operation:
        return close(close_reason::protocol_violation, error_texts::unknown_operation);
    case parse_status::control_line_too_long:
        return close(close_reason::max_control_line_exceeded, error_texts::max_control_line);
    case parse_status::payload_too_large:
        return close(close_reason::max_payload_exceeded, error_texts::max_payload);
    case parse_status::connect_expected: return refuse();
    case parse_status::headers_not_allowed:
    case parse_status::invalid_arguments: return close(close_reason::protocol_violation);
    }
}

void server_protocol::transport_closed() {
    output_.clear();
    close(close_reason::client_closed);
}

void server_protocol::expire(steady_time now) {
    now_ = now;
    if (!deadline_ || now < *deadline_) return;
    if (state_ == state::awaiting_connect || state_ == state::awaiting_answer) {
        return close(close_reason::authentication_timeout, error_texts::authentication_timeout);
    }
    if (pings_outstanding_ >= options_.ping_max) {
        return close(close_reason::stale_connection, error_texts::stale_connection);
    }
    ++pings_outstanding_;
    append_ping(output_.end());
    deadline_ = now + options_.ping_interval;
}

void server_protocol::receive_connect(bytes_view json) {
    if (!read_connect(json, client_)) return close(close_reason::protocol_violation);
    if (client_.new_account || !client_.account.empty()) return refuse();
    limits_.headers_allowed = accepts_headers();
    limits_.pedantic = client_.pedantic;
    has_connected_ = true;
    events_.emplace_back(connect_received{client_});
    if (options_.info.auth_required) {
        state_ = state::awaiting_answer;
    } else {
        accept();
    }
}

void server_protocol::accept() {
    if (state_ == state::closed) return;
    if (client_.protocol < 0 || client_.protocol > 1) {
        return close(close_reason::bad_client_protocol_version,
                     error_texts::invalid_client_protocol);
    }
    if (client_.no_responders && !accepts_headers()) {
        return close(close_reason::no_responders_requires_headers,
                     error_texts::no_responders_requires_headers);
    }
    state_ = state::open;
    limits_.connect_required = false;
    deadline_ =
        now_ + std::min<std::chrono::milliseconds>(options_.ping_interval, first_ping_interval_max);
    confirm();
}

void server_protocol::refuse() {
    close(close_reason::authentication_failure, error_texts::authorization_violation);
}

void server_protocol::receive_ping() {
    append_pong(output_.end());
    if (!has_connected_ || std::exchange(answered_ping_, true) || client_.protocol < 1) return;
    auto info = options_.info;
    info.connect_info = true;
    append_info(output_.end(), info);
}

void server_protocol::confirm() {
    if (client_.verbose) append_ok(output_.end());
}

bool server_protocol::accepts_headers() const noexcept {
    return options_.info.headers && client_.headers;
}

result<> server_protocol::deliver(const delivery& message) {
    if (state_ == state::closed) return errc::closed;
    auto shown = message;
    if (!accepts_headers()) shown.headers = {};
    append_delivery(output_.end(), shown);
    if (output_.size() <= options_.max_pending_bytes) return {};
    end_slow_consumer();
    return errc::output_full;
}

void server_protocol::end_slow_consumer() {
    output_.clear();
    close(close_reason::slow_consumer_pending_bytes);
}

void server_protocol::send_error(bytes_view text) {
    if (state_ != state::closed) append_error(output_.end(), text);
}

void server_protocol::update_info(server_info info) {
    options_.info = std::move(info);
    limits_.max_payload_bytes = options_.info.max_payload;
    if (state_ == state::open && answered_ping_ && client_.protocol >= 1) {
        append_info(output_.end(), options_.info);
    }
}

void server_protocol::close(close_reason reason, bytes_view text) {
    if (state_ == state::closed) return;
    if (!text.empty()) append_error(output_.end(), text);
    state_ = state::closed;
    deadline_.reset();
    events_.emplace_back(session_closed{reason});
}

} // namespace pipit::protocol
