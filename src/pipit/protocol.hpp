// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/protocol/client_protocol.hpp>
#include <pipit/protocol/client_session.hpp>
#include <pipit/protocol/connect.hpp>
#include <pipit/protocol/error.hpp>
#include <pipit/protocol/headers.hpp>
#include <pipit/protocol/info.hpp>
#include <pipit/protocol/nuid.hpp>
#include <pipit/protocol/parser.hpp>
#include <pipit/protocol/server_address.hpp>
#include <pipit/protocol/server_protocol.hpp>
#include <pipit/protocol/subject.hpp>
#include <pipit/protocol/writer.hpp>

/// NATS without any I/O, for programs that have an event loop of their own. What is used most is
/// in `pipit::` too, everything is in `pipit::protocol::`.
namespace pipit {

using protocol::client_options;
using protocol::client_protocol;
using protocol::headers;
using protocol::parse_server_url;
using protocol::publication;
using protocol::server_address;
using protocol::server_protocol;
using protocol::sid;

} // namespace pipit
