// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/random.hpp>
#include <pipit/broker/broker.hpp>
#include <pipit/net/http.hpp>
#include <pipit/net/tcp.hpp>
#include <pipit/server/arrival.hpp>
#include <pipit/server/auth_callout.hpp>
#include <pipit/server/authenticator.hpp>
#include <pipit/server/broker_configuration.hpp>
#include <pipit/server/claims_service.hpp>
#include <pipit/server/jwt_authority.hpp>
#include <pipit/server/lame_duck.hpp>
#include <pipit/server/loop.hpp>
#include <pipit/server/monitoring.hpp>
#include <pipit/server/ocsp_verifier.hpp>
#include <pipit/server/placement.hpp>
#include <pipit/server/ports_file.hpp>
#include <pipit/server/process_usage.hpp>
#include <pipit/server/reserved_listeners.hpp>
#include <pipit/server/server.hpp>
#include <pipit/server/server_identity.hpp>
#include <pipit/server/staple_service.hpp>
#include <pipit/server/websocket_policy.hpp>

#include <atomic>
#include <mutex>
#include <set>
#include <span>

namespace pipit::server {

struct account_total;
struct system_question;
struct system_state;

/// Puts into what monitoring shows what a reload may change.
void note_options(server_snapshot& facts, const server_options& options);

void note_tls(server_snapshot& facts, const tls_rules* rules);

/// The parts of one server, wired together. Grouped by file: `server.cpp` has its life,
/// `server_listeners.cpp` where it listens, `server_ocsp.cpp` what authorities say of certificates,
/// `server_reload.cpp` what changes while it lives, `server_monitoring.cpp` and `server_system.cpp`
/// what is seen of it from outside and by messages, `server_operators.cpp` and `server_callout.cpp`
/// who may come in.
struct server::state {
    explicit state(server_setup setup);
    ~state();

    // server.cpp
    result<> start();
    result<> check_store_folder();
    result<> make_loops();
    result<> write_pid_file();
    void shut_down();
    void log_fatal(const error& why) const { log.fatal(why.detail()); }

    // server_listeners.cpp
    result<> prepare_tls();
    [[nodiscard]] result<std::shared_ptr<const net::tls_context>>
    make_monitoring_tls(const server_options& from);
    result<> bind_clients();
    result<> bind_websocket();
    void accept_clients();
    void accept_websockets();
    void place(net::accepted_socket accepted);
    void place_websocket(net::accepted_socket accepted);
    [[nodiscard]] loop& next_place();
    void stop_listening();
    [[nodiscard]] std::vector<listening_place> places_listened_to() const;
    void write_ports_file();
    void remove_ports_file();

    // server_reload.cpp
    result<> reload();
    /// Tells the brokers. Errors: those of `broker_configuration`; nothing is changed then.
    result<> obey(const server_options& next);
    void apply(const option_change& change, const server_options& before);
    [[nodiscard]] bool close_excess_connections();
    [[nodiscard]] bool close_excess_of_accounts();
    bool close_excess_of(std::span<const broker::account_configuration> of);

    // server_ocsp.cpp
    [[nodiscard]] ocsp_dependencies ocsp_world();
    [[nodiscard]] staple_service::dependencies staple_world();
    void configure_ocsp();
    /// What a listener's block comes to.
    /// Errors: those of `make_tls_rules`; it asks about clients that show no certificate.
    [[nodiscard]] result<std::shared_ptr<const tls_rules>>
    tls_rules_of(const server_options& from, const std::optional<tls_options>& block,
                 bool allow_non_tls);
    void tell_of_certificate(const ocsp_event& event);

    // server_callout.cpp
    void start_callout();
    void check_callout_account(const broker::configuration& config) const;
    void ask_service(broker::account_id account, std::string token, std::string headers,
                     std::string body);

    // server_operators.cpp
    result<> start_authority();
    result<> store_preloads();
    result<> find_system_account();
    result<std::unique_ptr<account_resolver>> changed_resolver(const server_options& next);
    void take_resolver(std::unique_ptr<account_resolver> resolver, const server_options& next);
    void obey_resolver(const server_options& before, std::unique_ptr<account_resolver> resolver);
    void serve_claims(const resolver_options& how, const logger& now_log);
    void read_folder_again(const logger& now_log);
    void put_account(broker::account_update update, std::function<void()> done);
    void close_excess_of_known(const std::string& account);
    [[nodiscard]] std::shared_ptr<const broker::configuration>
    with_known_accounts(std::shared_ptr<const broker::configuration> config);

    // server_monitoring.cpp
    result<> start_monitoring();
    result<monitoring_snapshot> collect(const monitoring_query& query);
    [[nodiscard]] std::optional<broker::account_snapshot> total_of(broker::account_id account);
    [[nodiscard]] std::optional<account_total> total_of(std::string_view account);
    bool collect_sessions(const session_query& query, std::vector<loop_snapshot>& into);
    bool collect_page(const broker::subscription_query& query, std::vector<loop_snapshot>& into);

    // server_system.cpp
    void start_system();
    void stop_system();
    void note_system_facts();
    void subscribe_system(broker::broker& broker);
    void serve_accounts();
    void serve_account(broker::broker& broker, const broker::account_configuration& account);
    void ask_system(std::string_view service, std::string account,
                    const broker::internal_message& message);
    void answer(broker::account_id of, const std::string& reply, const system_question& question);
    /// What the server itself publishes, with texts of its own.
    struct publication {
        std::string subject;
        std::string reply = {};
        std::string headers = {};
        std::string body = {};
    };
    /// From any thread.
    void publish(broker::account_id of, publication message);
    result<> reload_for_request();
    result<> kick(std::uint64_t client_id);
    result<> announce_lame_duck(std::uint64_t client_id);
    std::optional<broker::user_information> user_of(std::uint64_t client_id);
    void tell(broker::broker& broker, const broker::session_event& event);
    void tell_of_connections(broker::broker& broker, const broker::session_event& event);
    void publish_connections(const std::string& account, const std::string& body);
    void publish_connections_of_all();
    [[nodiscard]] bool is_wanted(const std::string& subject);
    [[nodiscard]] std::vector<bool> are_wanted(std::vector<std::string> subjects);
    void publish_statistics();
    nanoseconds publish_statistics_now_and_then();
    void publish_end(std::string_view event);

    /// Runs a task on every loop and waits until all have; false: not in time. A late one still
    /// does it, and whatever it is told afterwards comes behind.
    [[nodiscard]] bool on_every_loop(loop_task task);
    /// The same; of what is late the log tells: `what` completes "A loop has not … in time".
    void have_every_loop(std::string_view what, loop_task task);
    /// The same with an answer from each; nothing when one is late.
    template <class Question>
    auto ask_every_loop(Question question) {
        using answer = std::invoke_result_t<Question, unsigned, broker::broker&>;
        static_assert(!std::is_same_v<answer, bool>,
                      "two threads would write the bits of one byte");
        // Shared, as a late loop writes its answer when nobody waits any more.
        auto answers = std::make_shared<std::vector<answer>>(loops.size());
        const bool all = on_every_loop([answers, question = std::move(question)](
                                           unsigned loop, broker::broker& broker, moment) {
            (*answers)[loop] = question(loop, broker);
        });
        return all ? std::optional(std::move(*answers)) : std::nullopt;
    }
    /// Nothing: a loop is late.
    [[nodiscard]] std::optional<std::vector<std::uint64_t>> client_ids();

    server_setup setup;
    server_options options; ///< Those that are obeyed now.
    std::shared_ptr<log_sink> sink;
    logger log;
    random_source random;

    server_keys keys;
    broker::server_identity identity;
    account_numbers accounts;
    broker::shared_counters counters;
    std::unique_ptr<known_accounts> jwt_accounts; ///< Null: nobody brings JWTs. Outlives the loops.
    std::unique_ptr<jwt_authority> authority;     ///< The same.
    directory_resolver* account_folder = nullptr; ///< The accounts'; null: they have another one.
    std::unique_ptr<claims_service> claims;       ///< Null: there are no such accounts.
    net::socket_handle client_socket;             ///< Until the loops run.
    std::uint16_t client_port = 0;
    std::string client_address;
    net::socket_handle websocket_socket; ///< Until the loops run.
    std::string websocket_address;
    std::unique_ptr<websocket_policy> websockets;   ///< Null: there is no such listener.
    std::shared_ptr<const tls_rules> websocket_tls; ///< The first loop's own, once it runs.
    std::unique_ptr<broker::mesh> mesh;
    /// These outlive the loops, which tell and ask them, and stop before.
    std::unique_ptr<system_state> system; ///< Null without a system account.
    std::unique_ptr<auth_callout> callout;
    std::string callout_inbox;                     ///< Services answer below it.
    std::set<broker::account_id> callout_accounts; ///< The first loop's own: where it listens.
    std::vector<std::unique_ptr<loop>> loops;
    std::optional<placement> places; ///< The first loop's own.
    arrival_rules client_rules;      ///< The same, once it runs.
    std::atomic<std::size_t> in_process_connections = 0;
    authenticator logins;             ///< Ends before the loops that it answers.
    ocsp_verifier ocsp{ocsp_world()}; ///< The same.
    staple_service staples{staple_world()};
    task_thread ender{"ender"}; ///< Ends the server itself, when it has to.
    std::unique_ptr<net::tcp_acceptor> client_acceptor;
    std::unique_ptr<net::tcp_acceptor> websocket_acceptor;
    std::unique_ptr<reserved_listeners> reserved;
    std::unique_ptr<net::http_server> http;
    std::unique_ptr<monitor> documents;
    std::string ports_file; ///< Empty: none was written.

    /// Held by whoever changes the server: its owner, or a request that came to it.
    std::mutex administration;

    bool lame_duck = false;
    std::optional<farewell> leaving;
    std::optional<steady_time> deadline;
    std::atomic<bool> is_ending = false; ///< Nobody waits for others' answers any more.
    std::atomic<bool> is_shut_down = false;

    /// What monitoring reads on its own thread.
    struct seen_by_monitoring {
        std::mutex lock;
        std::shared_ptr<const broker::configuration> config; ///< A reload changes it.
        server_snapshot server;
        steady_time started; ///< `server.start`, by the other clock.
        cpu_meter meter;
        bool is_closing = false;
        /// As the clients', but nobody is asked for a certificate. Null without HTTPS.
        std::shared_ptr<const net::tls_context> monitoring_tls;

        [[nodiscard]] std::shared_ptr<const broker::configuration> configuration() {
            const std::lock_guard guard(lock);
            return config;
        }
    };
    seen_by_monitoring seen;

    /// The configuration with what is known by JWTs, made when somebody looks.
    struct known_by_jwt {
        std::mutex lock;
        std::shared_ptr<const broker::configuration> from;
        std::uint64_t version = 0;
        std::shared_ptr<const broker::configuration> with_accounts;
    };
    known_by_jwt known;
};

} // namespace pipit::server
