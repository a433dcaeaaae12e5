// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/subscription.hpp>

#include <pipit/client/detail/link.hpp>
#include <pipit/client/error.hpp>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>

namespace pipit::client {
namespace detail {
namespace {

/// The end of what was asked of nothing, which has no executor of its own to come by: who runs on
/// that of the handler gets it at once.
template <class T>
void complete_of_nothing(handler<T> done, result<T> with) {
    const auto executor = asio::get_associated_executor(done);
    asio::dispatch(executor, [waits = std::move(done), with = std::move(with)]() mutable {
        std::move(waits)(std::move(with));
    });
}

} // namespace

void start_next(const feed_pointer& of, time_limit at_most, handler<message> done) {
    if (!of) return complete_of_nothing<message>(std::move(done), errc::subscription_ended);
    of->owner->next(of, at_most, std::move(done));
}

void start_next(const feed_pointer& of, time_limit at_most, handler<std::optional<message>> done) {
    using answer = std::optional<message>;
    if (!of) return complete_of_nothing<answer>(std::move(done), answer());
    of->owner->next(of, at_most, std::move(done));
}

void start_drain(const feed_pointer& of, handler<void> done) {
    if (!of) return complete_of_nothing<void>(std::move(done), errc::subscription_ended);
    of->owner->drain(of, std::move(done));
}

std::optional<message> take_next(const feed_pointer& of) {
    return of ? of->owner->try_next(*of) : std::nullopt;
}

} // namespace detail

subscription& subscription::operator=(subscription&& other) noexcept {
    if (this == &other) return *this;
    end();
    feed_ = std::move(other.feed_);
    return *this;
}

subscription::~subscription() { end(); }

void subscription::end() noexcept { unsubscribe(); }

std::optional<message> subscription::try_next() { return detail::take_next(feed_); }

void subscription::unsubscribe(std::uint64_t max) {
    if (feed_) feed_->owner->unsubscribe(feed_, max);
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
