// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pipit::server {

/// What a power cut leaves of a file that has just been put in the place of another one.
enum class durability {
    none,    ///< Maybe the file before, or a part of the new one.
    content, ///< The file before, or all of the new one.
    full,    ///< The new one.
};

} // namespace pipit::server
