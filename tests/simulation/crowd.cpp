// SPDX-License-Identifier: Apache-2.0
#include "crowd.hpp"

#include <pipit/protocol/subject.hpp>

#include <algorithm>

namespace pipit::sim {
namespace {

using namespace std::chrono_literals;

} // namespace

crowd::crowd(world& world, settings chosen) : world_(world), settings_(chosen) {
    for (unsigned i = 0; i < settings_.clients; ++i) {
        auto& made = members_.emplace_back();
        made.number = i;
        made.connection = &world_.connect();
        made.connection->on_message = [this, &made](const client::message& message) {
            on_message(made, message);
        };
        made.connection->connect();
    }
}

/// Few subjects, so that literals, wildcards and groups meet.
std::string crowd::subject() {
    static constexpr const char* names[] = {"a.b", "a.c", "d.b", "d.c.e", "a.b.f"};
    return names[world_.random().below(std::size(names))];
}

void crowd::subscribe(member& by) {
    static constexpr const char* patterns[] = {"a.*", ">", "*.b", "d.>", "a.b.*"};
    auto& random = world_.random();
    auto& made = subscriptions_.emplace_back();
    made.owner = &by;
    made.subject = random.below(2) == 0 ? subject() : patterns[random.below(std::size(patterns))];
    if (random.below(3) == 0) made.queue = random.below(2) == 0 ? "q" : "r";
    made.sid = std::to_string(by.next_sid++);
    by_sid_[{&by, made.sid}] = subscriptions_.size() - 1;
    by.connection->subscribe(made.subject, made.sid, made.queue);
    by.connection->flush([this, &made] { made.confirmed = world_.step_count(); });
}

void crowd::unsubscribe(member& by) {
    for (auto& each : subscriptions_) {
        if (each.owner != &by || each.ended != 0) continue;
        each.ended = world_.step_count();
        by.connection->unsubscribe(each.sid);
        return;
    }
}

void crowd::publish(member& by) {
    auto& made = publications_.emplace_back();
    made.by = &by;
    made.subject = subject();
    made.written = world_.step_count();
    // Now and then one that is referenced instead of copied, or crosses as a block.
    const auto padding = world_.random().below(8) == 0 ? world_.random().below(40'000) : 0;
    by.connection->publish(made.subject, std::to_string(publications_.size() - 1) + ' ' +
                                             std::string(padding, 'x'));
    if (world_.random().below(3) != 0) return;
    const auto last = publications_.size();
    by.connection->flush([this, &by, last] {
        for (std::size_t i = 0; i < last; ++i) {
            auto& each = publications_[i];
            if (each.by == &by && each.flushed == 0) each.flushed = world_.step_count();
        }
    });
}

void crowd::act() {
    auto& random = world_.random();
    auto& by = members_[random.below(static_cast<std::uint32_t>(members_.size()))];
    if (!stays(by)) return;
    const auto dice = random.below(100);
    if (dice < 20) {
        subscribe(by);
    } else if (dice < 27) {
        unsubscribe(by);
    } else if (dice < 29 && settings_.cuts && by.number % 2 == 0) {
        by.cut = true;
        world_.cut(*by.connection);
    } else if (dice < 33 && settings_.stops_readers) {
        by.stopped = !by.stopped;
        if (by.stopped) {
            world_.stop_reading(*by.connection);
        } else {
            world_.read_again(*by.connection);
        }
    } else {
        publish(by);
    }
}

void crowd::on_message(member& at, const client::message& message) {
    const auto found = by_sid_.find({&at, message.sid});
    if (found == by_sid_.end()) return complain("a message for a sid that was never used");
    received_.push_back({std::stoul(message.payload), found->second, world_.step_count()});
}

void crowd::run() {
    for (unsigned i = 0; i < settings_.actions; ++i) {
        const auto delay = nanoseconds(world_.random()() % 200'000'000);
        world_.after(delay, [this] { act(); });
    }
    world_.after(250ms, [this] {
        for (auto& each : members_) world_.read_again(*each.connection);
    });
    world_.run(2s);
    judge();
    for (auto& each : members_) world_.cut(*each.connection);
    world_.run(1s);
    judge_leaks();
}

void crowd::complain(const std::string& text) {
    if (complaints_.size() < 10) complaints_.push_back(text);
}

void crowd::judge() {
    for (const auto& each : members_) {
        for (const auto& error : each.connection->errors) complain(error);
    }
    for (std::size_t i = 0; i < subscriptions_.size(); ++i) {
        if (!subscriptions_[i].queue.empty()) continue;
        judge_plain(i);
        judge_order(i);
    }
    judge_groups();
}

/// A message that was published while the subscription certainly stood comes exactly once, any
/// other at most once, and only if it matches.
void crowd::judge_plain(std::size_t index) {
    const auto& each = subscriptions_[index];
    std::vector<unsigned> count(publications_.size());
    for (const auto& reception : received_) {
        if (reception.subscription == index) ++count[reception.publication];
    }
    for (std::size_t i = 0; i < publications_.size(); ++i) {
        const auto& publication = publications_[i];
        const bool matches = protocol::subject_matches(each.subject, publication.subject);
        const auto name = "message " + std::to_string(i) + " at client " +
                          std::to_string(each.owner->number) + " sid " + each.sid;
        if (count[i] > 1) complain("twice: " + name);
        if (count[i] > 0 && !matches) complain("does not match: " + name);
        const bool certain = matches && each.confirmed != 0 &&
                             each.confirmed < publication.written && each.ended == 0 &&
                             stays(*each.owner) && stays(*publication.by);
        if (certain && count[i] == 0) complain("missing: " + name);
    }
}

/// Messages of one publisher keep their order; and what was flushed before another one was
/// written comes before it, whoever wrote it.
void crowd::judge_order(std::size_t index) {
    std::map<const member*, std::size_t> last_of;
    step latest_written = 0;
    for (const auto& reception : received_) {
        if (reception.subscription != index) continue;
        const auto& publication = publications_[reception.publication];
        const auto last = last_of.find(publication.by);
        if (last != last_of.end() && last->second >= reception.publication) {
            complain("out of its publisher's order: message " +
                     std::to_string(reception.publication));
        }
        last_of[publication.by] = reception.publication;
        if (publication.flushed != 0 && publication.flushed < latest_written) {
            complain("after one that was written when it had been flushed: message " +
                     std::to_string(reception.publication));
        }
        latest_written = std::max(latest_written, publication.written);
    }
}

/// One member of each group gets a message, whatever the subjects of the members: never two, and
/// never none as long as a member that certainly stood stays and none went away that may have taken
/// it along.
void crowd::judge_groups() {
    for (const std::string queue : {"q", "r"}) {
        std::vector<unsigned> count(publications_.size());
        for (const auto& each : received_) {
            if (subscriptions_[each.subscription].queue == queue) ++count[each.publication];
        }
        for (std::size_t i = 0; i < publications_.size(); ++i) {
            const auto& publication = publications_[i];
            if (count[i] > 1) complain("twice in group " + queue + ": " + std::to_string(i));
            bool certain = stays(*publication.by);
            bool stood = false;
            for (const auto& each : subscriptions_) {
                if (each.queue != queue ||
                    !protocol::subject_matches(each.subject, publication.subject)) {
                    continue;
                }
                if (!stays(*each.owner)) certain = false;
                stood = stood || (each.confirmed != 0 && each.confirmed < publication.written &&
                                  each.ended == 0);
            }
            if (certain && stood && count[i] == 0) {
                complain("missing in group " + queue + ": " + std::to_string(i));
            }
        }
    }
}

/// When everybody has gone, nothing is left.
void crowd::judge_leaks() {
    for (unsigned i = 0; i < world_.loop_count(); ++i) {
        const auto statistics = world_.loop(i).statistics();
        if (statistics.connections != 0) complain("a connection is left");
        if (statistics.subscriptions != 0) complain("a subscription is left");
        if (world_.waiting_bytes(i) != 0) complain("bytes wait between loops");
        for (const auto& account : world_.loop(i).accounts()) {
            if (account.subject_count != 0) complain("interest is left in the index");
        }
    }
}

} // namespace pipit::sim
