// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/net/error.hpp>
#include <pipit/net/http_client.hpp>
#include <pipit/net/lookup.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream_base.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace pipit::net::detail {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

/// As it is sent. A text: to have Beast write it to each stream takes as long to compile as all
/// the rest.
[[nodiscard]] std::string text_of(const http_request& request);

/// Each of the two is in a file of its own: nothing else takes as long to compile.
void fetch_plainly(const asio::any_io_executor& executor, http_request request, http_answered done);
void fetch_securely(const asio::any_io_executor& executor, http_request request,
                    http_answered done);

/// Names that this process asks the system for to fetch something from there: given up in time, the
/// system may go on for a minute.
[[nodiscard]] const lookup::counter& names_under_way();
inline constexpr int names_under_way_max = 64;

/// One request and its answer, step after step. Keeps itself alive by its handlers.
template <class Stream>
class http_fetched : public std::enable_shared_from_this<http_fetched<Stream>> {
public:
    http_fetched(Stream stream, http_request request, http_answered done)
        : stream_(std::move(stream)),
          names_late_(stream_.get_executor()),
          request_(std::move(request)),
          text_(text_of(request_)),
          done_(std::move(done)) {
        parser_.eager(true);
        parser_.body_limit(request_.answer_bytes_max);
    }

    [[nodiscard]] Stream& stream() noexcept { return stream_; }
    [[nodiscard]] const http_url& url() const noexcept { return request_.to; }

    void start() {
        const auto timeout = std::chrono::duration_cast<std::chrono::nanoseconds>(request_.timeout);
        lowest().expires_after(timeout);
        error_code is_name;
        const auto address = asio::ip::make_address(request_.to.host, is_name);
        if (!is_name) return connect({{address, request_.to.port}});
        names_late_.expires_after(timeout); // Keeps this alive until the name is found.
        names_late_.async_wait([self = this->shared_from_this()](error_code ended) {
            if (ended) return;
            self->name_.reset();
            self->end(errc::timeout);
        });
        auto found = [weak = this->weak_from_this()](error_code failed,
                                                     lookup::endpoints addresses) {
            if (const auto self = weak.lock()) self->resolved(failed, std::move(addresses));
        };
        name_ = std::make_unique<lookup>(stream_.get_executor(), names_under_way(),
                                         names_under_way_max, request_.to.host,
                                         std::to_string(request_.to.port), std::move(found));
    }
    void end(error why) {
        if (!done_) return; // It was too late already.
        std::move(done_)(result<http_response>(told(why)));
    }

private:
    static constexpr std::size_t read_bytes = 8192;
    static constexpr bool is_secure = !std::is_same_v<Stream, beast::tcp_stream>;

    /// In our own words: nobody who asks knows Beast.
    [[nodiscard]] static error told(const error& why) {
        const auto& code = why.code();
        if (code == beast::error::timeout) return errc::timeout;
        static const auto& of_http = error_code(http::error::end_of_stream).category();
        if (code.category() != of_http || code == http::error::body_limit) return why;
        return {errc::invalid_http, code.message()};
    }

    [[nodiscard]] beast::tcp_stream& lowest() noexcept { return beast::get_lowest_layer(stream_); }

    void resolved(error_code failed, lookup::endpoints found) {
        names_late_.cancel();
        if (failed) return end(failed);
        if (done_) connect(std::move(found));
    }
    void connect(lookup::endpoints found) {
        addresses_ = std::move(found);
        lowest().async_connect(addresses_,
                               [self = this->shared_from_this()](error_code failed, const auto&) {
                                   if (failed) return self->end(failed);
                                   self->begin();
                               });
    }
    void begin() {
        if constexpr (is_secure) {
            stream_.async_handshake(asio::ssl::stream_base::client,
                                    [self = this->shared_from_this()](error_code failed) {
                                        if (failed) return self->end(failed);
                                        self->write();
                                    });
        } else {
            write();
        }
    }
    void write() {
        asio::async_write(stream_, asio::buffer(text_),
                          [self = this->shared_from_this()](error_code failed, std::size_t) {
                              if (failed) return self->end(failed);
                              self->read();
                          });
    }
    void read() {
        stream_.async_read_some(
            buffer_.prepare(read_bytes),
            [self = this->shared_from_this()](error_code failed, std::size_t count) {
                self->buffer_.commit(count);
                if (failed) return self->take_end(failed);
                self->take();
            });
    }
    void take() {
        error_code failed;
        buffer_.consume(parser_.put(buffer_.data(), failed));
        if (failed == http::error::need_more) return read();
        if (failed) return end(failed);
        if (!parser_.is_done()) return read();
        finish();
    }
    /// As Go: many servers end an answer without a word of TLS, and what is asked for here is of no
    /// use when a part of it is missing.
    void take_end(error_code failed) {
        const bool ends =
            failed == asio::error::eof || (failed == asio::ssl::error::stream_truncated &&
                                           parser_.is_header_done() && parser_.need_eof());
        if (!ends) return end(failed);
        if (!parser_.got_some()) return end(http::error::end_of_stream);
        failed = {};
        parser_.put_eof(failed);
        if (failed) return end(failed);
        finish();
    }
    void finish() {
        if (!done_) return;
        auto& answer = parser_.get();
        const auto type = answer[http::field::content_type];
        std::move(done_)(http_response{.status = static_cast<int>(answer.result_int()),
                                       .content_type = std::string(type.data(), type.size()),
                                       .body = std::move(answer.body())});
    }

    Stream stream_;
    asio::steady_timer names_late_;
    std::unique_ptr<lookup> name_; ///< While it is looked for.
    lookup::endpoints addresses_;
    http_request request_;
    std::string text_;
    beast::flat_buffer buffer_;
    http::response_parser<http::string_body> parser_;
    http_answered done_;
};

} // namespace pipit::net::detail
