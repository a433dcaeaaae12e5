// SPDX-License-Identifier: Apache-2.0
#include <support/client_world.hpp>

#include <pipit/client/codec_json.hpp>

#include <boost/describe/class.hpp>

#include <future>

namespace pipit::client {
namespace {

using namespace support;

struct order {
    std::string item;
    int count = 0;

    friend bool operator==(const order&, const order&) = default;
};
BOOST_DESCRIBE_STRUCT(order, (), (item, count))

/// A codec of one's own.
struct point {
    int x = 0;
};
struct point_codec {
    static constexpr bytes_view content_type = "application/x-point";
    static void append(std::string& out, const point& value) { out += std::to_string(value.x); }
    template <class T>
    static result<T> read(bytes_view payload) {
        if (payload.empty()) return error(errc::invalid_content, "a point is not empty");
        return point{std::stoi(std::string(payload))};
    }
};

} // namespace

template <>
struct default_codec<point> {
    using type = point_codec;
};

namespace {

class Codecs : public testing::Test {
protected:
    Codecs() { nats.connect().value(); }
    std::unique_ptr<embedded_server> server = start_server();
    blocking_connection nats{{.servers = {server->url()}}};
};

TEST_F(Codecs, CarryValuesAsJsonWithTheirContentType) {
    auto raw = nats.subscribe("orders").value();
    std::promise<order> promise;
    auto typed = subscribe_as<order>(nats, "orders", [&](result<order> value, const message&) {
        promise.set_value(std::move(value.value()));
    });
    const order wanted{"tea", 2};
    publish_as(nats, "orders", wanted).value();
    EXPECT_EQ(promise.get_future().get(), wanted);
    const auto message = raw.next().value();
    EXPECT_EQ(message.payload(), R"({"item":"tea","count":2})");
    EXPECT_EQ(message.header("Content-Type"), "application/json");
}

TEST_F(Codecs, AskAndAnswerWithValues) {
    auto service = subscribe_as<order>(nats, "twice", [&](result<order> asked, const message& by) {
        auto answer = std::move(asked.value());
        answer.count *= 2;
        EXPECT_TRUE(respond_as(nats, by, answer));
    });
    EXPECT_EQ(request_as<order>(nats, "twice", order{"tea", 2}).value(), (order{"tea", 4}));
    EXPECT_EQ(request_as<order>(nats, "nobody", order{}).error(), protocol::errc::no_responders);
}

asio::awaitable<void> ask_in_a_coroutine(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    auto connected = co_await nats.connect(asio::use_awaitable);
    connected.value();
    auto service = subscribe_as<int>(nats, "next", [&](result<int> asked, const message& by) {
        EXPECT_TRUE(respond_as(nats, by, asked.value() + 1));
    });
    auto answer = co_await request_as<int>(nats, "next", 41);
    EXPECT_EQ(answer.value(), 42);
}

TEST_F(Codecs, AskInACoroutine) { run(ask_in_a_coroutine(server->url())); }

TEST_F(Codecs, TakeTextAndTypesWithACodecOfTheirOwn) {
    auto raw = nats.subscribe("a").value();
    publish_as(nats, "a", std::string("text")).value();
    publish_as(nats, "a", point{7}).value();
    const auto text = raw.next().value();
    EXPECT_EQ(text.header("Content-Type"), "text/plain");
    EXPECT_EQ(read_as<std::string>(text).value(), "text");
    const auto where = raw.next().value();
    EXPECT_EQ(where.header("Content-Type"), "application/x-point");
    EXPECT_EQ(read_as<point>(where).value().x, 7);
    EXPECT_EQ(read_as<point>(text).error(), errc::unexpected_content_type);
}

TEST_F(Codecs, WriteTextHoweverItIsGiven) {
    auto raw = nats.subscribe("a").value();
    publish_as(nats, "a", "text").value();
    publish_as(nats, "a", bytes_view("text")).value();
    const char* const text = "text";
    publish_as(nats, "a", text).value();
    for (int i = 0; i < 3; ++i) {
        const auto message = raw.next().value();
        EXPECT_EQ(message.header("Content-Type"), "text/plain");
        EXPECT_EQ(read_as<std::string>(message).value(), "text");
    }
}

TEST(Codec, SayWhatIsWrongWithAPayload) {
    const message unmarked("a", "", "", R"({"item":"tea","count":2})");
    EXPECT_EQ(read_as<order>(unmarked).value(), (order{"tea", 2}));
    const message with_charset("a", "",
                               "NATS/1.0\r\nContent-Type: application/json; charset=utf-8\r\n\r\n",
                               R"({"item":"tea","count":2})");
    EXPECT_TRUE(read_as<order>(with_charset));
    const message in_capitals("a", "", "NATS/1.0\r\nContent-Type: Application/JSON\r\n\r\n",
                              R"({"item":"tea","count":2})");
    EXPECT_TRUE(read_as<order>(in_capitals));
    for (const auto* payload : {"", "{", "[]", R"({"item":1,"count":2})", R"({"item":"tea"})"}) {
        const auto refused = read_as<order>(message("a", "", "", payload));
        EXPECT_EQ(refused.error(), errc::invalid_content) << payload;
        EXPECT_EQ(refused.error().message().find(".hpp"), std::string::npos)
            << "it is about the payload: " << refused.error().message();
    }
}

} // namespace
} // namespace pipit::client
