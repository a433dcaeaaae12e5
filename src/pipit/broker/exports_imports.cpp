// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/exports_imports.hpp>

#include <pipit/broker/configuration.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/protocol/subject.hpp>

#include <algorithm>
#include <set>

namespace pipit::broker {
namespace {

using protocol::is_subset;
using protocol::quoted;

constexpr std::string_view missing_account = "account missing";
constexpr std::string_view invalid_subject = "invalid subject";
constexpr std::string_view forms_a_cycle = "import forms a cycle";
constexpr std::string_view too_deep = "search cycle depth exhausted";

/// The export that answers for an import of `subject`, and whether it is of exactly that name.
template <class Export>
const Export* export_for(const std::vector<Export>& exports, std::string_view subject,
                         bool& exact) {
    auto found = std::ranges::find(exports, subject, &Export::subject);
    exact = found != exports.end();
    if (!exact) {
        found = std::ranges::find_if(
            exports, [&](const Export& each) { return is_subset(subject, each.subject); });
    }
    return found == exports.end() ? nullptr : &*found;
}

template <class Export>
bool is_authorized(const std::vector<Export>& exports, std::string_view subject,
                   const account_configuration& importer, activation token) {
    if (!protocol::is_valid_subject(subject)) return false;
    bool exact = false;
    const auto* exported = export_for(exports, subject, exact);
    if (exported == nullptr) return false;
    const auto& audience = exported->audience;
    if (audience.account_token_position != 0) {
        if (exact) return false; // It says `*` where its own name is asked for.
        unsigned position = 0;
        for (const auto name : protocol::tokens(subject)) {
            if (++position == audience.account_token_position) return name == importer.name;
        }
        return false;
    }
    if (audience.activation_required) return token == activation::valid;
    if (audience.accounts.empty()) return true;
    return std::ranges::find(audience.accounts, importer.id) != audience.accounts.end();
}

/// Follows the imports from account to account. As nats-server, it remembers where it has been on
/// all branches together.
class cycle_search {
public:
    cycle_search(const account_index& accounts, account_id importer) : accounts_(accounts) {
        visited_.insert(importer);
    }

    /// Empty: there is none.
    std::string_view of_services(account_id at, std::string_view local) {
        const auto* of = accounts_.find(at);
        if (of == nullptr) return {};
        if (visited_.size() >= limits::import_search_depth) return too_deep;
        for (const auto& import : of->service_imports) {
            const auto& subjects = import->subjects;
            if (!protocol::subjects_collide(local, subjects.exported())) continue;
            if (visited_.contains(import->exporter)) return forms_a_cycle;
            visited_.insert(at);
            const std::string next(is_subset(subjects.local(), local) ? subjects.local() : local);
            if (const auto found = of_services(import->exporter, next); !found.empty())
                return found;
        }
        return {};
    }

    std::string_view of_streams(account_id at, std::string_view local) {
        const auto* of = accounts_.find(at);
        if (of == nullptr) return {};
        if (visited_.size() >= limits::import_search_depth) return too_deep;
        const auto exports_it = [&](const stream_export& each) {
            return is_subset(local, each.subject);
        };
        if (std::ranges::none_of(of->stream_exports, exports_it)) return {};
        for (const auto& import : of->stream_imports) {
            const auto& subjects = import->subjects;
            if (!protocol::subjects_collide(local, subjects.local())) continue;
            if (visited_.contains(import->exporter)) return forms_a_cycle;
            visited_.insert(at);
            const std::string next(is_subset(subjects.local(), local) ? subjects.local() : local);
            if (const auto found = of_streams(import->exporter, next); !found.empty()) return found;
        }
        return {};
    }

private:
    const account_index& accounts_;
    std::set<account_id> visited_;
};

} // namespace

account_index::account_index(std::vector<account_configuration>& accounts) {
    by_id_.reserve(accounts.size());
    for (auto& each : accounts) by_id_.emplace(each.id, &each);
}

account_configuration* account_index::find(account_id id) const noexcept {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

std::string add_import(const account_index& accounts, account_id importer, stream_import import,
                       activation token) {
    auto* to = accounts.find(importer);
    const auto* from = accounts.find(import.exporter);
    if (to == nullptr || from == nullptr) return std::string(missing_account);
    const auto& subjects = import.subjects;
    if (!is_authorized(from->stream_exports, subjects.exported(), *to, token)) {
        return "stream import not authorized";
    }
    for (const auto& name : {subjects.local(), subjects.exported()}) {
        const auto found = cycle_search(accounts, importer).of_streams(import.exporter, name);
        if (!found.empty()) return std::string(found);
    }
    for (const auto& each : to->stream_imports) {
        const bool same =
            each->exporter == import.exporter && each->subjects.exported() == subjects.exported();
        if (same) return "stream import already exists";
    }
    to->stream_imports.push_back(std::make_shared<const stream_import>(std::move(import)));
    return {};
}

std::string add_import(const account_index& accounts, account_id importer, service_import import,
                       activation token) {
    auto* to = accounts.find(importer);
    const auto* from = accounts.find(import.exporter);
    if (to == nullptr || from == nullptr) return std::string(missing_account);
    const auto& subjects = import.subjects;
    if (!protocol::is_valid_subject(subjects.local()) ||
        !protocol::is_valid_subject(subjects.exported())) {
        return std::string(invalid_subject);
    }
    if (!is_authorized(from->service_exports, subjects.exported(), *to, token)) {
        return "service import not authorized";
    }
    const auto found =
        cycle_search(accounts, importer).of_services(import.exporter, subjects.local());
    if (!found.empty()) return std::string(found);
    for (const auto& each : to->service_imports) {
        const bool same =
            each->exporter == import.exporter && each->subjects.local() == subjects.local();
        if (!same) continue;
        return "duplicate service import subject " + quoted(subjects.local()) +
               ", previously used in import for account " + quoted(from->name) + ", subject " +
               quoted(each->subjects.exported());
    }
    to->service_imports.push_back(std::make_shared<const service_import>(std::move(import)));
    return {};
}

std::string problem_of(std::string_view subject, const export_audience& audience) {
    if (audience.account_token_position == 0) return {};
    unsigned position = 0;
    for (const auto token : protocol::tokens(subject)) {
        if (++position == audience.account_token_position && token == "*") return {};
    }
    return std::string(invalid_subject);
}

const service_export* service_of(const account_configuration& exporter,
                                 std::string_view subject) noexcept {
    bool exact = false;
    return export_for(exporter.service_exports, subject, exact);
}

} // namespace pipit::broker
