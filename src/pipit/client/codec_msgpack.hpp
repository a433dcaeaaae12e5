// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client/codec.hpp>

#include <msgpack.hpp>

#include <exception>

namespace pipit::client {

/// MessagePack, for everything that msgpack-c++ can convert: `MSGPACK_DEFINE(…)` in a struct of
/// one's own. Programs bring that library themselves; with its `MSGPACK_NO_BOOST` it needs nothing
/// else.
struct msgpack_codec {
    static constexpr bytes_view content_type = "application/msgpack";

    template <class T>
    static void append(std::string& out, const T& value) {
        writer to{&out};
        msgpack::pack(to, value);
    }
    template <class T>
    static result<T> read(bytes_view payload) {
        // Whatever the library finds wrong with bytes of somebody else's, it throws.
        try {
            // At first without making anything of it: the library believes how many elements there
            // are to come, and four billion of them fit into five bytes.
            msgpack::null_visitor nothing;
            std::size_t size = 0;
            if (!msgpack::parse(payload.data(), payload.size(), size, nothing)) {
                return error(errc::invalid_content, "MessagePack: it is cut, or no value");
            }
            if (size != payload.size()) {
                return error(errc::invalid_content, "MessagePack: something follows the value");
            }
            const auto object = msgpack::unpack(payload.data(), payload.size());
            return object->template as<T>();
        } catch (const std::exception& why) {
            return error(errc::invalid_content, std::string("MessagePack: ") + why.what());
        }
    }

private:
    struct writer {
        std::string* out;
        void write(const char* bytes, std::size_t size) { out->append(bytes, size); }
    };
};

} // namespace pipit::client
