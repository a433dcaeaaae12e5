// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/ocsp.hpp>
#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/log.hpp>
#include <pipit/server/ocsp_options.hpp>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace pipit::server {

/// An authority's answer that is kept.
struct kept_ocsp_answer {
    std::string subject;                                   ///< For people.
    std::string cached_at;                                 ///< RFC 3339.
    auth::ocsp_status status = auth::ocsp_status::unknown; ///< For the statistics; not signed.
    std::string expires;                                   ///< As `cached_at`.
    std::string answer;                                    ///< As it came.
    std::uint64_t order = 0;                               ///< Of coming.
};
using kept_ocsp_answers = std::map<std::string, kept_ocsp_answer>;

/// The file of them, which nats-server can read, and which it writes. What cannot be unpacked is
/// left out, and what is in it is not believed: each answer is checked as if it just came.
/// Errors: `errc::unusable_file`.
[[nodiscard]] result<kept_ocsp_answers> read_ocsp_answers(bytes_view file);
[[nodiscard]] std::string write_ocsp_answers(const kept_ocsp_answers& answers);

struct ocsp_statistics {
    std::int64_t responses = 0;
    std::int64_t hits = 0;
    std::int64_t misses = 0;
    std::int64_t revokes = 0;
    std::int64_t goods = 0;
    std::int64_t unknowns = 0;
};

/// What authorities have said about the certificates of clients, by what a certificate's bytes come
/// to. In memory, and from time to time in a file. Bounded in number and bytes.
///
/// Threads: all.
class ocsp_cache {
public:
    ocsp_cache(ocsp_cache_options options, logger log);

    /// What is in the file. Trouble is logged.
    void load();
    /// The same as another one has it, which could not write that file.
    void continue_with(const ocsp_cache& other);
    /// Writes the file if anything has changed. Trouble is logged. False: it could not be written.
    bool save();

    [[nodiscard]] std::optional<std::string> find(const std::string& key);
    /// It was of no use: what was counted as a hit was a miss. One that was called back may stay.
    void remove(const std::string& key);
    void put(const std::string& key, kept_ocsp_answer answer);

    [[nodiscard]] ocsp_statistics statistics() const;
    [[nodiscard]] const ocsp_cache_options& options() const noexcept { return options_; }

    [[nodiscard]] std::string file() const;

private:
    void make_room(std::size_t bytes);
    void erase(kept_ocsp_answers::iterator one);

    const ocsp_cache_options options_;
    const logger log_;
    mutable std::mutex lock_;
    std::mutex saving_;
    kept_ocsp_answers answers_;
    std::size_t bytes_ = 0; ///< Of the answers.
    std::uint64_t last_order_ = 0;
    std::int64_t hits_ = 0;
    std::int64_t misses_ = 0;
    bool is_changed_ = false;
};

} // namespace pipit::server
