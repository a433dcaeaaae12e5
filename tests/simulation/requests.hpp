// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "worlds.hpp"

#include <map>
#include <string>

/// Requests to responders that come and go: each has one outcome, an answer or the 503.
namespace pipit::sim {

/// Has the responder subscribe to `svc` now and then, in a group.
void come_and_go(world& world, client& responder);

/// How often each of the requests had an outcome, by its inbox.
using outcomes = std::map<std::string, int>;

/// Counts what the requester gets, and connects it with these options.
void count_outcomes(client& requester, outcomes& counted, const std::string& options = {});

/// Asks again and again.
void ask_now_and_then(world& world, client& requester, const std::string& subject);

/// Complains about each request that had not one outcome.
void judge(const outcomes& counted, complaints& found);

} // namespace pipit::sim
