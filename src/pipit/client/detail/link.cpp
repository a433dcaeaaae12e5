// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/detail/link.hpp>

#include <pipit/client/detail/link_service.hpp>
#include <pipit/client/detail/server_urls.hpp>
#include <pipit/client/detail/tls.hpp>
#include <pipit/client/error.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/net/random_bytes.hpp>
#include <pipit/protocol/error.hpp>
#include <pipit/protocol/subject.hpp>
#include <pipit/protocol/writer.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>

#include <algorithm>
#include <list>
#include <string_view>
#include <utility>

namespace pipit::client::detail {
namespace {

connection_options with_bounded_times(connection_options options) {
    for (auto* const time :
         {&options.connect_timeout, &options.request_timeout, &options.drain_timeout,
          &options.ping_interval, &options.reconnect_wait, &options.reconnect_wait_max,
          &options.reconnect_jitter}) {
        *time = std::clamp(*time, std::chrono::milliseconds(0), for_ever);
    }
    return options;
}

std::optional<error> find_option_error(const connection_options& options) {
    if (const auto servers = parse_servers(options.servers); !servers) return servers.error();
    if (auto wrong = find_tls_option_error(options.tls)) return wrong;
    if (!protocol::is_valid_publish_subject(options.inbox_prefix)) {
        return error(protocol::errc::invalid_subject, "the inbox prefix " + options.inbox_prefix);
    }
    return std::nullopt;
}

protocol::client_session_options session_options(const connection_options& options) {
    protocol::client_session_options out;
    out.inbox_prefix = options.inbox_prefix;
    auto& wire = out.protocol;
    if (auto servers = parse_servers(options.servers)) wire.servers = std::move(*servers);
    wire.pool.randomize = options.randomize_servers;
    wire.pool.attempts_max = options.reconnect_attempts_max;
    wire.pool.remove_on_repeated_auth_error = options.gives_up_on_repeated_refusal;
    wire.use_discovered_servers = options.use_discovered_servers;
    wire.name = options.name;
    wire.version = PIPIT_VERSION;
    wire.verbose = options.verbose;
    wire.pedantic = options.pedantic;
    wire.echo = options.echo;
    wire.tls_required = options.tls.required || options.tls.first;
    wire.connect_timeout = options.connect_timeout;
    wire.ping_interval = options.ping_interval;
    wire.pings_outstanding_max = options.pings_outstanding_max;
    wire.reconnect = options.reconnect;
    wire.retry_first_connect = options.retry_on_failed_connect;
    wire.reconnect_wait = options.reconnect_wait;
    wire.reconnect_wait_max = options.reconnect_wait_max;
    wire.reconnect_jitter = options.reconnect_jitter;
    wire.pending_output_bytes_max = options.pending_output_bytes_max;
    wire.offline_bytes_max = options.reconnect_buffer_bytes_max;
    return out;
}

} // namespace

std::shared_ptr<link> link::make(asio::any_io_executor executor, connection_options options,
                                 face user) {
    auto& context = asio::query(executor, asio::execution::context);
    const std::shared_ptr<link> made(new link(std::move(executor), std::move(options), user),
                                     net::delete_unless_forked());
    made->service_ = &asio::use_service<link_service>(context);
    made->service_->add(made);
    return made;
}

link::link(asio::any_io_executor executor, connection_options options, face user)
    : executor_(std::move(executor)),
      options_(with_bounded_times(std::move(options))),
      face_(user),
      option_error_(find_option_error(options_)),
      random_(net::draw_seed()),
      session_(session_options(options_), random_source(random_())),
      strand_(asio::make_strand(executor_)),
      timer_(std::in_place, *strand_) {}

link::~link() {
    if (service_ != nullptr) service_->remove(*this);
}

template <class Entry>
void link::give_up(std::list<Entry> link::*among, std::uint64_t number) {
    inside([&] {
        auto& entries = this->*among;
        const auto found = std::ranges::find(entries, number, &Entry::number);
        if (found == entries.end()) return;
        auto who = std::move(found->who);
        entries.erase(found);
        tell(std::move(who), protocol::errc::cancelled);
    });
}

template <class Entry>
auto link::canceller(std::list<Entry> link::*among, std::uint64_t number) {
    return [weak = weak_from_this(), among, number] {
        if (const auto self = weak.lock()) self->give_up(among, number);
    };
}

void link::cancel(protocol::operation_id id) {
    inside([&] {
        session_.cancel(id);
        schedule_turn();
    });
}

auto link::canceller(protocol::operation_id id) {
    return [weak = weak_from_this(), id] {
        if (const auto self = weak.lock()) self->cancel(id);
    };
}

std::optional<result<>> link::begin_connecting() {
    if (option_error_) return result<>(*option_error_);
    if (session_.is_closed()) return result<>(protocol::errc::closed);
    if (!std::exchange(started_, true)) session_.start(net::steady_now());
    schedule_turn();
    if (session_.is_connected() || options_.retry_on_failed_connect) return result<>();
    return std::nullopt;
}

std::optional<result<>> link::try_connect() {
    return inside([this] { return begin_connecting(); });
}

void link::connect(handler<void> done) {
    start(std::move(done), [&](lock& /*held*/, waiting<void> who) {
        if (auto known = begin_connecting()) {
            return complete_later<void>(std::move(who), std::move(*known));
        }
        const auto number = next_waiter_++;
        who.on_cancel([weak = weak_from_this(), number] {
            const auto self = weak.lock();
            if (!self) return;
            self->give_up(&link::connecting_, number);
            if (!self->is_connected()) self->close(); // Nobody would know of a later success.
        });
        connecting_.push_back({number, std::move(who)});
    });
}

result<protocol::operation_id> link::begin_request(bytes_view subject, bytes_view payload,
                                                   const request_options& options) {
    const auto timeout = options.timeout.value_or(options_.request_timeout);
    return session_.request({subject, {}, header_block(options.headers), payload},
                            net::steady_now(), timeout);
}

void link::request(bytes_view subject, bytes_view payload, const request_options& options,
                   handler<message> done) {
    start(std::move(done), [&](lock& held, waiting<message> who) {
        if (drain_deadline_) return complete_later<message>(std::move(who), ending_why());
        const auto id = begin_request(subject, payload, options);
        if (!id) return complete_later<message>(std::move(who), id.error());
        who.on_cancel(canceller(*id));
        operations_.emplace(*id, std::move(who));
        asked(held);
    });
}

result<link::feed_pointer> link::request_many(bytes_view subject, bytes_view payload,
                                              const request_many_options& options) {
    return inside([&](lock& held) -> result<feed_pointer> {
        if (drain_deadline_) return ending_why();
        protocol::request_many_limits limits;
        limits.timeout = options.timeout.value_or(options_.request_timeout);
        limits.stall = options.stall;
        limits.messages_max = options.messages_max;
        if (options.ends_with_empty_payload) {
            limits.is_last = [](const message& reply) { return reply.payload().empty(); };
        }
        const auto id = session_.request_many({subject, {}, header_block(options.headers), payload},
                                              net::steady_now(), std::move(limits));
        if (!id) return id.error();
        auto made = std::make_shared<feed>(shared_from_this(), *id, std::string(subject),
                                           subscribe_options{});
        made->is_last = options.is_last;
        operations_.emplace(*id, made);
        asked(held);
        return made;
    });
}

result<> link::respond(const message& request, bytes_view payload, publish_options options) {
    if (request.reply().empty()) {
        return error(errc::no_reply_subject, "'" + std::string(request.subject()) + "'");
    }
    return publish(request.reply(), payload, options);
}

void link::flush(std::optional<nanoseconds> timeout, handler<nanoseconds> done) {
    flush_as(timeout, std::move(done));
}

void link::flush(std::optional<nanoseconds> timeout, handler<void> done) {
    flush_as(timeout, std::move(done));
}

template <class T>
void link::flush_as(std::optional<nanoseconds> timeout, handler<T> done) {
    start(std::move(done), [&](lock& held, waiting<T> who) {
        const auto id =
            session_.flush(net::steady_now(), timeout.value_or(options_.request_timeout));
        if (!id) return complete_later<T>(std::move(who), id.error());
        who.on_cancel(canceller(*id));
        operations_.emplace(*id, std::move(who));
        asked(held);
    });
}

void link::drain(handler<void> done) {
    start(std::move(done), [&](lock& /*held*/, waiting<void> who) {
        if (session_.is_closed()) {
            return complete_later<void>(std::move(who), protocol::errc::closed);
        }
        const auto number = next_waiter_++;
        who.on_cancel(canceller(&link::draining_, number));
        draining_.push_back({number, std::move(who)});
        if (!drain_deadline_) {
            const auto now = net::steady_now();
            drain_deadline_ = now + options_.drain_timeout;
            if (face_ == face::blocking) drained_by_ = std::this_thread::get_id();
            for (const auto& [id, of] : subscriptions_) {
                session_.drain(id, now, options_.drain_timeout);
            }
        }
        advance_drain();
        schedule_turn();
    });
}

void link::wait_for_room(bytes_view subject, bytes_view payload, const publish_options& options,
                         handler_or_thread who) {
    const auto number = next_waiter_++;
    if (auto* const waits = std::get_if<waiting<void>>(&who)) {
        waits->on_cancel(canceller(&link::wanting_room_, number));
    }
    wanting_room_.push_back({number, std::string(subject), std::string(options.reply),
                             std::string(header_block(options.headers)), std::string(payload),
                             std::move(who)});
    schedule_turn();
}

/// Why nothing new is taken once `drain` was called.
error link::ending_why() const {
    return session_.is_closed() ? protocol::errc::closed : protocol::errc::draining;
}

void link::close() {
    inside([this](lock& held) {
        if (session_.is_closed()) return;
        session_.stay();
        send_all(held);
        if (session_.is_closed()) return; // By somebody else meanwhile.
        closing_why_ = protocol::errc::closed;
        session_.close();
        // Whoever holds back the reading must not hold back the end.
        holding_feeds_ = 0;
        take_events();
        schedule_turn();
    });
}

void link::reconnect() {
    inside([this](lock& held) {
        send_all(held);
        session_.reconnect(net::steady_now());
        take_events(); // The transport is another server's now.
        schedule_turn();
    });
}

result<> link::renew_credentials() {
    return inside([this]() -> result<> {
        if (!session_.is_connected()) return protocol::errc::not_connected;
        if (!options_.credentials_provider) return errc::no_credentials_provider;
        tasks_.emplace_back(credentials_question{});
        schedule_turn();
        return {};
    });
}

void link::tell_user(error why) {
    inside([&] { report(event::asynchronous_error{std::move(why)}); });
}

void link::silence() {
    inside([this] { silent_ = true; });
}

void link::silence_what_is_not_over() {
    inside([this] {
        tells_end_ = session_.is_closed();
        silent_ = true;
    });
}

std::string link::new_inbox() { // A parent and its child would make the same ones.
    return inside([this] { return session_.new_inbox(); });
}

bool link::is_connected() const {
    return inside([this] { return session_.is_connected(); });
}

bool link::is_closed() const { // Also to a child.
    return !inside([this] { return !session_.is_closed(); });
}

std::size_t link::max_payload() const {
    return inside(
        [this] { return static_cast<std::size_t>(std::max(session_.info().max_payload, 0)); });
}

protocol::server_info link::server_info() const {
    return inside([this] { return session_.info(); });
}

std::string link::connected_server() const {
    return inside([this] { return connected_server_; });
}

std::vector<std::string> link::servers() const {
    return inside([this] { return session_.pool().names(); });
}

std::uint64_t link::next_connection() const {
    return inside([this] { return session_.next_connection(); });
}

void link::begin_exchange() {
    inside([this] { session_.begin_exchange(); });
}

void link::end_exchange() {
    inside([this] {
        session_.end_exchange();
        if (!session_.is_closed()) schedule_turn(); // Perhaps that was waited for.
    });
}

protocol::session_statistics link::statistics() const {
    return inside([this] { return session_.statistics(); });
}

bool link::is_abandoned() const {
    return inside([this] { return abandoned_; });
}

void link::abandon() {
    // What is moved here dies without the lock: a handler may own a coroutine that owns this link's
    // connection and subscriptions, whose destructors come back.
    std::vector<task> tasks;
    std::vector<task> running;
    std::list<numbered_waiter> connecting;
    std::list<numbered_waiter> draining;
    std::list<room_waiter> wanting_room;
    std::unordered_map<protocol::operation_id, operation> operations;
    std::vector<feed_pointer> feeds;
    std::unordered_map<const feed*, feed_pointer> delaying;
    std::list<feed::waiter> waiters;
    std::list<feed::drainer> feed_drains;
    std::shared_ptr<dialer> dialing;
    transport_pointer connected;

    inside([&] {
        abandoned_ = true;
        silent_ = true;
        service_ = nullptr;
        session_.close();
        tasks.swap(tasks_);
        running.swap(running_);
        running_next_ = 0;
        connecting.swap(connecting_);
        draining.swap(draining_);
        wanting_room.swap(wanting_room_);
        operations.swap(operations_);
        for (const auto& [id, of] : subscriptions_) feeds.push_back(of);
        for (const auto& [id, of] : operations) {
            if (const auto* const many = std::get_if<feed_pointer>(&of)) feeds.push_back(*many);
        }
        subscriptions_.clear();
        delaying.swap(delaying_feeds_);
        last_feed_.reset();
        for (const auto& of : feeds) {
            of->end = feed_end{protocol::errc::closed, {}};
            waiters.splice(waiters.end(), of->waiters);
            feed_drains.splice(feed_drains.end(), of->drains);
            call_all(*of);
        }
        dialing = std::exchange(dialer_, nullptr);
        connected = std::exchange(transport_, nullptr);
        timer_.reset();
        strand_.reset();
    });
}

} // namespace pipit::client::detail
