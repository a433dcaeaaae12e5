// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/ocsp.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/net/tls_context.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace pipit::server {

/// A certificate of the server's own about which an authority is asked.
struct staple_subject {
    auth::ocsp_link link;
    std::vector<std::string> urls; ///< Where.
    std::string file;              ///< Of the certificate, for the log.
    std::string kept_in;           ///< A file for the answer; empty: none.
    bool ends_server = false;      ///< When it is called back.
};

/// How the rest of the world is reached; each waits for an answer.
struct staple_world {
    /// Without a body it is a GET. Errors: `errc::unusable_file`; the detail says why.
    std::function<result<std::string>(const std::string& url,
                                      const std::optional<std::string>& body)>
        fetch;
    std::function<wall_time()> now;
};

/// What an authority says of the server's own certificate, for those who connect.
///
/// Threads: `now` is for all; the others for one at a time.
class ocsp_staple final : public net::tls_staple {
public:
    ocsp_staple(staple_subject about, staple_world world)
        : about_(std::move(about)), world_(std::move(world)) {}

    /// Null as soon as it does not hold any more; then `when_late` is called, once until the next
    /// answer.
    [[nodiscard]] std::shared_ptr<const std::string> now() const override;
    /// Called on any thread. Before the first connection.
    void when_late(std::function<void()> call) { when_late_ = std::move(call); }

    /// What is known or kept in the file, if it holds; else the authority is asked.
    /// Errors: as `ask`.
    [[nodiscard]] result<auth::ocsp_answer> find();
    /// Asks the authority. What was known stays when that fails.
    /// Errors: `errc::unusable_file`; the detail says why.
    [[nodiscard]] result<auth::ocsp_answer> ask();

    /// Another one has taken its place: it is not asked for any more.
    void retire() noexcept { is_retired_ = true; }
    [[nodiscard]] bool is_retired() const noexcept { return is_retired_; }

    /// How long the answer needs not be asked for again.
    [[nodiscard]] nanoseconds rest() const;
    [[nodiscard]] const staple_subject& about() const noexcept { return about_; }

private:
    result<std::string> fetch() const;
    result<auth::ocsp_answer> read(const std::string& der) const;
    void take(std::string der, const auth::ocsp_answer& answer);

    const staple_subject about_;
    const staple_world world_;
    std::function<void()> when_late_;
    mutable std::mutex lock_;
    std::shared_ptr<const std::string> der_;
    std::optional<auth::ocsp_answer> answer_;
    mutable bool is_late_ = false;
    std::atomic<bool> is_retired_ = false;
};

} // namespace pipit::server
