// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/digest.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/server/account_resolver.hpp>
#include <pipit/server/durability.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pipit::server {

/// JWTs of accounts in a folder, as nats-server lays them: `<folder>/<account>.jwt`. What has
/// another name is left alone.
///
/// Threads: one.
class account_directory {
public:
    enum class deletion { none, rename, remove };
    struct settings {
        std::string folder;
        std::size_t limit = 0; ///< 0: none.
        bool evicts = false;   ///< At the limit the one used longest ago goes; else it is an error.
        nanoseconds ttl{};     ///< Since the last use; 0: until the JWT expires.
        deletion when_deleted = deletion::none;
    };

    /// Reads what is there; makes the folder. Errors: `errc::unusable_file`. What cannot be read is
    /// among the problems.
    [[nodiscard]] static result<std::unique_ptr<account_directory>> open(settings chosen,
                                                                         wall_time now);
    /// Waits for the disk for what was saved.
    ~account_directory();
    account_directory(const account_directory&) = delete;
    account_directory& operator=(const account_directory&) = delete;

    /// Nothing: it is not there. Errors: `errc::unusable_file`.
    [[nodiscard]] result<std::optional<std::string>> load(const std::string& account,
                                                          wall_time now);
    /// False: it says the same already. The file is whole or as before, also after a crash.
    /// What somebody is told of has to be `durability::full`. What is saved `later` stands in a
    /// file beside, and is read from there, until `sync_next` has put it in its place. Errors:
    /// `errc::unusable_file`, also at the limit.
    [[nodiscard]] result<bool> save(const std::string& account, const std::string& jwt,
                                    wall_time now, durability how = durability::full);
    /// The same, unless what is there was issued later.
    [[nodiscard]] result<bool> save_if_newer(const std::string& account, const std::string& jwt,
                                             wall_time now, durability how = durability::full);
    /// Waits for the disk for one of those that were saved with `durability::later`, so that others
    /// have their turns in between. False: all of them are `full` now. Errors:
    /// `errc::unusable_file`; that one is as before, and the others can still be waited for.
    [[nodiscard]] result<bool> sync_next();
    /// Some of those are not in their places yet.
    [[nodiscard]] bool has_staged() const noexcept { return !staged_.empty(); }
    /// Errors: `errc::unusable_file`; that it is not there is none.
    [[nodiscard]] result<> remove(const std::string& account);
    /// Removes the files of what is over.
    void expire(wall_time now);
    /// Reads the folder again. Returns whose JWT is another one now. What cannot be read now is as
    /// it was, and so is what `sync_next` has not put in its place yet, for which nobody waits
    /// here. Errors: `errc::unusable_file`; nothing has changed then.
    [[nodiscard]] result<std::vector<std::string>> reload(wall_time now);
    /// Files that could not be read the last time that the folder was, and why.
    [[nodiscard]] const std::vector<std::string>& problems() const noexcept { return problems_; }
    /// Removes what a crash has left of files that were being written.
    void remove_partial_files() const;

    /// The same for the same JWTs, whatever their order.
    [[nodiscard]] const auth::sha256_digest& hash() const noexcept { return hash_; }
    [[nodiscard]] std::vector<std::string> accounts() const;
    [[nodiscard]] std::size_t size() const noexcept { return tracked_.size(); }
    [[nodiscard]] const settings& how() const noexcept { return settings_; }

private:
    struct tracked {
        std::list<std::string>::iterator use; ///< In `uses_`.
        auth::sha256_digest hash{};
        std::optional<wall_time> until;
        durability kept = durability::none; ///< Who wrote what was found, is not known.
    };

    explicit account_directory(settings chosen) : settings_(std::move(chosen)) {}
    [[nodiscard]] result<std::optional<std::string>> read(const std::string& account) const;
    [[nodiscard]] result<> sync();
    [[nodiscard]] result<> place_next();
    [[nodiscard]] std::string path_of(const std::string& account) const;
    [[nodiscard]] tracked described(const std::string& jwt, wall_time now) const;
    void track(const std::string& account, tracked added);
    void untrack(const std::string& account);
    void touch(const std::string& account, wall_time now);

    settings settings_;
    std::unordered_map<std::string, tracked> tracked_;
    std::vector<std::string> problems_;
    std::list<std::string> uses_; ///< The one used longest ago first.
    auth::sha256_digest hash_{};
    /// What is to be put in its place: by the account, the file beside.
    std::unordered_map<std::string, std::string> staged_;
    bool folder_is_behind_ = false; ///< Some were put in their places since it was on the disk.
};

/// The accounts of a folder.
class directory_resolver final : public account_resolver {
public:
    explicit directory_resolver(std::unique_ptr<account_directory> directory)
        : directory_(std::move(directory)) {}

    void fetch(const std::string& account, answer then) override;
    [[nodiscard]] result<> store(const std::string& account, const std::string& jwt) override;
    [[nodiscard]] account_directory& directory() noexcept { return *directory_; }

    /// Asks other servers for an account that is not in the folder; their answer is kept there.
    using ask_function = std::function<void(const std::string& account, answer then)>;
    void ask_others_by(ask_function ask) { ask_others_ = std::move(ask); }

private:
    std::unique_ptr<account_directory> directory_;
    ask_function ask_others_; ///< Empty: there is nobody.
};

} // namespace pipit::server
