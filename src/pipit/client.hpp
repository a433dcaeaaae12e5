// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client/blocking_connection.hpp>
#include <pipit/client/connection.hpp>
#include <pipit/client/error.hpp>
#include <pipit/protocol/error.hpp>

/// A NATS client: `connection` on Boost.Asio, `blocking_connection` for programs without a loop.
namespace pipit {

using client::blocking_connection;
using client::blocking_subscription;
using client::connection;
using client::connection_event;
using client::connection_options;
using client::headers;
using client::message;
using client::publish_options;
using client::replies;
using client::request_many_options;
using client::request_options;
using client::subscribe_options;
using client::subscription;
using client::subscription_statistics;
using client::when_full;
using protocol::replies_end;

namespace event = client::event;

/// What the protocol says (`errc::no_responders`, `errc::timeout`, …), and what the client does.
using errc = protocol::errc;
using client_errc = client::errc;

} // namespace pipit
