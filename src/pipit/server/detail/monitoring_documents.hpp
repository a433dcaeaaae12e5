// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/protocol/json_writer.hpp>
#include <pipit/server/detail/monitoring_request.hpp>
#include <pipit/server/monitoring.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// One function per document: what is asked for goes in, the answer comes out.
namespace pipit::server {

using protocol::json_writer;

/// Of the documents that people read, as nats-server's.
inline constexpr std::string_view page_indent = "  ";

using request_counts = std::map<std::string, std::uint64_t, std::less<>>;

struct document_request {
    parameters& query;
    const collect_function& collect;
    const request_counts& counts; ///< By path; this request is counted already.
    const std::string& base_path;
    const logger& log;
    bool as_message = false; ///< For the system account: it has no status code beside it.
    /// Statistics of these accounts only; empty: of all.
    std::span<const std::string> only_accounts = {};
};

using document = net::http_response(const document_request&);

document root_page;
document varz;
document connz;
document subsz;
document accountz;
document accstatz;
document healthz;
document routez;
document leafz;
document gatewayz;
document jsz;
document raftz;
document ipqueuesz;
document stacksz;
document debug_vars;
document metrics;

/// `base_path` and `path` as one.
[[nodiscard]] std::string joined_path(std::string_view base_path, std::string_view path);

[[nodiscard]] net::http_response json_answer(std::string body, int status = 200);
[[nodiscard]] net::http_response text_answer(int status, std::string text);
/// 400 with the reader's words.
[[nodiscard]] net::http_response bad_request(const std::string& problem);
/// 503: the server did not answer in time.
[[nodiscard]] net::http_response unavailable(const error& why);

// What the documents share. "Total" is over all loops.

[[nodiscard]] broker::broker_statistics total_statistics(const monitoring_snapshot& snapshot);
/// One per configured account, in the configuration's order.
[[nodiscard]] std::vector<broker::account_snapshot>
total_accounts(const monitoring_snapshot& snapshot);

[[nodiscard]] const broker::account_configuration*
account_named(const broker::configuration& configuration, std::string_view name);
/// Empty for a number that is not configured any more.
[[nodiscard]] std::string_view account_name(const broker::configuration& configuration,
                                            broker::account_id id);
/// What an account is called, and what people call it.
struct account_names {
    std::string_view name;
    std::string_view tag;
};
/// Empty for a number that is not configured any more.
[[nodiscard]] account_names named_account(const broker::configuration& configuration,
                                          broker::account_id id);
[[nodiscard]] std::string_view account_tag(const broker::configuration& configuration,
                                           std::string_view name);
[[nodiscard]] std::string_view system_account_name(const broker::configuration& configuration);

/// A part of a list.
struct page_part {
    std::uint64_t offset = 0;
    std::uint64_t limit = 0;
};
/// The loops' lists stand one behind the other: which part of each is on the page.
[[nodiscard]] std::vector<page_part> parts_of_page(std::span<const std::uint64_t> totals,
                                                   page_part page);

/// What several documents say about a set of subscriptions.
void write_index_statistics(json_writer& json, const broker::broker_statistics& statistics);

/// nats-server's flags with what was configured. They are about JetStream; a tool may look for
/// them.
[[nodiscard]] std::map<std::string, bool>
merged_feature_flags(const std::map<std::string, bool>& configured);

/// As it is shown: between a micro- and a millisecond, in whole microseconds.
[[nodiscard]] nanoseconds shown_round_trip(nanoseconds round_trip) noexcept;

/// The members of an account's statistics.
void write_account_statistics(json_writer& json, const broker::account_snapshot& account,
                              account_names names);

/// What a server says about itself now and then, as an object.
[[nodiscard]] std::string statsz(const monitoring_snapshot& snapshot);

/// What `INFO` of the system account says about one, as an object.
[[nodiscard]] std::string account_information(const monitoring_snapshot& snapshot,
                                              const broker::account_configuration& account);

/// It says nothing of its account, if that is empty.
void write_subscription(json_writer& json, const broker::subscription_snapshot& subscription,
                        account_names account);

} // namespace pipit::server
