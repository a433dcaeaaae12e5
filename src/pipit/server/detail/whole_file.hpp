// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>
#include <pipit/server/durability.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

/// Small files that are read and written as a whole.
namespace pipit::server::detail {

/// `net::read_file`. Errors: `errc::unusable_file`.
[[nodiscard]] result<std::string> read_file(const std::string& path, std::size_t bytes_max);

/// Puts a file in the place of another one, or nothing at all: a file is whole, or was never there.
/// `rights` are those of a new file; `how`: `full`, on the disk when this returns, or `none`.
/// Errors: `errc::unusable_file`.
[[nodiscard]] result<> replace_file(const std::string& path, bytes_view content, mode_t rights,
                                    durability how = durability::full);
/// The first half of it, which does not wait for the disk: a file beside the other one. Returns its
/// path.
[[nodiscard]] result<std::string> write_beside(const std::string& path, bytes_view content,
                                               mode_t rights);
/// The second half: the file is on the disk then, but for the folder. Errors:
/// `errc::unusable_file`; the file beside is gone then.
[[nodiscard]] result<> put_in_place(const std::string& beside, const std::string& path);
/// Which file one was to replace that a crash has left; nothing: it is no such file.
[[nodiscard]] std::optional<std::filesystem::path> replaced_by(const std::filesystem::path& file);
/// What was renamed or removed there stays so after a power cut. Errors: `errc::unusable_file`.
[[nodiscard]] result<> sync_folder_of(const std::string& path);
/// The same for the owner's eyes alone, and makes the last folder of the path.
[[nodiscard]] result<> keep_file(const std::string& path, bytes_view content);

} // namespace pipit::server::detail
