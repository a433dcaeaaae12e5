// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/session.hpp>
#include <pipit/broker/subject_index.hpp>

#include <pipit/base/random.hpp>
#include <pipit/protocol/subject.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace pipit::broker {
namespace {

/// An index, and the plain list of what is in it.
class indexed {
public:
    ~indexed() {
        while (!all_.empty()) drop(all_.size() - 1);
    }

    void add(const std::string& subject, const std::string& queue = {}) {
        const auto sid = std::to_string(next_sid_++);
        auto* made = subscription::make(owner_, subject, queue, sid);
        if (queue.empty()) {
            index.insert(*made, index.hash(subject));
        } else {
            index.insert_member(*made, next_group_id_);
        }
        all_.push_back(made);
    }
    void drop(std::size_t at) {
        auto* gone = all_[at];
        if (auto* group = gone->group()) {
            index.take_member(*gone);
            index.drop_if_empty(*group);
        } else {
            index.remove(*gone);
        }
        subscription::destroy(gone);
        all_.erase(all_.begin() + static_cast<std::ptrdiff_t>(at));
    }
    [[nodiscard]] std::size_t size() const { return all_.size(); }

    /// The sids that the index finds for a subject, members of groups too.
    [[nodiscard]] std::multiset<std::string> found(bytes_view subject) const {
        match_result result;
        index.match(subject, result);
        std::multiset<std::string> sids;
        for (const auto* each : result.plain) sids.emplace(each->sid());
        for (const auto* group : result.groups) {
            for (const auto* each : group->members) sids.emplace(each->sid());
        }
        return sids;
    }
    /// The same by looking at every subscription.
    [[nodiscard]] std::multiset<std::string> expected(bytes_view subject) const {
        std::multiset<std::string> sids;
        for (const auto* each : all_) {
            if (protocol::subject_matches(each->subject(), subject)) sids.emplace(each->sid());
        }
        return sids;
    }
    [[nodiscard]] std::size_t distinct_subjects() const {
        std::set<bytes_view> subjects;
        for (const auto* each : all_) subjects.insert(each->subject());
        return subjects.size();
    }

    subject_index index{42};

private:
    session owner_{1, nullptr, 42};
    std::vector<subscription*> all_;
    std::uint64_t next_sid_ = 1;
    std::uint64_t next_group_id_ = 1;
};

std::string random_subject(random_source& random, bool with_wildcards) {
    std::string subject;
    const auto tokens = 1 + random.below(4);
    for (std::uint32_t i = 0; i < tokens; ++i) {
        if (i > 0) subject += '.';
        const auto kind = with_wildcards ? random.below(8) : 7;
        if (kind == 0 && i + 1 == tokens) {
            subject += '>';
        } else if (kind == 1) {
            subject += '*';
        } else {
            subject += static_cast<char>('a' + random.below(3));
        }
    }
    return subject;
}

TEST(SubjectIndex, FindsWhatLookingAtEverySubscriptionFinds) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        random_source random(seed);
        indexed world;
        for (int step = 0; step < 400; ++step) {
            if (world.size() > 0 && random.below(5) < 2) {
                world.drop(random.below(static_cast<std::uint32_t>(world.size())));
            } else {
                const auto queues = random.below(3) == 0 ? "q" : "";
                world.add(random_subject(random, random.below(2) == 0), queues);
            }
            const auto subject = random_subject(random, false);
            ASSERT_EQ(world.found(subject), world.expected(subject))
                << subject << " at step " << step << " of seed " << seed;
        }
        EXPECT_EQ(world.index.subject_count(), world.distinct_subjects());
    }
}

TEST(SubjectIndex, IsEmptyAgainWhenEverythingHasGone) {
    indexed world;
    random_source random(7);
    for (int i = 0; i < 300; ++i) world.add(random_subject(random, true), i % 4 == 0 ? "q" : "");
    while (world.size() > 0) world.drop(random.below(static_cast<std::uint32_t>(world.size())));
    EXPECT_EQ(world.index.subject_count(), 0u);
    EXPECT_TRUE(world.found("a.b").empty());
}

TEST(SubjectIndex, ChangesItsGenerationForWildcardsAlone) {
    indexed world;
    const auto before = world.index.generation();
    world.add("a.b");
    world.add("a.b", "q");
    world.drop(0);
    EXPECT_EQ(world.index.generation(), before);
    world.add("a.*");
    const auto with_wildcard = world.index.generation();
    EXPECT_NE(with_wildcard, before);
    world.drop(world.size() - 1);
    EXPECT_NE(world.index.generation(), with_wildcard);
}

TEST(SubjectIndex, KnowsWhichPeersWantASubject) {
    subject_index index(42);
    const auto peers_of = [&](bytes_view subject) {
        match_result result;
        index.match(subject, result);
        return result.peers;
    };
    index.set_peer_interest("a.b", 1, true);
    index.set_peer_interest("a.*", 2, true);
    EXPECT_EQ(peers_of("a.b"), 0b110u);
    EXPECT_EQ(peers_of("a.c"), 0b100u);
    index.set_peer_interest("a.b", 1, false);
    index.set_peer_interest("a.*", 2, false);
    EXPECT_EQ(peers_of("a.b"), 0u);
    EXPECT_EQ(index.subject_count(), 0u);
}

TEST(SubjectIndex, KeepsAGroupAsLongAsAnyLoopHasAMember) {
    subject_index index(42);
    std::uint64_t next_group_id = 1;
    auto* group = index.set_peer_members("a", "q", {1, 9, 2}, next_group_id);
    ASSERT_NE(group, nullptr);
    EXPECT_EQ(group->member_count(), 2u);
    EXPECT_EQ(index.find_group("a", "q"), group);
    EXPECT_EQ(index.set_peer_members("a", "q", {1, 9, 0}, next_group_id), group);
    EXPECT_TRUE(group->empty());
    index.drop_if_empty(*group);
    EXPECT_EQ(index.find_group("a", "q"), nullptr);
    EXPECT_EQ(index.set_peer_members("a", "q", {1, 9, 0}, next_group_id), nullptr);
}

TEST(SubjectIndex, HasSubjectsOfAnyDepth) {
    std::string deep;
    for (int i = 0; i < 60'000; ++i) deep += "a.";
    {
        indexed all;
        all.add(deep + "*");
        all.add(deep + ">");
        all.add("*." + deep.substr(2) + ">");
        EXPECT_EQ(all.found(deep + "b").size(), 3u);
        EXPECT_EQ(all.found(deep + "b.c").size(), 2u);
        all.drop(1);
        EXPECT_EQ(all.found(deep + "b").size(), 2u);
    }
    subject_index index(42);
    index.set_peer_interest(deep + "*", 1, true); // And ends with it.
}

} // namespace
} // namespace pipit::broker
