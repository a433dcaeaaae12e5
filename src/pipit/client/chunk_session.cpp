// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/chunk_session.hpp>

#include <pipit/client/error.hpp>
#include <pipit/protocol/error.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace pipit::client {
namespace {

constexpr std::uint64_t version = 1;
constexpr std::size_t digits_max = 18;
constexpr int no_responders_status = 503;
/// What another end says about its reasons is shown to people; a page of it is enough.
constexpr std::size_t reason_bytes_max = 1024;

/// Cuts the first word off.
bytes_view take_word(bytes_view& words) noexcept {
    const auto size = std::min(words.find(' '), words.size());
    const auto word = words.substr(0, size);
    words.remove_prefix(std::min(size + 1, words.size()));
    return word;
}

/// The number that comes next.
std::optional<std::uint64_t> take_number(bytes_view& words) noexcept {
    const auto word = take_word(words);
    if (word.empty() || word.size() > digits_max) return std::nullopt;
    std::uint64_t number = 0;
    const auto* const end = word.data() + word.size();
    const auto read = std::from_chars(word.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return number;
}

/// The one number that there is.
std::optional<std::uint64_t> only_number(bytes_view words) noexcept {
    const auto number = take_number(words);
    return words.empty() ? number : std::nullopt;
}

std::string with_number(bytes_view word, std::uint64_t number) {
    return std::string(word) + ' ' + std::to_string(number);
}

} // namespace

chunk_session::chunk_session(side which, transfer_options options, steady_time now)
    : side_(which),
      options_(options),
      received_bytes_max_(options.window_bytes),
      heard_(now),
      said_(now) {
    if (side_ == side::asking) {
        controls_.push_back(with_number(with_number("open", version), received_bytes_max_));
    }
}

void chunk_session::say(std::string control) { controls_.push_back(std::move(control)); }

std::vector<std::string> chunk_session::controls() { return std::exchange(controls_, {}); }

void chunk_session::fail(error why, bytes_view text) {
    if (failure_ || is_complete()) return; // What is complete cannot fail any more.
    failure_ = std::move(why);
    cancel_text_ = text;
    chunks_.clear();
    controls_.clear();
    if (!peer_.empty()) say("cancel");
}

void chunk_session::cancel(error why, bytes_view text) { fail(std::move(why), text); }

void chunk_session::receive(const message& arrived, steady_time now) {
    if (failure_ || is_complete()) return;
    const auto value = arrived.header(transfer_header);
    if (!value) {
        if (!peer_.empty()) return;
        const bool nobody = arrived.status() == no_responders_status;
        return fail(nobody ? error(protocol::errc::no_responders) : error(errc::transfer_refused),
                    {});
    }
    heard_ = now;
    auto words = *value;
    const auto word = take_word(words);
    if (word == "cancel") {
        peer_.clear(); // It knows.
        return fail(error(errc::transfer_cancelled,
                          std::string(arrived.payload().substr(0, reason_bytes_max))),
                    {});
    }
    if (peer_.empty()) return receive_first(arrived, *value);
    if (word == "data") return receive_chunk(arrived, words);
    if (word == "end") return receive_end(words);
    if (word == "credit") return receive_limit(words);
    if (word == "alive") return receive_alive(words);
    fail(error(errc::transfer_broken, "it was sent '" + std::string(value->substr(0, 80)) + "'"),
         "what is that?");
}

void chunk_session::receive_first(const message& arrived, bytes_view words) {
    const auto word = take_word(words);
    const bool asks = word == "open" && take_number(words) == version;
    const bool fits = side_ == side::serving ? asks : word == "accept";
    const auto limit = only_number(words);
    if (!fits || !limit || arrived.reply().empty()) {
        return fail(error(errc::transfer_refused, "the first message does not begin a transfer"),
                    {});
    }
    peer_ = arrived.reply();
    sent_bytes_max_ = *limit;
    if (side_ == side::serving) say(with_number("accept", received_bytes_max_));
}

void chunk_session::receive_chunk(const message& arrived, bytes_view words) {
    const auto bytes = arrived.payload().size();
    if (only_number(words) != received_chunks_ + 1) {
        return fail(error(errc::transfer_broken, "a chunk is missing"), "a chunk is missing");
    }
    if (input_ended_ || bytes == 0 || received_bytes_ + bytes > received_bytes_max_) {
        return fail(error(errc::transfer_broken, "a chunk that was not allowed"), "not allowed");
    }
    ++received_chunks_;
    received_bytes_ += bytes;
    chunks_.push_back(arrived);
}

void chunk_session::receive_end(bytes_view words) {
    const auto chunks = take_number(words);
    if (input_ended_ || chunks != received_chunks_ || only_number(words) != received_bytes_) {
        return fail(error(errc::transfer_broken, "chunks are missing at the end"),
                    "a chunk is missing");
    }
    input_ended_ = true;
}

void chunk_session::receive_limit(bytes_view words) {
    const auto limit = only_number(words);
    if (!limit) {
        return fail(error(errc::transfer_broken, "a limit that is not a number"), "not a limit");
    }
    sent_bytes_max_ = std::max(sent_bytes_max_, *limit);
}

void chunk_session::receive_alive(bytes_view words) {
    if (only_number(words) == received_chunks_) return;
    fail(error(errc::transfer_broken, "a chunk is missing"), "a chunk is missing");
}

std::size_t chunk_session::writable_bytes() const noexcept {
    if (failure_ || output_ended_ || peer_.empty()) return 0;
    const auto room = sent_bytes_max_ - std::min(sent_bytes_max_, sent_bytes_);
    return static_cast<std::size_t>(std::min<std::uint64_t>(room, options_.chunk_bytes_max));
}

std::string chunk_session::begin_chunk(std::size_t bytes, steady_time now) {
    sent_bytes_ += bytes;
    said_ = now;
    return with_number("data", ++sent_chunks_);
}

void chunk_session::finish() {
    if (failure_ || std::exchange(output_ended_, true)) return;
    say(with_number(with_number("end", sent_chunks_), sent_bytes_));
}

std::optional<message> chunk_session::take_chunk() {
    if (chunks_.empty()) return std::nullopt;
    auto first = std::move(chunks_.front());
    chunks_.pop_front();
    taken_bytes_ += first.payload().size();
    // Not for each chunk: half a window is soon enough, and costs half the messages or less.
    const auto limit = taken_bytes_ + options_.window_bytes;
    if (!input_ended_ && limit - received_bytes_max_ >= options_.window_bytes / 2) {
        received_bytes_max_ = limit;
        say(with_number("credit", limit));
    }
    return first;
}

std::optional<steady_time> chunk_session::next_deadline() const noexcept {
    if (failure_ || is_complete()) return std::nullopt;
    const nanoseconds idle = options_.idle_timeout;
    return peer_.empty() ? heard_ + idle : std::min(heard_ + idle, said_ + idle / 3);
}

void chunk_session::expire(steady_time now) {
    if (failure_ || is_complete()) return;
    const nanoseconds idle = options_.idle_timeout;
    if (now >= heard_ + idle) {
        const auto time = std::to_string(options_.idle_timeout.count()) + " ms";
        return fail(error(protocol::errc::timeout,
                          "the other end of the transfer said nothing for " + time),
                    "you are silent");
    }
    if (peer_.empty() || now < said_ + idle / 3) return;
    said_ = now;
    say(with_number("alive", sent_chunks_));
}

} // namespace pipit::client
