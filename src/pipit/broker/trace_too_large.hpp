// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/parse_report.hpp>
#include <pipit/broker/schedule.hpp>
#include <pipit/broker/session.hpp>

namespace pipit::broker {

struct broker_state;

/// Publishes the event about a message that is too large, when what came of its headers behind its
/// line asks for one.
/// Source: ADR-41; nats-server, which ends the connection without waiting for the rest.
void trace_too_large(broker_state& state, session& from, const parse_stop& stop, moment now);

} // namespace pipit::broker
