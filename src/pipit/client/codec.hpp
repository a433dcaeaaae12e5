// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client/blocking_connection.hpp>
#include <pipit/client/connection.hpp>
#include <pipit/client/error.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>

/// Values instead of bytes: how they are written is a codec, and a header says which one it was.
///
///     nats.subscribe … : client::subscribe_as<order>(nats, "orders", [](result<order> it) { … });
///     client::publish_as(nats, "orders", order{…});
///
/// JSON is in `codec_json.hpp`, MessagePack in `codec_msgpack.hpp`; text is here.
namespace pipit::client {

/// The name of the header that says how a payload is written.
inline constexpr bytes_view content_type_header = "Content-Type";

/// Writes and reads values of some type. A type that is written in its own way gets a codec of its
/// own, with the same two functions and the name of what it writes:
///
///     struct point_codec {
///         static constexpr bytes_view content_type = "application/x-point";
///         static void append(std::string& out, const point& value);
///         static result<point> read(bytes_view payload);
///     };
template <class Codec, class T>
concept codec_for = requires(std::string& out, const T& value, bytes_view payload) {
    { Codec::content_type } -> std::convertible_to<bytes_view>;
    Codec::append(out, value);
    { Codec::template read<T>(payload) } -> std::same_as<result<T>>;
};

/// What a type is written by when nobody says otherwise. Text is written as it is; including
/// `codec_json.hpp` makes JSON the default for the rest.
template <class T>
struct default_codec;

/// Text as it is, of any encoding that the two ends agree on.
struct text_codec {
    static constexpr bytes_view content_type = "text/plain";
    static void append(std::string& out, bytes_view value) { out += value; }
    /// Not as a view, which would outlive the message.
    template <class T>
        requires(!std::same_as<T, bytes_view>)
    static result<T> read(bytes_view payload) { return T(payload); }
};

template <>
struct default_codec<std::string> {
    using type = text_codec;
};
template <>
struct default_codec<bytes_view> {
    using type = text_codec;
};
template <>
struct default_codec<const char*> {
    using type = text_codec;
};
/// Up to the zero at its end, if there is one.
struct char_array_codec : text_codec {
    template <std::size_t Size>
    static void append(std::string& out, const char (&value)[Size]) {
        out.append(value, std::find(value, value + Size, '\0'));
    }
};
template <std::size_t Size>
struct default_codec<char[Size]> {
    using type = char_array_codec;
};
template <class T>
using codec_of = typename default_codec<T>::type;

namespace detail {

/// Headers of the caller's and the content type.
[[nodiscard]] headers typed_headers(const headers* of, bytes_view content_type);
/// Errors: `errc::unexpected_content_type`, when there is one and it is another.
[[nodiscard]] result<> check_content_type(const message& what, bytes_view expected);

} // namespace detail

/// A message's payload as a value.
/// Errors: `errc::unexpected_content_type` for a message that is marked as something else (one
///         without a mark is taken for what is expected); `errc::invalid_content`.
template <class T, codec_for<T> Codec = codec_of<T>>
[[nodiscard]] result<T> read_as(const message& what) {
    const auto fits = detail::check_content_type(what, Codec::content_type);
    if (!fits) return fits.error();
    return Codec::template read<T>(what.payload());
}

/// Publishes a value, by a `connection` or a `blocking_connection`. Errors: as `publish`.
template <class T, class Codec = codec_of<T>, class Connection>
[[nodiscard]] result<> publish_as(Connection& by, bytes_view subject, const T& value,
                                  publish_options options = {}) {
    std::string payload;
    Codec::append(payload, value);
    const auto marked = detail::typed_headers(options.headers, Codec::content_type);
    options.headers = &marked;
    return by.publish(subject, payload, options);
}

/// Answers a request with a value. Errors: as `respond`.
template <class T, class Codec = codec_of<T>, class Connection>
[[nodiscard]] result<> respond_as(Connection& by, const message& request, const T& value,
                                  publish_options options = {}) {
    std::string payload;
    Codec::append(payload, value);
    const auto marked = detail::typed_headers(options.headers, Codec::content_type);
    options.headers = &marked;
    return by.respond(request, payload, options);
}

/// Asks with a value for a value. Errors: as `request` and `read_as`.
template <class Answer, class T, class AnswerCodec = codec_of<Answer>, class Codec = codec_of<T>>
[[nodiscard]] result<Answer> request_as(blocking_connection& by, bytes_view subject, const T& value,
                                        request_options options = {}) {
    std::string payload;
    Codec::append(payload, value);
    const auto marked = detail::typed_headers(options.headers, Codec::content_type);
    options.headers = &marked;
    const auto answer = by.request(subject, payload, options);
    if (!answer) return answer.error();
    return read_as<Answer, AnswerCodec>(*answer);
}

/// The same in a coroutine. Lifetime: the subject, what `value` points to and what `options` point
/// to until it has ended.
template <class Answer, class T, class AnswerCodec = codec_of<Answer>, class Codec = codec_of<T>>
[[nodiscard]] asio::awaitable<result<Answer>> request_as(connection& by, bytes_view subject,
                                                         T value, request_options options = {}) {
    std::string payload;
    Codec::append(payload, value);
    const auto marked = detail::typed_headers(options.headers, Codec::content_type);
    options.headers = &marked;
    const auto answer = co_await by.request(subject, payload, options, asio::use_awaitable);
    if (!answer) co_return answer.error();
    co_return read_as<Answer, AnswerCodec>(*answer);
}

/// Takes each value, or why a message was none, and the message.
template <class Callback, class T>
concept takes_values = requires(Callback callback, result<T> value, const message& from) {
    callback(std::move(value), from);
};

/// Calls `callback` for each message.
template <class T, class Codec = codec_of<T>, class Connection, takes_values<T> Callback>
[[nodiscard]] auto subscribe_as(Connection& by, bytes_view subject, Callback callback,
                                subscribe_options options = {}) {
    return by.subscribe(
        subject,
        [callback = std::move(callback)](message arrived) mutable {
            callback(read_as<T, Codec>(arrived), std::as_const(arrived));
        },
        std::move(options));
}

} // namespace pipit::client
