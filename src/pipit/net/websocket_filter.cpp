// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/websocket_filter.hpp>

#include <pipit/base/assert.hpp>
#include <pipit/base/base64.hpp>
#include <pipit/net/error.hpp>
#include <pipit/net/planted_bug.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace pipit::net {
namespace {

/// As nats-server: not worth compressing.
constexpr std::size_t small_message_bytes = 64;
/// As nats-server, which found that browsers are better off with small frames.
constexpr std::size_t browser_frame_bytes = 4096;

bool contains(std::string_view text, std::string_view wanted) noexcept {
    return text.find(wanted) != std::string_view::npos;
}

/// Copies `count` bytes from the front of `pieces`; `offset` is how much of the first is done.
void append_from(std::span<const bytes_view>& pieces, std::size_t& offset, std::size_t count,
                 std::string& to) {
    while (count != 0) {
        const auto some = pieces.front().substr(offset, count);
        to += some;
        count -= some.size();
        offset += some.size();
        if (offset == pieces.front().size()) {
            pieces = pieces.subspan(1);
            offset = 0;
        }
    }
}

} // namespace

/// How it comes to an end.
struct websocket_filter::ending {
    error why; ///< No error: the other side has said that it goes.
    std::string answer;
};

websocket_filter::websocket_filter(websocket_deflate& deflate, random_source random) noexcept
    : deflate_(&deflate), random_(random) {}

websocket_filter::~websocket_filter() = default;

// --- What comes ---

result<> websocket_filter::receive(bytes_view from_wire, std::string& plain, std::string& wire) {
    if (failure_.code()) return failure_;
    if (is_finished_) return {};
    if (!is_open()) return receive_head(from_wire, plain, wire);
    if (ending_) return end(*ending_, wire);
    return receive_frames(from_wire, plain, wire);
}

result<> websocket_filter::receive_head(bytes_view from_wire, std::string& plain,
                                        std::string& wire) {
    constexpr bytes_view end = "\r\n\r\n";
    const auto searched = head_.size() - std::min(head_.size(), end.size() - 1);
    const auto taken = from_wire.substr(0, limits::http_head_bytes + 1 - head_.size());
    head_ += taken;
    from_wire.remove_prefix(taken.size());
    if (head_.find(end, searched) == std::string::npos) {
        if (head_.size() <= limits::http_head_bytes) return {};
        refuse_head(431, wire);
        return fail({errc::invalid_http, "the head is too long"});
    }
    const auto text = std::exchange(head_, {});
    const auto head = parse_http_head(text);
    if (!head) {
        refuse_head(400, wire);
        return fail(head.error());
    }
    const auto rest = bytes_view(text).substr((*head)->bytes);
    const bool is_followed = !rest.empty() || !from_wire.empty();
    if (auto shaken = shake_hands(**head, is_followed, wire); !shaken) return fail(shaken.error());
    for (const auto frames : {rest, from_wire}) {
        if (ending_) break;
        if (auto framed = receive_frames(frames, plain, wire); !framed) return framed;
    }
    return {};
}

result<> websocket_filter::receive_frames(bytes_view input, std::string& plain, std::string& wire) {
    if (held_.empty()) {
        auto outcome = receive_frames_of(input, plain, wire);
        if (outcome && !is_finished_ && !ending_) held_ = input;
        return outcome;
    }
    held_ += input;
    auto rest = bytes_view(held_).substr(held_taken_);
    auto outcome = receive_frames_of(rest, plain, wire);
    held_taken_ = held_.size() - rest.size();
    if (rest.empty() || !outcome || is_finished_ || ending_) {
        std::string().swap(held_); // `= {}` would keep its memory.
        held_taken_ = 0;
    }
    return outcome;
}

/// Takes what it read from the front of `input`: all of it, unless enough was unpacked.
result<> websocket_filter::receive_frames_of(bytes_view& input, std::string& plain,
                                             std::string& wire) {
    const auto begin = plain.size();
    const auto enough = begin + limits::websocket_unpacked_bytes;
    for (;;) {
        if (framing_.reads.allows_compression && plain.size() >= enough && !input.empty())
            return {};
        const auto next = reader_->next(input);
        if (next && !*next) return {};
        std::optional<ending> ended;
        if (!next) {
            ended = violation(websocket_status::protocol_error, next.error());
        } else if ((*next)->opcode == websocket_opcode::ping) {
            // Who does not read what is sent need not be told again and again that it is.
            if (!close_sent_ && wire.size() < limits::websocket_unsent_pong_bytes) {
                append_control_frame(wire, websocket_opcode::pong, (*next)->payload, next_mask());
            }
        } else if ((*next)->opcode == websocket_opcode::close) {
            ended = ending_of((*next)->payload);
        } else if ((*next)->opcode != websocket_opcode::pong) {
            ended = receive_data(**next, plain);
        }
        if (!ended) continue;
        std::string().swap(compressed_);
        if (plain.size() == begin) return end(*ended, wire);
        ending_ = std::make_unique<ending>(std::move(*ended));
        return {};
    }
}

std::optional<websocket_filter::ending> websocket_filter::receive_data(const websocket_part& part,
                                                                       std::string& plain) {
    if (part.is_compressed && compressed_.size() + part.payload.size() > message_bytes_max_) {
        return violation(websocket_status::too_big, errc::websocket_too_big);
    }
    auto& to = part.is_compressed ? compressed_ : plain;
    const auto begin = to.size();
    to += part.payload;
    const auto offset = planted::is(planted::bug::begins_every_mask_anew) ? 0 : part.mask_offset;
    if (part.is_masked) apply_mask(std::span(to).subspan(begin), part.mask, offset);
    if (!part.is_compressed || !part.ends_message) return std::nullopt;

    const auto message = std::exchange(compressed_, {});
    const auto unpacked = deflate_->decompress(message, message_bytes_max_, plain);
    if (unpacked) return std::nullopt;
    const bool is_too_big = unpacked.error() == errc::websocket_too_big;
    return violation(is_too_big ? websocket_status::too_big : websocket_status::protocol_error,
                     unpacked.error());
}

websocket_filter::ending websocket_filter::ending_of(bytes_view payload) {
    const auto close = parse_close(payload);
    if (!close) return violation(websocket_status::protocol_error, close.error());
    return {.why = {}, .answer = close->status ? close_payload(*close->status, close->reason) : ""};
}

websocket_filter::ending websocket_filter::violation(std::uint16_t status, error why) {
    auto text = close_payload(status, why.detail().empty() ? why.code().message()
                                                           : std::string(why.detail()));
    return {.why = std::move(why), .answer = std::move(text)};
}

result<> websocket_filter::end(const ending& how, std::string& wire) {
    append_close(how.answer, wire);
    if (how.why.code()) return fail(how.why);
    is_finished_ = true;
    return {};
}

error websocket_filter::fail(error why) {
    failure_ = why;
    return why;
}

// --- What is sent ---

result<> websocket_filter::send(std::span<const bytes_view> plain, std::string& wire) {
    PIPIT_ASSERT(is_open());
    if (close_sent_) return errc::closed;
    std::size_t bytes = 0;
    for (const auto& piece : plain) bytes += piece.size();
    if (framing_.compresses && bytes > small_message_bytes) {
        const std::array whole{deflate_->compress(plain)};
        append_message(whole, whole[0].size(), true, wire);
    } else {
        append_message(plain, bytes, false, wire);
    }
    return {};
}

/// A message that is compressed goes in fragments where frames have a bound. The bytes of others
/// may be cut into messages anywhere, as they are only a stream.
void websocket_filter::append_message(std::span<const bytes_view> pieces, std::size_t bytes,
                                      bool is_compressed, std::string& wire) {
    const bool is_cut =
        framing_.frame_bytes_max != 0 && (!is_compressed || framing_.splits_compressed);
    std::size_t offset = 0;
    for (bool is_first = true; bytes != 0; is_first = false) {
        const auto count = is_cut ? std::min(bytes, framing_.frame_bytes_max) : bytes;
        bytes -= count;
        const auto mask = next_mask();
        append_frame_header(wire,
                            {.opcode = is_compressed && !is_first ? websocket_opcode::continuation
                                                                  : websocket_opcode::binary,
                             .is_final = !is_compressed || bytes == 0,
                             .is_compressed = is_compressed && is_first,
                             .mask = mask},
                            count);
        const auto begin = wire.size();
        append_from(pieces, offset, count, wire);
        if (mask) apply_mask(std::span(wire).subspan(begin), *mask, 0);
    }
}

void websocket_filter::close_with(std::uint16_t status, std::string_view reason) noexcept {
    close_status_ = status;
    close_reason_ = reason;
}

void websocket_filter::finish(std::string& wire) {
    if (is_open()) append_close(close_payload(close_status_, close_reason_), wire);
}

/// Each side says it once.
void websocket_filter::append_close(bytes_view payload, std::string& wire) {
    if (std::exchange(close_sent_, true)) return;
    append_control_frame(wire, websocket_opcode::close, payload, next_mask());
}

std::optional<websocket_mask> websocket_filter::next_mask() noexcept {
    if (!framing_.masks) return std::nullopt;
    const auto number = static_cast<std::uint32_t>(random_() >> 32);
    websocket_mask mask;
    std::memcpy(mask.data(), &number, mask.size());
    return mask;
}

void websocket_filter::open(const framing& agreed) {
    framing_ = agreed;
    reader_.emplace(agreed.reads);
}

// --- The server's side ---

result<> websocket_server_filter::begin(std::string&) { return {}; }

void websocket_server_filter::refuse_head(int status, std::string& wire) {
    wire += http_refusal_text(status);
}

error websocket_server_filter::refuse(int status, std::string why, std::string& wire) {
    wire += http_refusal_text(status);
    return {errc::websocket_refused, std::move(why)};
}

result<> websocket_server_filter::shake_hands(const http_head& head, bool is_followed,
                                              std::string& wire) {
    auto request = read_websocket_request(head);
    if (!request) return refuse(request.error().status, request.error().why, wire);
    if (is_followed) {
        return refuse(400, "client sent data before handshake is complete", wire);
    }
    const auto verdict = gate_->judge(*request);
    if (verdict.refused_with != 0) return refuse(verdict.refused_with, verdict.why, wire);

    const bool compresses = verdict.compresses && request->offers_compression;
    wire += websocket_response(request->key, {.compresses = compresses,
                                              .without_masking = request->wants_no_masking,
                                              .extra_fields = verdict.extra_fields});
    const auto& agent = request->user_agent;
    const bool is_browser = agent.starts_with("Mozilla/");
    // Chromium's name has `Safari/` too, but only Safari's has both. It takes no fragments of
    // compressed messages.
    const bool is_safari = contains(agent, "Version/") && contains(agent, "Safari/");
    open({.reads = {.masks = request->wants_no_masking ? mask_rule::either : mask_rule::required,
                    .allows_compression = compresses},
          .compresses = compresses,
          .frame_bytes_max = is_browser ? browser_frame_bytes : 0,
          .splits_compressed = !is_safari});
    request_ = std::make_unique<websocket_request>(std::move(*request));
    return {};
}

// --- The client's side ---

websocket_client_filter::websocket_client_filter(websocket_client_options options,
                                                 websocket_deflate& deflate, random_source random)
    : websocket_filter(deflate, random),
      demand_{.host = std::move(options.host),
              .path = std::move(options.path),
              .key = {},
              .offers_compression = options.compression} {}

result<> websocket_client_filter::begin(std::string& wire) {
    std::array<std::uint64_t, 2> chosen{};
    for (auto& word : chosen) word = random()();
    demand_.key = to_base64({reinterpret_cast<const char*>(chosen.data()), sizeof chosen});
    auto text = websocket_request_text(demand_);
    if (!text) return fail(text.error());
    wire += *text;
    return {};
}

void websocket_client_filter::refuse_head(int, std::string&) {}

result<> websocket_client_filter::shake_hands(const http_head& head, bool, std::string&) {
    const auto accepted = read_websocket_response(head, demand_);
    if (!accepted) return accepted.error();
    open({.reads = {.masks = mask_rule::forbidden, .allows_compression = accepted->compresses},
          .masks = true,
          .compresses = accepted->compresses});
    demand_ = {};
    return {};
}

} // namespace pipit::net
