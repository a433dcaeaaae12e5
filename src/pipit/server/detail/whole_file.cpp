// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/whole_file.hpp>

#include <pipit/base/assert.hpp>
#include <pipit/net/read_file.hpp>
#include <pipit/server/error.hpp>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace pipit::server::detail {
namespace {

error unusable(const std::string& path, int reason) {
    return {errc::unusable_file, path + ": " + std::strerror(reason)};
}

constexpr std::string_view partial_extension = ".tmp";

/// Two threads may replace the same file.
std::string partial_name(const std::string& path) {
    static std::atomic<std::uint64_t> last = 0;
    return path + "." + std::to_string(++last) + std::string(partial_extension);
}

/// A file; with `O_DIRECTORY`, a folder.
result<> sync(const std::string& path, int flags) {
    const int opened = ::open(path.c_str(), flags | O_RDONLY | O_CLOEXEC);
    if (opened < 0) return unusable(path, errno);
    // There are file systems that know nothing of the kind.
    const bool is_synced = ::fsync(opened) == 0 || errno == EINVAL;
    const int failure = errno;
    ::close(opened);
    if (is_synced) return {};
    return unusable(path, failure);
}

/// Nothing is left of `beside`, whatever happens.
result<> rename_to(const std::string& beside, const std::string& path) {
    if (::rename(beside.c_str(), path.c_str()) == 0) return {};
    const int failure = errno;
    ::unlink(beside.c_str());
    return unusable(path, failure);
}

} // namespace

result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
    auto text = net::read_file(path, bytes_max);
    if (!text) return error(errc::unusable_file, std::string(text.error().detail()));
    return text;
}

result<std::string> write_beside(const std::string& path, bytes_view content, mode_t rights) {
    auto partial = partial_name(path);
    const int file = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, rights);
    if (file < 0) return unusable(partial, errno);
    auto rest = content;
    int failure = 0;
    while (!rest.empty() && failure == 0) {
        const auto written = ::write(file, rest.data(), rest.size());
        if (written > 0) {
            rest.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno != EINTR) {
            failure = errno;
        }
    }
    // Where a file system writes later, this is its last word. EINTR: it is closed.
    if (::close(file) != 0 && failure == 0 && errno != EINTR) failure = errno;
    if (failure == 0) return partial;
    ::unlink(partial.c_str());
    return unusable(path, failure);
}

result<> put_in_place(const std::string& beside, const std::string& path) {
    if (auto synced = sync(beside, 0); !synced) {
        ::unlink(beside.c_str());
        return synced;
    }
    return rename_to(beside, path);
}

result<> replace_file(const std::string& path, bytes_view content, mode_t rights, durability how) {
    PIPIT_ASSERT(how != durability::later); // Whoever wants that calls the halves.
    const auto beside = write_beside(path, content, rights);
    if (!beside) return beside.error();
    if (how != durability::full) return rename_to(*beside, path);
    if (auto placed = put_in_place(*beside, path); !placed) return placed;
    return sync_folder_of(path);
}

std::optional<std::filesystem::path> replaced_by(const std::filesystem::path& file) {
    if (file.extension() != partial_extension) return std::nullopt;
    auto numbered = file;
    numbered.replace_extension();
    const auto number = numbered.extension().string();
    const bool is_number =
        number.size() > 1 && number.find_first_not_of("0123456789", 1) == std::string::npos;
    if (!is_number) return std::nullopt;
    return numbered.replace_extension();
}

result<> sync_folder_of(const std::string& path) {
    const auto folder = std::filesystem::path(path).parent_path();
    return sync(folder.empty() ? "." : folder.string(), O_DIRECTORY);
}

result<> keep_file(const std::string& path, bytes_view content) {
    constexpr mode_t folder_rights = 0750;
    constexpr mode_t file_rights = 0600;
    const auto folder = std::filesystem::path(path).parent_path();
    if (!folder.empty() && ::mkdir(folder.c_str(), folder_rights) != 0 && errno != EEXIST) {
        return unusable(path, errno);
    }
    return replace_file(path, content, file_rights);
}

} // namespace pipit::server::detail
