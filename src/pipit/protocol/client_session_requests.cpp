// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/client_session.hpp>
#include <pipit/protocol/detail/reply_token.hpp>
#include <pipit/protocol/detail/texts.hpp>
#include <pipit/protocol/error.hpp>

#include <algorithm>
#include <utility>

namespace pipit::protocol {
namespace {

constexpr int no_responders_status = 503;

std::string about_request(bytes_view before, const detail::pending_operation& request) {
    return std::string(before) + "a request on \"" + request.subject + '"';
}

} // namespace

bool client_session::is_request(const operation& any) noexcept {
    return any.what == operation::kind::request || any.what == operation::kind::request_many;
}

result<operation_id> client_session::request(const publication& message, steady_time now,
                                             nanoseconds timeout) {
    now_ = now;
    const auto begun = begin_request(operation::kind::request, message, timeout);
    if (!begun) return begun.error();
    return (*begun)->id;
}

result<operation_id> client_session::request_many(const publication& message, steady_time now,
                                                  request_many_limits limits) {
    now_ = now;
    const auto begun = begin_request(operation::kind::request_many, message, limits.timeout);
    if (!begun) return begun.error();
    const auto ends = detail::later(now, limits.timeout);
    (*begun)->replies =
        std::make_unique<operation::many>(operation::many{std::move(limits), 0, ends});
    return (*begun)->id;
}

result<client_session::operation*> client_session::begin_request(operation::kind what,
                                                                 const publication& message,
                                                                 nanoseconds timeout) {
    if (draining_ != draining::no) return errc::draining;
    if (!inbox_sid_) {
        const auto subscribed = protocol_.subscribe(inbox_ + '*');
        if (!subscribed) return subscribed.error();
        inbox_sid_ = *subscribed;
    }
    auto* const added = add_operation(what, timeout);
    if (added == nullptr) return errc::output_full;
    reply_.assign(inbox_);
    detail::append_reply_token(reply_, static_cast<std::uint64_t>(added->id));
    const auto published =
        protocol_.publish({message.subject, reply_, message.headers, message.payload});
    if (!published) {
        operations_.erase(*added);
        return published.error();
    }
    added->subject = message.subject;
    ++requests_;
    ++statistics_.sent_messages;
    return added;
}

client_session::operation* client_session::find_request(bytes_view reply_subject) noexcept {
    if (!reply_subject.starts_with(inbox_)) return nullptr;
    const auto number = detail::parse_reply_token(reply_subject.substr(inbox_.size()));
    auto* const found = number ? operations_.find(operation_id{*number}) : nullptr;
    return found != nullptr && is_request(*found) ? found : nullptr;
}

std::optional<session_event> client_session::receive_reply(const message_received& received) {
    auto* const request = find_request(received.subject);
    if (request == nullptr) return std::nullopt; // It has ended.
    const bool no_responders =
        received.payload.empty() && find_status(received.headers) == no_responders_status;
    if (no_responders) {
        answer(*request, error(errc::no_responders, about_request("to ", *request)));
        return std::nullopt;
    }
    if (request->what == operation::kind::request_many) {
        return receive_one_of_many(*request, keep(received));
    }
    const auto id = request->id;
    erase_request(*request);
    return request_answered{id, keep(received)};
}

std::optional<session_event> client_session::receive_one_of_many(operation& request,
                                                                 message reply) {
    auto& [limits, received, ends] = *request.replies;
    if (limits.is_last && limits.is_last(reply)) {
        end_replies(request, replies_end::sentinel);
        return std::nullopt;
    }
    const auto id = request.id;
    ++received;
    if (received == limits.messages_max) {
        end_replies(request, replies_end::all_received);
    } else if (limits.stall) {
        operations_.set_deadline(request, std::min(ends, detail::later(now_, *limits.stall)));
    }
    return reply_received{id, std::move(reply)};
}

/// Those that were to be published to a subject that is refused; all of them, when nobody may
/// answer.
void client_session::refuse_requests(const error_received& refused, const error& why) {
    if (refused.kind == error_received::about::subscription) inbox_sid_.reset();
    auto* const by_reply = find_request(refused.subject);
    operations_.for_each([&](operation& each) {
        const bool concerned = !inbox_sid_ || &each == by_reply || each.subject == refused.subject;
        if (concerned && is_request(each)) answer(each, why);
    });
}

void client_session::expire_operation(operation& late) {
    const auto text = detail::duration_text(late.timeout);
    switch (late.what) {
    case operation::kind::none: break;
    case operation::kind::request:
        return answer(late, error(errc::timeout, about_request("no answer to ", late) + " within " +
                                                     text + where_it_waits(late)));
    case operation::kind::request_many: {
        const bool is_over = late.replies->ends <= now_;
        return end_replies(late, is_over ? replies_end::timed_out : replies_end::stalled);
    }
    case operation::kind::flush:
        return answer(late, error(errc::timeout,
                                  "no answer to a flush within " + text + where_it_waits(late)));
    case operation::kind::drain:
        return end_drain(late, error(errc::timeout, "draining took longer than " + text));
    case operation::kind::drain_all:
        operations_.erase(late);
        return protocol_.close(error(errc::timeout, "draining took longer than " + text));
    }
}

/// Behind the text of a timeout.
std::string client_session::where_it_waits(const operation& late) const {
    if (late.connection > connection_) return ", for there was no connection to send it over";
    return " from " + server_;
}

std::string client_session::lost_text(const operation& lost) const {
    const auto text = "to " + server_ + ", before ";
    if (is_request(lost)) return about_request(text + "the answer to ", lost);
    if (lost.what == operation::kind::flush) return text + "the answer to a flush";
    return text + "everything was here";
}

void client_session::answer(operation& ended, error why) {
    const auto id = ended.id;
    switch (ended.what) {
    case operation::kind::none:
    case operation::kind::drain_all: break;
    case operation::kind::drain: return end_drain(ended, std::move(why));
    case operation::kind::request_many: return end_replies(ended, std::move(why));
    case operation::kind::flush:
        operations_.erase(ended);
        events_.emplace_back(flushed{id, std::move(why)});
        break;
    case operation::kind::request:
        erase_request(ended);
        events_.emplace_back(request_answered{id, std::move(why)});
        break;
    }
}

void client_session::end_replies(operation& ended, result<replies_end> how) {
    events_.emplace_back(replies_ended{ended.id, std::move(how)});
    erase_request(ended);
}

void client_session::erase_request(operation& ended) noexcept {
    --requests_;
    operations_.erase(ended);
}

void client_session::cancel(operation_id id) {
    auto* const found = operations_.find(id);
    if (found == nullptr) return;
    if (found->what == operation::kind::request_many) {
        return end_replies(*found, replies_end::cancelled);
    }
    answer(*found, errc::cancelled);
}

} // namespace pipit::protocol
