// SPDX-License-Identifier: Apache-2.0
// What accounts get of each other, on one loop and across three.
#include <pipit/broker/detail/test_brokers.hpp>

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>
#include <string>

namespace {

using namespace pipit;
using namespace std::chrono_literals;
using broker::account_id;
using broker::test_brokers;
namespace json = boost::json;

constexpr account_id A{2}, B{3}, C{4};

std::shared_ptr<broker::configuration> three_accounts() {
    auto config = broker::open_configuration();
    for (const auto& [id, name] : {std::pair{A, "a"}, {B, "b"}, {C, "c"}}) {
        broker::account_configuration made;
        made.id = id;
        made.name = name;
        config->accounts.push_back(made);
        config->authorization.users[name] = {.name = name, .account = id, .permissions = nullptr};
    }
    return config;
}

broker::account_configuration& account(broker::configuration& config, account_id id) {
    return *std::ranges::find(config.accounts, id, &broker::account_configuration::id);
}

void import_stream(broker::configuration& config, account_id importer, account_id exporter,
                   std::string_view subject, std::string_view local = {}) {
    account(config, exporter).stream_exports.push_back({std::string(subject), {}});
    EXPECT_EQ(
        add_import(config.accounts, importer,
                   broker::stream_import{exporter, *broker::import_subjects::make(subject, local)}),
        "");
}

void import_service(broker::configuration& config, account_id importer, account_id exporter,
                    broker::service_export service, std::string_view local = {},
                    bool share = false) {
    const auto subject = service.subject;
    account(config, exporter).service_exports.push_back(std::move(service));
    EXPECT_EQ(add_import(config.accounts, importer,
                         broker::service_import{
                             exporter, *broker::import_subjects::make(subject, local), share}),
              "");
}

/// The reply of the last message that a client received, e.g. `_R_.abcdef.123456`.
std::string reply_in(const std::string& received) {
    const auto begin = received.rfind("_R_.");
    return begin == std::string::npos ? ""
                                      : received.substr(begin, received.find(' ', begin) - begin);
}

class Imports : public testing::TestWithParam<unsigned> {
protected:
    /// Each on a loop of its own, as far as there are some.
    test_brokers::client& connect(const char* user, unsigned loop) {
        const auto options = "\"headers\":true,\"no_responders\":true,\"protocol\":1,\"user\":\"" +
                             std::string(user) + "\"";
        return loops->connect(options, loop % GetParam());
    }
    void begin() { loops = std::make_unique<test_brokers>(config, GetParam()); }

    std::shared_ptr<broker::configuration> config = three_accounts();
    std::unique_ptr<test_brokers> loops;
};

INSTANTIATE_TEST_SUITE_P(Loops, Imports, testing::Values(1u, 3u),
                         [](const auto& made) { return std::to_string(made.param); });

// --- Streams ---

TEST_P(Imports, GiveAStreamUnderTheImportersName) {
    import_stream(*config, B, A, "st.*.>", "q.$1.>");
    begin();
    auto& publisher = connect("a", 0);
    auto& reader = connect("b", 1);
    loops->send(reader, "SUB q.1.> 1\r\nSUB > 2\r\nSUB st.1.x 3\r\n");
    loops->send(publisher, "PUB st.1.x 2\r\nhi\r\nPUB st.2.x 2\r\nho\r\nPUB q.1.x 2\r\nno\r\n");
    const auto got = loops->take(reader);
    EXPECT_NE(got.find("MSG q.1.x 1 2\r\nhi\r\n"), std::string::npos) << got;
    EXPECT_NE(got.find("MSG q.1.x 2 2\r\nhi\r\n"), std::string::npos) << got;
    EXPECT_NE(got.find("MSG q.2.x 2 2\r\nho\r\n"), std::string::npos) << got;
    EXPECT_EQ(got.size(), 3 * std::string("MSG q.1.x 1 2\r\nhi\r\n").size()) << got;
}

TEST_P(Imports, EndWithTheirSubscription) {
    import_stream(*config, B, A, "st.>");
    begin();
    auto& publisher = connect("a", 0);
    auto& reader = connect("b", 1);
    loops->send(reader, "SUB st.x 1\r\nUNSUB 1 2\r\nSUB st.> 2\r\n");
    for (int i = 0; i < 3; ++i) loops->send(publisher, "PUB st.x 1\r\nm\r\n");
    const auto one = std::string("MSG st.x 1 1\r\nm\r\n").size();
    EXPECT_EQ(loops->take(reader).size(), 5 * one);
    loops->send(reader, "UNSUB 2\r\n");
    loops->send(publisher, "PUB st.x reply 1\r\nm\r\nSUB reply 1\r\nPUB st.x reply 0\r\n\r\n");
    EXPECT_EQ(loops->take(reader), "");
    EXPECT_NE(loops->take(publisher).find("503"), std::string::npos);
}

TEST_P(Imports, GiveAStreamToOneMemberOfAGroup) {
    import_stream(*config, B, A, "work");
    begin();
    auto& publisher = connect("a", 0);
    auto& first = connect("b", 1);
    auto& second = connect("b", 2);
    for (auto* each : {&first, &second}) loops->send(*each, "SUB work q 1\r\n");
    for (int i = 0; i < 100; ++i) loops->send(publisher, "PUB work 1\r\nm\r\n");
    const auto one = std::string("MSG work 1 1\r\nm\r\n").size();
    const auto to_first = loops->take(first).size();
    EXPECT_EQ(to_first + loops->take(second).size(), 100 * one);
    EXPECT_GT(to_first, 20 * one);
    EXPECT_LT(to_first, 80 * one);
}

TEST_P(Imports, FollowANewConfiguration) {
    begin();
    auto& publisher = connect("a", 0);
    auto& reader = connect("b", 1);
    auto& requester = connect("b", 2);
    loops->send(reader, "SUB st.x 1\r\nSUB other.x 2\r\n");
    loops->send(publisher, "SUB svc 1\r\nPUB st.x 1\r\n1\r\n");
    loops->send(requester, "SUB inbox 1\r\nPUB ask inbox 0\r\n\r\n");
    EXPECT_EQ(loops->take(reader), "");
    EXPECT_NE(loops->take(requester).find("503"), std::string::npos);
    const auto obey = [&](std::shared_ptr<broker::configuration> next) {
        config = std::move(next);
        for (unsigned i = 0; i < GetParam(); ++i) loops->core(i).reconfigure(config, loops->now);
        loops->flush();
    };
    auto next = three_accounts();
    import_stream(*next, B, A, "st.>");
    import_service(*next, B, A, {.subject = "svc"}, "ask");
    obey(next);
    loops->send(publisher, "PUB st.x 1\r\n2\r\n");
    EXPECT_EQ(loops->take(reader), "MSG st.x 1 1\r\n2\r\n");
    loops->send(requester, "PUB ask inbox 0\r\n\r\n");
    EXPECT_NE(loops->take(publisher).find("HMSG svc 1 _R_."), std::string::npos);
    next = three_accounts();
    import_stream(*next, B, A, "st.>", "other.>");
    obey(next);
    loops->send(publisher, "PUB st.x 1\r\n3\r\n");
    EXPECT_EQ(loops->take(reader), "MSG other.x 2 1\r\n3\r\n");
    loops->send(requester, "PUB ask inbox 0\r\n\r\n");
    EXPECT_EQ(loops->take(publisher), "");
    obey(three_accounts());
    loops->send(publisher, "PUB st.x 1\r\n4\r\n");
    EXPECT_EQ(loops->take(reader), "");
}

TEST_P(Imports, GiveAStreamToTheServerItself) {
    import_stream(*config, B, A, "st", "here");
    begin();
    auto& publisher = connect("a", 0);
    std::string got;
    const auto handler = [&](const broker::internal_message& message, moment) {
        got.append(message.subject).append("=").append(message.payload);
    };
    (void)loops->core(1 % GetParam()).subscribe(B, "here", handler);
    loops->flush();
    loops->send(publisher, "PUB st 1\r\nx\r\n");
    EXPECT_EQ(got, "here=x");
    const auto exporter = loops->core(1 % GetParam()).numbers_of(A);
    ASSERT_TRUE(exporter);
    EXPECT_EQ(exporter->sent.messages, 0u) << "it went to nobody outside";
}

// --- Services ---

TEST_P(Imports, LetTheServerItselfAnswer) {
    import_service(*config, B, A, {.subject = "svc"}, "ask", true);
    begin();
    auto& requester = connect("b", 1);
    auto& core = loops->core(0);
    const auto handler = [&](const broker::internal_message& message, moment at) {
        EXPECT_NE(message.headers.find("\"acc\":\"b\",\"user\":\"b\""), std::string::npos);
        core.publish(A, {.subject = message.reply, .headers = {}, .payload = "hi"}, at);
    };
    (void)core.subscribe(A, "svc", handler);
    loops->flush();
    loops->send(requester, "SUB inbox 1\r\nPUB ask inbox 0\r\n\r\n");
    EXPECT_EQ(loops->take(requester), "MSG inbox 1 2\r\nhi\r\n");
}

TEST_P(Imports, AnswerARequestOnceUnderTheImportersName) {
    import_service(*config, B, A, {.subject = "svc.*"}, "ask.$1");
    begin();
    auto& responder = connect("a", 0);
    auto& requester = connect("b", 1);
    auto& inbox = connect("b", 2); // The answer may be wanted on yet another loop.
    loops->send(responder, "SUB svc.* 1\r\n");
    loops->send(inbox, "SUB inbox.1 1\r\n");
    loops->send(requester, "PUB ask.x inbox.1 5\r\nhello\r\n");
    const auto request = loops->take(responder);
    EXPECT_TRUE(request.starts_with("HMSG svc.x 1 _R_.")) << request;
    EXPECT_NE(request.find("\r\nNATS/1.0\r\nNats-Request-Info: {\"acc\":\"b\""), std::string::npos);
    EXPECT_TRUE(request.ends_with("\r\n\r\nhello\r\n"));
    const auto reply = reply_in(request);
    EXPECT_EQ(reply.size(), std::string("_R_.123456.123456").size());
    loops->send(responder, "PUB " + reply + " 2\r\nhi\r\nPUB " + reply + " 2\r\nho\r\n");
    EXPECT_EQ(loops->take(inbox), "MSG inbox.1 1 2\r\nhi\r\n");
}

TEST_P(Imports, TellTheRequesterThatNobodyIsThere) {
    import_service(*config, B, A, {.subject = "svc"}, "ask");
    import_service(*config, C, B, {.subject = "ask"}, "twice");
    begin();
    auto& other = connect("a", 0);
    auto& requester = connect("b", 1);
    auto& far = connect("c", 2);
    loops->send(requester, "SUB inbox 1\r\nPUB ask inbox 0\r\n\r\n");
    EXPECT_NE(loops->take(requester).find("NATS/1.0 503\r\nNats-Subject: ask\r\n"),
              std::string::npos);
    loops->send(far, "SUB inbox 1\r\nPUB twice inbox 0\r\n\r\n");
    EXPECT_NE(loops->take(far).find("NATS/1.0 503\r\nNats-Subject: twice\r\n"), std::string::npos);
    // Nobody who listens to the imported stream is a responder.
    loops->send(other, "SUB elsewhere 1\r\n");
    EXPECT_TRUE(loops->core(0).responses(A, 10).empty());
}

TEST_P(Imports, PassARequestThroughSeveralAccounts) {
    import_service(*config, B, A, {.subject = "svc"}, "middle");
    import_service(*config, C, B, {.subject = "middle"}, "ask", true);
    begin();
    auto& responder = connect("a", 0);
    auto& requester = connect("c", 1);
    loops->send(responder, "SUB svc 1\r\n");
    loops->send(requester, "SUB inbox 1\r\nPUB ask inbox 1\r\n?\r\n");
    const auto request = loops->take(responder);
    EXPECT_NE(request.find("\"acc\":\"c\",\"svc\":\"b\",\"user\":\"c\""), std::string::npos)
        << request;
    loops->send(responder, "PUB " + reply_in(request) + " 1\r\n!\r\n");
    EXPECT_EQ(loops->take(requester), "MSG inbox 1 1\r\n!\r\n");
}

TEST_P(Imports, TakeAsManyAnswersAsTheServiceGives) {
    import_service(*config, B, A, {.subject = "many", .response = broker::response_type::chunked});
    begin();
    auto& responder = connect("a", 0);
    auto& requester = connect("b", 1);
    loops->send(responder, "SUB many 1\r\n");
    loops->send(requester, "SUB inbox 1\r\nPUB many inbox 0\r\n\r\n");
    const auto reply = reply_in(loops->take(responder));
    loops->send(responder, "PUB " + reply + " 1\r\n1\r\nPUB " + reply + " 1\r\n2\r\nPUB " + reply +
                               " 0\r\n\r\nPUB " + reply + " 1\r\n3\r\n");
    EXPECT_EQ(loops->take(requester),
              "MSG inbox 1 1\r\n1\r\nMSG inbox 1 1\r\n2\r\nMSG inbox 1 0\r\n\r\n");
}

TEST_P(Imports, ForgetARequestThatIsAnsweredTooLateOrByNobodyWanted) {
    import_service(*config, B, A, {.subject = "svc", .response_threshold = 1s});
    begin();
    auto& responder = connect("a", 0);
    auto& requester = connect("b", 1);
    loops->send(responder, "SUB svc 1\r\n");
    loops->send(requester, "SUB inbox 1\r\nPUB svc inbox 0\r\n\r\n");
    const auto late = reply_in(loops->take(responder));
    loops->pass(1100ms);
    loops->send(responder, "PUB " + late + " 1\r\nx\r\n");
    EXPECT_EQ(loops->take(requester), "");
    loops->send(requester, "PUB svc inbox 0\r\n\r\n");
    EXPECT_EQ(loops->core(1 % GetParam()).responses(A, 10).size(), 1u);
    loops->send(requester, "UNSUB 1\r\n");
    EXPECT_EQ(loops->core(1 % GetParam()).responses(A, 10).size(), 0u);
}

TEST_P(Imports, LetNobodyAnswerFromOutsideTheExporter) {
    import_service(*config, B, A, {.subject = "svc"});
    begin();
    auto& responder = connect("a", 0);
    auto& requester = connect("b", 1);
    auto& outsider = connect("c", 2);
    loops->send(responder, "SUB svc 1\r\n");
    loops->send(requester, "SUB inbox 1\r\nPUB svc inbox 0\r\n\r\n");
    const auto reply = reply_in(loops->take(responder));
    loops->send(outsider, "PUB " + reply + " 1\r\nx\r\n");
    loops->send(requester, "PUB " + reply + " 1\r\nx\r\nPUB svc _R_.a.b 0\r\n\r\n");
    EXPECT_EQ(loops->take(requester),
              "-ERR 'Permissions Violation for Publish with Reply of \"_R_.a.b\"'\r\n");
    // Who listens to all answers and stops has not stopped those of the others.
    loops->send(responder, "SUB " + reply.substr(0, 11) + "> 2\r\nUNSUB 2\r\n");
    loops->send(responder, "PUB " + reply + " 1\r\ny\r\n");
    EXPECT_EQ(loops->take(requester), "MSG inbox 1 1\r\ny\r\n");
}

TEST_P(Imports, MakeNoStreamOfARequest) {
    import_service(*config, B, A, {.subject = "svc"});
    import_stream(*config, C, A, "svc");
    begin();
    auto& listener = connect("c", 0);
    auto& requester = connect("b", 1);
    loops->send(listener, "SUB svc 1\r\n");
    loops->send(requester, "SUB inbox 1\r\nPUB svc inbox 0\r\n\r\n");
    EXPECT_EQ(loops->take(listener), "");
    EXPECT_NE(loops->take(requester).find("503"), std::string::npos);
}

TEST_P(Imports, EndWithTheActivationThatAllowedThem) {
    begin();
    const auto until = loops->now.wall + 10s;
    account(*config, A).stream_exports.push_back({"st", {.activation_required = true}});
    account(*config, A)
        .service_exports.push_back({.subject = "svc", .audience = {.activation_required = true}});
    auto stream = broker::stream_import{A, *broker::import_subjects::make("st", "")};
    auto service = broker::service_import{A, *broker::import_subjects::make("svc", "")};
    stream.expires = service.expires = until;
    EXPECT_EQ(add_import(config->accounts, B, stream, broker::activation::valid), "");
    EXPECT_EQ(add_import(config->accounts, B, service, broker::activation::valid), "");
    begin();
    auto& exporter = connect("a", 0);
    auto& importer = connect("b", 1);
    loops->send(importer, "SUB st 1\r\nSUB inbox 2\r\n");
    loops->send(exporter, "SUB svc 1\r\nPUB st 1\r\nx\r\n");
    loops->send(importer, "PUB svc inbox 0\r\n\r\n");
    EXPECT_EQ(loops->take(importer), "MSG st 1 1\r\nx\r\n");
    EXPECT_NE(loops->take(exporter).find("HMSG svc"), std::string::npos);
    loops->pass(11s);
    loops->take(importer);
    loops->take(exporter);
    loops->send(exporter, "PUB st 1\r\nx\r\n");
    loops->send(importer, "PUB svc inbox 0\r\n\r\n");
    EXPECT_EQ(loops->take(exporter), "");
    EXPECT_TRUE(loops->take(importer).starts_with("HMSG inbox 2 "));
}

TEST_P(Imports, MeasureHowLongAnAnswerTakes) {
    import_service(*config, B, A,
                   {.subject = "svc", .latency = broker::service_latency{"lat", 100}});
    begin();
    auto& responder = connect("a", 0);
    auto& requester = connect("b", 1);
    auto& watcher = connect("a", 2);
    loops->send(watcher, "SUB lat 1\r\n");
    loops->send(responder, "SUB svc 1\r\n");
    loops->send(requester, "SUB inbox 1\r\nPUB svc inbox 0\r\n\r\n");
    const auto reply = reply_in(loops->take(responder));
    EXPECT_TRUE(reply.ends_with(".T")) << reply;
    loops->pass(1s);
    loops->take(responder);
    loops->send(responder, "PUB " + reply + " 1\r\nx\r\n");
    const auto metric_of = [&] {
        const auto got = loops->take(watcher);
        const auto begin = got.find('{');
        return begin == std::string::npos
                   ? json::value()
                   : json::parse(got.substr(begin, got.rfind('}') + 1 - begin));
    };
    const auto answered = metric_of();
    ASSERT_TRUE(answered.is_object());
    EXPECT_EQ(answered.at("status"), 200);
    EXPECT_EQ(answered.at("requestor").at("acc"), "b");
    EXPECT_EQ(answered.at("responder").at("user"), "a");
    EXPECT_GE(json::value_to<std::int64_t>(answered.at("total")), 1'000'000'000);

    loops->send(requester, "PUB svc 0\r\n\r\n");
    EXPECT_EQ(metric_of().at("status"), 400);
    loops->take(responder);
    loops->send(requester, "PUB svc inbox 0\r\n\r\nUNSUB 1\r\n");
    EXPECT_EQ(metric_of().at("status"), 408);
    loops->send(responder, "UNSUB 1\r\n");
    loops->send(requester, "SUB inbox 2\r\nPUB svc inbox 0\r\n\r\n");
    EXPECT_EQ(metric_of().at("status"), 503);
}

TEST_P(Imports, ShowInATraceWhereAMessageWent) {
    import_stream(*config, B, A, "st", "here");
    import_service(*config, A, C, {.subject = "svc", .allow_trace = true}, "st");
    begin();
    auto& publisher = connect("a", 0);
    auto& reader = connect("b", 1);
    auto& responder = connect("c", 2);
    loops->send(reader, "SUB here 1\r\n");
    loops->send(responder, "SUB svc 1\r\n");
    loops->send(publisher, "SUB tr 1\r\n");
    const std::string headers = "NATS/1.0\r\nNats-Trace-Dest: tr\r\n\r\n";
    const auto size = std::to_string(headers.size());
    loops->send(publisher, "HPUB st " + size + " " + size + "\r\n" + headers + "\r\n");
    const auto event = loops->take(publisher);
    EXPECT_NE(event.find("\"type\":\"se\""), std::string::npos) << event;
    EXPECT_NE(event.find("\"acc\":\"b\",\"to\":\"here\""), std::string::npos) << event;
    EXPECT_NE(event.find("\"acc\":\"c\",\"from\":\"st\",\"to\":\"svc\""), std::string::npos)
        << event;
    EXPECT_NE(event.find("\"acc\":\"c\",\"sub\":\"svc\""), std::string::npos) << event;
    // The stream's import does not allow to look further.
    EXPECT_EQ(event.find("\"acc\":\"b\",\"sub\""), std::string::npos) << event;
    // Where the event goes is the publisher's business.
    EXPECT_NE(event.find("{\"Nats-Trace-Dest\":[\"tr\"]}"), std::string::npos) << event;
    const auto request = loops->take(responder);
    EXPECT_NE(request.find("Nats-Trace-Dest: _R_."), std::string::npos) << request;
}

TEST_P(Imports, ShowWhoAnswersNotWhatBecomesOfIt) {
    import_service(*config, A, C, {.subject = "svc", .allow_trace = true}, "ask");
    begin();
    auto& requester = connect("a", 0);
    auto& responder = connect("c", 2);
    loops->send(requester, "SUB inbox 1\r\n");
    loops->send(responder, "SUB svc 1\r\nSUB tr 2\r\n");
    const auto answer = [&](const std::string& more) {
        loops->send(requester, "PUB ask inbox 0\r\n\r\n");
        const auto reply = reply_in(loops->take(responder));
        const auto headers = "NATS/1.0\r\nNats-Trace-Dest: tr\r\n" + more + "\r\n";
        const auto size = std::to_string(headers.size());
        loops->send(responder,
                    "HPUB " + reply + " " + size + " " + size + "\r\n" + headers + "\r\n");
        const auto event = loops->take(responder);
        EXPECT_NE(event.find("\"acc\":\"a\",\"from\":\"" + reply + "\",\"to\":\"inbox\""),
                  std::string::npos)
            << event;
        EXPECT_EQ(event.find("\"type\":\"eg\""), std::string::npos) << event;
        return loops->take(requester);
    };
    EXPECT_NE(answer("").find("Nats-Trace-Dest: trace disabled"), std::string::npos);
    EXPECT_EQ(answer("Nats-Trace-Only: true\r\n"), "");
}

TEST_P(Imports, DeliverAnAnswerThatIsOnlyTracedToNobody) {
    import_service(*config, B, A, {.subject = "svc"});
    begin();
    auto& requester = connect("b", 0);
    auto& responder = connect("a", 1);
    auto& listener = connect("b", 2);
    loops->send(listener, "SUB inbox 1\r\n");
    loops->send(responder, "SUB svc 1\r\n");
    const std::string headers = "NATS/1.0\r\nNats-Trace-Dest: tr\r\nNats-Trace-Only: true\r\n\r\n";
    const auto size = std::to_string(headers.size());
    loops->send(requester, "PUB svc inbox 0\r\n\r\n");
    const auto reply = reply_in(loops->take(responder));
    loops->send(responder, "HPUB " + reply + " " + size + " " + size + "\r\n" + headers + "\r\n");
    EXPECT_EQ(loops->take(listener), "");
    loops->send(responder, "PUB " + reply + " 6\r\nanswer\r\n");
    EXPECT_EQ(loops->take(listener), "MSG inbox 1 6\r\nanswer\r\n");
}

} // namespace
