// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/net/detail/http_connections.hpp>
#include <pipit/net/detail/http_problems.hpp>
#include <pipit/net/https_filter.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/stream_base.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <array>
#include <ctime>
#include <memory>
#include <optional>
#include <type_traits>

namespace pipit::net::detail {

inline constexpr std::size_t http_drain_step_bytes = 4096;

/// Reads a request, answers it, and so on. Keeps itself alive by its handlers.
template <class Stream>
class http_connection final : public http_connection_base,
                              public std::enable_shared_from_this<http_connection<Stream>> {
public:
    http_connection(Stream stream, const http_surroundings& its)
        : http_connection_base(its.connections),
          stream_(std::move(stream)),
          buffer_(its.options.max_header_bytes + limits::http_body_bytes),
          options_(its.options),
          handler_(its.handler) {}

    void give_way() override {
        forget();
        lowest().close();
    }

    void begin() {
        if constexpr (is_secure) {
            enter(state::reading);
            lowest().expires_after(options_.timeout);
            asio::async_read(
                lowest(), asio::buffer(first_bytes_),
                [self = this->shared_from_this()](const beast::error_code& failed, std::size_t) {
                    if (!failed) self->shake_hands();
                });
        } else {
            read();
        }
    }

private:
    static constexpr bool is_secure = !std::is_same_v<Stream, beast::tcp_stream>;

    [[nodiscard]] beast::tcp_stream& lowest() noexcept { return beast::get_lowest_layer(stream_); }

    void shake_hands() {
        if (looks_like_http({first_bytes_.data(), first_bytes_.size()})) return refuse_clear_text();
        stream_.async_handshake(
            asio::ssl::stream_base::server, asio::buffer(first_bytes_),
            [self = this->shared_from_this()](const beast::error_code& failed, std::size_t) {
                if (!failed) self->read();
            });
    }

    void refuse_clear_text() {
        enter(state::writing);
        asio::async_write(
            lowest(), asio::buffer(http_to_https_refusal),
            [self = this->shared_from_this()](const beast::error_code& failed, std::size_t) {
                if (!failed) self->close_clear_text();
            });
    }

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
        if (const auto problem = host_problem(request); !problem.empty()) {
            return write(refusal(http::status::bad_request, std::string(problem)), false);
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
        if constexpr (is_secure) {
            linger();
            stream_.async_shutdown([self = this->shared_from_this()](const beast::error_code&) {
                self->lowest().close();
            });
        } else {
            close_clear_text();
        }
    }
    void close_clear_text() {
        linger();
        beast::error_code ignored;
        lowest().socket().shutdown(tcp::socket::shutdown_send, ignored);
        drain(0);
    }

    void linger() {
        enter(state::lingering);
        response_ = {};
        lowest().expires_after(limits::http_linger);
    }

    void drain(std::size_t drained) {
        if (drained >= limits::http_drained_bytes) return;
        buffer_.clear();
        lowest().async_read_some(buffer_.prepare(http_drain_step_bytes),
                                 [self = this->shared_from_this(),
                                  drained](const beast::error_code& failed, std::size_t count) {
                                     if (!failed) self->drain(drained + count);
                                 });
    }

    Stream stream_;
    std::array<char, looks_like_http_bytes> first_bytes_{}; ///< Of what is to be TLS.
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    http::response<http::string_body> response_;
    const http_server_options& options_;
    const http_handler& handler_;
};

} // namespace pipit::net::detail
