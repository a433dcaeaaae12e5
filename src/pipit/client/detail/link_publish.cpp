// SPDX-License-Identifier: Apache-2.0
// What is published over a link, and waits for room.
#include <pipit/client/detail/link.hpp>

#include <pipit/protocol/error.hpp>
#include <pipit/protocol/writer.hpp>

#include <string>
#include <utility>

namespace pipit::client::detail {
namespace {

/// A coroutine that only publishes would keep everything else of its thread from running.
constexpr int tries_max = 128;

} // namespace

bytes_view link::header_block(const headers* of) {
    if (of == nullptr || of->empty()) return {};
    header_scratch_.clear();
    of->append_to(header_scratch_);
    return header_scratch_;
}

std::size_t link::unsent_bytes() const {
    const auto taken = transport_ ? transport_->unsent_bytes() : 0;
    return taken + session_.pending_output().size();
}

result<> link::append_publication(bytes_view subject, bytes_view payload,
                                  const publish_options& options) {
    if (session_.is_closed()) return protocol::errc::closed;
    const protocol::publication message{subject, options.reply, header_block(options.headers),
                                        payload};
    // The session does not count what the transport has taken, of a connection that is there.
    const auto taken = transport_ && session_.is_connected() ? transport_->unsent_bytes() : 0;
    if (taken != 0 &&
        unsent_bytes() + protocol::written_size(message) > options_.pending_output_bytes_max) {
        return protocol::errc::output_full;
    }
    return session_.publish(message);
}

result<> link::publish(bytes_view subject, bytes_view payload, const publish_options& options) {
    return inside([&](lock& held) {
        auto appended = append_publication(subject, payload, options);
        if (appended) output_appended(held);
        return appended;
    });
}

std::optional<result<>> link::try_publish(bytes_view subject, bytes_view payload,
                                          const publish_options& options) {
    return inside([&](lock& held) -> std::optional<result<>> {
        if (tries_ >= tries_max || !wanting_room_.empty()) {
            has_yielded_ = true;
            return std::nullopt;
        }
        auto appended = append_publication(subject, payload, options);
        if (!appended && appended.error() == protocol::errc::output_full) return std::nullopt;
        ++tries_;
        if (appended) output_appended(held);
        return appended;
    });
}

std::optional<result<>> link::publish_or_wait(lock& held, bytes_view subject, bytes_view payload,
                                              const publish_options& options) {
    // The transport may be lost, and those that wait not know yet: they were here before.
    if (!session_.is_connected()) serve_room_waiters();
    result<> appended = protocol::errc::output_full;
    if (wanting_room_.empty()) appended = append_publication(subject, payload, options);
    if (appended) output_appended(held);
    if (appended || appended.error() != protocol::errc::output_full) return appended;
    if (auto never = find_too_large(subject, payload, options)) return result<>(std::move(*never));
    if (!session_.is_connected()) return result<>(no_room_for(subject));
    return std::nullopt;
}

void link::publish_when_room(bytes_view subject, bytes_view payload, const publish_options& options,
                             handler<void> done) {
    start(std::move(done), [&](lock& held, waiting<void> who) {
        auto outcome = publish_or_wait(held, subject, payload, options);
        if (outcome) return complete_later<void>(std::move(who), std::move(*outcome));
        wait_for_room(subject, payload, options, std::move(who));
    });
}

/// What would wait for ever, and all that come after it.
std::optional<error> link::find_too_large(bytes_view subject, bytes_view payload,
                                          const publish_options& options) {
    const auto bytes =
        protocol::written_size({subject, options.reply, header_block(options.headers), payload});
    const auto bytes_max = options_.pending_output_bytes_max;
    if (bytes <= bytes_max) return std::nullopt;
    return error(protocol::errc::output_full,
                 std::to_string(bytes) + " bytes to '" + std::string(subject) +
                     "', and pending_output_bytes_max is " + std::to_string(bytes_max));
}

error link::no_room_for(bytes_view subject) const {
    return error(protocol::errc::output_full,
                 "there is no connection for '" + std::string(subject) +
                     "', and reconnect_buffer_bytes_max is " +
                     std::to_string(options_.reconnect_buffer_bytes_max));
}

void link::serve_room_waiters() {
    while (!wanting_room_.empty()) {
        auto& first = wanting_room_.front();
        const protocol::publication message{first.subject, first.reply, first.headers,
                                            first.payload};
        const bool fits =
            unsent_bytes() + protocol::written_size(message) <= options_.pending_output_bytes_max;
        result<> appended = protocol::errc::output_full;
        const bool is_connected = session_.is_connected();
        if (fits || !is_connected) appended = session_.publish(message);
        const bool is_full = !appended && appended.error() == protocol::errc::output_full;
        if (is_full && is_connected) return;
        if (is_full) appended = no_room_for(first.subject);
        tell(std::move(first.who), std::move(appended));
        wanting_room_.erase(wanting_room_.begin());
    }
}

} // namespace pipit::client::detail
