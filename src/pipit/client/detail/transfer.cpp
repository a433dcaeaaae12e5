// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/detail/transfer.hpp>

#include <pipit/client/error.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/protocol/error.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace pipit::client::detail {
namespace {

/// For the header and what else counts towards `max_payload`, where there is that much.
constexpr std::size_t room_for_headers = 1024;

/// How large a chunk may be in a message of so many bytes; 0 of them: nobody says.
std::size_t chunk_within(std::size_t message_bytes_max, std::size_t chunk) {
    if (message_bytes_max == 0) return chunk;
    return std::min(chunk, message_bytes_max - std::min(room_for_headers, message_bytes_max / 2));
}

transfer_options within_limits(transfer_options options, const link& over) {
    const auto chunk =
        chunk_within(over.options().pending_output_bytes_max, options.chunk_bytes_max);
    options.chunk_bytes_max = std::max<std::size_t>(chunk, 1);
    options.window_bytes = std::max<std::size_t>(options.window_bytes, 1);
    options.idle_timeout = std::min(options.idle_timeout, for_ever);
    return options;
}

headers marked(bytes_view control) {
    headers out;
    (void)out.set(transfer_header, control); // Words and numbers are well-formed.
    return out;
}

} // namespace

/// Takes the next message. When it is destroyed in place of being called, then because the
/// execution context is.
class transfer::listener {
public:
    listener(const transfer_pointer& of, bool keeps) : of_(of), kept_(keeps ? of : nullptr) {}
    listener(listener&&) noexcept = default;
    listener& operator=(listener&&) = delete;
    ~listener() {
        if (const auto self = of_.lock()) self->abandon();
    }
    void operator()(result<message> what) {
        if (const auto self = std::exchange(of_, {}).lock()) self->arrived(std::move(what));
    }

private:
    std::weak_ptr<transfer> of_;
    transfer_pointer kept_;
};

transfer::transfer(std::shared_ptr<link> over, chunk_session::side which,
                   const transfer_options& options)
    : link_(std::move(over)),
      options_(within_limits(options, *link_)),
      session_(which, options_, net::steady_now()),
      connection_(link_->next_connection()),
      inbox_(link_->new_inbox()) {
    link_->begin_exchange();
}

transfer::~transfer() { let_server_go(); }

void transfer::let_server_go() {
    if (std::exchange(keeps_server_, false)) link_->end_exchange();
}

void transfer::open(const std::shared_ptr<link>& over, bytes_view subject, const headers* with,
                    const transfer_options& options, handler<chunk_stream> done) {
    const pointer made(new transfer(over, chunk_session::side::asking, options),
                       net::delete_unless_forked());
    const lock held(made->mutex_);
    made->subject_ = subject;
    if (with != nullptr) made->opening_ = *with;
    made->opener_.emplace(std::move(done), over->executor());
    made->opener_->on_cancel([weak = std::weak_ptr(made)] {
        if (const auto self = weak.lock()) self->cancel(protocol::errc::cancelled, "cancelled");
    });
    const auto subscribed = made->subscribe();
    if (!subscribed) return made->complete<chunk_stream>(made->opener_, subscribed.error());
    made->advance();
    made->arm();
}

result<transfer::pointer> transfer::accept(const std::shared_ptr<link>& over,
                                           const message& request,
                                           const transfer_options& options) {
    const pointer made(new transfer(over, chunk_session::side::serving, options),
                       net::delete_unless_forked());
    const lock held(made->mutex_);
    made->subject_ = request.subject();
    made->session_.receive(request, net::steady_now());
    if (const auto& failure = made->session_.failure()) return made->named(*failure);
    const auto subscribed = made->subscribe();
    if (!subscribed) return subscribed.error();
    made->advance();
    made->arm();
    return made;
}

result<> transfer::subscribe() {
    auto made = link_->subscribe(inbox_, nullptr, {});
    if (!made) return made.error();
    feed_ = std::move(*made);
    listen();
    return {};
}

template <class T>
void transfer::complete(std::optional<waiting<T>>& who, result<T> with) {
    if (!who) return;
    // Later: neither inside the call that began it, nor under the lock.
    asio::post(link_->executor(), [waits = std::move(*who), with = std::move(with)]() mutable {
        std::move(waits).complete(std::move(with));
    });
    who.reset();
}

template <class T, class Begin>
void transfer::start(handler<T> done, Begin begin) {
    if (is_forked()) return link_->refuse_as_forked(std::move(done));
    const lock held(mutex_);
    if (link_->is_abandoned()) return; // The handler dies like all that waited.
    std::optional<waiting<T>> who(std::in_place, std::move(done), link_->executor());
    begin(who);
}

void transfer::listen() {
    // While it is being opened, this is all that keeps it.
    link_->next(feed_, {}, handler<message>(listener(shared_from_this(), opener_.has_value())));
}

void transfer::abandon() {
    // What is moved here dies without the lock: it may own a coroutine that owns this.
    std::optional<waiting<chunk_stream>> opener;
    std::optional<waiting<std::optional<message>>> reader;
    std::optional<writer> writes;
    std::optional<waiting<void>> finisher;
    mutex_.inside([&] {
        opener.swap(opener_);
        reader.swap(reader_);
        writes.swap(writer_);
        finisher.swap(finisher_);
    });
}

void transfer::arrived(result<message> what) {
    mutex_.inside([&] {
        const auto now = net::steady_now();
        if (!what) {
            session_.cancel(link_->is_closed() ? error(protocol::errc::closed) : what.error(), {});
            return advance();
        }
        session_.receive(*what, now);
        while (auto more = link_->try_next(*feed_)) session_.receive(*more, now);
        advance();
        if (!session_.failure()) listen();
    });
}

void transfer::advance() {
    write_on();
    read_on(); // May raise the limit.
    for (const auto& control : session_.controls()) say(control);
    if (session_.failure() || session_.is_complete()) let_server_go();
    if (session_.failure()) return fail_everything();
    if (!session_.peer().empty() && opener_)
        complete<chunk_stream>(opener_, chunk_stream(shared_from_this()));
    if (is_finished_ && !writer_ && !is_publishing_) {
        session_.finish();
        for (const auto& control : session_.controls()) say(control);
        if (session_.is_complete()) let_server_go();
        complete<void>(finisher_, {});
    }
}

void transfer::say(const std::string& control) {
    const bool opens = control.starts_with("open");
    auto with = opens ? opening_ : headers();
    (void)with.set(transfer_header, control);
    publish_options options{.headers = &with};
    if (opens || control.starts_with("accept")) options.reply = inbox_;
    const bytes_view payload = control == "cancel" ? session_.cancel_text() : bytes_view();
    link_->publish_when_room(opens ? subject_ : session_.peer(), payload, options,
                             handler<void>([weak = weak_from_this()](result<> outcome) {
                                 const auto self = weak.lock();
                                 if (!outcome && self) self->cancel(outcome.error(), {});
                             }));
}

void transfer::write_on() {
    if (!writer_ || is_publishing_ || session_.failure()) return;
    // Asked each time: the server may be known later than the transfer, and changes its mind.
    const auto chunk_max = chunk_within(link_->max_payload(), session_.writable_bytes());
    const auto bytes = std::min(chunk_max, writer_->rest.size());
    if (bytes == 0 && !writer_->rest.empty()) return; // There will be room.
    if (bytes == 0) {
        std::optional<waiting<void>> who(std::move(writer_->who));
        writer_.reset();
        return complete<void>(who, {});
    }
    const auto chunk = writer_->rest.substr(0, bytes);
    writer_->rest.remove_prefix(bytes);
    is_publishing_ = true;
    const auto with = marked(session_.begin_chunk(bytes, net::steady_now()));
    link_->publish_when_room(session_.peer(), chunk, {.headers = &with},
                             handler<void>([weak = weak_from_this()](result<> outcome) {
                                 if (const auto self = weak.lock()) self->written(outcome);
                             }));
}

void transfer::written(result<> outcome) {
    mutex_.inside([&] {
        is_publishing_ = false;
        if (!outcome) session_.cancel(outcome.error(), {});
        advance();
    });
}

void transfer::read_on() {
    if (!reader_ || session_.failure()) return;
    if (auto chunk = session_.take_chunk()) {
        complete<std::optional<message>>(reader_, std::optional(std::move(*chunk)));
    } else if (session_.input_ended()) {
        complete<std::optional<message>>(reader_, std::optional<message>());
    }
}

error transfer::named(const error& why) const {
    const bool is_known = why == errc::transfer_cancelled || why == protocol::errc::cancelled ||
                          why == protocol::errc::closed;
    if (is_known || why.detail().find(subject_) != std::string_view::npos) return why;
    const auto detail = std::string(why.detail());
    return {why.code(), detail + (detail.empty() ? "on \"" : ", on \"") + subject_ + '"'};
}

void transfer::fail_everything() {
    const auto why = named(*session_.failure());
    complete<chunk_stream>(opener_, why);
    complete<std::optional<message>>(reader_, why);
    complete<void>(finisher_, why);
    if (writer_) {
        std::optional<waiting<void>> who(std::move(writer_->who));
        writer_.reset();
        complete<void>(who, why);
    }
    if (feed_) link_->unsubscribe(feed_, 0);
    if (const auto timer = timer_.lock()) timer->cancel();
}

void transfer::read(handler<std::optional<message>> done) {
    start(std::move(done), [this](std::optional<waiting<std::optional<message>>>& who) {
        if (reader_) return complete<std::optional<message>>(who, errc::transfer_busy);
        if (over_) return complete<std::optional<message>>(who, *over_);
        reader_ = std::move(who);
        reader_->on_cancel([weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->give_up(&transfer::reader_);
        });
        advance();
    });
}

template <class T>
void transfer::give_up(std::optional<waiting<T>> transfer::*who) {
    mutex_.inside([&] { complete<T>(this->*who, protocol::errc::cancelled); });
}

void transfer::write(bytes_view bytes, handler<void> done) {
    start(std::move(done), [&](std::optional<waiting<void>>& who) {
        if (writer_ || is_finished_) return complete<void>(who, errc::transfer_busy);
        writer_.emplace(writer{bytes, std::move(*who)});
        writer_->who.on_cancel([weak = weak_from_this()] {
            // Nobody knows how much of it was sent.
            if (const auto self = weak.lock()) self->cancel(protocol::errc::cancelled, "cancelled");
        });
        advance();
    });
}

void transfer::finish(handler<void> done) {
    start(std::move(done), [this](std::optional<waiting<void>>& who) {
        if (std::exchange(is_finished_, true)) return complete<void>(who, errc::transfer_busy);
        finisher_ = std::move(who);
        finisher_->on_cancel([weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->give_up(&transfer::finisher_);
        });
        advance();
    });
}

void transfer::cancel(error why, bytes_view text) {
    mutex_.inside([&] {
        if (session_.failure() || link_->is_abandoned()) return;
        if (session_.is_complete()) {
            over_ = std::move(why);
        } else {
            session_.cancel(std::move(why), text);
        }
        advance();
        if (feed_) link_->unsubscribe(feed_, 0);
        if (const auto timer = timer_.lock()) timer->cancel();
    });
}

void transfer::arm() {
    const auto due = session_.next_deadline();
    if (!due) return;
    auto timer = timer_.lock();
    if (!timer) timer = std::make_shared<asio::steady_timer>(link_->executor());
    timer_ = timer;
    const nanoseconds third = nanoseconds(options_.idle_timeout) / 3;
    timer->expires_at(std::min(*due, net::steady_now() + third));
    timer->async_wait([weak = weak_from_this(), timer](const error_code& code) {
        const auto self = weak.lock();
        if (!code && self) self->tick();
    });
}

void transfer::tick() {
    mutex_.inside([this] {
        if (link_->statistics().connects > connection_) {
            session_.cancel(protocol::errc::connection_lost, "connection lost");
        }
        session_.expire(net::steady_now());
        advance();
        arm();
    });
}

} // namespace pipit::client::detail
