// SPDX-License-Identifier: Apache-2.0
// Encrypted connections: both faces and an embedded server, with certificates made for the test.
#include <pipit/net/error.hpp>
#include <pipit/net/test_certificates.hpp>
#include <support/client_world.hpp>

#include <boost/asio/use_awaitable.hpp>

#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <sys/stat.h>

namespace pipit::client {
namespace {

using namespace support;
using asio::awaitable;
using asio::use_awaitable;

struct ConnectionTls : testing::Test {
    std::string block(const net::tls_key_pair& pair, const std::string& more = "") const {
        return "tls { cert_file: \"" + pair.certificate_file + "\", key_file: \"" + pair.key_file +
               "\", ca_file: \"" + issuer.file() + "\"\n" + more + " }\n";
    }
    std::unique_ptr<embedded_server> start(const std::string& more = "",
                                           const std::string& beside = "") {
        embedded_server_options options;
        options.configuration = block(issuer.issue(), more) + beside;
        options.log = [this](log_level, std::string_view line) {
            const std::lock_guard guard(lock);
            log.append(line) += '\n';
        };
        return start_server(std::move(options));
    }
    connection_options options_for(const embedded_server& server) const {
        connection_options options;
        options.servers = {server.url()};
        options.tls.ca_file = issuer.file();
        return options;
    }
    /// Why a connection is not made.
    static std::string refusal(connection_options options) {
        blocking_connection nats(std::move(options));
        const auto connected = nats.connect();
        EXPECT_FALSE(connected);
        return connected ? std::string() : connected.error().message();
    }
    static void expect_service(connection_options options) {
        blocking_connection nats(std::move(options));
        const auto connected = nats.connect();
        ASSERT_TRUE(connected) << connected.error().message();
        auto messages = nats.subscribe("a").value();
        nats.publish("a", "secret").value();
        EXPECT_EQ(messages.next().value().payload(), "secret");
    }
    std::string logged() {
        const std::lock_guard guard(lock);
        return log;
    }

    net::test::authority issuer;
    std::mutex lock;
    std::string log;
};

TEST_F(ConnectionTls, SecuresWhatTheServerAsksFor) {
    const auto server = start();
    EXPECT_TRUE(server->url().starts_with("tls://"));
    auto options = options_for(*server);
    expect_service(options);
    options.servers = {"nats://127.0.0.1:" + std::to_string(server->port())};
    expect_service(options);
}

awaitable<void> exchange_large(connection_options options) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, std::move(options));
    auto connected = co_await nats.connect(use_awaitable);
    connected.value();
    auto messages = nats.subscribe("large.>").value();
    const std::string large(900'000, 'x');
    for (int i = 0; i < 10; ++i) nats.publish("large." + std::to_string(i), large).value();
    for (int i = 0; i < 1000; ++i) nats.publish("large.small", "y").value();
    for (int i = 0; i < 10; ++i) {
        auto got = co_await messages.next(use_awaitable);
        EXPECT_EQ(got.value().payload().size(), large.size());
    }
    for (int i = 0; i < 1000; ++i) {
        auto got = co_await messages.next(use_awaitable);
        EXPECT_EQ(got.value().payload(), "y");
    }
    auto closed = co_await nats.drain(use_awaitable);
    closed.value();
}

TEST_F(ConnectionTls, CarriesLargeMessagesAndManySmallOnes) {
    const auto server = start();
    run(exchange_large(options_for(*server)));
}

TEST_F(ConnectionTls, TheHandshakeMayComeFirst) {
    // Not "auto": a slow machine may need more than its 50 ms to begin.
    for (const auto* first : {"true", "\"10s\""}) {
        const auto server = start(std::string("handshake_first: ") + first);
        auto options = options_for(*server);
        options.tls.first = true;
        expect_service(options);
    }
    const auto server = start("handshake_first: auto");
    expect_service(options_for(*server)); // Who waits for INFO gets it after a while.
}

TEST_F(ConnectionTls, AClientThatBeginsWithTlsIsNotUnderstoodByAServerThatDoesNot) {
    const auto server = start();
    auto options = options_for(*server);
    options.tls.first = true;
    const auto why = refusal(options);
    EXPECT_NE(why.find("does this server begin with TLS (handshake_first)?"), std::string::npos)
        << why;
}

TEST_F(ConnectionTls, ClientsMayChooseWhereTheyMay) {
    const auto server = start("", "allow_non_tls: true");
    EXPECT_TRUE(server->url().starts_with("nats://"));
    auto options = options_for(*server);
    expect_service(options);
    options.tls.required = true;
    expect_service(options);
    options.tls.required = false;
    options.servers = {"tls://127.0.0.1:" + std::to_string(server->port())};
    expect_service(options);
}

TEST_F(ConnectionTls, SaysWhichServerWasNotTrustedAndWhatToDo) {
    // To read what the system trusts takes seconds where sanitizers watch.
    const auto server = start("timeout: 60");
    const auto place = "tls://127.0.0.1:" + std::to_string(server->port());
    auto options = options_for(*server);
    options.connect_timeout = patience;
    options.tls.ca_file = {};
    auto why = refusal(options);
    EXPECT_NE(why.find(place), std::string::npos) << why;
    EXPECT_NE(why.find("certificate signed by unknown authority"), std::string::npos) << why;
    EXPECT_NE(why.find("name the certificate of its authority (ca_file)"), std::string::npos)
        << why;

    options = options_for(*server);
    options.tls.server_name = "example.org";
    why = refusal(options);
    EXPECT_NE(why.find("not valid for this name"), std::string::npos) << why;
    EXPECT_NE(why.find("'example.org'"), std::string::npos) << why;

    options.tls.server_name = "localhost";
    expect_service(options);
    options = options_for(*server);
    options.tls.ca_file = {};
    options.tls.insecure_accept_any_certificate = true;
    expect_service(options);
}

TEST_F(ConnectionTls, AnExpiredCertificateIsRefused) {
    embedded_server_options wanted;
    wanted.configuration = block(issuer.issue(
        {.valid_from = std::chrono::hours(-48), .valid_until = std::chrono::hours(-24)}));
    const auto server = start_server(std::move(wanted));
    const auto why = refusal(options_for(*server));
    EXPECT_NE(why.find("has expired"), std::string::npos) << why;
}

TEST_F(ConnectionTls, AServerMayWantToSeeACertificate) {
    const auto server = start("verify: true");
    auto options = options_for(*server);
    const auto why = refusal(options);
    EXPECT_NE(why.find("the server wants to see a client's certificate"), std::string::npos) << why;
    EXPECT_NE(logged().find("TLS handshake error: tls: client didn't provide a certificate"),
              std::string::npos);
    const auto own = issuer.issue();
    options.tls.certificate_file = own.certificate_file;
    options.tls.key_file = own.key_file;
    expect_service(options);
}

TEST_F(ConnectionTls, ACertificateSaysWhoTheClientIs) {
    const auto server =
        start("verify_and_map: true",
              "authorization { users: [\n"
              "  {user: \"a@example.org\", permissions: {publish: by.email}}\n"
              "  {user: \"CN=client,O=Orders\", permissions: {publish: by.name}} ] }\n");
    const auto name_may_publish = [&](const net::test::certificate_request& request,
                                      const std::string& subject) {
        auto options = options_for(*server);
        const auto own = issuer.issue(request);
        options.tls.certificate_file = own.certificate_file;
        options.tls.key_file = own.key_file;
        options.reconnect = false;
        std::vector<std::string> errors;
        options.on_event = [&](const connection_event& what) {
            if (const auto* one = std::get_if<event::asynchronous_error>(&what)) {
                errors.push_back(one->why.message());
            }
        };
        blocking_connection nats(options);
        if (!nats.connect()) return false;
        nats.publish(subject, "").value();
        nats.flush().value();
        nats.close();
        return errors.empty();
    };
    using pairs = std::vector<std::pair<std::string, std::string>>;
    EXPECT_TRUE(name_may_publish({.alternatives = "email:a@example.org"}, "by.email"));
    EXPECT_TRUE(name_may_publish(
        {.subject = pairs{{"O", "Orders"}, {"CN", "client"}}, .alternatives = "DNS:somebody"},
        "by.name"));
    EXPECT_TRUE(name_may_publish({.subject = pairs{{"CN", "client"}, {"O", "Orders"}}}, "by.name"));
    EXPECT_FALSE(name_may_publish({.alternatives = "email:a@example.org"}, "by.name"));
    EXPECT_FALSE(name_may_publish({.alternatives = "email:b@example.org"}, "by.email"));
}

TEST_F(ConnectionTls, ConnectionsLiveThroughANewCertificate) {
    auto server = start();
    blocking_connection before(options_for(*server));
    before.connect().value();
    auto messages = before.subscribe("before").value();

    net::test::authority other("Other");
    const auto pair = other.issue();
    server
        ->reload("tls { cert_file: \"" + pair.certificate_file + "\", key_file: \"" +
                 pair.key_file + "\" }\n")
        .value();
    auto options = options_for(*server);
    EXPECT_NE(refusal(options).find("unknown authority"), std::string::npos);
    options.tls.ca_file = other.file();
    expect_service(options);
    before.publish("before", "still here").value();
    EXPECT_EQ(messages.next().value().payload(), "still here");

    EXPECT_FALSE(server->reload("tls { cert_file: \"/no/c.pem\", key_file: \"/no/k.pem\" }\n"));
    expect_service(options);
}

TEST_F(ConnectionTls, OnlyPinnedKeysComeIn) {
    const auto server = start("verify: true, pinned_certs: [" + std::string(64, '0') + "]");
    auto options = options_for(*server);
    const auto own = issuer.issue();
    options.tls.certificate_file = own.certificate_file;
    options.tls.key_file = own.key_file;
    (void)refusal(options);
    EXPECT_NE(logged().find("TLS handshake error: certificate not pinned"), std::string::npos);
}

TEST_F(ConnectionTls, AFileThatCannotBeUsedIsToldBeforeAnythingIsSent) {
    connection_options options;
    options.tls.ca_file = "/no/ca.pem";
    blocking_connection nats(options);
    const auto connected = nats.connect();
    ASSERT_FALSE(connected);
    EXPECT_EQ(connected.error(), errc::unusable_tls_options);
    EXPECT_EQ(connected.error().detail(), "open /no/ca.pem: no such file or directory");
}

TEST_F(ConnectionTls, AServerMayBeLeftWhileTheFilesForItAreRead) {
    const auto server = start();
    auto options = options_for(*server);
    const std::string file = issuer.folder() + "/trusted.pem";
    std::filesystem::copy_file(issuer.file(), file);
    options.tls.ca_file = file;
    options.reconnect_attempts_max = 1;
    blocking_connection nats(options);
    std::filesystem::remove(file);
    ASSERT_EQ(::mkfifo(file.c_str(), S_IRUSR | S_IWUSR), 0);
    auto connected = std::async(std::launch::async, [&] { return nats.connect(); });
    {
        std::ofstream held_up(file); // Opens when somebody reads.
        std::filesystem::remove(file);
        std::filesystem::copy_file(issuer.file(), file);
        nats.reconnect();
        held_up << std::ifstream(file).rdbuf();
    }
    const auto outcome = connected.get();
    EXPECT_TRUE(outcome) << outcome.error().message();
}

TEST_F(ConnectionTls, WhoWantsTlsDoesNotTalkToWhoDoesNotOfferIt) {
    const auto server = start_server();
    auto options = options_for(*server);
    options.tls.required = true;
    EXPECT_FALSE(refusal(options).empty());
}

TEST_F(ConnectionTls, ReconnectsWithTls) {
    auto server = start();
    const auto port = server->port();
    auto options = options_for(*server);
    options.reconnect_wait = options.reconnect_jitter = 5ms;
    blocking_connection nats(options);
    nats.connect().value();
    auto messages = nats.subscribe("a").value();
    server.reset();
    embedded_server_options again;
    again.port = port;
    again.configuration = block(issuer.issue());
    server = start_server(std::move(again));
    nats.publish("a", "again").value();
    EXPECT_EQ(messages.next().value().payload(), "again");
}

} // namespace
} // namespace pipit::client
