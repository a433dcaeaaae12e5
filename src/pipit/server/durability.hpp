// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pipit::server {

/// What a power cut leaves of a file that has just been saved in the place of another one.
enum class durability {
    none,  ///< Maybe the file before, or a part of the new one.
    later, ///< The file before, and the new one when there was time to wait for the disk.
    full,  ///< The new one.
};

} // namespace pipit::server
