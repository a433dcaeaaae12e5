// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/limits.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/account_id.hpp>
#include <pipit/broker/import_subjects.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pipit::broker {

struct account_configuration;

/// Who may import an export. When nothing of this is said, everybody may.
struct export_audience {
    std::vector<account_id> accounts; ///< These may.
    /// From 1: this token of the export is a `*`, for which an importer has to write its own name.
    /// 0: none.
    unsigned account_token_position = 0;
    bool activation_required = false; ///< Who brings an activation token may.
    friend bool operator==(const export_audience&, const export_audience&) = default;
};

struct stream_export {
    std::string subject;
    export_audience audience;
    friend bool operator==(const stream_export&, const stream_export&) = default;
};

/// How many answers a request gets: one; any number; any number, of which the last is empty.
enum class response_type : std::uint8_t { singleton, stream, chunked };

/// What is told about the time that requests take.
struct service_latency {
    std::string subject;        ///< Of the exporter; it gets the metrics.
    int sampling_percent = 100; ///< 0: only of requests whose headers ask for it.
    friend bool operator==(const service_latency&, const service_latency&) = default;
};

struct service_export {
    std::string subject;
    export_audience audience;
    response_type response = response_type::singleton;
    nanoseconds response_threshold = limits::response_threshold; ///< An answer may take so long.
    std::optional<service_latency> latency;
    bool allow_trace = false; ///< A traced request is traced in this account too.
    friend bool operator==(const service_export&, const service_export&) = default;
};

/// Messages of the exporter that subscribers of the importer get.
struct stream_import {
    account_id exporter{};
    import_subjects subjects;
    bool allow_trace = false;
    std::optional<wall_time> expires = std::nullopt; ///< With its activation token.
    friend bool operator==(const stream_import&, const stream_import&) = default;
};

/// Requests that the importer publishes and the exporter gets.
struct service_import {
    account_id exporter{};
    import_subjects subjects;
    bool share = false;                              ///< The exporter is told who asks.
    std::optional<wall_time> expires = std::nullopt; ///< With its activation token.
    friend bool operator==(const service_import&, const service_import&) = default;
};

/// Whether the importer brings a valid activation token (only JWTs do).
enum class activation : std::uint8_t { absent, valid };

/// Accounts by their numbers. Made once for many imports: to make it costs as much as to look at
/// all accounts. They outlive it, where they are.
class account_index {
public:
    account_index(std::vector<account_configuration>& accounts);
    /// Null: there is none.
    [[nodiscard]] account_configuration* find(account_id id) const noexcept;

private:
    std::unordered_map<account_id, account_configuration*> by_id_;
};

/// Adds an import to the account of that number, if the exporter exports it to this account and
/// if it forms no cycle with the imports that are there. Says in nats-server's words why not, e.g.
/// `stream import not authorized` or `import forms a cycle`; empty: it was added.
///
/// All exports of `accounts` have to be there before the first import is added.
[[nodiscard]] std::string add_import(const account_index& accounts, account_id importer,
                                     stream_import import, activation token = activation::absent);
[[nodiscard]] std::string add_import(const account_index& accounts, account_id importer,
                                     service_import import, activation token = activation::absent);

/// What is wrong with an export, in nats-server's words; empty: nothing.
[[nodiscard]] std::string problem_of(std::string_view subject, const export_audience& audience);

/// The service of an account that a request to `subject` reaches: the export of exactly this
/// subject, else the first whose pattern covers it; null: none.
[[nodiscard]] const service_export* service_of(const account_configuration& exporter,
                                               std::string_view subject) noexcept;

} // namespace pipit::broker
