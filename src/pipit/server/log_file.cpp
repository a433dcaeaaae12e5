// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/error.hpp>
#include <pipit/server/log_file.hpp>

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace pipit::server {
namespace {

/// As nats-server.
constexpr mode_t permissions = 0640;

/// Never waits, also not for somebody to read a pipe: lines for a reader that comes later are kept
/// there.
int open_for_appending(const std::string& path) noexcept {
    constexpr int flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    const auto descriptor = ::open(path.c_str(), O_WRONLY | flags, permissions);
    if (descriptor >= 0 || errno != ENXIO) return descriptor;
    return ::open(path.c_str(), O_RDWR | flags, permissions);
}

std::vector<std::string> backups_of(const std::string& folder, std::string_view file) {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(folder.c_str()), ::closedir);
    if (!entries) return names;
    while (const auto* entry = ::readdir(entries.get())) {
        if (is_backup_name(file, entry->d_name)) names.emplace_back(entry->d_name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace

result<log_file> log_file::open(log_file_options options) {
    const auto descriptor = open_for_appending(options.path);
    if (descriptor < 0) {
        return error(errc::unusable_file,
                     "error opening file: open " + options.path + ": " + system_reason(errno));
    }
    struct stat facts {};
    const bool is_known = ::fstat(descriptor, &facts) == 0;
    // A pipe or a device would lose its name.
    if (is_known && !S_ISREG(facts.st_mode)) options.size_limit = 0;
    return log_file(std::move(options), descriptor, is_known ? facts.st_size : 0);
}

log_file::log_file(log_file_options options, int descriptor, std::int64_t size)
    : options_(std::move(options)),
      out_(descriptor),
      size_(size),
      rotated_at_(options_.size_limit) {}

std::string log_file::failure() const {
    return "The log file " + options_.path + " takes no lines: " + out_.why();
}

void log_file::append(std::string_view line, const log_prefix& prefix, wall_time now) {
    write(line, prefix, now);
    if (rotated_at_ > 0 && size_ > rotated_at_) rotate(prefix, now);
}

void log_file::write(std::string_view line, const log_prefix& prefix, wall_time now) {
    size_ += static_cast<std::int64_t>(out_.write(line, prefix, now));
}

void log_file::rotate(const log_prefix& prefix, wall_time now) {
    const auto backup = backup_name(options_.path, now);
    // One that somebody has moved away or removed is begun again.
    const bool is_there = ::rename(options_.path.c_str(), backup.c_str()) == 0;
    if (!is_there && errno != ENOENT) return put_off_rotation("rename ", prefix, now);
    const auto descriptor = open_for_appending(options_.path);
    if (descriptor < 0) {
        const auto why = errno;
        if (is_there) (void)::rename(backup.c_str(), options_.path.c_str());
        errno = why;
        return put_off_rotation("open ", prefix, now);
    }
    out_.go_on_with(descriptor);
    size_ = 0;
    rotated_at_ = options_.size_limit;
    if (!is_there) return;
    write(log_line(prefix, log_level::info, now, "Rotated log, backup saved as \"" + backup + "\""),
          prefix, now);
    if (options_.files_max > 0) remove_old_files(prefix, now);
}

void log_file::put_off_rotation(const std::string& action, const log_prefix& prefix,
                                wall_time now) {
    const auto why = action + options_.path + ": " + system_reason(errno);
    rotated_at_ = size_ + options_.size_limit;
    write(log_line(prefix, log_level::error, now,
                   "Unable to rotate the log (" + why + "), it is tried again at size " +
                       std::to_string(rotated_at_)),
          prefix, now);
}

void log_file::remove_old_files(const log_prefix& prefix, wall_time now) {
    const auto slash = options_.path.rfind('/');
    const auto has_folder = slash != std::string::npos;
    const auto folder = has_folder ? options_.path.substr(0, slash + 1) : std::string("./");
    const auto backups =
        backups_of(folder, has_folder ? options_.path.substr(slash + 1) : options_.path);
    const auto kept = static_cast<std::size_t>(options_.files_max - 1);
    for (std::size_t i = 0; i + kept < backups.size(); ++i) {
        if (::unlink((folder + backups[i]).c_str()) != 0) return; // The next rotation tries again.
        write(log_line(prefix, log_level::info, now, "Purged log file \"" + backups[i] + "\""),
              prefix, now);
    }
}

} // namespace pipit::server
