// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/assert.hpp>
#include <pipit/server/detail/monitoring_test_support.hpp>
#include <pipit/server/monitoring.hpp>

#include <boost/json/parse.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>

// The first line of the input is a request target; the rest is what clients sent: it goes into the
// names and subjects that documents show. Whatever it is, a document with status 200 that says it
// is JSON must be JSON, and asking twice must give the same.

namespace {

using namespace pipit;

server::monitoring_snapshot snapshot_with(std::string_view text) {
    auto snapshot = server::testing::empty_snapshot();
    auto session = server::testing::open_session(7, server::testing::account_a_id);
    session.name = session.language = session.version = session.user = text;
    session.subscription_count = 1;
    auto& subscription = snapshot.loops[0].subscriptions.page.emplace_back();
    subscription.account = session.account;
    subscription.client_id = session.client_id;
    subscription.subject = subscription.queue = subscription.sid = text;
    snapshot.loops[0].subscriptions.total = 1;
    snapshot.loops[1].sessions = {std::move(session), server::testing::open_session(8)};
    snapshot.server.command_line = {std::string(text)};
    snapshot.server.tags = {std::string(text)};
    return snapshot;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto line = input.find('\n');
    const auto target = input.substr(0, line);
    server::testing::monitored world;
    if (line != std::string_view::npos) world.snapshot = snapshot_with(input.substr(line + 1));

    const auto answer = world.get(target);
    PIPIT_ASSERT(answer.status == 200 || answer.status == 307 || answer.status == 400 ||
                 answer.status == 404);
    for (const auto& [name, value] : answer.headers) {
        PIPIT_ASSERT(value.find_first_of("\r\n") == std::string::npos);
    }
    // The dump for people carries this type too, as nats-server's does.
    const auto is_dump = answer.body.starts_with("No goroutines");
    if (answer.status == 200 && answer.content_type.starts_with("application/json") && !is_dump) {
        boost::system::error_code failed;
        static_cast<void>(boost::json::parse(answer.body, failed));
        PIPIT_ASSERT(!failed);
    }
    server::testing::monitored second;
    second.snapshot = world.snapshot;
    PIPIT_ASSERT(second.get(target).body == answer.body);
    return 0;
}
