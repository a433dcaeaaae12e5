// SPDX-License-Identifier: Apache-2.0
// The system account: services that answer, and events that tell.
#include <pipit/base/limits.hpp>
#include <pipit/broker/request_info.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/protocol/subject.hpp>
#include <pipit/server/detail/monitoring_documents.hpp>
#include <pipit/server/detail/server_state.hpp>
#include <pipit/server/detail/system_state.hpp>
#include <pipit/server/error.hpp>

#include <algorithm>
#include <array>
#include <future>
#include <thread>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;
using broker::internal_message;
using broker::session_event;

/// As nats-server: often at the beginning, and then less and less.
constexpr nanoseconds first_statistics = 250ms;
constexpr nanoseconds statistics_interval_max = 10s;
constexpr nanoseconds connections_interval = 30s;
/// What a loop is asked about between two of its batches.
constexpr std::size_t accounts_at_a_time = 256;

moment now() { return {net::steady_now(), net::wall_now()}; }

/// Where the number of an account's connections is told.
std::array<std::string, 2> connection_subjects(const std::string& account) {
    return {"$SYS.SERVER.ACCOUNT." + account + ".CONNS",
            "$SYS.ACCOUNT." + account + ".SERVER.CONNS"};
}

/// An import that shares adds who asks, as the last header.
bool tells_user(bytes_view headers) {
    const auto info = headers.rfind(broker::request_info_header);
    return info != bytes_view::npos && headers.find("\"user\":", info) != bytes_view::npos;
}

} // namespace

void server::state::start_system() {
    const auto account = seen.configuration()->system_account;
    if (!account) return;
    system = std::make_unique<system_state>(*account, random());
    note_system_facts();
    system_dependencies dependencies;
    dependencies.collect = [this](const monitoring_query& query) { return collect(query); };
    dependencies.account = [this](std::string_view name) { return total_of(name); };
    dependencies.facts = [this] { return system->facts(); };
    dependencies.next_sequence = [this] { return ++system->sequence; };
    dependencies.next_id = [this] { return system->next_id(); };
    dependencies.now = [] { return net::wall_now(); };
    dependencies.request_counts = [this] {
        return documents ? documents->request_counts() : request_counts{};
    };
    dependencies.reload = [this] { return reload_for_request(); };
    dependencies.kick = [this](std::uint64_t id) { return kick(id); };
    dependencies.announce_lame_duck = [this](std::uint64_t id) { return announce_lame_duck(id); };
    dependencies.user_of = [this](std::uint64_t id) { return user_of(id); };
    system->requests = std::make_unique<system_requests>(std::move(dependencies), log);

    for (auto& each : loops) {
        each->post([this](broker::broker& broker, moment) {
            broker.observe([this, &broker](const session_event& event) { tell(broker, event); });
        });
    }
    loops[0]->post([this](broker::broker& broker, moment) { subscribe_system(broker); });
    serve_accounts();
    system->statistics_interval = first_statistics;
    system->repeat(first_statistics, [this] { return publish_statistics_now_and_then(); });
    system->repeat(connections_interval, [this] {
        publish_connections_of_all();
        return connections_interval;
    });
}

/// Also after a reload.
void server::state::note_system_facts() {
    if (!system) return;
    const std::lock_guard guard(seen.lock);
    system->set_facts({.identity = seen.config->identity,
                       .tags = seen.server.tags,
                       .metadata = seen.server.metadata,
                       .feature_flags = seen.server.feature_flags});
}

// --- Services ---

/// On the first loop's thread, for the system account.
void server::state::subscribe_system(broker::broker& broker) {
    const auto serve = [&](const std::string& subject, std::string_view service) {
        broker.subscribe(system->account, subject, [this, service](const auto& message, moment) {
            ask_system(service, {}, message);
        });
    };
    const auto& id = identity.id;
    const std::string prefix = "$SYS.REQ.SERVER.";
    for (const auto service : server_services()) {
        serve(prefix + id + '.' + std::string(service), service);
        serve(prefix + "PING." + std::string(service), service);
    }
    serve(prefix + "PING", "STATSZ");
    for (const auto command : server_commands()) {
        serve(prefix + id + '.' + std::string(command), command);
    }
    for (const auto service : account_services()) {
        broker.subscribe(system->account, "$SYS.REQ.ACCOUNT.*." + std::string(service),
                         [this, service](const internal_message& message, moment) {
                             ask_system(service, account_in(message.subject), message);
                         });
    }
    serve("$SYS.REQ.ACCOUNT.PING.STATZ", "STATZ");
    serve("$SYS.REQ.USER.*.INFO", "USER.INFO");
    serve("$SYS.DEBUG.SUBSCRIBERS", "SUBSCRIBERS");
}

/// What everybody may ask about himself and his account, in every account.
void server::state::serve_accounts() {
    if (!system) return;
    loops[0]->post([this, config = seen.configuration()](broker::broker& broker, moment) {
        for (const auto& account : config->accounts) serve_account(broker, account);
    });
}

/// On the first loop's thread.
void server::state::serve_account(broker::broker& broker,
                                  const broker::account_configuration& account) {
    if (!system || system->served_accounts.contains(account.id)) return;
    const auto serve = [&](bytes_view subject, std::string_view service) {
        return broker.subscribe(account.id, subject,
                                [this, service, name = account.name](const auto& message, moment) {
                                    ask_system(service, name, message);
                                });
    };
    if (serve("$SYS.REQ.USER.INFO", "USER.INFO") == 0) return; // There is none of this name yet.
    system->served_accounts.insert(account.id);
    if (account.id == system->account) return;
    serve("$SYS.REQ.ACCOUNT.PING.CONNZ", "CONNZ");
    serve("$SYS.REQ.SERVER.PING.CONNZ", "CONNZ");
    serve("$SYS.REQ.ACCOUNT.PING.STATZ", "STATZ");
}

/// Hands a question to the worker. On the first loop's thread.
void server::state::ask_system(std::string_view service, std::string account,
                               const internal_message& message) {
    if (message.reply.empty() && service != "STATSZ") return;
    system_question question{.service = std::string(service),
                             .account = std::move(account),
                             .headers = std::string(message.headers),
                             .body = std::string(message.payload),
                             .sender = message.sender,
                             .sender_account = message.sender_account,
                             .hides_user = message.sender_account != message.account &&
                                           !tells_user(message.headers)};
    // Whoever asks when too many wait hears nothing, and may ask again.
    (void)system->post(message.sender_account,
                       [this, question = std::move(question), of = message.account,
                        reply = std::string(message.reply)] { answer(of, reply, question); });
}

/// On the worker's thread.
void server::state::answer(broker::account_id of, const std::string& reply,
                           const system_question& question) {
    if (reply.empty()) {
        system->last_statistics.reset();
        return publish_statistics();
    }
    auto made = system->requests->answer(question);
    if (!made) return;
    publish(of,
            {.subject = reply, .headers = std::move(made->headers), .body = std::move(made->body)});
}

void server::state::publish(broker::account_id of, publication message) {
    loops[0]->post([of, message = std::move(message)](broker::broker& broker, moment at) {
        broker.publish(of,
                       {.subject = message.subject,
                        .reply = message.reply,
                        .headers = message.headers,
                        .payload = message.body},
                       at);
    });
}

// --- Commands ---

/// On the worker's thread, while the server's own may be doing something too.
result<> server::state::reload_for_request() {
    constexpr auto between_attempts = 10ms; // Who ends the server has the lock, and waits for this.
    std::unique_lock guard(administration, std::try_to_lock);
    while (!guard) {
        if (system->is_closing) return error(errc::invalid_request, "server is shutting down");
        std::this_thread::sleep_for(between_attempts);
        (void)guard.try_lock();
    }
    return reload();
}

result<> server::state::kick(std::uint64_t client_id) {
    const auto found = ask_every_loop([client_id](unsigned, broker::broker& broker) {
        return broker.is_open(client_id) ? 1 : 0;
    });
    const error late(errc::invalid_request, "a loop does not answer");
    if (!found) return late;
    if (std::ranges::find(*found, 1) == found->end()) {
        return error(errc::invalid_request, "no such client or leafnode id");
    }
    const bool is_done = on_every_loop([client_id](unsigned, broker::broker& broker, moment at) {
        broker.close_sessions({{client_id}}, broker::close_reason::kicked, at);
    });
    if (!is_done) return late;
    return {};
}

result<> server::state::announce_lame_duck(std::uint64_t client_id) {
    const auto told = ask_every_loop([client_id](unsigned, broker::broker& broker) {
        return broker.announce_lame_duck(client_id);
    });
    using told_as = broker::lame_duck_answer;
    if (!told) return error(errc::invalid_request, "a loop does not answer");
    if (std::ranges::find(*told, told_as::told) != told->end()) return {};
    if (std::ranges::find(*told, told_as::not_ready) == told->end()) {
        return error(errc::invalid_request, "no such client id");
    }
    return error(errc::invalid_request, "client does not support Lame Duck Mode or is not ready to "
                                        "receive the notification");
}

std::optional<broker::user_information> server::state::user_of(std::uint64_t client_id) {
    auto found = ask_every_loop(
        [client_id](unsigned, broker::broker& broker) { return broker.user_of(client_id); });
    if (!found) return std::nullopt;
    for (auto& each : *found) {
        if (each) return std::move(each);
    }
    return std::nullopt;
}

// --- Events ---

/// On the thread of the session's loop: only what somebody wants to hear is put together.
void server::state::tell(broker::broker& broker, const session_event& event) {
    if (system->is_closing) return;
    const auto name = std::string(event.account_name);
    const auto send_as = [&](broker::account_id of, account_names account,
                             const std::string& subject, auto make) {
        if (!broker.is_wanted(of, subject) || !protocol::is_valid_literal_subject(subject)) return;
        const auto who = event.who();
        const auto id = system->next_id();
        const client_event about{id, system->next_stamp(), who, account};
        const auto body = make(*system->facts(), about);
        broker.publish(of, {.subject = subject, .payload = body}, now());
    };
    const auto send = [&](broker::account_id of, const std::string& subject, auto make) {
        send_as(of, {event.account_name, event.account_tag}, subject, make);
    };
    const auto ended = [&](const server_facts& facts, const client_event& about) {
        return disconnect_event(facts, about, text(event.reason));
    };
    switch (event.what) {
    case session_event::type::connected:
        return send(system->account, "$SYS.ACCOUNT." + name + ".CONNECT", connect_event);
    case session_event::type::disconnected:
        return send(system->account, "$SYS.ACCOUNT." + name + ".DISCONNECT", ended);
    case session_event::type::refused:
        if (const auto* const refusal = event.by_service) {
            const auto refused = [&](const server_facts& facts, const client_event& about) {
                return disconnect_event(facts, about, refusal->why);
            };
            send_as(refusal->account, {refusal->account_name, event.account_tag},
                    "$SYS.ACCOUNT.CLIENT.AUTH.ERR", refused);
        } else if (event.reason != broker::close_reason::proxy_not_trusted) {
            send(event.account, "$SYS.ACCOUNT.CLIENT.AUTH.ERR", ended);
        }
        return send(system->account,
                    "$SYS.SERVER." + system->facts()->identity.id + ".CLIENT.AUTH.ERR", ended);
    case session_event::type::joined:
    case session_event::type::left: return tell_of_connections(broker, event);
    }
}

/// How many an account has is known to all loops together.
void server::state::tell_of_connections(broker::broker& broker, const session_event& event) {
    const auto account = std::string(event.account_name);
    if (account == "$G") return;
    const auto is_heard = [&](const std::string& subject) {
        return broker.is_wanted(system->account, subject);
    };
    if (std::ranges::none_of(connection_subjects(account), is_heard)) return;
    const auto forget = [this, account] {
        const std::lock_guard guard(system->lock);
        system->changed_accounts.erase(account);
    };
    {
        const std::lock_guard guard(system->lock);
        if (!system->changed_accounts.insert(account).second) return; // It will be published.
    }
    const auto publish = [this, of = event.account, account, tag = std::string(event.account_tag),
                          forget] {
        forget();
        if (const auto total = total_of(of)) {
            publish_connections(account, system->requests->connections_in(*total, {account, tag}));
        }
    };
    const bool is_posted = system->post(event.account, publish);
    if (!is_posted) forget();
}

// --- What the worker publishes ---

void server::state::publish_connections(const std::string& account, const std::string& body) {
    for (const auto& subject : connection_subjects(account)) {
        if (protocol::is_valid_literal_subject(subject)) {
            publish(system->account, {.subject = subject, .body = body});
        }
    }
}

/// Whether somebody wants each of them; none when the loop does not answer in time.
std::vector<bool> server::state::are_wanted(std::vector<std::string> subjects) {
    auto shared = std::make_shared<std::promise<std::vector<bool>>>();
    auto answer = shared->get_future();
    std::vector<bool> none(subjects.size());
    loops[0]->post([shared, subjects = std::move(subjects),
                    of = system->account](broker::broker& broker, moment) {
        std::vector<bool> wanted;
        for (const auto& each : subjects) wanted.push_back(broker.is_wanted(of, each));
        shared->set_value(std::move(wanted));
    });
    const auto status = answer.wait_for(limits::loop_deadline);
    return status == std::future_status::ready ? answer.get() : none;
}

bool server::state::is_wanted(const std::string& subject) { return are_wanted({subject})[0]; }

/// Of those that have some, of which somebody wants to hear. The loop is asked about many accounts
/// at a time.
void server::state::publish_connections_of_all() {
    const auto snapshot = collect({.accounts = true});
    if (!snapshot) return;
    const auto& config = *snapshot->configuration;
    const auto totals = total_accounts(*snapshot); // In the order of the configuration.
    std::vector<std::size_t> asked;
    std::vector<std::string> subjects;
    const auto publish_wanted = [&] {
        const auto wanted = are_wanted(std::move(subjects));
        for (std::size_t i = 0; i < asked.size(); ++i) {
            if (!wanted[2 * i] && !wanted[2 * i + 1]) continue;
            const auto& account = config.accounts[asked[i]];
            const account_names names{account.name, account_tag(account)};
            publish_connections(account.name,
                                system->requests->connections_in(totals[asked[i]], names));
        }
        asked.clear();
        subjects.clear();
    };
    for (std::size_t i = 0; i < totals.size(); ++i) {
        if (totals[i].id == config.global_account || totals[i].connections == 0) continue;
        asked.push_back(i);
        for (auto& subject : connection_subjects(config.accounts[i].name)) {
            subjects.push_back(std::move(subject));
        }
        if (asked.size() == accounts_at_a_time) publish_wanted();
    }
    if (!asked.empty()) publish_wanted();
}

void server::state::publish_statistics() {
    const auto subject = "$SYS.SERVER." + system->facts()->identity.id + ".STATSZ";
    const auto at = net::steady_now();
    const auto interval = std::min<nanoseconds>(system->statistics_interval, 1s);
    if (system->last_statistics && at - *system->last_statistics < interval) return;
    system->last_statistics = at;
    if (!is_wanted(subject)) return;
    if (auto body = system->requests->statistics()) {
        publish(system->account, {.subject = subject, .body = std::move(*body)});
    }
}

nanoseconds server::state::publish_statistics_now_and_then() {
    publish_statistics();
    auto& interval = system->statistics_interval;
    interval = std::min(interval * 2, statistics_interval_max);
    return interval;
}

/// What the end of the server is told by, before the connections go.
void server::state::publish_end(std::string_view event) {
    if (!system) return;
    const auto subject = "$SYS.SERVER." + system->facts()->identity.id + '.' + std::string(event);
    publish(system->account, {.subject = subject, .body = system->server_json()});
    // When all loops have had a turn since then, all have it. The end waits for no late one.
    for (int i = 0; i < 2; ++i) (void)on_every_loop([](unsigned, broker::broker&, moment) {});
}

void server::state::stop_system() {
    if (!system) return;
    system->is_closing = true;
    system->stop();
    publish_end("SHUTDOWN");
}

} // namespace pipit::server
