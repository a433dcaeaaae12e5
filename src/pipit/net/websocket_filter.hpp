// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/random.hpp>
#include <pipit/base/websocket_limits.hpp>
#include <pipit/net/filter.hpp>
#include <pipit/net/websocket_codec.hpp>
#include <pipit/net/websocket_deflate.hpp>
#include <pipit/net/websocket_handshake.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace pipit::net {

/// A WebSocket that carries a stream of bytes, of either side: the handshake, and then frames.
///
/// Idle it holds some hundred bytes: no zlib state, no buffer. What came of a compressed message
/// is held until it is complete, at most `set_message_bytes_max`; everything else is given on as
/// it comes, so that a frame may be of any length. Of small messages that become large ones when
/// they are unpacked, those that come together are unpacked a few at a time. The end comes in a
/// call of its own when something came before it, which is answered first.
class websocket_filter : public filter {
public:
    result<> receive(bytes_view from_wire, std::string& plain, std::string& wire) final;
    result<> send(std::span<const bytes_view> plain, std::string& wire) final;
    void finish(std::string& wire) final;
    [[nodiscard]] bool is_open() const noexcept final { return reader_.has_value(); }
    [[nodiscard]] bool holds_more() const noexcept final {
        const bool has_input = held_taken_ != held_.size() || ending_ != nullptr;
        return has_input && !is_finished_ && !failure_.code();
    }
    [[nodiscard]] bool is_finished() const noexcept final { return is_finished_; }
    [[nodiscard]] std::size_t kept_bytes() const noexcept final {
        return memory_of(head_) + memory_of(compressed_) + memory_of(held_);
    }

    /// What `finish` says. Lifetime: of the reason, that of the filter.
    void close_with(std::uint16_t status, std::string_view reason) noexcept;
    /// How much a compressed message may hold; until it is set, what a stranger needs.
    void set_message_bytes_max(std::size_t bytes) noexcept { message_bytes_max_ = bytes; }
    /// Why `receive` failed; no error: it did not.
    [[nodiscard]] const error& failure() const noexcept { return failure_; }

protected:
    /// What both sides agreed on.
    struct framing {
        websocket_reader::rules reads;
        bool masks = false; ///< What is sent.
        bool compresses = false;
        std::size_t frame_bytes_max = 0; ///< 0: any number.
        bool splits_compressed = true;
    };

    websocket_filter(websocket_deflate& deflate, random_source random) noexcept;
    ~websocket_filter() override;

    void open(const framing& agreed);
    /// The other side's head is complete; `is_followed` by something.
    virtual result<> shake_hands(const http_head& head, bool is_followed, std::string& wire) = 0;
    /// The head cannot be read: what is to be answered.
    virtual void refuse_head(int status, std::string& wire) = 0;
    [[nodiscard]] error fail(error why);
    [[nodiscard]] random_source& random() noexcept { return random_; }

private:
    result<> receive_head(bytes_view from_wire, std::string& plain, std::string& wire);
    result<> receive_frames(bytes_view input, std::string& plain, std::string& wire);
    result<> receive_frames_of(bytes_view& input, std::string& plain, std::string& wire);
    struct ending;
    [[nodiscard]] std::optional<ending> receive_data(const websocket_part& part,
                                                     std::string& plain);
    [[nodiscard]] static ending ending_of(bytes_view payload);
    [[nodiscard]] static ending violation(std::uint16_t status, error why);
    result<> end(const ending& how, std::string& wire);
    void append_message(std::span<const bytes_view> pieces, std::size_t bytes, bool is_compressed,
                        std::string& wire);
    void append_close(bytes_view payload, std::string& wire);
    [[nodiscard]] std::optional<websocket_mask> next_mask() noexcept;

    websocket_deflate* deflate_;
    random_source random_;
    std::optional<websocket_reader> reader_; ///< Once it is open.
    framing framing_;
    std::string head_; ///< What came of the handshake.
    std::string compressed_;
    std::string held_; ///< What comes behind what was unpacked, from `held_taken_` on.
    std::size_t held_taken_ = 0;
    std::size_t message_bytes_max_ = limits::websocket_first_message_bytes;
    std::string_view close_reason_;
    std::uint16_t close_status_ = websocket_status::normal;
    bool close_sent_ = false;
    bool is_finished_ = false;
    error failure_;
    /// What has come behind something that its user takes first, and may answer.
    std::unique_ptr<ending> ending_;
};

/// Whether a request is let in, and how it is answered.
struct websocket_verdict {
    int refused_with = 0; ///< An HTTP status; 0: it is let in.
    std::string why;      ///< For the log.
    bool compresses = false;
    std::string_view extra_fields; ///< Whole lines of the answer. They live as long as the gate.
};

/// Who decides about requests.
class websocket_gate {
public:
    [[nodiscard]] virtual websocket_verdict judge(const websocket_request& request) const = 0;

protected:
    ~websocket_gate() = default;
};

/// A server's side of one connection. What a browser gets is cut into small frames, as
/// nats-server does.
class websocket_server_filter final : public websocket_filter {
public:
    /// Both outlive it.
    websocket_server_filter(const websocket_gate& gate, websocket_deflate& deflate) noexcept
        : websocket_filter(deflate, random_source(0)), gate_(&gate) {} // A server masks nothing.

    result<> begin(std::string& wire) override;
    /// What was asked for, once it is open; the next call has nothing.
    [[nodiscard]] std::unique_ptr<websocket_request> take_request() noexcept {
        return std::move(request_);
    }

private:
    result<> shake_hands(const http_head& head, bool is_followed, std::string& wire) override;
    void refuse_head(int status, std::string& wire) override;
    [[nodiscard]] error refuse(int status, std::string why, std::string& wire);

    const websocket_gate* gate_;
    std::unique_ptr<websocket_request> request_;
};

struct websocket_client_options {
    std::string host; ///< With its port.
    std::string path; ///< Empty: `/`.
    bool compression = false;
};

/// A client's side of one connection.
class websocket_client_filter final : public websocket_filter {
public:
    /// `deflate` outlives it. The masks come from `random`: they keep an intermediary from taking
    /// payload for a request, and are no secret.
    websocket_client_filter(websocket_client_options options, websocket_deflate& deflate,
                            random_source random);

    result<> begin(std::string& wire) override;

private:
    result<> shake_hands(const http_head& head, bool is_followed, std::string& wire) override;
    void refuse_head(int status, std::string& wire) override;

    websocket_demand demand_;
};

} // namespace pipit::net
