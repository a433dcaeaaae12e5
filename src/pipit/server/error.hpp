// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

namespace pipit::server {

/// What a server's driver can fail with. The error's detail is the complete text for people.
enum class errc {
    /// A configuration does not say something that can be obeyed; the detail has every place.
    invalid_configuration = 1,
    /// The command line does not; the detail is the text that nats-server would print.
    invalid_command_line,
    /// A word of it is no flag, or has no such value; nats-server shows its help then.
    unknown_flag,
    /// A changed option cannot be changed while the server runs.
    reload_not_supported,
    /// A file cannot be opened, read or written; the detail names it and says why.
    unusable_file,
    /// There is no such account, or its JWT cannot be believed; the detail is for the log.
    no_account,
    /// A request to the server itself cannot be read or obeyed; the detail says why.
    invalid_request,
    /// Who decides about a login, and was heard, says no; the detail is for the log.
    login_refused,
    /// Whoever logs in may come by a trusted proxy only, and does not.
    proxy_required,
};

[[nodiscard]] error_code make_error_code(errc value) noexcept;

} // namespace pipit::server

template <>
struct boost::system::is_error_code_enum<pipit::server::errc> : std::true_type {};
