// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/exports_imports.hpp>
#include <pipit/broker/hash.hpp>
#include <pipit/broker/latency_metric.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace pipit::broker {

/// A request that went from one account to another, for as long as it may be answered.
struct service_response {
    std::string subject; ///< Where the answer comes, in the exporter's account: `_R_.…`; while it
                         ///< waits, only who keeps it knows that.
    account_id exporter{}; ///< Who answers.
    account_id importer{}; ///< Who asked.
    std::string reply;     ///< Where the importer wants the answer.
    std::string requested; ///< What the importer published to.
    bool share = false;
    std::shared_ptr<const service_export> service; ///< Null: none that says more.
    std::unique_ptr<request_measurement> measured; ///< Null: it is not measured.

    [[nodiscard]] nanoseconds threshold() const noexcept {
        return service ? service->response_threshold : limits::response_threshold;
    }
    [[nodiscard]] response_type type() const noexcept {
        return service ? service->response : response_type::singleton;
    }
};

/// The requests of one loop that wait for answers from other accounts.
///
/// Bounded by time, as each export says, and by number: beyond it one of the account that has most
/// is given up, so that nobody pays for somebody else's.
class service_responses {
public:
    explicit service_responses(std::size_t most) noexcept : most_(most) {}

    [[nodiscard]] bool empty() const noexcept { return by_subject_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return by_subject_.size(); }

    void add(service_response response, steady_time now);
    /// Lifetime: until it is taken. It has no subject meanwhile.
    [[nodiscard]] service_response* find(bytes_view subject) noexcept;
    /// It was answered and may be again: its time begins anew.
    void renew(bytes_view subject, steady_time now);
    /// Removes and returns it; nothing when it is not there.
    std::optional<service_response> take(bytes_view subject);

    /// The subjects of those that want their answers there; `reply` may be a pattern, and then at
    /// most `limits::pending_responses_scanned` are looked at.
    [[nodiscard]] std::vector<std::string> waiting_for(account_id importer, bytes_view reply) const;

    /// When the next one is given up.
    [[nodiscard]] std::optional<steady_time> next_deadline() const noexcept;
    /// Takes one whose time has passed, or which is one too many.
    std::optional<service_response> take_due(steady_time now);

    /// `visit(subject, response)`
    template <class Visit>
    void for_each(Visit visit) const {
        for (const auto& [subject, known] : by_subject_) visit(subject, known.response);
    }

private:
    // Each text is kept once: the subject as a key of `by_subject_`, the reply in its response.
    using deadline_map = std::multimap<steady_time, const std::string*>;
    using reply_map = std::multimap<bytes_view, const std::string*>;
    struct entry {
        service_response response;
        deadline_map::iterator deadline;
        reply_map::iterator waits;
    };

    std::size_t most_;
    std::unordered_map<std::string, entry, text_hash, std::equal_to<>> by_subject_;
    deadline_map deadlines_;                   ///< To the subjects.
    std::map<account_id, reply_map> by_reply_; ///< Of each importer; to the subjects.
};

} // namespace pipit::broker
