// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/authorization_jwt.hpp>
#include <pipit/auth/jwt.hpp>

#include <boost/json/object.hpp>

#include <string>

/// What stands in a token's payload. `wrong` says what is not what it must be, if something is.
namespace pipit::auth::detail {

/// What all kinds have, and which kind it is.
void read_common_claims(const boost::json::object& payload, jwt_claims& to, std::string& wrong);

void read_claims(const boost::json::object& payload, user_jwt& to, std::string& wrong);
void read_claims(const boost::json::object& payload, account_jwt& to, std::string& wrong);
void read_claims(const boost::json::object& payload, operator_jwt& to, std::string& wrong);
void read_claims(const boost::json::object& payload, activation_jwt& to, std::string& wrong);
void read_claims(const boost::json::object& payload, generic_jwt& to, std::string& wrong);
void read_claims(const boost::json::object& payload, authorization_request_jwt& to,
                 std::string& wrong);
void read_claims(const boost::json::object& payload, authorization_response_jwt& to,
                 std::string& wrong);

} // namespace pipit::auth::detail
