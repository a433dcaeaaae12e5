// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/jwt.hpp>
#include <pipit/auth/nkey.hpp>
#include <pipit/server/account_directory.hpp>
#include <support/no_descriptors.hpp>
#include <support/temporary_folder.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

thread_local int synced = 0;
thread_local int fails_at = 0; ///< Which of them the disk does not take.

} // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the system's.
extern "C" __attribute__((visibility("default"))) int fsync(int descriptor) {
    if (++synced == fails_at) {
        errno = EIO;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

/// How often it waits for the disk.
int syncs_of(const std::function<void()>& action) {
    const int before = synced;
    action();
    return synced - before;
}

auth::nkey_seed seed_of(auth::nkey_prefix prefix, std::uint8_t number) {
    auth::key_bytes bytes{};
    bytes.fill(number);
    return {prefix, auth::secret_key_bytes(bytes)};
}

std::string account_named(std::uint8_t number) {
    return auth::encode(
        auth::signing_key(seed_of(auth::nkey_prefix::account, number)).public_key());
}

std::string jwt_of(const std::string& account, int issued_at, int expires = 0) {
    const auth::signing_key key(seed_of(auth::nkey_prefix::operator_key, 1));
    return auth::sign_jwt(R"({"jti":")" + std::to_string(issued_at) + R"(","iss":")" +
                              auth::encode(key.public_key()) + R"(","sub":")" + account +
                              R"(","iat":)" + std::to_string(issued_at) + R"(,"exp":)" +
                              std::to_string(expires) +
                              R"(,"nats":{"type":"account","version":2}})",
                          key);
}

class AccountDirectory : public ::testing::Test {
protected:
    std::unique_ptr<account_directory> open(account_directory::settings how = {}) {
        how.folder = folder_ + "/jwt";
        return account_directory::open(how, now).value();
    }
    std::filesystem::path file(const std::string& account) const {
        return folder_ + "/jwt/" + account + ".jwt";
    }

    static std::string content(const std::filesystem::path& of) {
        std::ifstream from(of);
        return {std::istreambuf_iterator<char>(from), {}};
    }

    const support::temporary_folder temporary_;
    std::string folder_ = temporary_.path();
    wall_time now{1'000'000s};
    const std::string a = account_named(1);
    const std::string b = account_named(2);
    const std::string c = account_named(3);
};

TEST_F(AccountDirectory, KeepsJwtsOverAStart) {
    auto first = open();
    EXPECT_TRUE(first->save(a, jwt_of(a, 1), now).value());
    EXPECT_FALSE(first->save(a, jwt_of(a, 1), now).value());
    EXPECT_EQ(first->load(a, now).value(), jwt_of(a, 1));
    EXPECT_EQ(first->load(b, now).value(), std::nullopt);
    std::ofstream(folder_ + "/jwt/notes.txt") << "x";
    std::ofstream(folder_ + "/jwt/wrong.jwt") << "x";
    const auto second = open();
    EXPECT_EQ(second->accounts(), std::vector<std::string>{a});
    EXPECT_EQ(second->hash(), first->hash());
    EXPECT_NE(second->hash(), auth::sha256_digest{});
}

TEST_F(AccountDirectory, HasTheSameHashWhateverTheOrder) {
    auto one = open();
    (void)one->save(a, jwt_of(a, 1), now);
    (void)one->save(b, jwt_of(b, 1), now);
    const auto both = one->hash();
    (void)one->save(a, jwt_of(a, 2), now);
    EXPECT_NE(one->hash(), both);
    (void)one->save(a, jwt_of(a, 1), now);
    EXPECT_EQ(one->hash(), both);
}

TEST_F(AccountDirectory, KeepsTheNewest) {
    auto kept = open();
    EXPECT_TRUE(kept->save_if_newer(a, jwt_of(a, 5), now).value());
    EXPECT_FALSE(kept->save_if_newer(a, jwt_of(a, 4), now).value());
    EXPECT_TRUE(kept->save_if_newer(a, jwt_of(a, 6), now).value());
    EXPECT_EQ(kept->load(a, now).value(), jwt_of(a, 6));
    EXPECT_FALSE(kept->save_if_newer(b, jwt_of(a, 7), now));
    EXPECT_FALSE(kept->save_if_newer(b, "no jwt", now));
    EXPECT_FALSE(kept->save("../x", jwt_of(a, 7), now));
}

TEST_F(AccountDirectory, IsFullOrForgetsWhatWasUsedLongestAgo) {
    auto full = open({.limit = 2});
    EXPECT_TRUE(full->save(a, jwt_of(a, 1), now));
    EXPECT_TRUE(full->save(b, jwt_of(b, 1), now));
    EXPECT_EQ(full->save(c, jwt_of(c, 1), now).error().detail(), "jwt store is full");
    EXPECT_TRUE(full->save(a, jwt_of(a, 2), now));
    auto cache = open({.limit = 2, .evicts = true});
    (void)cache->load(a, now);
    (void)cache->load(b, now);
    (void)cache->load(a, now);
    EXPECT_TRUE(cache->save(c, jwt_of(c, 1), now));
    EXPECT_FALSE(std::filesystem::exists(file(b)));
    EXPECT_TRUE(std::filesystem::exists(file(a)));
}

TEST_F(AccountDirectory, ForgetsWhatIsOver) {
    auto kept = open();
    (void)kept->save(a, jwt_of(a, 1, 2'000'000), now);
    (void)kept->save(b, jwt_of(b, 1), now);
    kept->expire(now + 1'000'000s);
    EXPECT_EQ(kept->accounts(), std::vector<std::string>{b});
    auto cache = open({.ttl = 1min});
    (void)cache->load(b, now + 30s);
    cache->expire(now + 70s);
    EXPECT_EQ(cache->size(), 1u);
    cache->expire(now + 91s);
    EXPECT_EQ(cache->size(), 0u);
}

TEST_F(AccountDirectory, DeletesByRenamingUnlessHard) {
    auto soft = open({.when_deleted = account_directory::deletion::rename});
    (void)soft->save(a, jwt_of(a, 1), now);
    EXPECT_TRUE(soft->remove(a));
    EXPECT_TRUE(std::filesystem::exists(file(a).string() + ".deleted"));
    EXPECT_EQ(soft->load(a, now).value(), std::nullopt);
    EXPECT_TRUE(soft->remove(a));
    EXPECT_EQ(soft->hash(), auth::sha256_digest{});
    auto hard = open({.when_deleted = account_directory::deletion::remove});
    (void)hard->save(b, jwt_of(b, 1), now);
    EXPECT_TRUE(hard->remove(b));
    EXPECT_FALSE(std::filesystem::exists(file(b).string() + ".deleted"));
}

TEST_F(AccountDirectory, DeletesByRenamingWhatOthersHaveSentToo) {
    auto soft = open({.when_deleted = account_directory::deletion::rename});
    (void)soft->save(a, jwt_of(a, 1), now);
    for (const auto& account : {a, b}) {
        (void)soft->save(account, jwt_of(account, 2), now, durability::later);
        EXPECT_TRUE(soft->remove(account));
        EXPECT_EQ(content(file(account).string() + ".deleted"), jwt_of(account, 2));
        EXPECT_FALSE(std::filesystem::exists(file(account)));
    }
    EXPECT_FALSE(soft->has_staged());
    EXPECT_EQ(soft->size(), 0u);
}

TEST_F(AccountDirectory, SeesWhatSomebodyElseWrote) {
    auto kept = open();
    (void)kept->save(a, jwt_of(a, 1), now);
    std::ofstream(file(a)) << jwt_of(a, 2);
    std::ofstream(file(b)) << jwt_of(b, 1);
    auto changed = kept->reload(now).value();
    std::sort(changed.begin(), changed.end());
    auto expected = std::vector{a, b};
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(changed, expected);
    EXPECT_TRUE(kept->reload(now)->empty());
}

TEST_F(AccountDirectory, KeepsWhatItKnowsWhenTheFolderCannotBeRead) {
    if (support::checks_need_descriptors) GTEST_SKIP() << "run with ThreadSanitizer";
    auto kept = open();
    (void)kept->save(a, jwt_of(a, 1), now);
    const auto hash = kept->hash();
    {
        const support::no_descriptors during_this;
        EXPECT_TRUE(kept->reload(now).has_error());
    }
    EXPECT_EQ(kept->accounts(), std::vector<std::string>{a});
    EXPECT_EQ(kept->hash(), hash);
}

TEST_F(AccountDirectory, KeepsWhatItKnowsOfAFileThatCannotBeRead) {
    auto kept = open();
    (void)kept->save(a, jwt_of(a, 5), now);
    (void)kept->save(b, jwt_of(b, 5), now);
    std::filesystem::remove(file(a));
    std::filesystem::create_directory(file(a));
    std::filesystem::remove(file(b));
    EXPECT_TRUE(kept->reload(now)->empty());
    EXPECT_EQ(kept->accounts(), std::vector<std::string>{a});
    ASSERT_EQ(kept->problems().size(), 1u);
    EXPECT_EQ(kept->problems()[0], "read " + file(a).string() + ": is a directory");
    EXPECT_TRUE(kept->load(a, now).has_error());
    // It may be newer.
    EXPECT_TRUE(kept->save_if_newer(a, jwt_of(a, 6), now).has_error());
}

TEST_F(AccountDirectory, KeepsAgainWhatSomebodyHasRemoved) {
    auto kept = open();
    (void)kept->save(a, jwt_of(a, 1), now);
    std::filesystem::remove(file(a));
    EXPECT_TRUE(kept->save(a, jwt_of(a, 1), now).value());
    EXPECT_EQ(kept->load(a, now).value(), jwt_of(a, 1));
}

TEST_F(AccountDirectory, WaitsForTheDiskOnlyForWhatSomebodyIsToldOf) {
    auto kept = open();
    const auto save = [&](const std::string& account, int issued_at, durability how) {
        return syncs_of([&] {
            EXPECT_TRUE(kept->save_if_newer(account, jwt_of(account, issued_at), now, how));
        });
    };
    EXPECT_EQ(save(a, 1, durability::full), 2);
    EXPECT_EQ(save(a, 2, durability::none), 0);
    // Who pushes what others have said already hears of it when it is on the disk.
    (void)kept->save(c, jwt_of(c, 1), now, durability::none);
    const auto push = [&] { EXPECT_FALSE(kept->save(c, jwt_of(c, 1), now).value()); };
    EXPECT_EQ(syncs_of(push), 2);
    EXPECT_EQ(syncs_of(push), 0);
}

TEST_F(AccountDirectory, WaitsForTheDiskLaterAndOneByOneForWhatOthersSend) {
    auto kept = open();
    (void)kept->save(a, jwt_of(a, 1), now);
    const auto merge = [&] {
        EXPECT_TRUE(kept->save_if_newer(a, jwt_of(a, 2), now, durability::later).value());
        EXPECT_TRUE(kept->save_if_newer(b, jwt_of(b, 1), now, durability::later).value());
        EXPECT_FALSE(kept->save_if_newer(b, jwt_of(b, 1), now, durability::later).value());
    };
    EXPECT_EQ(syncs_of(merge), 0);
    EXPECT_EQ(kept->load(a, now).value(), jwt_of(a, 2));
    EXPECT_EQ(kept->load(b, now).value(), jwt_of(b, 1));
    EXPECT_EQ(content(file(a)), jwt_of(a, 1)) << "as long as a power cut could cut the newer one";

    const auto next = [&](bool more) {
        return syncs_of([&] { EXPECT_EQ(kept->sync_next().value(), more); });
    };
    EXPECT_EQ(next(true), 1);
    EXPECT_EQ(next(false), 2) << "and the folder";
    EXPECT_EQ(next(false), 0);
    EXPECT_EQ(content(file(a)), jwt_of(a, 2));
    EXPECT_EQ(content(file(b)), jwt_of(b, 1));
}

TEST_F(AccountDirectory, PutsTheOthersInTheirPlacesWhenOneCannotBe) {
    auto kept = open();
    for (const auto& account : {a, b, c}) {
        (void)kept->save(account, jwt_of(account, 1), now, durability::later);
    }
    std::filesystem::create_directory(file(a));
    int failures = 0;
    while (kept->has_staged()) failures += kept->sync_next() ? 0 : 1;
    EXPECT_EQ(failures, 1);
    EXPECT_EQ(content(file(b)), jwt_of(b, 1));
    EXPECT_EQ(content(file(c)), jwt_of(c, 1));
    EXPECT_EQ(kept->size(), 2u);

    for (const auto& account : {a, b, c}) {
        (void)kept->save(account, jwt_of(account, 2), now, durability::later);
    }
    kept.reset();
    EXPECT_EQ(content(file(b)), jwt_of(b, 2));
    EXPECT_EQ(content(file(c)), jwt_of(c, 2)) << "nor at an end in order";
}

TEST_F(AccountDirectory, ReadsTheFolderAgainWithoutWaitingForWhatOthersHaveSent) {
    auto kept = open();
    (void)kept->save(a, jwt_of(a, 1), now);
    (void)kept->save(a, jwt_of(a, 2), now, durability::later);
    (void)kept->save(b, jwt_of(b, 2), now, durability::later);
    std::filesystem::create_directory(file(b)); // In the place of what was sent.
    std::ofstream(file(c)) << jwt_of(c, 1);
    const auto read = [&] { EXPECT_EQ(kept->reload(now).value(), std::vector{c}); };
    EXPECT_EQ(syncs_of(read), 0);
    EXPECT_TRUE(kept->problems().empty());
    EXPECT_EQ(kept->load(a, now).value(), jwt_of(a, 2));
    EXPECT_EQ(kept->load(b, now).value(), jwt_of(b, 2));
    EXPECT_EQ(kept->size(), 3u);
}

TEST_F(AccountDirectory, KnowsTheOlderOneWhenTheNewerCannotBePutInItsPlace) {
    auto kept = open();
    (void)kept->save(a, jwt_of(a, 1), now);
    const auto hash = kept->hash();
    (void)kept->save(a, jwt_of(a, 2), now, durability::later);
    for (const auto& each : std::filesystem::directory_iterator(file(a).parent_path())) {
        if (each.path().extension() == ".tmp") std::filesystem::remove(each.path());
    }
    EXPECT_TRUE(kept->sync_next().has_error());
    EXPECT_EQ(kept->accounts(), std::vector<std::string>{a});
    EXPECT_EQ(kept->hash(), hash) << "so that others send the newer one again";
    EXPECT_EQ(kept->load(a, now).value(), jwt_of(a, 1));
}

TEST_F(AccountDirectory, WaitsForTheFolderAgainWhenTheDiskDidNotTakeIt) {
    auto kept = open();
    (void)kept->save(a, jwt_of(a, 1), now, durability::later);
    fails_at = synced + 2;
    EXPECT_TRUE(kept->sync_next().has_error());
    EXPECT_EQ(content(file(a)), jwt_of(a, 1));
    EXPECT_EQ(syncs_of([&] { EXPECT_FALSE(kept->sync_next().value()); }), 1);
    EXPECT_EQ(syncs_of([&] { EXPECT_FALSE(kept->sync_next().value()); }), 0);
}

TEST_F(AccountDirectory, ForgetsWhatOthersHaveSentWhenSomebodyPushesOrDeletes) {
    auto kept = open({.when_deleted = account_directory::deletion::remove});
    for (const auto& account : {a, b, c}) {
        (void)kept->save(account, jwt_of(account, 1), now, durability::later);
    }
    (void)kept->save(a, jwt_of(a, 2), now);
    EXPECT_TRUE(kept->remove(b));
    kept.reset();
    EXPECT_EQ(content(file(a)), jwt_of(a, 2));
    EXPECT_FALSE(std::filesystem::exists(file(b)));
    EXPECT_EQ(content(file(c)), jwt_of(c, 1)) << "an end in order keeps it";
    const std::filesystem::directory_iterator all(file(a).parent_path());
    EXPECT_EQ(std::distance(begin(all), end(all)), 2) << "nothing is left beside them";
}

TEST_F(AccountDirectory, ACacheDoesNotWaitForTheDiskAndAsksAgainForWhatAPowerCutHasCut) {
    directory_resolver cache(open({.evicts = true}));
    cache.ask_others_by(
        [&](const std::string&, const account_resolver::answer& then) { then(jwt_of(a, 2)); });
    const auto fetched = [&] {
        std::string jwt;
        cache.fetch(a, [&](const result<std::string>& found) { jwt = found.value(); });
        return jwt;
    };
    const auto store = [&] { EXPECT_TRUE(cache.store(a, jwt_of(a, 1))); };
    EXPECT_EQ(syncs_of(store), 0);
    EXPECT_EQ(fetched(), jwt_of(a, 1));
    std::filesystem::resize_file(file(a), 20);
    EXPECT_EQ(fetched(), jwt_of(a, 2));
    EXPECT_TRUE(cache.store(a, fetched()));
    EXPECT_EQ(cache.directory().load(a, now).value(), jwt_of(a, 2));
}

TEST_F(AccountDirectory, RemovesOnlyWhatACrashLeftOfItsOwnFiles) {
    const auto kept = open();
    const auto partial = file(a).string() + ".17.tmp";
    const std::vector<std::string> others = {file(a).string() + ".tmp", file(a).string() + ".x.tmp",
                                             folder_ + "/jwt/notes.jwt.1.tmp"};
    std::ofstream(partial) << "half";
    for (const auto& each : others) std::ofstream(each) << "x";
    kept->remove_partial_files();
    EXPECT_FALSE(std::filesystem::exists(partial));
    for (const auto& each : others) EXPECT_TRUE(std::filesystem::exists(each)) << each;
}

} // namespace
} // namespace pipit::server
