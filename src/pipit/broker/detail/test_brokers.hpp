// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/permissions.hpp>
#include <pipit/broker/broker.hpp>

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pipit::broker {

/// For tests: anybody may do everything.
inline std::shared_ptr<configuration> open_configuration() {
    auto config = std::make_shared<configuration>();
    config->identity.id = "NTEST";
    config->identity.name = "test";
    config->identity.version = "2.15.2";
    account_configuration global;
    global.id = account_id{1};
    global.name = "$G";
    config->accounts.push_back(global);
    config->global_account = global.id;
    return config;
}

/// For tests: the user `all` may do everything, and `some` does not get what comes to these
/// subjects.
inline std::shared_ptr<configuration> denying_configuration(std::vector<std::string> subjects) {
    auto config = open_configuration();
    config->authorization.users["all"] = {.name = "all", .account = config->global_account};
    config->authorization.users["some"] = {
        .name = "some",
        .account = config->global_account,
        .permissions = *auth::permissions::make({.subscribe_deny = std::move(subjects)})};
    return config;
}

/// For tests: the brokers of one server, usually one, and their clients, whose sockets take
/// everything at once unless they are shut.
class test_brokers {
public:
    struct client {
        broker* of = nullptr;
        session* its_session = nullptr;
        std::string received;
        std::size_t window = static_cast<std::size_t>(-1); ///< What its socket still takes.
        bool closed = false;
    };

    explicit test_brokers(std::shared_ptr<configuration> config = open_configuration(),
                          unsigned loop_count = 1)
        : mesh_(loop_count) {
        for (unsigned loop = 0; loop < loop_count; ++loop) {
            brokers_.emplace_back(loop, loop + 1, config, mesh_, counters_, logger_);
        }
    }

    client& connect(unsigned loop = 0) {
        auto& made = clients_.emplace_back();
        made.of = &brokers_[loop];
        made.its_session = &made.of->open({.ip = "127.0.0.1", .port = 1}, &made, now);
        flush();
        return made;
    }
    /// A client that said the usual CONNECT and has read INFO.
    client& connect(const std::string& options, unsigned loop = 0) {
        auto& made = connect(loop);
        made.received.clear();
        send(made, "CONNECT {\"verbose\":false,\"pedantic\":false," + options + "}\r\n");
        return made;
    }
    void send(client& from, const std::string& bytes) { receive(from, 0, bytes); }
    /// The rest of a large message, read to where the parser has room for it.
    void send_directly(client& from, std::string_view bytes) {
        const auto room = from.of->direct_space(*from.its_session);
        bytes.copy(room.data(), bytes.size());
        receive(from, bytes.size(), {});
    }
    /// Before anybody is told of anything.
    void receive(client& from, const std::string& bytes) {
        from.of->receive(*from.its_session, 0, bytes, now);
    }
    std::string take(client& from) { return std::exchange(from.received, {}); }
    void pass(nanoseconds time) {
        now.steady += time;
        now.wall += time;
        for (auto& each : brokers_) each.expire(now);
        flush();
    }
    /// Until no loop has anything to tell another.
    void flush() {
        for (bool some = true; some;) {
            for (auto& each : brokers_) {
                do {
                    each.end_batch(now);
                    while (auto* touched = each.next_touched()) flush(*touched);
                } while (each.take_rest(now));
            }
            some = false;
            for (auto& each : brokers_) some = each.take_from_peers(now) || some;
        }
    }
    std::vector<session_snapshot> sessions(session_state state, unsigned loop = 0) {
        const auto ids = brokers_[loop].client_ids(state);
        return brokers_[loop].sessions(ids, state);
    }
    broker& core(unsigned loop = 0) { return brokers_[loop]; }

    moment now{steady_time(std::chrono::hours(1)), wall_time(std::chrono::hours(1))};

private:
    void receive(client& from, std::size_t direct_bytes, std::string_view scratch) {
        for (bool some_is_left = true; some_is_left && !from.closed; flush()) {
            const auto taken = from.of->receive(*from.its_session, direct_bytes, scratch, now);
            if (taken) {
                direct_bytes = 0;
                scratch.remove_prefix(*taken);
            }
            some_is_left = !taken || !scratch.empty();
        }
    }
    void flush(session& session) {
        auto& to = *static_cast<client*>(brokers_[0].driver_of(session));
        auto& its_broker = *to.of;
        while (its_broker.has_output(session) && to.window > 0) {
            std::array<bytes_view, 8> pieces;
            const auto count = its_broker.gather(session, pieces);
            std::size_t written = 0;
            for (std::size_t i = 0; i < count; ++i) {
                const auto taken = pieces[i].substr(0, to.window - written);
                to.received += taken;
                written += taken.size();
            }
            to.window -= to.window == static_cast<std::size_t>(-1) ? 0 : written;
            its_broker.sent(session, written, now);
        }
        if (its_broker.has_output(session)) its_broker.sent(session, 0, now);
        if (!its_broker.closing(session) || its_broker.has_output(session)) return;
        to.closed = true;
        its_broker.release(session, now);
    }

    logger logger_;
    mesh mesh_;
    shared_counters counters_;
    std::deque<broker> brokers_;
    std::deque<client> clients_;
};

} // namespace pipit::broker
