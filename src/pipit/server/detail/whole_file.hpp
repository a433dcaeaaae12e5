// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/server/durability.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

/// Small files that are read and written as a whole.
namespace pipit::server::detail {

/// How long somebody may take to write a whole file to us (a FIFO, `<(…)` of a shell).
inline constexpr nanoseconds file_patience = std::chrono::seconds(5);

/// A whole file; of one that is larger than allowed, a byte more than that, so that the caller sees
/// that it is too much. Errors: `errc::unusable_file`; the detail is as Go's: `open <path>: <why>`,
/// and `errno` says why.
[[nodiscard]] result<std::string> read_file(const std::string& path, std::size_t bytes_max,
                                            nanoseconds patience = file_patience);

/// Puts a file in the place of another one, or nothing at all: a file is whole, or was never there.
/// `rights` are those of a new file; `how`: on the disk when this returns. Errors:
/// `errc::unusable_file`.
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
