// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/client_protocol.hpp>

#include <pipit/base/limits.hpp>
#include <pipit/protocol/detail/error_reader.hpp>
#include <pipit/protocol/error.hpp>
#include <pipit/protocol/subject.hpp>

#include <algorithm>
#include <utility>

namespace pipit::protocol {
namespace {

/// An INFO may name many servers; a delivery's line may be longer than a publication's.
constexpr std::size_t max_control_line_bytes = std::size_t{1024} * 1024;
/// The messages of another server, with a larger `max_payload`, may arrive here.
constexpr std::int64_t max_payload_bytes_min = std::int64_t{64} * 1024 * 1024;

std::string sid_text(sid id) { return std::to_string(static_cast<std::uint64_t>(id)); }

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
        const bool fits = client_.output_.size() < client_.options_.pending_output_bytes_max;
        if (fits) append_pong(client_.output_.end());
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
    if (server == nullptr) {
        const auto detail = last_error_.code() ? last_error_.message() : std::string();
        return end(error(errc::no_servers, detail));
    }
    state_ = state::opening;
    deadline_ = now + options_.connect_timeout;
    events_.emplace_back(open_requested{*server});
}

void client_protocol::wait_or_open(steady_time now) {
    const bool round_is_over = attempts_in_round_ >= pool_.size();
    if (round_is_over && !ever_connected_ && !options_.retry_first_connect) {
        return end(error(errc::no_servers, last_error_.message()));
    }
    if (!round_is_over || pool_.size() == 0) return open_next(now);
    attempts_in_round_ = 0;
    constexpr int doublings_max = 16;
    const auto wait = options_.reconnect_wait * (1 << std::min(rounds_, doublings_max));
    ++rounds_;
    const auto jitter_range = static_cast<std::uint32_t>(options_.reconnect_jitter.count()) + 1;
    state_ = state::waiting;
    deadline_ = now + std::min(wait, options_.reconnect_wait_max) +
                std::chrono::milliseconds(random_.below(jitter_range));
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
    return {.max_control_line_bytes = max_control_line_bytes,
            .max_payload_bytes = std::max<std::int64_t>(info_.max_payload, max_payload_bytes_min)};
}

std::optional<steady_time> client_protocol::next_deadline() const noexcept { return deadline_; }

void client_protocol::expire(steady_time now) {
    now_ = now;
    if (!deadline_ || now < *deadline_) return;
    if (state_ == state::waiting) return open_next(now);
    if (state_ != state::connected) return lose(errc::timeout);
    if (keepalives_outstanding_ >= options_.pings_outstanding_max) {
        return lose(errc::stale_connection);
    }
    ++keepalives_outstanding_;
    queue_ping(ping_kind::keepalive);
    deadline_ = now + options_.ping_interval;
}

void client_protocol::lose(error why, std::string_view auth_error) {
    const bool was_connected = state_ == state::connected;
    last_error_ = why;
    output_.clear();
    pings_.clear();
    keepalives_outstanding_ = 0;
    events_.emplace_back(disconnected{why, was_connected});
    if (was_connected) {
        attempts_in_round_ = 0;
        rounds_ = 0;
    } else {
        ++attempts_in_round_;
    }
    if (was_connected && auth_error.empty()) {
        pool_.left();
    } else {
        pool_.failed(auth_error);
    }
    if (was_connected && !options_.reconnect) return end(std::move(why));
    wait_or_open(now_);
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
    const auto over = pool_.current()->over;
    const bool wanted = options_.tls_required || over == server_address::transport::tls;
    if (secured_ || (!wanted && !info_.tls_required)) {
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
    if (state_ != state::greeting) return; // The connection was lost meanwhile.
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
    rounds_ = 0;
    deadline_ = now_ + options_.ping_interval;
    subscribe_again();
    output_.end() += std::exchange(offline_, {});
    events_.emplace_back(connected{std::exchange(ever_connected_, true)});
}

void client_protocol::subscribe_again() {
    for (const auto id : subscriptions()) queue_subscription(id, subscriptions_.at(id));
}

std::vector<sid> client_protocol::subscriptions() const {
    std::vector<sid> ids;
    ids.reserve(subscriptions_.size());
    for (const auto& [id, unused] : subscriptions_) ids.push_back(id);
    std::sort(ids.begin(), ids.end());
    return ids;
}

const std::string* client_protocol::subject_of(sid subscription) const noexcept {
    const auto found = subscriptions_.find(subscription);
    return found == subscriptions_.end() ? nullptr : &found->second.subject;
}

void client_protocol::queue_subscription(sid id, subscription_record& record) {
    if (record.draining) return;
    const auto text = sid_text(id);
    record.delivered_before = record.delivered;
    append_subscribe(output_.end(), record.subject, record.queue, text);
    if (record.max != 0) {
        append_unsubscribe(output_.end(), text, record.max - record.delivered_before);
    }
}

std::optional<message_received> client_protocol::receive_message(const message_operation& message) {
    const auto id = detail::parse_sid(message.sid);
    const auto found = id ? subscriptions_.find(*id) : subscriptions_.end();
    if (found == subscriptions_.end()) return std::nullopt;
    if (message.whole != nullptr) held_ = *message.whole;

    auto& record = found->second;
    ++record.delivered;
    const bool last = record.max != 0 && record.delivered >= record.max;
    if (last) subscriptions_.erase(found);
    return message_received{*id, message.subject, message.reply, message.headers, message.payload,
                            last};
}

void client_protocol::receive_error(bytes_view text) {
    auto what = detail::read_error(text);
    if (what.kind == error_received::about::subscription) end_refused_subscription(what);
    const bool goes_on = detail::leaves_connection_open(what);
    const bool about_us = what.kind == error_received::about::authentication;
    events_.emplace_back(std::move(what));
    if (goes_on) return;
    lose(error(errc::refused_by_peer, std::string(text)), about_us ? text : bytes_view());
}

/// By its number if the server says it, else the oldest one with that subject and queue: each that
/// is refused has an error of its own, in the order in which they were sent.
void client_protocol::end_refused_subscription(error_received& refused) {
    if (!refused.subscription) {
        for (const auto id : subscriptions()) {
            const auto& record = subscriptions_.at(id);
            if (record.subject != refused.subject || record.queue != refused.queue) continue;
            refused.subscription = id;
            break;
        }
    }
    if (refused.subscription && subscriptions_.erase(*refused.subscription) == 0) {
        refused.subscription.reset();
    }
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
    if (!is_valid_publish_subject(message.subject)) return errc::invalid_subject;
    if (!message.reply.empty() && !is_valid_publish_subject(message.reply)) {
        return errc::invalid_subject;
    }
    const bool knows_server = !info_.server_id.empty();
    const auto body_bytes = message.headers.size() + message.payload.size();
    const bool has_limit = knows_server && info_.max_payload > 0;
    if (has_limit && body_bytes > static_cast<std::size_t>(info_.max_payload)) {
        return errc::payload_too_large;
    }
    if (knows_server && !message.headers.empty() && !info_.headers) {
        return errc::headers_not_supported;
    }
    const auto bytes = written_size(message);
    if (state_ == state::connected) {
        if (output_.size() + bytes > options_.pending_output_bytes_max) return errc::output_full;
        append_publication(output_.end(), message);
        return {};
    }
    if (options_.offline_bytes_max == 0) return errc::not_connected;
    if (offline_.size() + bytes > options_.offline_bytes_max) return errc::output_full;
    append_publication(offline_, message);
    return {};
}

result<sid> client_protocol::subscribe(bytes_view subject, bytes_view queue) {
    if (state_ == state::closed) return errc::closed;
    const bool valid_queue = queue.find_first_of(" \t\r\n\f") == bytes_view::npos;
    if (!is_valid_subject(subject) || !valid_queue) return errc::invalid_subject;
    const bool is_full = output_.size() >= options_.pending_output_bytes_max;
    if (state_ == state::connected && is_full) return errc::output_full;

    const sid id{next_sid_++};
    auto& record = subscriptions_[id];
    record.subject = subject;
    record.queue = queue;
    if (state_ == state::connected) queue_subscription(id, record);
    return id;
}

void client_protocol::unsubscribe(sid subscription, std::uint64_t max) {
    const auto found = subscriptions_.find(subscription);
    if (found == subscriptions_.end()) return;
    auto& record = found->second;
    const bool at_once = max <= record.delivered;
    if (state_ == state::connected && !record.draining) {
        append_unsubscribe(output_.end(), sid_text(subscription),
                           at_once ? 0 : max - record.delivered_before);
    }
    if (at_once) {
        subscriptions_.erase(found);
    } else {
        record.max = max;
    }
}

bool client_protocol::is_draining(sid subscription) const noexcept {
    const auto found = subscriptions_.find(subscription);
    return found != subscriptions_.end() && found->second.draining;
}

bool client_protocol::drain(sid subscription) {
    const auto found = subscriptions_.find(subscription);
    if (found == subscriptions_.end()) return false;
    if (state_ != state::connected) {
        subscriptions_.erase(found);
        return false;
    }
    if (std::exchange(found->second.draining, true)) return true;
    append_unsubscribe(output_.end(), sid_text(subscription));
    return true;
}

void client_protocol::reconnect(steady_time now) {
    now_ = now;
    if (state_ == state::waiting) return open_next(now);
    if (state_ != state::idle && state_ != state::closed) lose(errc::left_server);
}

void client_protocol::close(error why) {
    if (state_ != state::closed) end(std::move(why));
}

} // namespace pipit::protocol
