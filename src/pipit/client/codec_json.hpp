// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client/codec.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>
#include <boost/system/system_error.hpp>

#include <exception>

namespace pipit::client {

/// JSON, for everything that Boost.JSON can convert: numbers, strings, containers, described
/// structs, and types with `tag_invoke` of their own. Programs link Boost.JSON.
struct json_codec {
    static constexpr bytes_view content_type = "application/json";

    template <class T>
    static void append(std::string& out, const T& value) {
        out += boost::json::serialize(boost::json::value_from(value));
    }
    template <class T>
    static result<T> read(bytes_view payload) {
        error_code code;
        const auto parsed =
            boost::json::parse(boost::json::string_view(payload.data(), payload.size()), code);
        if (code) return error(errc::invalid_content, "JSON: " + code.message());
        // A conversion of the user's may throw whatever it likes.
        try {
            return boost::json::value_to<T>(parsed);
        } catch (const boost::system::system_error& why) {
            return error(errc::invalid_content, "JSON: " + why.code().message());
        } catch (const std::exception& why) {
            return error(errc::invalid_content, std::string("JSON: ") + why.what());
        }
    }
};

template <class T>
struct default_codec {
    using type = json_codec;
};

} // namespace pipit::client
