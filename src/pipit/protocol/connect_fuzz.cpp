// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/connect.hpp>
#include <pipit/protocol/connect_without_secrets.hpp>
#include <pipit/protocol/info.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace pipit::protocol;

/// Cuts the JSON out of a line that was written.
pipit::bytes_view json_of(const std::string& line) {
    const auto begin = line.find('{');
    return pipit::bytes_view(line).substr(begin, line.rfind('}') + 1 - begin);
}

void compare_connect(pipit::bytes_view json) {
    connect_options read;
    if (!read_connect(json, read)) return;
    std::string line;
    append_connect(line, read);
    connect_options again;
    if (!read_connect(json_of(line), again) || again != read) std::abort();
}

/// What is shown of it is the same, but for the secrets. Of keys that are written in an unusual way
/// more is hidden.
void compare_without_secrets(pipit::bytes_view json) {
    connect_options read;
    if (!read_connect(json, read)) return;
    const bool is_usual = std::all_of(json.begin(), json.end(), [](char c) {
        return c != '\\' && static_cast<unsigned char>(c) < 0x80;
    });
    connect_options shown;
    if (!read_connect(connect_without_secrets(json), shown)) {
        if (is_usual) std::abort();
        return;
    }
    for (auto member :
         {&connect_options::pass, &connect_options::auth_token, &connect_options::jwt,
          &connect_options::nkey, &connect_options::sig, &connect_options::proxy_sig}) {
        if (shown.*member != "[REDACTED]" && !(shown.*member).empty()) std::abort();
        shown.*member = read.*member;
    }
    if (is_usual && shown != read) std::abort();
}

void compare_info(pipit::bytes_view json) {
    const auto read = parse_info(json);
    if (!read) return;
    std::string line;
    append_info(line, *read);
    const auto again = parse_info(json_of(line));
    if (!again || *again != *read) std::abort();
}

} // namespace

/// What was read is written, and read again, unchanged: CONNECT and INFO.
/// A CONNECT without its secrets is otherwise the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const pipit::bytes_view json(reinterpret_cast<const char*>(data), size);
    compare_connect(json);
    compare_without_secrets(json);
    compare_info(json);
    return 0;
}
