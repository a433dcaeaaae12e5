// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/broker/configuration.hpp>
#include <pipit/server/options.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace pipit::server {

/// Gives each account's name a number and counters, which it keeps over reloads, also when it was
/// gone.
///
/// Threads: all.
class account_numbers {
public:
    [[nodiscard]] broker::account_id number_of(const std::string& name);
    /// Gives an account what belongs to its name.
    void identify(broker::account_configuration& account);

private:
    struct entry {
        broker::account_id id{};
        std::shared_ptr<broker::account_counters> counters =
            std::make_shared<broker::account_counters>();
    };
    [[nodiscard]] entry entry_of(const std::string& name);

    std::mutex lock_;
    std::map<std::string, entry> entries_;
};

/// What brokers are told of validated options.
///
/// `identity` brings what only the running server knows: its id and xkey, the port that is really
/// bound, and the URLs of its listener. Name, version and advertised host come from the options.
/// Errors: those of permissions and mappings that somebody put together without a configuration.
[[nodiscard]] result<std::shared_ptr<const broker::configuration>>
broker_configuration(const server_options& options, broker::server_identity identity,
                     account_numbers& numbers);

} // namespace pipit::server
