// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/staple_service.hpp>

#include <pipit/auth/digest.hpp>
#include <pipit/base/hex.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/server/detail/monitoring_text.hpp>
#include <pipit/server/duration_text.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/ocsp_fetch.hpp>
#include <pipit/server/ocsp_peers.hpp>

#include <filesystem>
#include <utility>

namespace pipit::server {
namespace {

using policy = ocsp_staple_options::policy;
using auth::ocsp_status;

/// Whether there has to be something, and what becomes of a server whose certificate is called
/// back.
struct staple_wish {
    bool is_shown = false;
    bool ends_server = false;
};

staple_wish wish_of(const std::optional<ocsp_staple_options>& options, bool is_demanded) {
    switch (options ? options->mode : policy::automatic) {
    case policy::never: return {};
    case policy::always: return {true, true};
    case policy::must: return {is_demanded, is_demanded};
    case policy::automatic: break;
    }
    return {is_demanded, false};
}

/// Where an answer is kept: below the folder of the streams.
result<std::string> file_of(const std::string& store_dir, const std::string& certificate) {
    if (store_dir.empty()) return std::string();
    const auto folder = std::filesystem::path(store_dir) / "ocsp";
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    std::error_code unknown;
    if (failed && !std::filesystem::exists(folder, unknown)) {
        return error(errc::unusable_file,
                     "could not create OCSP storage directory - " + failed.message());
    }
    if (!std::filesystem::is_directory(folder, failed)) {
        return error(errc::unusable_file, "OCSP storage directory is not a directory");
    }
    const auto digest = auth::sha256(certificate);
    const bytes_view bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
    return (folder / to_hex(bytes)).string();
}

std::string next_text(const ocsp_staple& staple, const auth::ocsp_answer& answer) {
    return "good, next update " + rfc3339(answer.next_update) + ", checking again in " +
           duration_text(staple.rest());
}

} // namespace

result<std::shared_ptr<ocsp_staple>>
staple_service::prepare(const server_options& from, const tls_options& block, const logger& log) {
    auto settings = block.settings;
    const auto certificates = net::tls_context::own_certificates(settings);
    if (!certificates) return certificates.error();
    if (certificates->empty()) return std::shared_ptr<ocsp_staple>(); // Which the listener refuses.
    const auto& own = certificates->front();
    const auto is_demanded = auth::demands_staple(own);
    const auto wish = wish_of(from.ocsp, is_demanded);
    const auto file = settings.key_pairs.front().certificate_file;
    if (!wish.is_shown) {
        if (is_demanded && from.ocsp && from.ocsp->mode == policy::never) {
            log.warning("Certificate at '" + file + "' has MustStaple but OCSP is disabled");
        }
        return std::shared_ptr<ocsp_staple>();
    }
    const auto kept_in = file_of(from.store_dir, own);
    if (!kept_in) return kept_in.error();
    settings.verifies_peer = true; // Whom that trusts knows who has signed it.
    const auto verifying = net::tls_context::for_server(settings);
    if (!verifying) return verifying.error();
    const auto issuer = (*verifying)->issuer();
    if (!issuer) return error(errc::unusable_file, "no issuers found");
    if (!auth::is_authority(*issuer)) {
        return error(errc::unusable_file,
                     certificate_subject(*issuer) + " invalid ca basic constraints: is not ca");
    }
    auto urls = from.ocsp ? from.ocsp->urls : std::vector<std::string>();
    if (urls.empty()) urls = auth::ocsp_responders(own);
    const auto made = std::make_shared<ocsp_staple>(
        staple_subject{.link = {own, *issuer},
                       .urls = std::move(urls),
                       .file = file,
                       .kept_in = *kept_in,
                       .ends_server = wish.ends_server},
        staple_world{.fetch =
                         [this, log](const auto& url, const auto& body) {
                             return fetch_staple(url, body, log, its_.is_given_up);
                         },
                     .now = [] { return net::wall_now(); }});
    const auto answer = made->find();
    if (!answer) {
        return error(errc::unusable_file, "bad OCSP status update for certificate at '" + file +
                                              "': " + std::string(answer.error().detail()));
    }
    if (answer->status != ocsp_status::good && wish.ends_server) {
        return error(errc::unusable_file, "found existing OCSP status for certificate at '" + file +
                                              "': " + std::string(auth::text(answer->status)));
    }
    made->when_late([this, of = std::weak_ptr(made), log] {
        keeper_.post([this, of, log] {
            if (const auto staple = of.lock()) renew(*staple, log);
        });
    });
    prepared_.push_back(made);
    return made;
}

void staple_service::begin(const logger& log) {
    for (const auto& old : std::exchange(shown_, std::exchange(prepared_, {}))) old->retire();
    for (const auto& staple : shown_) {
        log.info("OCSP Stapling enabled for Client connections");
        const auto answer = staple->find();
        const bool is_good = answer && answer->status == ocsp_status::good;
        if (is_good) {
            log.info("Found OCSP status for Client certificate at '" + staple->about().file +
                     "': " + next_text(*staple, *answer));
        }
        renew_later(staple, is_good ? staple->rest() : nanoseconds{}, log);
    }
}

void staple_service::renew_later(const std::shared_ptr<ocsp_staple>& staple, nanoseconds after,
                                 const logger& log) {
    keeper_.post_at(net::steady_now() + after, [this, log, of = std::weak_ptr(staple)] {
        const auto still = of.lock();
        if (still && renew(*still, log)) renew_later(still, still->rest(), log);
    });
}

/// On the keeper's thread. False: it is not asked for again on its own.
bool staple_service::renew(ocsp_staple& staple, const logger& log) {
    if (staple.is_retired()) return false;
    const auto& about = staple.about();
    const auto answer = staple.ask();
    if (!answer && its_.is_given_up()) return true; // Which is no news of the authority.
    if (!answer) {
        log.error("Bad OCSP status update for certificate '" + about.file +
                  "': " + std::string(answer.error().detail()) + ", trying again in " +
                  duration_text(staple.rest()));
        return true;
    }
    const auto line = "Received OCSP status for Client certificate '" + about.file + "': ";
    if (answer->status == ocsp_status::good) {
        log.info(line + next_text(staple, *answer));
        return true;
    }
    log.error(line + std::string(auth::text(answer->status)));
    if (about.ends_server) its_.end_server();
    return false;
}

} // namespace pipit::server
