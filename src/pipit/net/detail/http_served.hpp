// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/net/detail/http_connections.hpp>
#include <pipit/net/detail/http_problems.hpp>
#include <pipit/net/error.hpp>
#include <pipit/net/http_head.hpp>
#include <pipit/net/https_filter.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/stream_base.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include <array>
#include <memory>
#include <optional>
#include <type_traits>

namespace pipit::net::detail {

inline constexpr std::size_t http_step_bytes = 4096;

/// Reads a request, answers it, and so on. Keeps itself alive by its handlers.
template <class Stream>
class http_connection final : public http_connection_base,
                              public std::enable_shared_from_this<http_connection<Stream>> {
public:
    http_connection(Stream stream, party from, const http_dependencies& its)
        : http_connection_base(its.connections, from),
          stream_(std::move(stream)),
          buffer_(its.options.max_header_bytes + http_step_bytes),
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
                if (!failed) return self->read();
                if (failed == errc::tls_certificate_refused) self->close_clear_text();
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
        head_ = {};
        lowest().expires_after(options_.timeout);
        look_at_head();
    }

    void look_at_head() {
        const auto data = buffer_.cdata();
        const bytes_view bytes(static_cast<const char*>(data.data()), data.size());
        switch (head_.look_at(bytes)) {
        case http_head_end::status::malformed: return refuse(refusal(http::status::bad_request));
        case http_head_end::status::complete: return take_head(bytes.substr(0, head_.size()));
        case http_head_end::status::other_version:
            return refuse(
                refusal(http::status::http_version_not_supported, "unsupported protocol version"));
        case http_head_end::status::incomplete: break;
        }
        if (bytes.size() >= options_.max_header_bytes) {
            return refuse(refusal(http::status::request_header_fields_too_large));
        }
        stream_.async_read_some(
            buffer_.prepare(http_step_bytes),
            [self = this->shared_from_this()](const beast::error_code& failed, std::size_t count) {
                if (failed) return;
                self->buffer_.commit(count);
                self->look_at_head();
            });
    }

    void take_head(bytes_view head) {
        const auto canonical = canonical_http_head(head);
        parser_.emplace();
        // A line may have become a byte longer.
        parser_->header_limit(static_cast<std::uint32_t>(2 * options_.max_header_bytes));
        parser_->body_limit(boost::none);
        beast::error_code failed;
        parser_->put(asio::buffer(canonical), failed);
        buffer_.consume(head.size());
        if (failed || !parser_->is_header_done()) return refuse(refusal(http::status::bad_request));
        if (auto refused = refusal_of(parser_->get()); !refused.empty()) return refuse(refused);
        // Nobody looks at a body; what still is to come of it, only where another request follows.
        if (waits_to_send_body(parser_->get()) && !parser_->is_done()) return answer(false);
        if (parser_->keep_alive()) return skip_body(0);
        answer(false);
    }

    void skip_body(std::size_t skipped) {
        if (parser_->is_done()) return answer(true);
        if (skipped > limits::http_drained_bytes) return answer(false);
        parser_->get().body() = {body_.data(), body_.size(), true};
        http::async_read_some(stream_, buffer_, *parser_,
                              [self = this->shared_from_this(), skipped](beast::error_code failed,
                                                                         std::size_t count) {
                                  if (failed == http::error::need_buffer) failed = {};
                                  // Without a reader there is nobody to answer.
                                  const bool is_nonsense =
                                      failed.category() ==
                                          make_error_code(http::error::bad_chunk).category() &&
                                      failed != http::error::end_of_stream &&
                                      failed != http::error::partial_message;
                                  if (failed && !is_nonsense) return;
                                  if (failed) return self->answer(false);
                                  self->skip_body(skipped + count);
                              });
    }

    void answer(bool keep_alive) {
        const auto& request = parser_->get();
        if (auto own = own_answer_to(request)) return write(std::move(*own), false);
        const auto target = request.target();
        auto made = handler_(std::string_view(target.data(), target.size()));
        const bool is_read =
            request.method() == http::verb::get || request.method() == http::verb::head;
        if (made.status / 100 == 3 && !is_read) made.content_type = made.body = "";
        write(std::move(made), keep_alive);
    }

    void write(http_response answer, bool keep_alive) {
        enter(state::writing);
        text_ = answer_text(std::move(answer), parser_->get(), keep_alive);
        // Whatever happened before, the client has the whole time to take the answer.
        lowest().expires_after(options_.timeout);
        asio::async_write(stream_, asio::buffer(text_),
                          [self = this->shared_from_this(),
                           keep_alive](const beast::error_code& failed, std::size_t) {
                              if (failed) return;
                              if (keep_alive) return self->read();
                              self->close();
                          });
    }

    void refuse(std::string text) {
        enter(state::writing);
        text_ = std::move(text);
        lowest().expires_after(options_.timeout);
        asio::async_write(
            stream_, asio::buffer(text_),
            [self = this->shared_from_this()](const beast::error_code& failed, std::size_t) {
                if (!failed) self->close();
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
        text_ = {};
        lowest().expires_after(limits::http_linger);
    }

    void drain(std::size_t drained) {
        if (drained >= limits::http_drained_bytes) return;
        buffer_.clear();
        lowest().async_read_some(buffer_.prepare(http_step_bytes),
                                 [self = this->shared_from_this(),
                                  drained](const beast::error_code& failed, std::size_t count) {
                                     if (!failed) self->drain(drained + count);
                                 });
    }

    Stream stream_;
    std::array<char, looks_like_http_bytes> first_bytes_{}; ///< Of what is to be TLS.
    beast::flat_buffer buffer_;
    http_head_end head_;
    std::optional<http::request_parser<http::buffer_body>> parser_;
    std::array<char, http_step_bytes> body_; ///< What nobody looks at.
    std::string text_;                       ///< The answer.
    const http_server_options& options_;
    const http_handler& handler_;
};

} // namespace pipit::net::detail
