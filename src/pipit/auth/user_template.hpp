// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/jwt.hpp>
#include <pipit/base/error.hpp>

namespace pipit::auth {

/// The rights of a user whose JWT was issued by a scoped signing key: those of the key's template,
/// with what stands between `{{` and `}}` filled in.
///
/// `name()`, `subject()`, `account-name()`, `account-subject()`, `tag(x)`, `account-tag(x)`; a tag
/// with several values makes several subjects. An allowed subject that cannot be made is left out;
/// when none is left where there were some, everything is denied.
/// Errors: `errc::invalid_jwt`: a denied subject that cannot be made, an unknown word, more than
///         `limits::template_subjects` subjects.
[[nodiscard]] result<user_rights> fill_template(const user_rights& scope, const user_jwt& user,
                                                const account_jwt& account);

} // namespace pipit::auth
