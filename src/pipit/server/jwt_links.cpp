// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/jwt_links.hpp>

#include <pipit/auth/revocations.hpp>
#include <pipit/protocol/subject.hpp>

#include <algorithm>
#include <array>

namespace pipit::server {
namespace {

using broker::account_configuration;

/// Of accounts that import from each other; more are not looked at for cycles.
constexpr std::size_t linked_accounts_max = 256;
/// As good as forever, and can be added to a time.
constexpr nanoseconds threshold_max = std::chrono::hours(24 * 365);

broker::response_type response_of(const std::string& text) {
    if (text == "Stream") return broker::response_type::stream;
    if (text == "Chunked") return broker::response_type::chunked;
    return broker::response_type::singleton;
}

broker::export_audience audience_of(const auth::jwt_export& one) {
    broker::export_audience audience;
    audience.account_token_position = static_cast<unsigned>(one.account_token_position);
    audience.activation_required = one.needs_token;
    return audience;
}

bool may_sign(const auth::account_jwt& account, const std::string& key) {
    return key == account.subject || account.signing_keys.contains(key);
}

/// The export that an import is of: as `broker::add_import` finds it, the one of exactly that name,
/// or else the first that covers it.
const auth::jwt_export* export_of(const auth::account_jwt& exporter, const std::string& subject,
                                  bool is_service) {
    const auth::jwt_export* first = nullptr;
    for (const auto& one : exporter.exports) {
        if (one.is_service != is_service) continue;
        if (one.subject == subject) return &one;
        if (first == nullptr && protocol::is_subset(subject, one.subject)) first = &one;
    }
    return first;
}

/// The exporter gave leave to this account, and has not taken it back.
bool is_activated(const auth::jwt_import& import, const std::string& importer,
                  const auth::account_jwt& exporter, const std::string& subject, wall_time now) {
    if (import.token.empty()) return false;
    const auto token = auth::decode_activation_jwt(import.token);
    if (!token || auth::time_of(*token, now) != auth::jwt_time::valid) return false;
    if (token->subject != importer || token->is_service != import.is_service) return false;
    const bool is_by_key = token->issuer_account.empty();
    if (is_by_key
            ? token->issuer != exporter.subject
            : token->issuer_account != exporter.subject || !may_sign(exporter, token->issuer)) {
        return false;
    }
    if (!protocol::is_subset(subject, token->import_subject)) return false;
    const auto* const exported = export_of(exporter, subject, import.is_service);
    return exported == nullptr ||
           !auth::is_revoked(exported->revocations, token->subject, token->issued_at);
}

/// An import ends with the token that allows it.
std::optional<wall_time> expiry_of(const auth::jwt_import& import, broker::activation token) {
    if (token != broker::activation::valid) return std::nullopt;
    const auto decoded = auth::decode_activation_jwt(import.token);
    return decoded ? auth::end_of(*decoded) : std::nullopt;
}

/// What the importer calls it, and the exporter.
struct import_names {
    std::string exported;
    std::string local;
};
import_names names_of(const auth::jwt_import& import) {
    if (!import.local_subject.empty()) return {import.subject, import.local_subject};
    if (import.to.empty()) return {import.subject, {}};
    // As it was written before there was `local_subject`.
    if (import.is_service) return {import.to, import.subject};
    return {import.subject, import.to + (import.to.ends_with('.') ? "" : ".") + import.subject};
}

/// The account and all that it imports from, directly or not: what a cycle can go through.
std::vector<account_configuration> with_exporters(const account_configuration& importer,
                                                  const std::set<std::string>& exporters,
                                                  const find_exporter& find) {
    std::vector<account_configuration> all{importer};
    std::vector<std::string> next(exporters.begin(), exporters.end());
    std::set<std::string> seen{importer.name};
    while (!next.empty() && all.size() < linked_accounts_max) {
        const auto name = std::move(next.back());
        next.pop_back();
        if (!seen.insert(name).second) continue;
        const auto known = find(name);
        if (known.config == nullptr) continue;
        all.push_back(*known.config);
        for (const auto& further : exporters_of(*known.claims)) next.push_back(further);
    }
    return all;
}

} // namespace

void add_exports(const auth::account_jwt& claims, account_configuration& to) {
    for (const auto& one : claims.exports) {
        if (!one.is_service) {
            to.stream_exports.push_back({one.subject, audience_of(one)});
            continue;
        }
        broker::service_export made;
        made.subject = one.subject;
        made.audience = audience_of(one);
        made.response = response_of(one.response_type);
        if (one.response_threshold != nanoseconds(0)) {
            made.response_threshold = std::min(one.response_threshold, threshold_max);
        }
        if (one.latency_sampling) {
            made.latency = broker::service_latency{.subject = one.latency_subject,
                                                   .sampling_percent = *one.latency_sampling};
        }
        made.allow_trace = one.allow_trace;
        to.service_exports.push_back(std::move(made));
    }
}

void add_system_exports(account_configuration& to) {
    constexpr unsigned account_token = 4;
    using broker::response_type;
    const std::array<broker::service_export, 4> defaults{
        {{.subject = "$SYS.REQ.ACCOUNT.*.CONNZ",
          .audience = {.account_token_position = account_token},
          .response = response_type::stream},
         {.subject = "$SYS.REQ.ACCOUNT.*.STATZ",
          .audience = {.account_token_position = account_token},
          .response = response_type::stream},
         {.subject = "$SYS.DEBUG.SUBSCRIBERS"},
         {.subject = "$SYS.REQ.USER.*.INFO"}}};
    for (const auto& each : defaults) {
        const auto covers = [&](const broker::service_export& own) {
            return protocol::is_subset(each.subject, own.subject);
        };
        if (std::ranges::none_of(to.service_exports, covers)) to.service_exports.push_back(each);
    }
}

std::set<std::string> exporters_of(const auth::account_jwt& claims) {
    std::set<std::string> names;
    for (const auto& import : claims.imports) names.insert(import.account);
    return names;
}

std::vector<import_problem> add_imports(const auth::account_jwt& claims, account_configuration& to,
                                        const find_exporter& find, wall_time now) {
    std::vector<import_problem> problems;
    if (claims.imports.empty()) return problems;
    auto accounts = with_exporters(to, exporters_of(claims), find);
    const broker::account_index index(accounts);
    const auto label = claims.name.empty() ? claims.subject : claims.subject + '/' + claims.name;
    const auto to_account = " import to account [" + label + "]: ";
    for (const auto& import : claims.imports) {
        const std::string kind = import.is_service ? "service" : "stream";
        const auto refuse = [&](const std::string& why) {
            problems.push_back(
                {std::string("Error adding ").append(kind).append(to_account).append(why)});
        };
        const auto exporter = find(import.account);
        if (exporter.config == nullptr) {
            problems.push_back({"Can't locate account [" + import.account + "] for import of [" +
                                    import.subject + "] " + kind,
                                import.account});
            continue;
        }
        const auto names = names_of(import);
        auto subjects = broker::import_subjects::make(names.exported, names.local);
        if (!subjects) {
            refuse(std::string(subjects.error().detail()));
            continue;
        }
        const auto token =
            is_activated(import, claims.subject, *exporter.claims, names.exported, now)
                ? broker::activation::valid
                : broker::activation::absent;
        const auto id = exporter.config->id;
        const auto expires = expiry_of(import, token);
        const auto problem =
            import.is_service
                ? broker::add_import(
                      index, to.id,
                      broker::service_import{id, std::move(*subjects), import.share, expires},
                      token)
                : broker::add_import(
                      index, to.id,
                      broker::stream_import{id, std::move(*subjects), import.allow_trace, expires},
                      token);
        if (!problem.empty()) refuse(problem);
    }
    to = std::move(accounts.front());
    return problems;
}

} // namespace pipit::server
