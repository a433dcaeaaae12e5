// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/log.hpp>
#include <pipit/base/time.hpp>
#include <pipit/server/ocsp_staple.hpp>
#include <pipit/server/options.hpp>
#include <pipit/server/task_thread.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace pipit::server {

/// What authorities say of a server's own certificates: asked for when a configuration wants it
/// shown, and again in time.
///
/// Threads: one; authorities are asked again on another.
class staple_service {
public:
    struct dependencies {
        /// Nobody waits for an authority any more. Threads: all.
        std::function<bool()> is_given_up;
        /// The certificate was called back: nobody may come in by it. On a thread of the service's,
        /// which it does not hold up.
        std::function<void()> end_server;
    };
    explicit staple_service(dependencies its) : its_(std::move(its)) {}

    /// For a listener of a configuration that is to be obeyed. Nothing: none is shown.
    /// Errors: the files' and the authorities'; it has to be shown and is not good.
    [[nodiscard]] result<std::shared_ptr<ocsp_staple>>
    prepare(const server_options& from, const tls_options& block, const logger& log);
    /// That configuration is not obeyed.
    void forget_prepared() { prepared_.clear(); }
    /// It is obeyed from now on: those of the one before are not asked for any more.
    void begin(const logger& log);
    /// Ends as soon as everything is given up.
    void stop() { keeper_.stop(); }

private:
    void renew_later(const std::shared_ptr<ocsp_staple>& staple, nanoseconds after,
                     const logger& log);
    bool renew(ocsp_staple& staple, const logger& log);

    const dependencies its_;
    std::vector<std::shared_ptr<ocsp_staple>> shown_;
    std::vector<std::shared_ptr<ocsp_staple>> prepared_;
    task_thread keeper_{"ocsp staples"};
};

} // namespace pipit::server
