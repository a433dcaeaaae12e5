// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/ports_file.hpp>

#include <pipit/protocol/json_writer.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/host_port.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pipit::server {
namespace {

std::vector<std::string> urls_of(const listening_place& place,
                                 const std::vector<std::string>& addresses) {
    const auto url = [&](std::string_view host) {
        return place.scheme + "://" + join_host_port(host, place.port);
    };
    const auto is_everywhere = place.host.empty() || place.host == "0.0.0.0" || place.host == "::";
    if (!is_everywhere || addresses.empty()) return {url(place.host)};
    std::vector<std::string> urls;
    for (const auto& address : addresses) urls.push_back(url(address));
    return urls;
}

} // namespace

std::string ports_json(const std::vector<listening_place>& places,
                       const std::vector<std::string>& addresses) {
    std::string text;
    protocol::json_writer json(text);
    json.begin_object();
    for (const auto& place : places) json.member(place.kind, urls_of(place, addresses));
    json.end_object();
    return text;
}

std::string ports_file_path(std::string_view folder, int pid) {
    std::string path(folder);
    if (!path.ends_with('/')) path += '/';
    return path + "nats-server_" + std::to_string(pid) + ".ports";
}

namespace {

constexpr mode_t usual_rights = 0660;

result<> write_to(const std::string& path, std::string_view contents, int how, mode_t rights) {
    const auto failed = [&](std::string_view step) {
        return error(errc::unusable_file,
                     std::string(step) + " " + path + ": " + system_reason(errno));
    };
    const auto descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, rights);
    if (descriptor < 0) return failed("open");
    const auto written = ::write(descriptor, contents.data(), contents.size());
    const auto is_whole = written == static_cast<ssize_t>(contents.size());
    if (written >= 0 && !is_whole) errno = ENOSPC;
    auto outcome = is_whole ? result<>() : result<>(failed("write"));
    // Whoever waits for it must not believe half a one.
    struct stat facts {};
    const bool is_file = ::fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode);
    if (!is_whole && is_file) ::unlink(path.c_str());
    ::close(descriptor);
    return outcome;
}

/// Not by `detail::replace_file`: no start waits for the disk, as a power cut ends what is told of.
bool replace_file(const std::string& path, std::string_view contents) {
    struct stat facts {};
    const bool is_there = ::lstat(path.c_str(), &facts) == 0;
    if (is_there && !S_ISREG(facts.st_mode)) return false;
    const auto partial = path + ".tmp";
    ::unlink(partial.c_str()); // A crash has left it. What somebody puts there now is not followed.
    const auto rights = is_there ? facts.st_mode & 0777 : usual_rights;
    if (!write_to(partial, contents, O_EXCL, rights)) return false;
    if (::rename(partial.c_str(), path.c_str()) == 0) return true;
    ::unlink(partial.c_str());
    return false;
}

} // namespace

result<> write_file(const std::string& path, std::string_view contents) {
    if (replace_file(path, contents)) return {};
    // A pipe or a link, or a file of ours in a folder that is not.
    return write_to(path, contents, O_TRUNC, usual_rights);
}

} // namespace pipit::server
