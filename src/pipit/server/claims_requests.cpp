// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/claims_requests.hpp>

#include <pipit/net/clock.hpp>
#include <pipit/protocol/json_writer.hpp>
#include <pipit/server/error.hpp>

#include <algorithm>

namespace pipit::server {
namespace {

constexpr int ok = 200;
constexpr int internal_error = 500;

std::string why(const error& failure) {
    return failure.detail().empty() ? failure.message() : std::string(failure.detail());
}

} // namespace

// --- Answers ---

std::string claims_requests::answer(const std::string& account, const std::string& message) const {
    its_.log.debug(account.empty() ? message : message + " - " + account);
    std::string text;
    protocol::json_writer json(text);
    json.begin_object();
    json.json_member("server", its_.server_json());
    json.begin_object("data");
    json.optional_member("account", account);
    json.member("code", ok);
    json.member("message", message);
    json.end_object();
    json.end_object();
    return text;
}

std::string claims_requests::refusal(const std::string& account, const std::string& message,
                                     const std::string& reason) const {
    its_.log.error(message + (account.empty() ? "" : " - " + account) + " - " + reason);
    std::string text;
    protocol::json_writer json(text);
    json.begin_object();
    json.json_member("server", its_.server_json());
    json.begin_object("error");
    json.optional_member("account", account);
    json.member("code", internal_error);
    json.member("description", message + " - " + reason);
    json.end_object();
    json.end_object();
    return text;
}

// --- Updates ---

/// Keeps it in the folder, and obeys it.
result<> claims_requests::keep(const std::string& account, const std::string& jwt, bool if_newer) {
    auto& folder = *its_.directory;
    const auto now = net::wall_now();
    // What comes from other servers is there again at the next comparison.
    const auto saved = if_newer ? folder.save_if_newer(account, jwt, now, durability::later)
                                : folder.save(account, jwt, now);
    if (!saved) return saved.error();
    return *saved ? its_.accounts.update(account, jwt) : result<>();
}

std::string claims_requests::update(const std::string& account, const std::string& jwt) {
    return its_.directory == nullptr ? update_known(account, jwt) : update_folder(account, jwt);
}

/// Without a folder, only what is known already is obeyed; the rest will be fetched.
std::string claims_requests::update_known(const std::string& account, const std::string& jwt) {
    if (jwt.empty()) return refusal(account, "jwt update error", "request body is empty");
    const std::string failed = "jwt update resulted in error";
    const auto claims = auth::decode_account_jwt(jwt);
    if (!claims) return refusal(account, failed, why(claims.error()));
    if (claims->subject != account) {
        return refusal(account, failed, "subject does not match jwt content");
    }
    if (!its_.accounts.knows(account)) return answer(account, "jwt update skipped");
    if (const auto obeyed = its_.accounts.update(account, jwt); !obeyed) {
        return refusal(account, failed, why(obeyed.error()));
    }
    return answer(account, "jwt updated");
}

std::string claims_requests::update_folder(const std::string& account, const std::string& jwt) {
    const bool is_cache = its_.is_cache;
    const std::string update = is_cache ? "jwt update cache" : "jwt update";
    const std::string failed = update + " resulted in error";
    const auto claims = auth::decode_account_jwt(jwt);
    if (!claims) {
        return refusal(is_cache && !account.empty() ? account : "n/a", failed, why(claims.error()));
    }
    const auto& trust = its_.accounts.trust();
    const auto& name = claims->subject;
    if (!account.empty() && name != account) {
        return refusal(account, failed, "subject does not match jwt content");
    }
    if (trust.first_is_strict && claims->issuer == trust.first_operator) {
        return refusal(name, failed, "operator requires issuer to be a signing key");
    }
    if (is_cache && !its_.accounts.knows(name)) return answer(name, update + " skipped");
    // Who may not sign accounts does not get onto the disk either, and lets nobody look for what is
    // wrong with a JWT, which may take long.
    if (!trust.trusts(claims->issuer)) return refusal(name, failed, "account validation failed");
    if (const auto problem = auth::problem_of(*claims); !problem.empty()) {
        return refusal(name, is_cache ? update + " validation failed" : "jwt validation failed",
                       "validation errors: [" + problem + "]");
    }
    if (const auto kept = keep(name, jwt, false); !kept) {
        return refusal(name, failed, why(kept.error()));
    }
    return answer(name, is_cache ? "jwt updated cache" : "jwt updated");
}

// --- What is there ---

std::optional<std::string> claims_requests::lookup(const std::string& account) {
    const auto found = its_.directory->load(account, net::wall_now());
    if (!found) {
        its_.log.error("DirResolver - Error looking up account \"" + account +
                       "\": " + why(found.error()));
        return std::nullopt;
    }
    return found->value_or("");
}

std::string claims_requests::list() {
    const auto accounts = its_.directory->accounts();
    its_.log.debug("list request responded with " + std::to_string(accounts.size()) +
                   " account ids");
    std::string text;
    protocol::json_writer json(text);
    json.begin_object();
    json.member("data", accounts);
    json.json_member("server", its_.server_json());
    json.end_object();
    return text;
}

std::vector<std::string> claims_requests::pack(std::string_view hash) {
    auto& folder = *its_.directory;
    const auto& ours = folder.hash();
    std::vector<std::string> messages;
    const bool is_same = std::equal(
        hash.begin(), hash.end(), ours.begin(), ours.end(),
        [](char theirs, std::uint8_t our) { return static_cast<std::uint8_t>(theirs) == our; });
    if (!is_same) {
        const auto now = net::wall_now();
        for (const auto& account : folder.accounts()) {
            const auto jwt = folder.load(account, now);
            if (jwt && *jwt && !(*jwt)->empty()) messages.push_back(account + "|" + **jwt);
        }
    }
    messages.emplace_back();
    return messages;
}

void claims_requests::merge(const std::string& pack) {
    for (std::string_view rest = pack; !rest.empty();) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (line.empty()) continue;
        const auto bar = line.find('|');
        const auto account = std::string(line.substr(0, bar));
        const auto jwt =
            bar == std::string_view::npos ? std::string() : std::string(line.substr(bar + 1));
        const auto claims = auth::decode_account_jwt(jwt);
        const bool is_trusted = claims && its_.accounts.trust().trusts(claims->issuer);
        const auto kept = is_trusted ? keep(account, jwt, true)
                                     : result<>(error(errc::no_account, "not a trusted JWT"));
        if (!kept) return fail_merging(kept.error());
    }
}

bool claims_requests::sync_next() {
    const auto more = its_.directory->sync_next();
    if (more) return *more;
    fail_merging(more.error());
    return its_.directory->has_staged(); // One that fails does not stop the others.
}

void claims_requests::fail_merging(const error& reason) const {
    its_.log.error("DirResolver - Merging resulted in error: " + why(reason));
}

// --- Deletions ---

std::string claims_requests::problem_of_removal(const auth::generic_jwt& request) const {
    const auto& trust = its_.accounts.trust();
    if (its_.directory->how().when_deleted == account_directory::deletion::none) {
        return "delete must be enabled in server config";
    }
    if (request.subject != request.issuer) return "not self signed";
    if (!trust.trusts(request.issuer)) return "not trusted";
    if (!request.accounts) return "malformed request";
    for (const auto& account : *request.accounts) {
        if (!auth::is_public_key(account, auth::nkey_prefix::account)) return "malformed request";
        if (account == trust.system_account) return "not allowed to delete system account";
    }
    return {};
}

std::string claims_requests::remove(const std::string& request) {
    const auto claims = auth::decode_generic_jwt(request);
    const auto subject = claims ? claims->subject : std::string();
    const auto problem = claims ? problem_of_removal(*claims) : why(claims.error());
    if (!problem.empty()) {
        return refusal("", "delete accounts request by " + subject + " failed", problem);
    }
    std::size_t done = 0;
    std::string failures;
    std::size_t failed = 0;
    for (const auto& account : *claims->accounts) {
        if (const auto removed = its_.directory->remove(account); !removed) {
            failures += (failures.empty() ? "" : "\n") + why(removed.error());
            ++failed;
            continue;
        }
        its_.accounts.forget(account);
        ++done;
    }
    const auto said = "deleted " + std::to_string(done) + " accounts";
    if (failed == 0) return answer("", said);
    return refusal("", said + ", failed for " + std::to_string(failed), failures);
}

} // namespace pipit::server
