// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/log.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/configuration.hpp>
#include <pipit/broker/login_question.hpp>
#include <pipit/broker/mesh.hpp>
#include <pipit/broker/snapshot.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pipit::broker {

/// One connection as the broker sees it; its members are the broker's own business.
class session;
struct broker_state;
struct account_update;
struct tls_facts;

/// What a CONNECT may leave out, because the connection has said it before: in cookies.
struct connect_defaults {
    std::string jwt;
    std::string user;
    std::string pass;
    std::string auth_token;
};

/// Where a connection comes from.
struct session_origin {
    std::string ip; ///< Without brackets; empty for an in-process connection.
    std::uint16_t port = 0;
    bool in_process = false;
    /// The address came later, in a PROXY header: the first INFO has no `client_ip`.
    bool behind_proxy = false;
    bool is_websocket = false;
    std::string forwarded_for = {}; ///< Whom a proxy named; only shown, as anybody may say it.
    std::shared_ptr<const connect_defaults> defaults = nullptr;
    /// A handshake comes before the client can say who it is: no deadline runs until `secured`.
    bool shakes_hands = false;
    /// INFO waits for that handshake, or for `greet`.
    bool shakes_hands_first = false;
    std::shared_ptr<const tls_facts> tls; ///< Null: not encrypted, or not yet.
    /// Trusted proxies (ADR-55): the key of the one that vouched for this connection, and whether
    /// it vouches for who its client says to be now.
    std::string proxy_key = {};
    bool by_trusted_proxy = false;
};

/// What a subscription of the server's own gets. Lifetime of the views: the handler's call.
struct internal_message {
    account_id account{}; ///< Where the subscription is.
    bytes_view subject;
    bytes_view reply;   ///< Empty: nobody asks.
    bytes_view headers; ///< The whole block with its closing blank line; empty: none.
    bytes_view payload;
    std::uint64_t sender = 0; ///< The client's number, of whichever loop; 0: the server itself.
    account_id sender_account{};
};

/// Runs on its broker's loop when the batch that brought the message ends, and may use the broker.
/// What takes longer than microseconds belongs to somebody else's thread. One that answers its own
/// messages never ends.
using internal_handler = std::function<void(const internal_message&, moment)>;

/// A login that a service has refused: the service's account hears of it too, and why.
struct service_refusal {
    account_id account{};
    std::string_view account_name;
    std::string_view why; ///< Empty: nobody said it.
};

/// What happened to a session, told when it happens.
struct session_event {
    enum class type : std::uint8_t {
        joined,       ///< It is counted in the account from now on.
        left,         ///< And no more.
        connected,    ///< It said who it is, and may come in.
        refused,      ///< It said who it is, and may not.
        disconnected, ///< It has ended.
    };

    type what;
    account_id account{}; ///< `$G` for one that has not said who it is.
    std::string_view account_name;
    std::string_view account_tag; ///< For people.
    close_reason reason = close_reason::none;
    const service_refusal* by_service = nullptr; ///< Null: no service has refused it.

    /// All about it. Cost: a copy of its texts; ask when somebody wants to know.
    [[nodiscard]] session_snapshot who() const;

    const broker_state* state;
    const session* about;
};

/// Runs on the loop, in the middle of its work: it may publish, and nothing else.
using session_observer = std::function<void(const session_event&)>;

/// What a client may know about itself.
struct user_information {
    std::string user;
    std::string account;
    std::string account_name;                             ///< For people.
    std::string user_name;                                ///< For people; often empty.
    std::shared_ptr<const auth::permissions> permissions; ///< Null: everything is allowed.
    std::optional<wall_time> expires;                     ///< Its login.
};

/// What became of telling one client that it should go elsewhere.
enum class lame_duck_answer : std::uint8_t { unknown_client, not_ready, told };

/// What the server itself publishes. The subject is a valid literal one.
struct internal_publication {
    bytes_view subject;
    bytes_view reply = {};
    bytes_view headers = {}; ///< The whole block with its closing blank line; empty: none.
    bytes_view payload = {};
};

/// Numbers that have one owner however many loops there are.
struct shared_counters {
    std::atomic<std::uint64_t> next_client_id{1};
    std::atomic<std::int64_t> connections{0};
    std::atomic<std::uint64_t> trace_events{0};
};

/// One loop's broker: sessions, accounts and routing, without a socket, a clock or a thread.
///
/// The driver of a loop repeats: read into `direct_space()` and its scratch buffer, `receive()`,
/// `end_batch()`, then for each `next_touched()` session write what `gather()` gives, say `sent()`,
/// and close the socket when `closing()` says so; it calls `expire()` when `next_deadline()`
/// passes, and `take_from_peers()` when its mesh wakes it. Whatever it calls, the end of the batch
/// and the flush follow, and both again as long as `take_rest()` has brought more.
///
/// Threads: one. N brokers of one server talk through their mesh.
class broker {
public:
    broker(unsigned loop, std::uint64_t seed, std::shared_ptr<const configuration> config,
           mesh& mesh, shared_counters& counters, const logger& logger);
    ~broker();
    broker(const broker&) = delete;
    broker& operator=(const broker&) = delete;

    // --- Sessions ---

    /// Begins a session; its INFO is queued at once, unless a handshake comes first. `driver` comes
    /// back from `driver_of()`. Never fails: a refused connection gets its error, and is
    /// `closing()`.
    session& open(const session_origin& origin, void* driver, moment now);
    /// A PROXY header told who is behind the proxy.
    void set_origin(session& session, std::string ip, std::uint16_t port);
    /// It waits for INFO: the handshake that could have come first comes afterwards, or never.
    void greet(session& session);
    /// The connection is encrypted from now on. Ends the session when its key is not pinned.
    void secured(session& session, tls_facts facts, moment now);
    /// It could have begun with a handshake and did not: it has its time to log in from now on.
    void goes_without_tls(session& session, moment now);
    /// Tells a client why it is not served, and ends its session.
    void turn_away(session& session, std::string_view error_text, close_reason reason, moment now);
    /// Logs what the driver has to say of a connection.
    void note(const session& session, log_level level, std::string_view text) const;
    [[nodiscard]] void* driver_of(const session& session) const noexcept;
    [[nodiscard]] std::uint64_t client_id(const session& session) const noexcept;

    /// Room for the rest of a large message under way; empty: read into the scratch buffer only.
    /// Lifetime: until the next call with this session.
    [[nodiscard]] std::span<char> direct_space(session& session) noexcept;

    /// How much the next read may bring: less for a publisher that had to be stalled, and for one
    /// who has not said who it is.
    [[nodiscard]] std::size_t read_bytes_max(const session& session) const noexcept;

    /// Takes what one read brought: first `direct_bytes` of `direct_space()`, then `scratch`.
    /// Takes what is visible from the peers before parsing. Returns how much of `scratch` was
    /// taken: when it is less than everything, there is so much output that it should be flushed
    /// first; call again with the rest (and no direct bytes) after `end_batch()` and the flush.
    /// Nothing: so much came from the peers alone; call again in the same way after all of that.
    /// The bytes of `scratch` must stay valid until that flush.
    std::optional<std::size_t> receive(session& session, std::size_t direct_bytes,
                                       bytes_view scratch, moment now);

    /// The other side closed, or reading or writing failed. The session ends without a flush.
    void lost(session& session, close_reason reason, moment now);

    /// It has to say who it is, and is not known yet.
    [[nodiscard]] bool is_stranger(const session& session) const noexcept;
    /// What it sent until it was known: as long as it is not, most of that is kept.
    [[nodiscard]] std::size_t bytes_before_login(const session& session) const noexcept;
    /// Where it comes from; empty for one inside the process. Lifetime: until `set_origin`.
    [[nodiscard]] const std::string& address_of(const session& session) const noexcept;

    /// How much a compressed message may hold: little before somebody has logged in.
    [[nodiscard]] std::size_t message_bytes_max(const session& session) const noexcept;

    /// True while the driver must not read: a question is open, or the publisher is stalled. The
    /// session becomes touched when that ends.
    [[nodiscard]] bool reading_paused(const session& session) const noexcept;

    // --- Output ---

    /// Ends a batch: hands over to the peers what they want, and makes it visible. Flush next.
    void end_batch(moment now) {
        append_batch(now);
        show_batch();
    }
    /// The two halves of that: another loop may come between them.
    void append_batch(moment now);
    void show_batch();

    /// A session with output, a change of `reading_paused` or an end; each once; null: no more.
    [[nodiscard]] session* next_touched() noexcept;

    /// What is to be written, oldest first, as at most `pieces.size()` pieces. Returns their
    /// number.
    std::size_t gather(const session& session, std::span<bytes_view> pieces) const noexcept;
    /// `count` bytes were written. Whatever is left was not taken by the socket: it is kept (bytes
    /// borrowed from the scratch buffer are copied now), and the write deadline runs.
    void sent(session& session, std::size_t count, moment now);
    [[nodiscard]] bool has_output(const session& session) const noexcept;

    /// The session is over: close its socket, at once or when `has_output()` is false, and then
    /// call `release()`.
    [[nodiscard]] bool closing(const session& session) const noexcept;
    /// Why it ended; `none` while it has not.
    [[nodiscard]] close_reason reason_of(const session& session) const noexcept;
    /// Forgets the session; the reference is dead.
    void release(session& session, moment now);

    // --- The server's own part in the accounts; `end_batch()` and a flush follow ---

    /// Subscribes for the server itself, on this loop; other loops hear of the interest, as of any.
    /// It is no client, and nothing limits it. `subject` and `queue` (empty: none) are valid.
    /// Returns the number of the subscription; 0 when there is no such account.
    std::uint64_t subscribe(account_id of, bytes_view subject, internal_handler handler,
                            bytes_view queue = {});
    /// A number that is unknown does no harm.
    void unsubscribe(std::uint64_t number);
    /// Publishes for the server itself, to sessions and to the server's own subscriptions.
    void publish(account_id of, const internal_publication& message, moment now);
    /// Tells what happens to sessions from now on.
    void observe(session_observer observer);
    /// Somebody on any loop would get a message on this literal subject.
    [[nodiscard]] bool is_wanted(account_id of, bytes_view subject);

    // --- Peers, time, questions ---

    /// Takes what other loops sent, or a part of it. `end_batch()` and a flush follow. False: there
    /// was nothing.
    bool take_from_peers(moment now);
    /// After each flush: takes the next part of what was visible then. `end_batch()` and a flush
    /// follow. False: nothing is left of it.
    bool take_rest(moment now);

    [[nodiscard]] std::optional<steady_time> next_deadline() const noexcept;
    /// Runs what is due. `end_batch()` and a flush follow.
    void expire(moment now);

    /// A question for a worker, or nothing. The session is suspended until the answer or its
    /// deadline.
    [[nodiscard]] std::optional<login_question> next_question();
    /// The answer; a session that ended meanwhile does not mind. `end_batch()` and a flush follow.
    void answer(std::uint64_t question_id, login_answer answer, moment now);

    // --- Administration; `end_batch()` and a flush follow ---

    /// Obeys a new configuration: ends sessions whose user is gone or changed, drops subscriptions
    /// that are no longer allowed, tells clients what changed in INFO. Who of too many has to go is
    /// for the server to say, once all brokers have obeyed it.
    void reconfigure(std::shared_ptr<const configuration> config, moment now);
    /// Adds an account, or replaces one, without a look at any other; obeys it in its sessions.
    /// It stays over every reconfiguration. Who of too many has to go is for the server to say, as
    /// above. Cost: by the number of sessions, if it has some.
    void put_account(const account_update& update, moment now);
    /// Tells every client by INFO that this server will close (`ldm`).
    void announce_lame_duck(moment now);
    /// Tells one client so.
    lame_duck_answer announce_lame_duck(std::uint64_t client_id);
    /// Ends the sessions with these numbers, or all of them; pending output is flushed.
    void close_sessions(std::span<const std::uint64_t> client_ids, close_reason reason, moment now);
    void close_all(close_reason reason, moment now);

    // --- Monitoring ---

    [[nodiscard]] broker_statistics statistics() const;
    [[nodiscard]] bool is_open(std::uint64_t client_id) const;
    [[nodiscard]] std::optional<user_information> user_of(std::uint64_t client_id) const;
    [[nodiscard]] std::vector<account_snapshot> accounts() const;
    /// One of them; nothing when this loop has never heard of it.
    [[nodiscard]] std::optional<account_snapshot> numbers_of(account_id id) const;
    /// What waits for an answer of this account, at most so many.
    [[nodiscard]] std::vector<response_snapshot> responses(account_id exporter,
                                                           std::size_t most) const;
    /// In ascending order. With `sessions()`, the asker has a part of them at a time: there may be
    /// many thousands, and who copied all at once would keep the loop from its clients.
    [[nodiscard]] std::vector<std::uint64_t>
    client_ids(session_state state = session_state::open) const;
    /// Those of these numbers that are in one of the states.
    [[nodiscard]] std::vector<session_snapshot> sessions(std::span<const std::uint64_t> client_ids,
                                                         session_state state) const;
    /// Cost: by the number of sessions, not of subscriptions, and what is copied; with a test, by
    /// the number of matches. The order is the same as long as no connection comes or goes.
    [[nodiscard]] subscription_list subscriptions(const subscription_query& query) const;

private:
    std::unique_ptr<broker_state> state_;
};

} // namespace pipit::broker
