// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/client_protocol.hpp>

#include <pipit/base/limits.hpp>
#include <pipit/protocol/detail/error_reader.hpp>
#include <pipit/protocol/detail/texts.hpp>
#include <pipit/protocol/error.hpp>
#include <pipit/protocol/planted_bug.hpp>
#include <pipit/protocol/subject.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace pipit::protocol {
namespace {

/// Of the servers that could not be connected to, so many are named.
constexpr std::size_t failures_told_max = 16;

std::string sid_text(sid id) { return std::to_string(static_cast<std::uint64_t>(id)); }

/// Whether it may stand behind `used` bytes. What is far from the limit need not be counted
/// exactly.
bool fits(const publication& message, std::size_t used, std::size_t max) noexcept {
    constexpr std::size_t line_bytes_most = 56; // Name, sizes, spaces and line ends.
    const auto texts = message.subject.size() + message.reply.size() + message.headers.size() +
                       message.payload.size();
    return used + texts + line_bytes_most <= max || used + written_size(message) <= max;
}

error invalid_subject(bytes_view subject) {
    return {errc::invalid_subject, "'" + std::string(subject) + "'"};
}

/// Why a server cannot be connected to, which may name it, unless it is the server who says so.
error without_secret(const error& why, const server_address& server) {
    const bool servers_words = why == errc::refused_by_peer || why == errc::authorization_refused;
    if (!server.may_be_secret || servers_words) return why;
    return {why.code(), shown_name(server)};
}

errc error_of(parse_status status) noexcept {
    switch (status) {
    case parse_status::control_line_too_long: return errc::control_line_too_long;
    case parse_status::payload_too_large: return errc::payload_too_large;
    case parse_status::invalid_arguments: return errc::invalid_arguments;
    default: return errc::unknown_operation;
    }
}

} // namespace

/// Takes one operation, or several that say nothing to the user.
class client_protocol::visitor {
public:
    explicit visitor(client_protocol& client) : client_(client) {}

    std::optional<message_received> message;

    flow on_message(const message_operation& received) {
        if (client_.state_ == state::awaiting_info) return fail();
        message = client_.receive_message(received);
        return message ? flow::pause : flow::proceed;
    }
    flow on_info(bytes_view json) {
        client_.receive_info(json);
        return next();
    }
    flow on_ping() {
        // A server that asks for PONGs and does not read them gets no more than fits.
        const auto most = client_.options_.pending_output_bytes_max;
        if (client_.output_.size() < most) append_pong(client_.output_.end());
        return flow::proceed;
    }
    flow on_pong() {
        client_.receive_pong();
        return next();
    }
    flow on_ok() { return flow::proceed; }
    flow on_error(bytes_view text) {
        client_.receive_error(detail::without_quotes(text));
        return next();
    }

private:
    /// One event at a time, and nothing more of a server that was left or has to begin TLS.
    [[nodiscard]] flow next() const {
        return client_.events_.empty() && client_.reads() ? flow::proceed : flow::pause;
    }
    flow fail() {
        client_.lose(errc::unknown_operation);
        return flow::pause;
    }

    client_protocol& client_;
};

client_protocol::client_protocol(client_options options, random_source random)
    : options_(std::move(options)),
      random_(random),
      pool_(std::move(options_.servers), options_.pool, random_source(random_())) {}

void client_protocol::start(steady_time now) {
    PIPIT_ASSERT(state_ == state::idle);
    now_ = now;
    open_next(now);
}

void client_protocol::open_next(steady_time now) {
    const auto* const server = pool_.current();
    if (server == nullptr) return end(no_server());
    state_ = state::opening;
    has_slept_ = false;
    deadline_ = now + options_.connect_timeout;
    events_.emplace_back(open_requested{*server});
}

void client_protocol::wait_or_open(steady_time now) {
    const bool round_is_over = attempts_in_round_ >= pool_.size();
    if (round_is_over && !ever_connected_ && !options_.retry_first_connect) {
        return end(no_server());
    }
    if (!round_is_over || pool_.size() == 0) return open_next(now);
    attempts_in_round_ = 0;
    constexpr int doublings_max = 16;
    const auto wait = options_.reconnect_wait * (1 << std::min(rounds_, doublings_max));
    ++rounds_;
    // Chance is drawn from 32 bits: 49 days.
    constexpr std::int64_t jitter_max = std::numeric_limits<std::uint32_t>::max() - 1;
    const auto jitter = std::clamp<std::int64_t>(options_.reconnect_jitter.count(), 0, jitter_max);
    const auto jitter_range = static_cast<std::uint32_t>(jitter) + 1;
    state_ = state::waiting;
    const auto longest = std::max(options_.reconnect_wait, options_.reconnect_wait_max);
    deadline_ =
        now + std::min(wait, longest) + std::chrono::milliseconds(random_.below(jitter_range));
}

void client_protocol::transport_opened(steady_time now) {
    if (state_ != state::opening) return;
    now_ = now;
    input_.reset();
    held_ = {};
    secured_ = lame_duck_told_ = false;
    state_ = state::awaiting_info;
}

void client_protocol::tls_established(steady_time now) {
    now_ = now;
    secured_ = true;
    if (state_ != state::securing) return;
    // Bytes that came before TLS could be anybody's.
    if (!input_.empty()) return lose(errc::unknown_operation);
    request_tls_or_connect();
}

void client_protocol::transport_closed(steady_time now, error why) {
    now_ = now;
    if (state_ == state::idle || state_ == state::waiting || state_ == state::closed) return;
    lose(why.code() ? std::move(why) : error(errc::transport_closed));
}

std::span<char> client_protocol::prepare() { return input_.prepare(); }

void client_protocol::commit(std::size_t received_bytes, steady_time now) {
    now_ = now;
    input_.commit(received_bytes);
    if (received_bytes == 0) return;
    has_slept_ = false; // Whatever it says, it lives.
    keepalives_outstanding_ = 0;
}

bool client_protocol::reads() const noexcept {
    return state_ == state::awaiting_info || state_ == state::greeting ||
           state_ == state::awaiting_pong || state_ == state::connected;
}

std::optional<client_event> client_protocol::next_event() {
    for (;;) {
        if (!events_.empty()) {
            auto event = std::move(events_.front());
            events_.pop_front();
            return event;
        }
        if (!reads()) return std::nullopt;
        held_ = {};
        visitor reader(*this);
        const auto status = input_.parse(input_limits(), reader);
        if (reader.message) return *reader.message;
        if (status == parse_status::paused) continue;
        if (status == parse_status::need_more) return std::nullopt;
        lose(error_of(status));
    }
}

parser_limits client_protocol::input_limits() const noexcept {
    return {.max_control_line_bytes = limits::client_control_line_bytes,
            .max_payload_bytes =
                std::max<std::int64_t>(info_.max_payload, limits::client_payload_bytes)};
}

std::optional<steady_time> client_protocol::next_deadline() const noexcept { return deadline_; }

void client_protocol::expire(steady_time now) {
    now_ = now;
    if (!deadline_ || now < *deadline_) return;
    if (state_ == state::waiting) return open_next(now);
    // A process that did not run for a while has not read what came meanwhile: that says nothing
    // about the server, which gets its time again, once.
    const bool slept =
        now - *deadline_ >= limits::client_suspended && !std::exchange(has_slept_, true);
    if (state_ == state::connected) return keep_alive(now, slept);
    if (!slept) return lose(error(errc::timeout, late_text()));
    deadline_ = now + options_.connect_timeout;
}

void client_protocol::keep_alive(steady_time now, bool slept) {
    if (!slept && keepalives_outstanding_ >= options_.pings_outstanding_max) {
        return lose(errc::stale_connection);
    }
    queue_ping(ping_kind::keepalive);
    if (slept) {
        // The connection may be long gone: find out soon, by this one ping.
        keepalives_outstanding_ = options_.pings_outstanding_max;
        deadline_ = now + std::min(options_.ping_interval, options_.connect_timeout);
        return;
    }
    ++keepalives_outstanding_;
    deadline_ = now + options_.ping_interval;
    input_.expect_little();
    output_.release();
}

/// What did not come in time.
std::string client_protocol::late_text() const {
    const auto time = " within " + detail::duration_text(options_.connect_timeout);
    switch (state_) {
    case state::opening: return "no connection" + time;
    case state::awaiting_info: return "no INFO" + time;
    case state::securing: return "TLS was not established" + time;
    default: return "no answer to CONNECT" + time;
    }
}

void client_protocol::lose(error why, std::string_view auth_error) {
    const bool was_connected = state_ == state::connected;
    if (!was_connected) why = without_secret(why, *pool_.current());
    is_leaving_ = false;
    output_.clear();
    pings_.clear();
    keepalives_outstanding_ = 0;
    events_.emplace_back(disconnected{why, was_connected});
    count_failure(why, was_connected);
    if (was_connected && auth_error.empty()) {
        pool_.left();
    } else {
        pool_.failed(auth_error);
    }
    if (was_connected && !options_.reconnect) return end(std::move(why));
    wait_or_open(now_);
}

/// A server that takes us and soon after throws us out again, over and over, is not tried again
/// without a pause.
void client_protocol::count_failure(const error& why, bool was_connected) {
    if (!was_connected) {
        if (attempts_in_round_++ == 0) {
            failures_.clear();
            refusals_in_round_ = 0;
        }
        const bool is_refused = why == errc::authorization_refused;
        if (is_refused) ++refusals_in_round_;
        if (failures_.size() < failures_told_max) {
            const auto server = shown_name(*pool_.current());
            const bool names_it = why.detail() == server; // Not twice.
            const auto text = is_refused ? std::string(why.detail()) : why.message();
            failures_.push_back(server + ": " + (names_it ? why.code().message() : text));
        }
        return;
    }
    const bool has_lasted =
        now_ - connected_at_ >= options_.reconnect_wait_max || why == errc::left_server;
    if (has_lasted) rounds_ = 0;
    short_connections_ = has_lasted ? 0 : short_connections_ + 1;
    attempts_in_round_ = short_connections_ > 1 ? pool_.size() : 0;
}

/// Why there is none to be connected to.
error client_protocol::no_server() const {
    const bool all_refused = refusals_in_round_ != 0 && refusals_in_round_ == attempts_in_round_;
    return {all_refused ? errc::authorization_refused : errc::no_servers, failures_text()};
}

std::string client_protocol::failures_text() const {
    std::string out;
    for (const auto& failure : failures_) {
        if (!out.empty()) out += "; ";
        out += failure;
    }
    if (attempts_in_round_ > failures_.size()) {
        out += "; and " + std::to_string(attempts_in_round_ - failures_.size()) + " more";
    }
    return out;
}

void client_protocol::end(error why) {
    state_ = state::closed;
    deadline_.reset();
    offline_.clear();
    std::erase_if(events_,
                  [](const auto& event) { return std::holds_alternative<open_requested>(event); });
    events_.emplace_back(closed{std::move(why)});
}

void client_protocol::receive_info(bytes_view json) {
    auto read = parse_info(json);
    if (!read) return lose(read.error());
    // What this connection signs is said once.
    if (state_ != state::awaiting_info && read->nonce.empty()) read->nonce = info_.nonce;
    info_ = std::move(*read);
    discover_servers();
    if (state_ == state::awaiting_info) return request_tls_or_connect();
    events_.emplace_back(info_changed{});
    if (info_.ldm && !std::exchange(lame_duck_told_, true)) events_.emplace_back(lame_duck{});
}

void client_protocol::discover_servers() {
    if (!options_.use_discovered_servers) return;
    auto discovered = pool_.discover(info_.connect_urls);
    if (!discovered.empty()) events_.emplace_back(servers_discovered{std::move(discovered)});
}

void client_protocol::request_tls_or_connect() {
    using transport = server_address::transport;
    const auto over = pool_.current()->over;
    const bool wanted =
        options_.tls_required || over == transport::tls || over == transport::websocket_tls;
    // A WebSocket's TLS is below it: it is there, or it will not be.
    const bool is_websocket = over == transport::websocket || over == transport::websocket_tls;
    if (is_websocket && wanted && !secured_) return lose(errc::tls_not_offered);
    if (secured_ || is_websocket || (!wanted && !info_.tls_required)) {
        state_ = state::greeting;
        events_.emplace_back(connect_requested{});
    } else if (info_.tls_required || info_.tls_available) {
        state_ = state::securing;
        events_.emplace_back(tls_requested{});
    } else {
        lose(errc::tls_not_offered);
    }
}

void client_protocol::connect(const credentials& who) {
    const bool again = state_ == state::connected;
    if (!again && state_ != state::greeting) return; // The connection was lost meanwhile.
    const auto& server = *pool_.current();
    connect_options options;
    options.echo = options_.echo;
    options.verbose = options_.verbose;
    options.pedantic = options_.pedantic;
    options.tls_required = secured_;
    options.user = server.user.empty() ? who.user : server.user;
    options.pass = server.user.empty() ? who.pass : server.pass;
    options.auth_token = server.token.empty() ? who.auth_token : server.token;
    options.jwt = who.jwt;
    options.nkey = who.nkey;
    options.sig = who.sig;
    options.name = options_.name;
    options.lang = options_.lang;
    options.version = options_.version;
    options.protocol = 1;
    options.headers = options.no_responders = info_.headers;
    append_connect(output_.end(), options);
    if (again) return;
    append_ping(output_.end());
    state_ = state::awaiting_pong;
}

void client_protocol::receive_pong() {
    if (state_ == state::awaiting_pong) return begin_session();
    keepalives_outstanding_ = 0;
    if (pings_.empty()) return; // Nobody asked.
    const auto kind = pings_.front();
    pings_.pop_front();
    if (kind == ping_kind::asked) events_.emplace_back(pong_received{});
}

void client_protocol::begin_session() {
    state_ = state::connected;
    pool_.succeeded();
    attempts_in_round_ = 0;
    connected_at_ = now_;
    deadline_.reset();
    // An interval of 0 is that of no pings, as in nats.go and nats.c.
    const bool pings = options_.ping_interval > std::chrono::milliseconds(0);
    if (pings) deadline_ = now_ + options_.ping_interval;
    subscriptions_.begin_again();
    subscriptions_.for_each([&](auto& record) {
        const bool skip = planted::is(planted::bug::forgets_a_subscription) && ever_connected_ &&
                          record.after == nullptr;
        if (!skip) queue_subscription(record);
    });
    if (std::exchange(line_was_too_long_, false)) queue_ping(ping_kind::lines);
    output_.end() += std::exchange(offline_, {});
    events_.emplace_back(connected{std::exchange(ever_connected_, true)});
}

void client_protocol::queue_subscription(detail::subscription_record& record) {
    if (record.draining) return;
    const auto text = sid_text(record.id);
    record.delivered_before = record.delivered;
    append_subscribe(output_.end(), record.subject, record.queue, text);
    if (record.max != 0) {
        append_unsubscribe(output_.end(), text, record.max - record.delivered_before);
    }
}

std::optional<message_received> client_protocol::receive_message(const message_operation& message) {
    const auto id = detail::parse_sid(message.sid);
    auto* const record = id ? subscriptions_.find(*id) : nullptr;
    if (record == nullptr) return std::nullopt;
    if (message.whole != nullptr) held_ = *message.whole;

    ++record->delivered;
    const bool last = record->max != 0 && record->delivered >= record->max;
    if (last) subscriptions_.erase(*record);
    return message_received{*id, message.subject, message.reply, message.headers, message.payload,
                            last};
}

void client_protocol::receive_error(bytes_view text) {
    auto what = detail::read_error(text);
    if (what.kind == error_received::about::subscription) end_refused_subscription(what);
    const bool goes_on = detail::leaves_connection_open(what);
    const bool about_us = what.kind == error_received::about::authentication;
    if (detail::is_about_a_line(what)) find_too_long_line(what);
    auto why = as_error(what);
    events_.emplace_back(std::move(what));
    if (goes_on) return;
    lose(std::move(why), about_us ? text : bytes_view());
}

void client_protocol::end_refused_subscription(error_received& refused) {
    auto* const record = refused.subscription
                             ? subscriptions_.find(*refused.subscription)
                             : subscriptions_.find_refused(refused.subject, refused.queue);
    refused.subscription.reset();
    if (record == nullptr) return;
    refused.subscription = record->id;
    subscriptions_.erase(*record);
}

/// A server closes the connection when a line is too long for it, and says neither which one nor
/// how long one may be. If it was a subscription's, that would happen over and over. So the next
/// connection has a PING behind the subscriptions: when the error comes before its PONG, the
/// longest of them is too long, whatever else is, and ends.
void client_protocol::find_too_long_line(error_received& refused) {
    line_was_too_long_ = true;
    if (pings_.empty() || pings_.front() != ping_kind::lines) return;
    const auto bytes = [](const auto& of) {
        const std::size_t blank = of.queue.empty() ? 0 : 1;
        return of.subject.size() + of.queue.size() + blank + sid_text(of.id).size();
    };
    detail::subscription_record* longest = nullptr;
    subscriptions_.for_each([&](auto& record) {
        if (longest == nullptr || bytes(record) > bytes(*longest)) longest = &record;
    });
    if (longest == nullptr || longest->draining) return; // It will not be sent again.
    refused.kind = error_received::about::subscription;
    refused.subject = longest->subject;
    refused.queue = longest->queue;
    refused.subscription = longest->id;
    subscriptions_.erase(*longest);
}

void client_protocol::queue_ping(ping_kind kind) {
    append_ping(output_.end());
    pings_.push_back(kind);
}

result<> client_protocol::ping() {
    if (state_ != state::connected) return errc::not_connected;
    if (pings_.size() >= limits::client_pings) return errc::output_full;
    queue_ping(ping_kind::asked);
    return {};
}

result<> client_protocol::publish(const publication& message) {
    if (state_ == state::closed) return errc::closed;
    if (!is_valid_publish_subject(message.subject)) return invalid_subject(message.subject);
    if (!message.reply.empty() && !is_valid_publish_subject(message.reply)) {
        return invalid_subject(message.reply);
    }
    const bool knows_server = !info_.server_id.empty();
    const auto body_bytes = message.headers.size() + message.payload.size();
    const bool has_limit = knows_server && info_.max_payload > 0;
    if (has_limit && body_bytes > static_cast<std::size_t>(info_.max_payload)) {
        return error(errc::payload_too_large,
                     std::to_string(body_bytes) + " bytes to '" + std::string(message.subject) +
                         "', and the server takes " + std::to_string(info_.max_payload));
    }
    if (knows_server && !message.headers.empty() && !info_.headers) {
        return errc::headers_not_supported;
    }
    if (state_ == state::connected && !is_leaving_) {
        const auto max = options_.pending_output_bytes_max;
        if (!fits(message, output_.size(), max)) return errc::output_full;
        append_publication(output_.end(), message);
        return {};
    }
    if (options_.offline_bytes_max == 0) return errc::not_connected;
    if (!fits(message, offline_.size(), options_.offline_bytes_max)) return errc::output_full;
    append_publication(offline_, message);
    return {};
}

result<sid> client_protocol::subscribe(bytes_view subject, bytes_view queue) {
    if (state_ == state::closed) return errc::closed;
    const bool valid_queue = queue.find_first_of(" \t\r\n\f") == bytes_view::npos;
    if (!is_valid_subject(subject)) return invalid_subject(subject);
    if (!valid_queue) return error(errc::invalid_subject, "the queue '" + std::string(queue) + "'");
    const bool is_full = output_.size() >= options_.pending_output_bytes_max;
    if (state_ == state::connected && is_full) return errc::output_full;

    auto& record = subscriptions_.add(subject, queue);
    if (state_ == state::connected && !is_leaving_) queue_subscription(record);
    return record.id;
}

void client_protocol::unsubscribe(sid subscription, std::uint64_t max) {
    auto* const record = subscriptions_.find(subscription);
    if (record == nullptr) return;
    const bool at_once = max <= record->delivered;
    if (state_ == state::connected && !record->draining) {
        append_unsubscribe(output_.end(), sid_text(subscription),
                           at_once ? 0 : max - record->delivered_before);
    }
    record->max = max;
    if (at_once) subscriptions_.erase(*record);
}

bool client_protocol::drain(sid subscription) {
    auto* const record = subscriptions_.find(subscription);
    if (record == nullptr) return false;
    if (state_ != state::connected) {
        subscriptions_.erase(*record);
        return false;
    }
    if (std::exchange(record->draining, true)) return true;
    append_unsubscribe(output_.end(), sid_text(subscription));
    return true;
}

bool client_protocol::is_draining(sid subscription) const noexcept {
    const auto* const record = subscriptions_.find(subscription);
    return record != nullptr && record->draining;
}

const std::string* client_protocol::subject_of(sid subscription) const noexcept {
    const auto* const record = subscriptions_.find(subscription);
    return record == nullptr ? nullptr : &record->subject;
}

void client_protocol::reconnect(steady_time now) {
    now_ = now;
    if (state_ == state::idle || state_ == state::closed) return;
    if (state_ == state::connected) return lose(errc::left_server);
    if (state_ != state::waiting) {
        // A server that was not waited for has not failed.
        output_.clear();
        events_.emplace_back(disconnected{errc::left_server, false});
        pool_.left();
    }
    open_next(now);
}

void client_protocol::prepare_reconnect(std::optional<sid> kept) {
    if (state_ != state::connected || std::exchange(is_leaving_, true)) return;
    subscriptions_.for_each([&](const auto& record) {
        if (record.id == kept || record.draining) return;
        append_unsubscribe(output_.end(), sid_text(record.id));
    });
}

void client_protocol::stay() {
    if (std::exchange(is_leaving_, false)) output_.end() += std::exchange(offline_, {});
}

void client_protocol::close(error why) {
    if (state_ != state::closed) end(std::move(why));
}

} // namespace pipit::protocol
