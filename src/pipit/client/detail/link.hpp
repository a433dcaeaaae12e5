// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client/detail/dialer.hpp>
#include <pipit/client/detail/feed.hpp>
#include <pipit/client/detail/own_mutex.hpp>
#include <pipit/client/detail/transport.hpp>
#include <pipit/client/detail/waiting.hpp>
#include <pipit/client/error.hpp>
#include <pipit/client/options.hpp>
#include <pipit/net/tls_context.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

namespace pipit::client::detail {

class link_service;

/// So much output is not left for the next turn, but sent by whoever appended it.
inline constexpr std::size_t direct_send_bytes = std::size_t{64} * 1024;

/// A blocking user publishes from threads of his own: after it has sent something, the thread in
/// the background waits that long for more, in place of waking for every few messages.
inline constexpr std::chrono::microseconds collecting_time{500};

/// The longest time that a user is given, so that the sum of it and another one is a time:
/// `milliseconds::max()` says "for ever".
inline constexpr std::chrono::milliseconds for_ever = std::chrono::hours(24) * 365 * 50;

/// Who uses a link. An asynchronous user sees exceptions of callbacks come out of the executor's
/// `run`, and what is published goes out with the next turn. A blocking one is told of them by an
/// event, and what somebody waits for is sent by the thread that asks, which saves a switch.
enum class face { asynchronous, blocking };

/// What a thread is told that waited so long for what callbacks hold up.
[[nodiscard]] error held_up(nanoseconds time);

/// The driver of one `client_session`, shared by the faces (`connection`, `blocking_connection`)
/// and by what they give out. A lock guards the session; it is never held while something of the
/// user's runs. All that waits runs on a strand, in turns: hand out events, send, wait again.
///
/// Threads: any.
class link : public std::enable_shared_from_this<link> {
public:
    [[nodiscard]] static std::shared_ptr<link> make(asio::any_io_executor executor,
                                                    connection_options options, face user);
    link(asio::any_io_executor executor, connection_options options, face user);
    ~link();

    void connect(handler<void> done);
    /// Begins to. Nothing: how it ends is not known yet.
    [[nodiscard]] std::optional<result<>> try_connect();
    [[nodiscard]] result<> publish(bytes_view subject, bytes_view payload,
                                   const publish_options& options);
    /// Nothing: it is time for others, or there is no room.
    [[nodiscard]] std::optional<result<>> try_publish(bytes_view subject, bytes_view payload,
                                                      const publish_options& options);
    /// Waits while there is no room, and a server that makes some.
    void publish_when_room(bytes_view subject, bytes_view payload, const publish_options& options,
                           handler<void> done);
    /// In the calling thread. After `request_timeout`, only while no callback holds it up.
    [[nodiscard]] result<> wait_for_publication(bytes_view subject, bytes_view payload,
                                                const publish_options& options);

    using feed_pointer = std::shared_ptr<feed>;
    [[nodiscard]] result<feed_pointer> subscribe(bytes_view subject,
                                                 std::function<void(message)> callback,
                                                 const subscribe_options& options);
    void request(bytes_view subject, bytes_view payload, const request_options& options,
                 handler<message> done);
    /// In the calling thread, which reads the answer itself when it can.
    [[nodiscard]] result<message> wait_for_request(bytes_view subject, bytes_view payload,
                                                   const request_options& options);
    [[nodiscard]] result<feed_pointer> request_many(bytes_view subject, bytes_view payload,
                                                    const request_many_options& options);
    [[nodiscard]] result<> respond(const message& request, bytes_view payload,
                                   publish_options options);
    /// Completes with the round trip, or with nothing more than that it is done.
    void flush(std::optional<nanoseconds> timeout, handler<nanoseconds> done);
    void flush(std::optional<nanoseconds> timeout, handler<void> done);
    /// In the calling thread.
    [[nodiscard]] result<nanoseconds> wait_for_flush(std::optional<nanoseconds> timeout);
    void drain(handler<void> done);
    void close();
    void reconnect();
    [[nodiscard]] result<> renew_credentials();
    /// Tells the user of what went wrong where nobody waits, as `event::asynchronous_error`.
    void tell_user(error why);
    /// From now on nothing of the user's options is called.
    void silence();
    /// The same, but who has closed it is still told of that.
    void silence_what_is_not_over();

    using time_limit = std::optional<nanoseconds>;
    void next(const feed_pointer& of, time_limit at_most, handler<message> done);
    void next(const feed_pointer& of, time_limit at_most, handler<std::optional<message>> done);
    [[nodiscard]] std::optional<message> try_next(feed& of);
    /// In the calling thread. No timeout: until there is one.
    [[nodiscard]] result<message> wait_for_next(feed& of, std::optional<nanoseconds> timeout);
    [[nodiscard]] result<std::optional<message>> wait_for_answer(feed& of,
                                                                 std::optional<steady_time> until);
    /// Not in a callback, for what it waited for would never come.
    [[nodiscard]] result<> may_wait() const;
    void unsubscribe(const feed_pointer& of, std::uint64_t max);
    void drain(const feed_pointer& of, handler<void> done);
    void cancel(feed& of);
    /// Until it has returned, unless this is it.
    void wait_for_callback(const feed& of) const;
    [[nodiscard]] bool is_active(const feed& of) const;
    [[nodiscard]] std::optional<protocol::replies_end> how_ended(const feed& of) const;
    [[nodiscard]] subscription_statistics statistics(const feed& of) const;

    [[nodiscard]] std::string new_inbox();
    [[nodiscard]] bool is_connected() const;
    [[nodiscard]] bool is_closed() const;
    [[nodiscard]] protocol::server_info server_info() const;
    /// As the server says in INFO; 0: it says nothing, or is not known yet.
    [[nodiscard]] std::size_t max_payload() const;
    [[nodiscard]] std::string connected_server() const;
    [[nodiscard]] std::vector<std::string> servers() const;
    [[nodiscard]] protocol::session_statistics statistics() const;
    /// The number of the connection that what is published now goes over.
    [[nodiscard]] std::uint64_t next_connection() const;
    /// A chunk transfer is under way, which breaks when the server is left.
    void begin_exchange();
    void end_exchange();
    [[nodiscard]] const connection_options& options() const noexcept { return options_; }
    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }

    /// No turn follows any more: calls all threads that wait, and waits until they have left.
    void see_sleepers_off();
    /// Nothing has gone on for so long, because callbacks of a blocking user run.
    [[nodiscard]] bool is_held_up(nanoseconds at_least) const;
    /// This process is a child of the one that made it, and must touch nothing of it: its thread is
    /// not here, somebody may have held the lock, and the socket is its parent's.
    [[nodiscard]] bool is_forked() const noexcept { return mutex_.is_forked(); }
    template <class T>
    void refuse_as_forked(handler<T> done) {
        auto fail = [who = waiting<T>(std::move(done), executor_)]() mutable {
            std::move(who).complete(errc::made_before_fork);
        };
        asio::post(executor_, std::move(fail));
    }
    /// The execution context ends: destroys what waits for it, and never uses it again.
    void abandon();
    [[nodiscard]] bool is_abandoned() const;

private:
    using lock = own_mutex::guard;
    using transport_pointer = std::shared_ptr<transport>;

    struct callback_call {
        feed_pointer of;
        message what;
    };
    /// Asks the user whether an answer is the last one.
    struct sentinel_question {
        feed_pointer of;
        message what;
    };
    struct end_of_answers {
        feed_pointer of;
        feed_end how;
    };
    struct credentials_question {};
    /// Reads the files, which certificates come from: they change while a program runs.
    struct tls_question {
        transport_pointer of;
    };
    /// Everything is handed out: the rest may be sent, and then it is over.
    struct last_drain {};
    template <class T>
    struct completion {
        waiting<T> who;
        result<T> with;
    };
    /// For a thread that waits, behind callbacks that were to be called before.
    struct wake_up {
        std::uint64_t number;
    };
    /// What is done without the lock.
    using task = std::variant<callback_call, sentinel_question, end_of_answers, connection_event,
                              credentials_question, tls_question, last_drain, completion<void>,
                              completion<message>, completion<std::optional<message>>,
                              completion<nanoseconds>, wake_up>;
    /// Who waits for an operation of the session.
    using operation = std::variant<waiting<message>, waiting<nanoseconds>, waiting<void>,
                                   feed_pointer, awaited<message>*, awaited<nanoseconds>*>;
    using handler_or_thread = std::variant<waiting<void>, awaited<void>*>;
    struct room_waiter {
        std::uint64_t number;
        std::string subject;
        std::string reply;
        std::string headers;
        std::string payload;
        handler_or_thread who;
    };
    struct numbered_waiter {
        std::uint64_t number;
        waiting<void> who;
    };

    // link_turn.cpp: what happens on the strand.
    void schedule_turn();
    void turn(lock& held);
    void run_tasks(lock& held);
    void perform(callback_call& call);
    void perform(sentinel_question& question);
    void perform(end_of_answers& end);
    void perform(connection_event& what);
    void perform(credentials_question& question);
    void perform(tls_question& question);
    void perform(last_drain& drain);
    void perform(wake_up& call);
    template <class T>
    void perform(completion<T>& done) {
        std::move(done.who).complete(std::move(done.with));
    }
    template <class Call>
    void guarded(Call call);
    void take_events();
    void take(protocol::open_requested& what);
    void take(protocol::tls_requested& what);
    void take(protocol::connect_requested& what);
    void take(protocol::connected& what);
    void take(protocol::disconnected& what);
    void take(protocol::subscription_message& what);
    void take(protocol::subscription_ended& what);
    void take(protocol::request_answered& what);
    void take(protocol::reply_received& what);
    void take(protocol::replies_ended& what);
    void take(protocol::flushed& what);
    void take(protocol::error_received& what);
    void take(protocol::info_changed& what);
    void take(protocol::servers_discovered& what);
    void take(protocol::lame_duck& what);
    void take(protocol::closed& what);
    void report(connection_event what);
    [[nodiscard]] bool is_told(const connection_event& what) const;

    // link_filters.cpp: what stands between the socket and the session.
    void begin_filters();
    void ask_for_tls(const transport_pointer& which);
    void secure(const transport_pointer& which, std::shared_ptr<const net::tls_context> files);
    void add_websocket(const transport_pointer& which);
    void add_filter(const transport_pointer& which, std::unique_ptr<net::filter> upper);
    void notice_open(const transport_pointer& which);
    void receive_filtered(const transport_pointer& from);
    /// Takes what the session has to say. False: the transport was lost by that.
    bool fill_output(const transport_pointer& to);
    [[nodiscard]] std::string tls_name(const protocol::server_address& server);
    [[nodiscard]] error explained(const error& why) const;

    // link_feed.cpp: messages on their way to their users.
    void hand_out(const feed_pointer& to, message arrived);
    void queue_for(feed& to, message arrived);
    void forget(protocol::sid id);
    void end_feed(const feed_pointer& which, feed_end how);
    void stop_holding(feed& of);
    void taken_from(feed& of);
    void notice_room(feed& of);
    void limit(feed& of, std::uint64_t max);
    void stop_delaying(feed& of);
    void advance_drain();
    [[nodiscard]] bool is_waited_for(const feed& of) const;
    [[nodiscard]] error not_handed_out() const;
    [[nodiscard]] error ending_why() const;
    [[nodiscard]] bool is_handing_out() const noexcept {
        return drain_deadline_ && !last_drain_begun_;
    }
    template <class T>
    void next_as(const feed_pointer& of, time_limit at_most, handler<T> done);
    [[nodiscard]] std::unique_ptr<asio::steady_timer>
    timer_of_waiter(const feed_pointer& of, std::uint64_t number, time_limit at_most);
    void end_late_waiter(feed& of, std::uint64_t number, nanoseconds time);
    void end_waiter(feed& of, std::uint64_t number, const error& why);
    void cancel_drain(feed& of, std::uint64_t number);

    // link_publish.cpp: what is published, and waits for room.
    [[nodiscard]] result<> append_publication(bytes_view subject, bytes_view payload,
                                              const publish_options& options);
    [[nodiscard]] bytes_view header_block(const headers* of);
    [[nodiscard]] std::size_t unsent_bytes() const;
    /// Nothing: it may wait for room.
    [[nodiscard]] std::optional<result<>> publish_or_wait(lock& held, bytes_view subject,
                                                          bytes_view payload,
                                                          const publish_options& options);
    void wait_for_room(bytes_view subject, bytes_view payload, const publish_options& options,
                       handler_or_thread who);
    [[nodiscard]] std::optional<error> find_too_large(bytes_view subject, bytes_view payload,
                                                      const publish_options& options);
    /// Why what waits for room does not wait without a connection.
    [[nodiscard]] error no_room_for(bytes_view subject) const;
    void serve_room_waiters();

    // link_wait.cpp: threads that wait in functions of a blocking user.
    /// Counts a thread, with the lock held at both ends.
    struct presence {
        explicit presence(link& where) noexcept : in(&where) { ++in->present_threads_; }
        presence(const presence&) = delete;
        presence& operator=(const presence&) = delete;
        ~presence() {
            if (--in->present_threads_ == 0) in->all_are_gone_.notify_all();
        }
        link* in;
    };
    void call(sleeper& who);
    void call_next(feed& of);
    void call_all(feed& of);
    template <class T>
    void tell(awaited<T>& who, result<T> what);
    /// A handler with the next turn; a thread at once, for this comes behind no callback.
    void tell(handler_or_thread who, result<> what);
    [[nodiscard]] bool callbacks_take(nanoseconds at_least) const;
    template <class IsOver>
    void sleep_until(lock& held, sleeper& me, IsOver is_over,
                     std::optional<steady_time> deadline) noexcept;
    template <class IsOver>
    void read_until(lock& held, IsOver is_over, std::optional<steady_time> deadline);
    [[nodiscard]] bool begin_reading(sleeper& me);
    void end_reading(sleeper& me);
    void end_what_is_late();
    template <class T>
    [[nodiscard]] result<T> wait_for_operation(lock& held, result<protocol::operation_id> id,
                                               nanoseconds timeout);
    template <class IsHere>
    void wait_for_feed(lock& held, feed& of, IsHere is_here, std::optional<steady_time> deadline);

    // link_io.cpp: the socket and the timer.
    void open(const protocol::server_address& server);
    void opened(std::uint64_t number, result<asio::ip::tcp::socket> outcome);
    void drop_transport();
    void lose_transport(const transport_pointer& which, error why);
    void wait_for_socket();
    void readable(const transport_pointer& from, const error_code& code);
    void ready(const transport_pointer& which, const error_code& code);
    void writable(const transport_pointer& to, const error_code& code);
    void receive();
    void receive_last(const transport_pointer& from);
    /// Hands the output to the system, without the lock meanwhile.
    void send(lock& held);
    /// All of it, unless the system does not take it now.
    void send_all(lock& held);
    void output_appended(lock& held);
    void asked(lock& held);
    /// There are tasks, or the timer would come too late.
    [[nodiscard]] bool needs_turn() const;
    void arm_timer();
    void expire();
    void expired();
    [[nodiscard]] std::optional<steady_time> next_deadline() const;
    [[nodiscard]] bool is_turns_thread() const;
    [[nodiscard]] bool reads_on() const noexcept {
        if (transport_ && transport_->awaits_tls) return false;
        return holding_feeds_ == 0 || !session_.is_connected();
    }

    /// Calls `what` with the lock held; in a child by `fork`, returns an error (or an empty value)
    /// instead of waiting.
    template <class Do>
    auto inside(Do what) const {
        return mutex_.inside(std::move(what));
    }
    /// The same for what completes later; `begin` is given the lock and who waits.
    template <class T, class Begin>
    void start(handler<T> done, Begin begin) {
        if (is_forked()) return refuse_as_forked(std::move(done));
        lock held(mutex_);
        if (abandoned_) return; // The handler dies like all that waited.
        begin(held, waiting<T>(std::move(done), executor_));
    }
    [[nodiscard]] std::optional<result<>> begin_connecting();
    [[nodiscard]] result<protocol::operation_id>
    begin_request(bytes_view subject, bytes_view payload, const request_options& options);
    template <class T>
    void complete_later(waiting<T> who, result<T> with) {
        tasks_.emplace_back(completion<T>{std::move(who), std::move(with)});
        schedule_turn();
    }
    template <class T>
    void flush_as(std::optional<nanoseconds> timeout, handler<T> done);
    template <class Entry>
    void give_up(std::list<Entry> link::*among, std::uint64_t number);
    template <class Entry>
    [[nodiscard]] auto canceller(std::list<Entry> link::*among, std::uint64_t number);
    [[nodiscard]] auto canceller(protocol::operation_id id);
    void cancel(protocol::operation_id id);

    const asio::any_io_executor executor_;
    const connection_options options_;
    const face face_;

    mutable own_mutex mutex_;
    std::optional<error> option_error_; ///< Told by `connect`.
    random_source random_;
    protocol::client_session session_;
    bool started_ = false;
    std::atomic<bool> silent_ = false;
    std::atomic<bool> tells_end_ = false; ///< Although it is silent.
    bool abandoned_ = false;
    bool turn_scheduled_ = false;
    bool in_turn_ = false;
    std::thread::id turn_thread_; ///< That of the turn.
    bool turn_wanted_ = false;    ///< Something happened while one was under way.
    bool runs_tasks_ = false;     ///< Of the turn.
    steady_time tasks_began_{};   ///< Of a blocking user.
    int tries_ = 0;               ///< Publications by `try_publish` since one had to wait.
    bool has_yielded_ = false;    ///< One has to.

    std::size_t present_threads_ = 0;      ///< They wait or send, and so use the transport.
    std::condition_variable all_are_gone_; ///< Of them.
    std::condition_variable sending_has_ended_;
    sleeper* reader_ = nullptr;              ///< The one that reads, while it waits.
    bool is_reader_waiting_ = false;         ///< For the socket.
    steady_time loop_reads_until_{};         ///< There were callbacks.
    std::vector<sleeper*> behind_callbacks_; ///< They know the answer, and wait for a `wake_up`.
    std::uint64_t wake_ups_ = 0;             ///< Counts them.

    std::optional<asio::strand<asio::any_io_executor>> strand_;
    std::optional<asio::steady_timer> timer_;
    steady_time wakes_at_ = steady_time::max();
    std::optional<steady_time> collects_until_; ///< What is published meanwhile waits for it.
    bool sent_something_ = false;               ///< In this turn.
    std::shared_ptr<dialer> dialer_;
    std::uint64_t dials_ = 0; ///< Counts them.
    net::lookup::counter lookups_ = std::make_shared<std::atomic<int>>(0);
    transport_pointer transport_;
    std::string connected_server_;
    std::string tls_host_; ///< The last host that was a name: servers name others by address.
    link_service* service_ = nullptr;

    std::unordered_map<protocol::sid, feed_pointer> subscriptions_;
    protocol::sid last_sid_{};
    feed_pointer last_feed_; ///< Of `last_sid_`: messages come in rows.
    std::unordered_map<protocol::operation_id, operation> operations_;
    // Lists, for any of them may give up.
    std::list<numbered_waiter> connecting_;
    std::list<numbered_waiter> draining_;
    std::list<room_waiter> wanting_room_;
    std::uint64_t next_waiter_ = 1;
    std::size_t holding_feeds_ = 0;
    std::optional<steady_time> drain_deadline_; ///< Once `drain` was called.
    std::thread::id drained_by_;                ///< Of a blocking user.
    /// Of which not everything is handed out.
    std::unordered_map<const feed*, feed_pointer> delaying_feeds_;
    bool last_drain_begun_ = false;
    error closing_why_; ///< When it is not the session that knows.
    std::string header_scratch_;

    std::vector<task> tasks_;   ///< To be done in the next turn.
    std::vector<task> running_; ///< Being done; the strand's alone.
    std::size_t running_next_ = 0;
};

} // namespace pipit::client::detail
