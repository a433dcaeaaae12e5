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

int open_for_appending(const std::string& path) noexcept {
    return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, permissions);
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
    const auto size = ::fstat(descriptor, &facts) == 0 ? facts.st_size : 0;
    return log_file(std::move(options), descriptor, size);
}

log_file::log_file(log_file_options options, int descriptor, std::int64_t size) noexcept
    : options_(std::move(options)), descriptor_(descriptor), size_(size) {}

log_file::log_file(log_file&& other) noexcept
    : options_(std::move(other.options_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_) {}

log_file::~log_file() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void log_file::append(std::string_view line, const log_prefix& prefix, wall_time now) {
    const auto written = ::write(descriptor_, line.data(), line.size());
    if (written > 0) size_ += written;
    if (options_.size_limit > 0 && size_ > options_.size_limit) rotate(prefix, now);
}

void log_file::rotate(const log_prefix& prefix, wall_time now) {
    const auto backup = backup_name(options_.path, now);
    if (::rename(options_.path.c_str(), backup.c_str()) != 0) return;
    const auto descriptor = open_for_appending(options_.path);
    if (descriptor < 0) return; // The renamed file goes on taking the lines.
    ::close(std::exchange(descriptor_, descriptor));
    const auto line =
        log_line(prefix, log_level::info, now, "Rotated log, backup saved as \"" + backup + "\"");
    size_ = std::max<std::int64_t>(::write(descriptor_, line.data(), line.size()), 0);
    if (options_.files_max > 0) remove_old_files(prefix, now);
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
        const auto line =
            log_line(prefix, log_level::info, now, "Purged log file \"" + backups[i] + "\"");
        size_ += std::max<std::int64_t>(::write(descriptor_, line.data(), line.size()), 0);
    }
}

} // namespace pipit::server
