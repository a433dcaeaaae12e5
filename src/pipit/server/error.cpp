// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/error.hpp>

#include <pipit/base/errc_category.hpp>

namespace pipit::server {
namespace {

const char* sentence(errc value) {
    switch (value) {
    case errc::invalid_configuration: return "The configuration is not valid";
    case errc::invalid_command_line: return "The command line is not valid";
    case errc::unknown_flag: return "The command line has a flag that is not known";
    case errc::reload_not_supported: return "The change needs a restart";
    case errc::invalid_request: return "The request is not valid";
    case errc::login_refused: return "The login is refused";
    case errc::proxy_required: return "A proxy is required";
    case errc::unusable_file: return "A file cannot be opened, read or written";
    case errc::no_account: return "There is no such account";
    }
    return "An unknown error of the server";
}

} // namespace

error_code make_error_code(errc value) noexcept {
    static constinit const errc_category<errc> category("pipit.server", sentence);
    return {static_cast<int>(value), category};
}

} // namespace pipit::server
