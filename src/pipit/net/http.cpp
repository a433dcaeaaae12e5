// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/http.hpp>

#include <pipit/net/detail/tls_state.hpp>
#include <pipit/net/tcp.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace pipit::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

constexpr std::size_t drain_step_bytes = 4096;

/// When no connection can be accepted (no descriptors left), the next try waits this long.
constexpr std::chrono::milliseconds accept_pause{100};

std::string http_date(std::time_t time) {
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 64> text{};
    const auto length =
        std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text.data(), length};
}

http_response refusal(http::status status, std::string text) {
    return {static_cast<int>(status), "text/plain; charset=utf-8", std::move(text)};
}

/// What to answer to a request that cannot be read; nothing when nobody waits for an answer.
std::optional<http_response> answer_to(const beast::error_code& problem) {
    if (problem == http::error::header_limit || problem == http::error::buffer_overflow) {
        return refusal(http::status::request_header_fields_too_large,
                       "431 Request Header Fields Too Large");
    }
    if (problem == http::error::body_limit) {
        return refusal(http::status::payload_too_large, "413 Payload Too Large");
    }
    if (problem == http::error::end_of_stream || problem == http::error::partial_message ||
        problem.category() != make_error_code(http::error::bad_method).category()) {
        return std::nullopt;
    }
    return refusal(http::status::bad_request, "400 Bad Request");
}

class http_connection_base;

/// The connections of one server.
struct http_connections {
    std::vector<http_connection_base*> open;
    std::uint64_t changes = 0; ///< Numbers what happens, so that the oldest is known.
};

/// One connection among the others.
class http_connection_base {
public:
    /// In the order in which a connection gives way to a new one; `writing` never does.
    enum class state { lingering, reading, writing };

    explicit http_connection_base(http_connections& connections) : connections_(connections) {
        connections_.open.push_back(this);
    }
    virtual ~http_connection_base() { forget(); }
    http_connection_base(const http_connection_base&) = delete;
    http_connection_base& operator=(const http_connection_base&) = delete;

    [[nodiscard]] std::pair<state, std::uint64_t> rank() const noexcept { return {state_, since_}; }
    /// Ends it at once.
    virtual void give_way() = 0;

protected:
    void enter(state next) {
        state_ = next;
        since_ = ++connections_.changes;
    }
    void forget() { std::erase(connections_.open, this); }

private:
    http_connections& connections_;
    state state_ = state::reading;
    std::uint64_t since_ = 0;
};

using secure_stream = asio::ssl::stream<beast::tcp_stream>;

/// Reads a request, answers it, and so on. Keeps itself alive by its handlers.
template <class Stream>
class http_connection final : public http_connection_base,
                              public std::enable_shared_from_this<http_connection<Stream>> {
public:
    http_connection(Stream stream, const http_server_options& options, const http_handler& handler,
                    http_connections& connections)
        : http_connection_base(connections),
          stream_(std::move(stream)),
          buffer_(options.max_header_bytes + limits::http_body_bytes),
          options_(options),
          handler_(handler) {}

    void give_way() override {
        forget();
        lowest().close();
    }

    void begin() {
        if constexpr (is_secure) {
            enter(state::reading);
            lowest().expires_after(options_.timeout);
            stream_.async_handshake(
                asio::ssl::stream_base::server,
                [self = this->shared_from_this()](const beast::error_code& failed) {
                    if (!failed) self->read();
                });
        } else {
            read();
        }
    }

private:
    static constexpr bool is_secure = std::is_same_v<Stream, secure_stream>;

    [[nodiscard]] beast::tcp_stream& lowest() noexcept { return beast::get_lowest_layer(stream_); }

    void read() {
        enter(state::reading);
        parser_.emplace();
        parser_->header_limit(static_cast<std::uint32_t>(options_.max_header_bytes));
        parser_->body_limit(limits::http_body_bytes);
        lowest().expires_after(options_.timeout);
        http::async_read(stream_, buffer_, *parser_,
                         [self = this->shared_from_this()](const beast::error_code& failed,
                                                           std::size_t) { self->answer(failed); });
    }

    void answer(const beast::error_code& failed) {
        if (failed) {
            if (auto refused = answer_to(failed)) write(std::move(*refused), false);
            return;
        }
        const auto& request = parser_->get();
        if (request.count(http::field::transfer_encoding) > 0 && !parser_->chunked()) {
            // Where the request ends is anybody's guess.
            return write(refusal(http::status::not_implemented, "501 Not Implemented"), false);
        }
        const auto target = request.target();
        write(handler_(std::string_view(target.data(), target.size())), parser_->keep_alive());
    }

    void write(http_response answer, bool keep_alive) {
        enter(state::writing);
        const auto is_head =
            parser_->is_header_done() && parser_->get().method() == http::verb::head;
        response_ = {};
        response_.result(static_cast<unsigned>(answer.status));
        for (const auto& [name, value] : answer.headers) response_.set(name, value);
        response_.set(http::field::content_type, answer.content_type);
        response_.set(http::field::date, http_date(std::time(nullptr)));
        response_.content_length(answer.body.size());
        response_.keep_alive(keep_alive);
        if (!is_head) response_.body() = std::move(answer.body);
        // Whatever happened before, the client has the whole time to take the answer.
        lowest().expires_after(options_.timeout);
        http::async_write(stream_, response_,
                          [self = this->shared_from_this(),
                           keep_alive](const beast::error_code& failed, std::size_t) {
                              if (failed) return;
                              if (keep_alive) return self->read();
                              self->close();
                          });
    }

    /// Reads on for a moment: closing a socket with unread bytes would take back the answer.
    void close() {
        enter(state::lingering);
        response_ = {};
        lowest().expires_after(limits::http_linger);
        if constexpr (is_secure) {
            stream_.async_shutdown([self = this->shared_from_this()](const beast::error_code&) {
                self->lowest().close();
            });
        } else {
            beast::error_code ignored;
            stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
            drain(0);
        }
    }

    void drain(std::size_t drained) {
        if (drained >= limits::http_drained_bytes) return;
        buffer_.clear();
        stream_.async_read_some(buffer_.prepare(drain_step_bytes),
                                [self = this->shared_from_this(),
                                 drained](const beast::error_code& failed, std::size_t count) {
                                    if (!failed) self->drain(drained + count);
                                });
    }

    Stream stream_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    http::response<http::string_body> response_;
    const http_server_options& options_;
    const http_handler& handler_;
};

/// Ends the connection that matters least: one that has its answer, or else the one that has been
/// waiting longest for its next request. False: all are being answered.
bool make_room(http_connections& connections) {
    const auto least = std::ranges::min_element(
        connections.open, {}, [](const http_connection_base* each) { return each->rank(); });
    if (least == connections.open.end()) return false;
    if ((*least)->rank().first == http_connection_base::state::writing) return false;
    (*least)->give_way();
    return true;
}

} // namespace

struct http_server::state {
    state(http_server_options what, http_handler how)
        : options(std::move(what)), handler(std::move(how)) {}

    result<> bind() {
        auto listener = listen_tcp(options.host, options.port);
        if (!listener) return listener.error();
        port = local_port(*listener);
        // The family is not asked for any more once a socket listens.
        acceptor.assign(tcp::v6(), listener->release());
        return {};
    }

    void accept() {
        acceptor.async_accept([this](const beast::error_code& failed, tcp::socket socket) {
            if (failed == asio::error::operation_aborted) return;
            if (failed) return accept_later();
            // Where there is no room, the socket is closed by the end of its life.
            if (connections.open.size() < options.max_connections || make_room(connections)) {
                begin(beast::tcp_stream(std::move(socket)));
            }
            accept();
        });
    }

    void begin(beast::tcp_stream stream) {
        if (!options.tls) {
            using connection = http_connection<beast::tcp_stream>;
            std::make_shared<connection>(std::move(stream), options, handler, connections)->begin();
            return;
        }
        const auto tls = options.tls();
        if (!tls) return;
        // Asio's context shares OpenSSL's with ours; the connection keeps that alive by itself.
        auto* const shared = tls->internals().contexts.front().get();
        SSL_CTX_up_ref(shared);
        asio::ssl::context secure(shared);
        using connection = http_connection<secure_stream>;
        std::make_shared<connection>(secure_stream(std::move(stream), secure), options, handler,
                                     connections)
            ->begin();
    }

    void accept_later() {
        pause.expires_after(accept_pause);
        pause.async_wait([this](const beast::error_code& failed) {
            if (!failed) accept();
        });
    }

    http_server_options options;
    http_handler handler;
    http_connections connections; // Outlives the context, which ends them.
    asio::io_context context{1};
    tcp::acceptor acceptor{context};
    asio::steady_timer pause{context};
    std::uint16_t port = 0;
    std::thread thread;
};

result<std::unique_ptr<http_server>> http_server::listen(http_server_options options,
                                                         http_handler handler) {
    auto made = std::make_unique<state>(std::move(options), std::move(handler));
    if (const auto bound = made->bind(); !bound) return bound.error();
    made->accept();
    made->thread = std::thread([&context = made->context] { context.run(); });
    return std::unique_ptr<http_server>(new http_server(std::move(made)));
}

http_server::http_server(std::unique_ptr<state> made) : state_(std::move(made)) {}

http_server::~http_server() {
    state_->context.stop();
    state_->thread.join();
}

std::uint16_t http_server::port() const noexcept { return state_->port; }

} // namespace pipit::net
