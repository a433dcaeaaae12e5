// SPDX-License-Identifier: Apache-2.0
// What a request costs that goes from one account to another, and its answer back.
#include <pipit/broker/detail/test_brokers.hpp>

#include <support/allocations.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

namespace {

using namespace pipit;
using broker::account_id;
using broker::test_brokers;

constexpr account_id importer{2}, exporter{3};

std::shared_ptr<broker::configuration> two_accounts() {
    auto config = broker::open_configuration();
    for (const auto& [id, name] : {std::pair{importer, "shop"}, {exporter, "stock"}}) {
        broker::account_configuration made;
        made.id = id;
        made.name = name;
        config->accounts.push_back(made);
        config->authorization.users[name] = {.name = name, .account = id, .permissions = nullptr};
    }
    config->accounts.back().service_exports.push_back({.subject = "stock.of.each.article.*"});
    EXPECT_EQ(add_import(config->accounts, importer,
                         broker::service_import{
                             exporter,
                             *broker::import_subjects::make("stock.of.each.article.*", {}), false}),
              "");
    return config;
}

/// How often memory is allocated for one request, and for its answer.
class trade {
public:
    trade() {
        loops_.send(server_, "SUB stock.of.each.article.* 1\r\n");
        loops_.send(client_, "SUB _INBOX.a.long.enough.one.* 1\r\n");
        server_.received.reserve(4096);
        client_.received.reserve(4096);
    }

    std::size_t ask() {
        server_.received.clear();
        const auto before = test::allocation_count();
        loops_.send(client_, request_);
        return test::allocation_count() - before;
    }
    std::size_t answer() {
        client_.received.clear();
        const auto reply = server_.received.find("_R_.");
        EXPECT_NE(reply, std::string::npos) << server_.received;
        if (reply == std::string::npos) return 0;
        const auto line =
            "PUB " + server_.received.substr(reply, server_.received.find(' ', reply) - reply) +
            " 2\r\n42\r\n";
        const auto before = test::allocation_count();
        loops_.send(server_, line);
        const auto count = test::allocation_count() - before;
        EXPECT_EQ(client_.received, "MSG _INBOX.a.long.enough.one.7 1 2\r\n42\r\n");
        return count;
    }

private:
    test_brokers::client& connect(const std::string& user) {
        return loops_.connect("\"headers\":true,\"no_responders\":true,\"user\":\"" + user + "\"");
    }

    test_brokers loops_{two_accounts()};
    test_brokers::client& server_ = connect("stock");
    test_brokers::client& client_ = connect("shop");
    const std::string request_ =
        "PUB stock.of.each.article.1234 _INBOX.a.long.enough.one.7 2\r\nhi\r\n";
};

TEST(ImportCost, OfARequestAndItsAnswerIsAFewAllocations) {
    trade trade;
    std::size_t asked = 0, answered = 0;
    for (int i = 0; i < 100; ++i) {
        asked = trade.ask();
        answered = trade.answer();
    }
    // Two texts of the subject for the answer, where it is wanted, what was asked for, four nodes
    // that lead there, and a header in two steps.
    EXPECT_LE(asked, 10U);
    EXPECT_LE(answered, 1U);
}

} // namespace
