// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/hex.hpp>
#include <pipit/net/error.hpp>
#include <pipit/net/ip_address.hpp>
#include <pipit/net/proxy_protocol.hpp>

#include <algorithm>
#include <charconv>
#include <vector>

namespace pipit::net {
namespace {

using namespace std::string_view_literals;

constexpr auto text_signature = "PROXY "sv;
constexpr auto binary_signature = "\r\n\r\n\0\r\nQUIT\n"sv;
/// Either version is recognised by as many bytes; what does not begin like that is a client's.
constexpr std::size_t recognised_bytes = 6;
constexpr std::size_t text_bytes_max = 107;
constexpr std::size_t binary_bytes_min = 16;

using address = proxy_header::address;

std::vector<bytes_view> split_at_blanks(bytes_view line) {
    std::vector<bytes_view> words;
    constexpr auto blanks = " \t\n\v\f\r"sv;
    for (auto begin = line.find_first_not_of(blanks); begin != bytes_view::npos;) {
        const auto end = std::min(line.find_first_of(blanks, begin), line.size());
        words.push_back(line.substr(begin, end - begin));
        begin = line.find_first_not_of(blanks, end);
    }
    return words;
}

bool is_ipv6(bytes_view word) noexcept { return word.find(':') != bytes_view::npos; }

error invalid(std::string_view why) {
    return {errc::invalid_proxy_header, "invalid PROXY protocol header: " + std::string(why)};
}

error unsupported(std::string_view what) {
    return {errc::unsupported_proxy_header,
            "unsupported PROXY protocol feature: " + std::string(what)};
}

result<std::uint16_t> read_port(bytes_view word, std::string_view whose) {
    std::uint16_t port = 0;
    const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), port);
    if (failed == std::errc() && end == word.data() + word.size()) return port;
    const bool is_number = failed == std::errc::result_out_of_range;
    return error(errc::invalid_proxy_header,
                 "invalid " + std::string(whose) + " port: strconv.ParseUint: parsing \"" +
                     std::string(word) +
                     (is_number ? "\": value out of range" : "\": invalid syntax"));
}

std::string hex_byte(unsigned value) {
    const char byte = static_cast<char>(value);
    return "0x" + to_hex({&byte, 1});
}

result<proxy_header> parse_text(bytes_view input) {
    const auto line_end = input.substr(0, text_bytes_max).find("\r\n", text_signature.size());
    if (line_end == bytes_view::npos) {
        if (input.size() < text_bytes_max) return proxy_header{};
        return invalid("v1 line too long");
    }
    proxy_header header{proxy_header::status::complete, line_end + 2, std::nullopt};
    const auto words =
        split_at_blanks(input.substr(text_signature.size(), line_end - text_signature.size()));
    if (!words.empty() && words[0] == "UNKNOWN") return header;
    if (words.size() != 5) return invalid("invalid v1 format");
    const auto source = parse_ip(std::string(words[1]));
    if (!source || !parse_ip(std::string(words[2]))) return invalid("invalid address");
    const auto port = read_port(words[3], "source");
    if (!port) return port.error();
    if (const auto destination = read_port(words[4], "dest"); !destination)
        return destination.error();
    const bool has_ipv6 = is_ipv6(words[1]) || is_ipv6(words[2]);
    const bool has_ipv4 = !is_ipv6(words[1]) || !is_ipv6(words[2]);
    if (words[0] == "TCP4" && has_ipv6) return invalid("TCP4 with IPv6 address");
    if (words[0] == "TCP6" && has_ipv4) return invalid("TCP6 with IPv4 address");
    if (words[0] != "TCP4" && words[0] != "TCP6") {
        return invalid("invalid protocol " + std::string(words[0]));
    }
    header.source = address{to_string(*source), *port};
    return header;
}

std::uint16_t read_big_endian(bytes_view bytes) noexcept {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[0]) << 8 |
                                      static_cast<unsigned char>(bytes[1]));
}

/// Both addresses, then both ports; the client's own comes first.
address read_binary_address(std::size_t ip_bytes, bytes_view addresses) {
    return {to_string(ip_of(addresses.substr(0, ip_bytes))),
            read_big_endian(addresses.substr(2 * ip_bytes))};
}

result<proxy_header> parse_binary(bytes_view input) {
    const auto shown = std::min(input.size(), binary_signature.size());
    if (input.substr(0, shown) != binary_signature.substr(0, shown)) {
        return invalid("invalid signature");
    }
    if (input.size() < binary_bytes_min) return proxy_header{};
    const auto version_and_command = static_cast<unsigned char>(input[12]);
    const auto family_and_transport = static_cast<unsigned char>(input[13]);
    if (version_and_command >> 4 != 2)
        return invalid("invalid version " + hex_byte(version_and_command & 0xf0));
    const auto command = version_and_command & 0x0f;
    if (command > 1) {
        return error(errc::invalid_proxy_header,
                     "unknown PROXY protocol command: " + hex_byte(static_cast<unsigned>(command)));
    }
    const auto is_health_check = command == 0;

    const auto family = family_and_transport >> 4;
    if (!is_health_check && (family_and_transport & 0x0f) != 1) {
        return unsupported("only STREAM protocol supported");
    }
    if (!is_health_check && family > 2) {
        return unsupported("unsupported address family " + hex_byte(family_and_transport & 0xf0));
    }
    const std::size_t announced = read_big_endian(input.substr(14));
    const std::size_t ip_bytes = family == 1 ? 4 : 16;
    const auto has_address = !is_health_check && family != 0;
    if (has_address && announced < 2 * ip_bytes + 4) {
        std::string text(family == 1 ? "IPv4" : "IPv6");
        text.append(" address data too short: ").append(std::to_string(announced));
        return error(errc::invalid_proxy_header, text.append(" bytes"));
    }
    if (input.size() < binary_bytes_min + announced) return proxy_header{};

    proxy_header header{proxy_header::status::complete, binary_bytes_min + announced, std::nullopt};
    if (has_address) {
        header.source = read_binary_address(ip_bytes, input.substr(binary_bytes_min, announced));
    }
    return header;
}

/// What Go says when fewer bytes came than were wanted.
std::string_view end_of_file(std::size_t came) noexcept {
    return came == 0 ? "EOF" : "unexpected EOF";
}

} // namespace

std::string unfinished_proxy_header_text(bytes_view input) {
    const auto failed = [](std::string_view what, std::string_view why) {
        return "failed to read " + std::string(what) + ": " + std::string(why);
    };
    const auto size = input.size();
    if (size < recognised_bytes) return failed("protocol version", end_of_file(size));
    if (input.starts_with(text_signature)) return failed("v1 line", "EOF");
    if (size < binary_signature.size())
        return failed("v2 signature", end_of_file(size - recognised_bytes));
    if (size < binary_bytes_min)
        return failed("v2 header", end_of_file(size - binary_signature.size()));
    const auto is_ipv4 = static_cast<unsigned char>(input[13]) >> 4 == 1;
    return failed(is_ipv4 ? "IPv4 address data" : "IPv6 address data",
                  end_of_file(size - binary_bytes_min));
}

result<proxy_header> parse_proxy_header(bytes_view input) {
    const auto begins_like = [&](bytes_view signature) {
        const auto size = std::min(input.size(), recognised_bytes);
        return input.substr(0, size) == signature.substr(0, size);
    };
    const auto is_text = begins_like(text_signature);
    if (!is_text && !begins_like(binary_signature)) {
        return proxy_header{proxy_header::status::absent, 0, std::nullopt};
    }
    if (input.size() < recognised_bytes) return proxy_header{};
    return is_text ? parse_text(input) : parse_binary(input);
}

} // namespace pipit::net
