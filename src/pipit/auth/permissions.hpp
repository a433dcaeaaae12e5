// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/error.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::auth {

/// Leave to answer: a message that is delivered with a reply subject may be answered there.
struct response_permission {
    int max = 1;                                   ///< Answers per message; negative: no limit.
    nanoseconds expires = std::chrono::minutes(2); ///< After the delivery; negative: never.
    friend bool operator==(const response_permission&, const response_permission&) = default;
};

/// What a user may do, as it is written down. An empty `allow` allows everything; `deny` wins.
///
/// Entries are subjects and may hold wildcards. Those of `subscribe_…` may be a subject, blanks and
/// a queue, which may hold wildcards too (`jobs.> workers.*`): they are for members of such queues.
struct permission_lists {
    std::vector<std::string> publish_allow{};
    std::vector<std::string> publish_deny{};
    std::vector<std::string> subscribe_allow{};
    std::vector<std::string> subscribe_deny{};
    /// When set, an empty `publish_allow` allows nothing but answers. 0 stands for the default.
    std::optional<response_permission> allow_responses{};
    friend bool operator==(const permission_lists&, const permission_lists&) = default;
};

/// Decides what a user may publish, subscribe to and receive. Immutable, to be shared by all
/// connections of a user. A decision allocates nothing.
///
/// Subjects that are reserved for everybody (`_R_.`, `$NRG.`, `_GR_.`) and answers under
/// `allow_responses`, which depend on what was delivered before, are the session's business.
///
/// Threads: any.
/// Source:  "Authorization" in the NATS docs; where it is silent, nats-server v2.15.2.
class permissions {
public:
    /// Errors: `errc::invalid_permission`, with nats-server's words as the detail:
    ///         `subject "a..b" is not a valid subject`, `queue "…" is not a valid queue`.
    [[nodiscard]] static result<std::shared_ptr<const permissions>> make(permission_lists lists);
    ~permissions();
    permissions(const permissions&) = delete;
    permissions& operator=(const permissions&) = delete;

    [[nodiscard]] bool may_publish(std::string_view subject) const noexcept;

    /// `queue` is empty for a plain subscription.
    ///
    /// The lists take the subject of the subscription as if it were literal: `foo.*` is allowed
    /// by `foo.>`, but `foo.>` by `foo.*` as well, for `>` is one token. Who may subscribe to
    /// `foo.*` gets `foo.a.b` then, unless `foo.*.>` is denied. An entry for a queue that matches
    /// the subject of a queue subscription decides alone about it.
    [[nodiscard]] bool may_subscribe(std::string_view subject,
                                     std::string_view queue) const noexcept;

    /// True when some messages of this subscription may have to be withheld: it has a wildcard and
    /// overlaps something denied, which does not refuse it. Ask `denies_delivery` for each then.
    [[nodiscard]] bool needs_delivery_filter(std::string_view subject) const noexcept;

    /// Must a message to this literal subject not go to a subscription with this queue?
    [[nodiscard]] bool denies_delivery(std::string_view subject,
                                       std::string_view queue) const noexcept;

    [[nodiscard]] const std::optional<response_permission>& allow_responses() const noexcept {
        return lists_.allow_responses;
    }

    /// As they were handed over, with the defaults of `allow_responses` filled in.
    [[nodiscard]] const permission_lists& lists() const noexcept { return lists_; }

private:
    struct rules;
    explicit permissions(permission_lists lists);

    permission_lists lists_;
    std::unique_ptr<rules> rules_;
};

/// The same lists, hence the same decisions.
[[nodiscard]] inline bool operator==(const permissions& a, const permissions& b) {
    return a.lists() == b.lists();
}

} // namespace pipit::auth
