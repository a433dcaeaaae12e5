// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/log.hpp>
#include <pipit/base/time.hpp>
#include <pipit/net/event_loop.hpp>
#include <pipit/server/ocsp_authorities.hpp>

#include <functional>
#include <optional>
#include <string>

/// How authorities are reached: over HTTP, each answer bounded. No error says a URL, which may be
/// somebody's secret.
namespace pipit::server {

/// GET, on the loop's thread; `then` is called there, later.
void fetch_from_responder(net::event_loop& loop, const std::string& url, nanoseconds timeout,
                          ocsp_authorities::fetched then);

/// What a staple is asked for by: a POST, or a GET without a body. Waits for the answer, or until
/// `is_given_up` says so. Errors: `errc::unusable_file`; the detail says why.
[[nodiscard]] result<std::string> fetch_staple(const std::string& url,
                                               const std::optional<std::string>& body,
                                               const logger& log,
                                               const std::function<bool()>& is_given_up);

} // namespace pipit::server
