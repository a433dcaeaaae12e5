// SPDX-License-Identifier: Apache-2.0
#include <commands/context_store.hpp>

#include <commands/program.hpp>

#include <pipit/base/nearest_name.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pipit::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t context_bytes_max =
    std::size_t{4} * 1024 * 1024; // Credentials may be inside.
constexpr std::size_t name_bytes_max = 4096;

/// A service or a job may have no $HOME. A program that is linked statically should not ask the C
/// library who its user is: other sources of users than the file are loaded at run time.
std::string home_of(const environment& variables) {
    if (auto home = variables("HOME").value_or(""); !home.empty()) return home;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> users(std::fopen("/etc/passwd", "re"),
                                                                std::fclose);
    while (const auto* const user = users ? ::fgetpwent(users.get()) : nullptr) {
        if (user->pw_uid == ::getuid()) return user->pw_dir;
    }
    return "/";
}

error invalid(const std::string& what) {
    return {make_error_code(boost::system::errc::invalid_argument), what};
}

/// Whether a file surely is not there; one that cannot be reached may be.
bool means_absent(int why) { return why == ENOENT || why == ENOTDIR || why == ENAMETOOLONG; }

/// Empty: there is no such file, or nothing is in it.
result<std::string> read_name(const std::string& path) {
    auto text = read_file(path, name_bytes_max);
    if (!text && means_absent(text.error().code().value())) return std::string();
    if (!text) return text.error();
    while (!text->empty() && (text->back() == '\n' || text->back() == ' ')) text->pop_back();
    if (text->empty() || is_valid_context_name(*text)) return text;
    return invalid(path + " does not hold the name of a context");
}

} // namespace

context_store::context_store(const environment& variables) {
    const auto configured = variables("XDG_CONFIG_HOME").value_or("");
    root_ = (configured.empty() ? home_of(variables) + "/.config" : configured) + "/nats";
}

result<std::vector<std::string>> context_store::names() const {
    std::vector<std::string> found;
    const auto folder = root_ + "/context";
    std::error_code failed;
    fs::directory_iterator each(folder, failed);
    if (failed == std::errc::no_such_file_or_directory) return found;
    for (; !failed && each != fs::directory_iterator(); each.increment(failed)) {
        const auto& file = each->path();
        if (file.extension() != ".json" || !is_valid_context_name(file.stem().string())) continue;
        std::error_code unreadable;
        if (each->is_regular_file(unreadable)) found.push_back(file.stem().string());
    }
    if (failed) {
        return error(error_code(failed.value(), boost::system::system_category()), folder);
    }
    std::sort(found.begin(), found.end());
    return found;
}

std::string context_store::path(const std::string& name) const {
    return root_ + "/context/" + name + ".json";
}

bool context_store::exists(const std::string& name) const {
    if (!is_valid_context_name(name)) return false;
    return ::access(path(name).c_str(), F_OK) == 0 || !means_absent(errno);
}

result<context_document> context_store::load(const std::string& name) const {
    const bool is_path = name.ends_with(".json") && ::access(name.c_str(), F_OK) == 0;
    if (!is_path && !exists(name)) return unknown_context(*this, name);
    const auto file = is_path ? name : path(name);
    const auto text = read_file(file, context_bytes_max);
    if (!text) return text.error();
    auto document = context_document::parse(*text);
    if (!document) return invalid(file + ": " + document.error().message());
    return document;
}

result<> context_store::save(const std::string& name, const context_document& document) const {
    if (!is_valid_context_name(name)) {
        return invalid("'" + name +
                       "' cannot be a context's name: it has a slash or '..', or is empty");
    }
    if (const auto made = make_folders(); !made) return made;
    return write_private_file(path(name), document.to_text());
}

result<> context_store::remove(const std::string& name) const {
    if (!exists(name)) return unknown_context(*this, name);
    if (::unlink(path(name).c_str()) != 0) return system_error(path(name));
    const auto chosen = selected();
    return chosen && *chosen == name ? select("") : result<>();
}

result<std::string> context_store::selected() const { return read_name(root_ + "/context.txt"); }

result<std::string> context_store::previous() const {
    return read_name(root_ + "/previous-context.txt");
}

result<> context_store::select(const std::string& name) const {
    if (!name.empty() && !exists(name)) return unknown_context(*this, name);
    if (const auto made = make_folders(); !made) return made;
    // One that cannot be read is replaced as if there were none.
    const auto before = selected();
    if (before && !before->empty() && *before != name) {
        if (const auto kept = write_private_file(root_ + "/previous-context.txt", *before); !kept) {
            return kept;
        }
    }
    return write_private_file(root_ + "/context.txt", name);
}

result<> context_store::make_folders() const {
    std::error_code failed;
    fs::create_directories(fs::path(root_).parent_path(), failed);
    for (const auto& folder : {root_, root_ + "/context"}) {
        if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return system_error(folder);
    }
    return {};
}

error unknown_context(const context_store& store, const std::string& name) {
    const auto names = store.names();
    if (!names) return names.error();
    if (names->empty()) {
        return invalid("there is no context '" + name +
                       "' and no other one; make one with: pipit context add " + name +
                       " --server nats://HOST:4222");
    }
    const auto nearest = nearest_name(name, {names->begin(), names->end()});
    auto text = "there is no context '" + name + "'";
    if (!nearest.empty()) return invalid(text + ". Did you mean '" + std::string(nearest) + "'?");
    text += "; there are:";
    for (const auto& each : *names) text += " " + each;
    return invalid(text);
}

} // namespace pipit::cli
