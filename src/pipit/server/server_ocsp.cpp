// SPDX-License-Identifier: Apache-2.0
// What authorities say of certificates.
#include <pipit/base/base64.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/server/detail/server_state.hpp>
#include <pipit/server/detail/system_state.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/signals.hpp>

#include <csignal>
#include <unistd.h>

namespace pipit::server {
namespace {

certificate_facts facts_of(const std::string& der, const std::string& issuer) {
    return {.subject = certificate_subject(der),
            .issuer = certificate_subject(issuer),
            .fingerprint = certificate_fingerprint(der),
            .raw = to_base64(der)};
}

} // namespace

ocsp_dependencies server::state::ocsp_world() {
    return {.now = [] { return net::wall_now(); },
            .tell = [this](const ocsp_event& event) { tell_of_certificate(event); }};
}

/// Also after a reload: what is kept may be kept elsewhere from then on.
void server::state::configure_ocsp() {
    const bool is_used = asks_about_peers(options.tls) || asks_about_peers(options.websocket.tls);
    staples.begin(log);
    ocsp.configure(is_used ? std::optional(options.ocsp_cache) : std::nullopt, log);
}

result<std::shared_ptr<const tls_rules>>
server::state::tls_rules_of(const server_options& from, const std::optional<tls_options>& block,
                            bool allow_non_tls) {
    net::tls_server_parts parts;
    if (block) {
        auto staple = staples.prepare(from, *block, make_logger(sink, from));
        if (!staple && loops.empty()) return staple.error();
        if (!staple) { // A server that runs goes on without it, as nats-server does.
            log.warning("Can't restart OCSP features: " + std::string(staple.error().detail()));
        } else {
            parts.staple = *staple;
        }
    }
    if (asks_about_peers(block)) {
        log.debug("Plugging TLS OCSP peer for [Client]");
        if (!block->settings.verifies_peer) {
            return error(errc::invalid_configuration,
                         "OCSP peer verification for client connections requires TLS verify "
                         "(mTLS) to be enabled");
        }
        parts.judge = ocsp.judge(*block->ocsp_peer, block->timeout);
    }
    return make_tls_rules(block, allow_non_tls, std::move(parts));
}

/// As nats-server, whoever is there goes and nobody comes in any more, also in another program.
staple_service::dependencies server::state::staple_world() {
    return {.is_given_up = [this] { return is_ending || (setup.owns_process && is_told_to_end()); },
            .end_server =
                [this] {
                    ender.post([this] {
                        {
                            const std::lock_guard guard(administration);
                            shut_down();
                        }
                        // Wakes up who waits for signals.
                        if (setup.owns_process) ::kill(::getpid(), SIGTERM);
                    });
                }};
}

/// On a thread of the verifier's.
void server::state::tell_of_certificate(const ocsp_event& event) {
    if (!system || system->is_closing) return;
    const auto facts = system->facts();
    const auto peer = facts_of(event.peer, event.peer_issuer);
    const auto id = system->next_id();
    const auto subject = "$SYS.SERVER." + facts->identity.id + ".OCSP.PEER.";
    if (event.is_about_link) {
        publish(system->account, {.subject = subject + "LINK.INVALID",
                                  .body = ocsp_link_event(*facts, id, system->next_stamp(),
                                                          facts_of(event.link, event.link_issuer),
                                                          peer, event.reason)});
    } else {
        publish(system->account,
                {.subject = subject + "CONN.REJECT",
                 .body = ocsp_reject_event(*facts, id, system->next_stamp(), peer, event.reason)});
    }
}

} // namespace pipit::server
