// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/error_texts.hpp>

#include <pipit/protocol/go_text.hpp>

namespace pipit::protocol::error_texts {
namespace {

std::string with_quoted(std::string_view before, bytes_view name) {
    return std::string(before) + quoted(name);
}

} // namespace

std::string publish_violation(bytes_view subject) {
    return with_quoted("Permissions Violation for Publish to ", subject);
}

std::string reply_violation(bytes_view reply) {
    return with_quoted("Permissions Violation for Publish with Reply of ", reply);
}

std::string subscription_violation(bytes_view subject, bytes_view queue) {
    auto out = with_quoted("Permissions Violation for Subscription to ", subject);
    if (!queue.empty()) out += " using queue " + quoted(queue);
    return out;
}

std::string subscription_too_many_tokens(bytes_view subject) {
    return subscription_violation(subject, {}) + ", too many tokens";
}

std::string subscription_withdrawn(bytes_view subject, bytes_view queue, bytes_view sid) {
    return subscription_violation(subject, queue) + " (sid " + quoted(sid) + ")";
}

} // namespace pipit::protocol::error_texts
