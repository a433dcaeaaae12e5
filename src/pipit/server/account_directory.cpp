// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/account_directory.hpp>

#include <pipit/auth/jwt.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/server/detail/jwt_file.hpp>
#include <pipit/server/detail/whole_file.hpp>
#include <pipit/server/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <unistd.h>
#include <unordered_set>

namespace pipit::server {
namespace {

constexpr std::string_view extension = ".jwt";
constexpr mode_t file_rights = 0640;

error unusable(const std::string& path, int reason) {
    return {errc::unusable_file, path + ": " + std::strerror(reason)};
}

void combine(auth::sha256_digest& with, const auth::sha256_digest& other) {
    for (std::size_t i = 0; i < with.size(); ++i) with[i] ^= other[i];
}

/// The account whose JWT this file holds; nothing when its name is no account's.
std::optional<std::string> account_of_file(const std::filesystem::path& path) {
    const auto name = path.filename().string();
    if (!name.ends_with(extension)) return std::nullopt;
    auto account = name.substr(0, name.size() - extension.size());
    if (!auth::is_public_key(account, auth::nkey_prefix::account)) return std::nullopt;
    return account;
}

} // namespace

result<std::unique_ptr<account_directory>> account_directory::open(settings chosen, wall_time now) {
    std::error_code failed;
    std::filesystem::create_directories(chosen.folder, failed);
    if (failed) return unusable(chosen.folder, failed.value());
    std::unique_ptr<account_directory> made(new account_directory(std::move(chosen)));
    if (auto read = made->reload(now); !read) return read.error();
    return made;
}

result<std::vector<std::string>> account_directory::reload(wall_time now) {
    struct found {
        std::string account;
        tracked about; ///< Not its JWT: all of a folder together are large.
    };
    std::vector<found> all;
    std::unordered_set<std::string> as_before; // Unreadable, or not in their place yet.
    for (const auto& [account, beside] : staged_) as_before.insert(account);
    std::vector<std::string> problems;
    std::error_code failed;
    for (std::filesystem::directory_iterator at(settings_.folder, failed), end;
         !failed && at != end; at.increment(failed)) {
        const auto account = account_of_file(at->path());
        if (!account || as_before.contains(*account)) continue;
        auto jwt = detail::read_jwt_file(at->path().string());
        if (!jwt) {
            problems.emplace_back(jwt.error().detail());
            as_before.insert(*account);
        } else if (*jwt && !(*jwt)->empty()) {
            all.push_back({*account, described(**jwt, now)});
        }
    }
    if (failed) return unusable(settings_.folder, failed.value());

    problems_ = std::move(problems);
    std::unordered_map<std::string, auth::sha256_digest> before;
    for (const auto& account : accounts()) {
        if (as_before.contains(account)) continue;
        before.emplace(account, tracked_.at(account).hash);
        untrack(account);
    }
    std::vector<std::string> changed;
    for (const auto& [account, about] : all) {
        track(account, about);
        const auto old = before.find(account);
        if (old == before.end() || old->second != tracked_.at(account).hash) {
            changed.push_back(account);
        }
    }
    return changed;
}

void account_directory::remove_partial_files() const {
    std::error_code failed;
    for (std::filesystem::directory_iterator at(settings_.folder, failed), end;
         !failed && at != end; at.increment(failed)) {
        const auto whole = detail::replaced_by(at->path());
        if (whole && account_of_file(*whole)) ::unlink(at->path().c_str());
    }
}

account_directory::~account_directory() { (void)sync(); }

/// Nothing: it is not there.
result<std::optional<std::string>> account_directory::read(const std::string& account) const {
    const auto staged = staged_.find(account);
    return detail::read_jwt_file(staged == staged_.end() ? path_of(account) : staged->second);
}

std::string account_directory::path_of(const std::string& account) const {
    return settings_.folder + "/" + account + std::string(extension);
}

account_directory::tracked account_directory::described(const std::string& jwt,
                                                        wall_time now) const {
    tracked made;
    made.hash = auth::sha256(jwt);
    if (settings_.ttl != nanoseconds(0)) {
        made.until = now + settings_.ttl;
    } else if (const auto claims = auth::decode_account_jwt(jwt)) {
        made.until = auth::end_of(*claims);
    }
    return made;
}

void account_directory::track(const std::string& account, tracked added) {
    untrack(account);
    added.use = uses_.insert(uses_.end(), account);
    combine(hash_, added.hash);
    tracked_.emplace(account, added);
}

void account_directory::untrack(const std::string& account) {
    const auto found = tracked_.find(account);
    if (found == tracked_.end()) return;
    combine(hash_, found->second.hash);
    uses_.erase(found->second.use);
    tracked_.erase(found);
    const auto staged = staged_.find(account);
    if (staged == staged_.end()) return;
    ::unlink(staged->second.c_str());
    staged_.erase(staged);
}

void account_directory::touch(const std::string& account, wall_time now) {
    const auto found = tracked_.find(account);
    if (found == tracked_.end()) return;
    if (settings_.ttl != nanoseconds(0)) found->second.until = now + settings_.ttl;
    uses_.splice(uses_.end(), uses_, found->second.use);
}

result<std::optional<std::string>> account_directory::load(const std::string& account,
                                                           wall_time now) {
    if (!auth::is_public_key(account, auth::nkey_prefix::account)) {
        return error(errc::unusable_file, "invalid public key");
    }
    auto jwt = read(account);
    if (jwt && *jwt) touch(account, now);
    return jwt;
}

result<bool> account_directory::save(const std::string& account, const std::string& jwt,
                                     wall_time now, durability how) {
    if (!auth::is_public_key(account, auth::nkey_prefix::account) || jwt.empty()) {
        return error(errc::unusable_file, "invalid public key");
    }
    const auto known = tracked_.find(account);
    bool says_the_same = false;
    if (known != tracked_.end()) {
        touch(account, now);
        // Somebody may have removed it.
        const bool is_there =
            staged_.contains(account) || ::access(path_of(account).c_str(), F_OK) == 0;
        says_the_same = is_there && known->second.hash == auth::sha256(jwt);
        if (says_the_same && known->second.kept >= how) return false;
    } else if (settings_.limit != 0 && tracked_.size() >= settings_.limit) {
        if (!settings_.evicts) return error(errc::unusable_file, "jwt store is full");
        const auto oldest = uses_.front();
        if (::unlink(path_of(oldest).c_str()) != 0 && errno != ENOENT) {
            return unusable(path_of(oldest), errno);
        }
        untrack(oldest);
    }
    auto about = described(jwt, now);
    about.kept = how;
    if (how == durability::later) {
        auto beside = detail::write_beside(path_of(account), jwt, file_rights);
        if (!beside) return beside.error();
        track(account, about);
        staged_.emplace(account, std::move(*beside));
    } else {
        const auto written = detail::replace_file(path_of(account), jwt, file_rights, how);
        if (!written) return written.error();
        track(account, about);
    }
    return !says_the_same;
}

result<bool> account_directory::save_if_newer(const std::string& account, const std::string& jwt,
                                              wall_time now, durability how) {
    const auto claims = auth::decode_account_jwt(jwt);
    if (!claims) return claims.error();
    if (claims->subject != account) {
        return error(errc::no_account, "jwt subject nkey and provided nkey do not match");
    }
    const auto existing = read(account);
    if (!existing) return existing.error(); // What is there may be newer.
    if (*existing) {
        const auto old = auth::decode_account_jwt(**existing);
        if (old && (old->id == claims->id || old->issued_at > claims->issued_at)) return false;
    }
    return save(account, jwt, now, how);
}

result<> account_directory::sync() {
    result<> first;
    do {
        const auto more = sync_next();
        if (!more && first) first = more.error();
    } while (has_staged()); // A failure, too, takes one out of them.
    return first;
}

result<bool> account_directory::sync_next() {
    auto done = staged_.empty() ? result<>() : place_next();
    if (staged_.empty() && folder_is_behind_) {
        const auto synced = detail::sync_folder_of(path_of({}));
        folder_is_behind_ = synced.has_error();
        if (done && !synced) done = synced;
    }
    if (!done) return done.error();
    return has_staged();
}

result<> account_directory::place_next() {
    const auto next = staged_.begin();
    const auto account = next->first;
    auto placed = detail::put_in_place(next->second, path_of(account));
    staged_.erase(next);
    if (placed) {
        folder_is_behind_ = true;
        return placed;
    }
    untrack(account);
    const auto old = detail::read_jwt_file(path_of(account));
    if (old && *old && !(*old)->empty()) track(account, described(**old, net::wall_now()));
    return placed;
}

result<> account_directory::remove(const std::string& account) {
    const auto path = path_of(account);
    const bool is_renamed = settings_.when_deleted == deletion::rename;
    if (const auto staged = staged_.find(account); is_renamed && staged != staged_.end()) {
        (void)detail::put_in_place(staged->second, path); // What stays is the newest.
        staged_.erase(staged);
    }
    const int failed =
        is_renamed ? ::rename(path.c_str(), (path + ".deleted").c_str()) : ::unlink(path.c_str());
    if (failed != 0 && errno != ENOENT) return unusable(path, errno);
    untrack(account);
    // Who hears that it is gone, does not see it again after a power cut.
    return detail::sync_folder_of(path);
}

void account_directory::expire(wall_time now) {
    std::vector<std::string> over;
    for (const auto& [account, known] : tracked_) {
        if (known.until && *known.until <= now) over.push_back(account);
    }
    for (const auto& account : over) {
        if (::unlink(path_of(account).c_str()) == 0 || errno == ENOENT) untrack(account);
    }
}

std::vector<std::string> account_directory::accounts() const {
    std::vector<std::string> all;
    all.reserve(tracked_.size());
    for (const auto& [account, known] : tracked_) all.push_back(account);
    std::sort(all.begin(), all.end());
    return all;
}

// --- As a resolver ---

void directory_resolver::fetch(const std::string& account, answer then) {
    auto loaded = directory_->load(account, net::wall_now());
    if (!loaded) return then(loaded.error());
    // A power cut may have left a part of what a cache kept: others have all of it.
    const bool is_usable = *loaded && (!ask_others_ || auth::decode_account_jwt(**loaded));
    if (is_usable) return then(std::move(**loaded));
    if (!ask_others_) return then(error(errc::no_account, "account jwt not found"));
    ask_others_(account, std::move(then));
}

result<> directory_resolver::store(const std::string& account, const std::string& jwt) {
    // What a cache loses, it fetches again.
    const auto how = directory_->how().evicts ? durability::none : durability::full;
    const auto saved = directory_->save_if_newer(account, jwt, net::wall_now(), how);
    if (!saved) return saved.error();
    return {};
}

} // namespace pipit::server
