// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/subscription.hpp>

#include <pipit/client/detail/link.hpp>
#include <pipit/client/error.hpp>

namespace pipit::client {
namespace detail {

void start_next(const feed_pointer& of, handler<message> done) {
    of->owner->next(of, std::move(done));
}

void start_next(const feed_pointer& of, handler<std::optional<message>> done) {
    of->owner->next(of, std::move(done));
}

std::optional<message> take_next(const feed_pointer& of) { return of->owner->try_next(*of); }

} // namespace detail

subscription& subscription::operator=(subscription&& other) noexcept {
    if (this == &other) return *this;
    end();
    feed_ = std::move(other.feed_);
    return *this;
}

subscription::~subscription() { end(); }

void subscription::end() noexcept { unsubscribe(); }

std::optional<message> subscription::try_next() {
    return feed_ ? detail::take_next(feed_) : std::nullopt;
}

void subscription::unsubscribe(std::uint64_t max) {
    if (feed_) feed_->owner->unsubscribe(feed_, max);
}

void subscription::start_drain(const detail::feed_pointer& of, detail::handler<void> done) {
    of->owner->drain(of, std::move(done));
}

const std::string& subscription::subject() const noexcept {
    static const std::string none;
    return feed_ ? feed_->subject : none;
}

bool subscription::is_active() const { return feed_ && feed_->owner->is_active(*feed_); }

subscription_statistics subscription::statistics() const {
    return feed_ ? feed_->owner->statistics(*feed_) : subscription_statistics{};
}

replies& replies::operator=(replies&& other) noexcept {
    if (this == &other) return *this;
    cancel();
    feed_ = std::move(other.feed_);
    return *this;
}

replies::~replies() { cancel(); }

std::optional<protocol::replies_end> replies::how_ended() const {
    return feed_ ? feed_->owner->how_ended(*feed_) : std::nullopt;
}

void replies::cancel() {
    if (feed_) feed_->owner->cancel(*feed_);
}

} // namespace pipit::client
