// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/error.hpp>

#include <pipit/base/errc_category.hpp>

namespace pipit::client {
namespace {

const char* sentence(errc value) {
    switch (value) {
    case errc::subscription_ended: return "the subscription has ended";
    case errc::would_deadlock: return "a callback of the connection must not wait for it";
    case errc::no_reply_subject: return "the message has no reply subject to answer to";
    case errc::callback_threw: return "a callback threw an exception";
    case errc::unusable_tls_options: return "the options for TLS cannot be used";
    case errc::unexpected_content_type: return "the message is of another content type";
    case errc::invalid_content: return "the payload cannot be read as what it should be";
    case errc::transfer_refused: return "the other end does not take the transfer";
    case errc::transfer_broken: return "a part of the transfer is missing or damaged";
    case errc::transfer_busy: return "the transfer does that already, or is finished";
    case errc::no_credentials_provider: return "no credentials_provider is set";
    case errc::made_before_fork:
        return "the connection is that of the process which this one was forked off from: make "
               "another one";
    case errc::transfer_cancelled: return "the other end gave up the transfer";
    }
    return "unknown client error";
}

} // namespace

error_code make_error_code(errc value) noexcept {
    static constinit const errc_category<errc> category("pipit.client", sentence);
    return {static_cast<int>(value), category};
}

} // namespace pipit::client
