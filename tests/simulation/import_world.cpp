// SPDX-License-Identifier: Apache-2.0
#include "requests.hpp"
#include "worlds.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace pipit::sim {
namespace {

using namespace std::chrono_literals;
using broker::account_id;

constexpr account_id exporter{10}, middle{11}, importer{12};

/// The importer gets `st.>` of the exporter as `in.st.>`, and asks `svc` by way of a third account.
std::shared_ptr<broker::configuration> linked_accounts() {
    auto config = open_configuration();
    for (const auto& [id, name] :
         {std::pair{exporter, "exporter"}, {middle, "middle"}, {importer, "importer"}}) {
        broker::account_configuration made;
        made.id = id;
        made.name = name;
        config->accounts.push_back(made);
        config->authorization.users[name] = {.name = name, .account = id, .permissions = nullptr};
    }
    for (auto& account : config->accounts) {
        if (account.id == exporter) account.stream_exports.push_back({"st.>", {}});
        if (account.id == exporter) account.service_exports.push_back({.subject = "svc"});
        if (account.id == middle) account.service_exports.push_back({.subject = "mid"});
    }
    const auto subjects = [](const char* exported, const char* local) {
        return broker::import_subjects::make(exported, local).value();
    };
    auto& accounts = config->accounts;
    const auto problems =
        add_import(accounts, importer,
                   broker::stream_import{exporter, subjects("st.>", "in.st.>")}) +
        add_import(accounts, middle, broker::service_import{exporter, subjects("svc", "mid")}) +
        add_import(accounts, importer, broker::service_import{middle, subjects("mid", "ask")});
    if (!problems.empty()) return nullptr;
    return config;
}

std::string user(const char* name) { return std::string(",\"user\":\"") + name + "\""; }

/// Readers of the importer, and how often each subscription got each message.
class stream_readers {
public:
    explicit stream_readers(world& world) : world_(world) {
        for (unsigned i = 0; i < 4; ++i) {
            auto& reader = world.connect();
            reader.on_message = [this, i](const client::message& message) {
                ++got_[{i, message.sid}][message.payload];
                if (!message.subject.starts_with("in.st.")) ++misnamed_;
            };
            reader.connect(user("importer"));
            reader.subscribe("in.st.>", "all");
            reader.subscribe("in.st.1", "one");
            reader.subscribe("in.*.*", "group", "g");
            readers_.push_back(&reader);
        }
        // Others come and go meanwhile; they get a message at most once.
        for (unsigned i = 0; i < 4; ++i) {
            const auto at = std::chrono::milliseconds(world.random().below(100));
            const auto sid = "late" + std::to_string(i);
            auto* reader = readers_[i];
            world.after(at, [reader, sid] { reader->subscribe("*.st.1", sid); });
            world.after(at + 20ms, [reader, sid] { reader->unsubscribe(sid); });
        }
    }

    /// Calls `done` when all of them are known to every loop.
    void when_ready(const std::function<void()>& done) {
        for (auto* reader : readers_) {
            reader->flush([this, done] {
                if (++ready_ == readers_.size()) done();
            });
        }
    }

    void judge(const std::string& payload, bool is_one, complaints& found) {
        const auto count = [&](unsigned reader, const std::string& sid) {
            return got_[{reader, sid}][payload];
        };
        int of_group = 0;
        for (unsigned i = 0; i < readers_.size(); ++i) {
            if (count(i, "all") != 1 || count(i, "one") != (is_one ? 1 : 0) ||
                count(i, "late" + std::to_string(i)) > 1) {
                found.push_back("reader " + std::to_string(i) + " did not get " + payload +
                                " once");
            }
            of_group += count(i, "group");
        }
        if (of_group != 1) found.push_back("the group got " + payload + " not once");
        if (misnamed_ != 0) found.emplace_back("a message had the exporter's name");
    }

private:
    world& world_;
    std::vector<client*> readers_;
    std::size_t ready_ = 0;
    int misnamed_ = 0;
    std::map<std::pair<unsigned, std::string>, std::map<std::string, int>> got_;
};

} // namespace

complaints import_world(std::uint64_t seed) {
    world world({.seed = seed, .loops = 3, .configuration = linked_accounts()});
    stream_readers readers(world);
    auto& publisher = world.connect();
    publisher.connect(user("exporter"));
    constexpr int messages = 30;
    readers.when_ready([&] {
        for (int i = 0; i < messages; ++i) {
            world.after(std::chrono::milliseconds(world.random().below(60)), [&publisher, i] {
                publisher.publish("st." + std::to_string(i % 3), std::to_string(i));
            });
        }
    });

    // Responders come and go; each request has one outcome, an answer or the 503.
    auto& requester = world.connect();
    outcomes counted;
    count_outcomes(requester, counted, user("importer"));
    for (unsigned i = 0; i < 2; ++i) {
        auto& responder = world.connect();
        responder.connect(user("exporter"));
        responder.on_message = [&responder](const auto& message) {
            responder.publish(message.reply, "answer");
            responder.publish(message.reply, "one too many");
        };
        come_and_go(world, responder);
    }
    ask_now_and_then(world, requester, "ask");
    world.run(2s);

    complaints found;
    for (int i = 0; i < messages; ++i) readers.judge(std::to_string(i), i % 3 == 1, found);
    judge(counted, found);
    return found;
}

} // namespace pipit::sim
