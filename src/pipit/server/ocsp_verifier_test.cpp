// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/ocsp_verifier.hpp>

#include <pipit/auth/test_ocsp.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/net/http.hpp>
#include <support/temporary_folder.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <vector>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;
using auth::test::make_answer;
using auth::test::make_holder;

/// While it lives, this process cannot write files.
struct full_disk {
    full_disk() {
        ::signal(SIGXFSZ, SIG_IGN);
        EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
        const rlimit none{0, before.rlim_max};
        EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
    }
    ~full_disk() { ::setrlimit(RLIMIT_FSIZE, &before); }
    full_disk(const full_disk&) = delete;
    full_disk& operator=(const full_disk&) = delete;

    rlimit before{};
};

/// An authority that says what it wants when it wants, and a verifier.
struct OcspVerifier : testing::Test {
    ~OcspVerifier() override { set(silent, false); }

    net::http_response answer() {
        std::unique_lock held(lock);
        ++asked;
        changed.notify_all();
        changed.wait(held, [this] { return !silent; });
        return {200, "application/ocsp-response",
                make_answer(client, root, root, {.status = status})};
    }
    template <class T>
    void set(T& what, T to) {
        const std::lock_guard held(lock);
        what = to;
        changed.notify_all();
    }
    void wait_until_asked() {
        std::unique_lock held(lock);
        EXPECT_TRUE(changed.wait_for(held, 60s, [this] { return asked > 0; }));
    }
    std::future<std::string> judge(const std::string& address = "192.0.2.1") {
        const auto outcome = std::make_shared<std::promise<std::string>>();
        its_judge({.chains = {{client.der(), root.der()}}, .from = party(address)},
                  [outcome](std::string why_not) { outcome->set_value(std::move(why_not)); });
        return outcome->get_future();
    }
    void keep() { verifier.configure(ocsp_cache_options{.local_store = folder}, {}); }

    std::mutex lock;
    std::condition_variable changed;
    bool silent = false;
    int asked = 0;
    int status = V_OCSP_CERTSTATUS_GOOD;
    const support::temporary_folder temporary;
    std::filesystem::path folder = temporary.path();
    auth::test::holder root = make_holder({.name = "Root"});
    auth::test::holder client;
    std::unique_ptr<net::http_server> authority =
        std::move(*net::http_server::listen({}, [this](std::string_view) { return answer(); }));
    static constexpr std::size_t may_wait = 16;
    ocsp_verifier verifier{
        {.now = [] { return net::wall_now(); }, .tell = [](const ocsp_event&) {}},
        {.most = may_wait, .few = 2}};
    net::peer_judge its_judge = verifier.judge({.verify = true, .ca_timeout = 60s}, 60s);

    void SetUp() override {
        const auto url = "OCSP;URI:http://127.0.0.1:" + std::to_string(authority->port());
        client = make_holder({.extensions = {{NID_info_access, url}}}, &root);
    }
};

TEST_F(OcspVerifier, LetsInWhoIsGood) {
    EXPECT_EQ(judge().get(), "");
    set(status, V_OCSP_CERTSTATUS_REVOKED);
    EXPECT_EQ(judge().get(), "client not OCSP valid");
}

TEST_F(OcspVerifier, IsNotFilledByOneParty) {
    set(silent, true);
    for (std::size_t i = 0; i < may_wait / 2; ++i) {
        (void)judge("2001:db8::" + std::to_string(i));
    }
    auto more = judge("2001:db8::ffff");
    ASSERT_EQ(more.wait_for(60s), std::future_status::ready) << "it waits, too";
    EXPECT_EQ(more.get(), "too many clients wait for their authorities");
    auto other = judge("192.0.2.1");
    set(silent, false);
    ASSERT_EQ(other.wait_for(60s), std::future_status::ready);
    EXPECT_EQ(other.get(), "");
}

TEST_F(OcspVerifier, HasRoomForAllOfAPartyWhoNeedNoAuthority) {
    std::promise<void> all_came;
    const auto root_alone = [&](std::function<void(std::string)> then) {
        its_judge({.chains = {{root.der()}}, .from = party("192.0.2.1")}, std::move(then));
    };
    root_alone([came = all_came.get_future().share()](const std::string&) { came.wait(); });
    std::promise<void> all_judged;
    std::size_t refused = 0, left = may_wait;
    for (std::size_t i = may_wait; i > 0; --i) {
        root_alone([&](const std::string& why_not) {
            refused += why_not.empty() ? 0 : 1;
            if (--left == 0) all_judged.set_value();
        });
    }
    all_came.set_value();
    ASSERT_EQ(all_judged.get_future().wait_for(60s), std::future_status::ready);
    EXPECT_EQ(refused, 0U);
}

TEST_F(OcspVerifier, JudgesForEachPartyInTurn) {
    std::promise<void> all_came;
    const auto held = all_came.get_future().share();
    // The first line of the log waits, and so does the first judgement, until all others wait too.
    verifier.configure(std::nullopt,
                       logger([held](log_level, std::string_view) { held.wait(); }, true));
    std::promise<std::vector<std::string>> all_judged;
    std::vector<std::string> order;
    const auto come = [&](const std::string& address) {
        its_judge({.chains = {{root.der()}}, .from = party(address)},
                  [&, address](const std::string&) {
                      order.push_back(address);
                      if (order.size() == 102) all_judged.set_value(order);
                  });
    };
    for (int i = 0; i < 100; ++i) come("2001:db8::" + std::to_string(i));
    come("192.0.2.1");
    come("192.0.2.2");
    all_came.set_value();
    auto outcome = all_judged.get_future();
    ASSERT_EQ(outcome.wait_for(60s), std::future_status::ready);
    const auto judged = outcome.get();
    EXPECT_LE(std::ranges::find(judged, "192.0.2.1") - judged.begin(), 3);
    EXPECT_LE(std::ranges::find(judged, "192.0.2.2") - judged.begin(), 3);
}

TEST(WaitingRoom, LeavesTheLastHalfToThoseWhoAreFew) {
    waiting_room room({.most = 8, .few = 2});
    const party many("2001:db8::");
    const party a("192.0.2.1");
    const party b("192.0.2.2");
    const party c("192.0.2.3");
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(room.enter(many));
    EXPECT_FALSE(room.enter(many));
    for (const auto& each : {a, a, b, c}) EXPECT_TRUE(room.enter(each));
    EXPECT_FALSE(room.enter(party("192.0.2.4"))) << "it is full";
    room.leave(b);
    EXPECT_FALSE(room.enter(a));
    EXPECT_TRUE(room.enter(b));
    for (const auto& each : {a, a, b, c, many}) room.leave(each);
    EXPECT_TRUE(room.enter(many));
}

TEST_F(OcspVerifier, EndsWithoutItsAuthority) {
    set(silent, true);
    auto waits = judge();
    wait_until_asked();
    verifier.stop();
    EXPECT_EQ(waits.wait_for(0s), std::future_status::timeout) << "nobody has answered";
}

TEST_F(OcspVerifier, ReadsNoOlderFileAfterOneThatCouldNotBeWritten) {
    keep();
    EXPECT_EQ(judge().get(), "");
    verifier.configure(std::nullopt, {}); // Saves it.
    std::filesystem::rename(folder / "cache.json", folder / "older.json");
    set(status, V_OCSP_CERTSTATUS_REVOKED);
    keep();
    EXPECT_NE(judge().get(), "");
    std::filesystem::rename(folder / "older.json", folder / "cache.json");
    const full_disk full;
    keep();
    EXPECT_EQ(judge().get(), "client not OCSP valid");
}

} // namespace
} // namespace pipit::server
