// SPDX-License-Identifier: Apache-2.0
// Services that decide who comes in.
#include <pipit/net/clock.hpp>
#include <pipit/net/random_bytes.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/protocol/nuid.hpp>
#include <pipit/server/detail/server_state.hpp>

#include <algorithm>

namespace pipit::server {

void server::state::start_callout() {
    protocol::nuid names(random());
    callout_inbox = "$SYS._INBOX." + names.next().substr(0, 8);
    callout_dependencies its;
    its.keys = keys;
    its.configuration = [this] { return seen.configuration(); };
    its.tags = [this] {
        const std::lock_guard guard(seen.lock);
        return seen.server.tags;
    };
    its.now = [] { return net::wall_now(); };
    its.fill_randomly = [](std::span<std::uint8_t> bytes) { net::fill_randomly(bytes); };
    its.publish = [this](broker::account_id account, std::string token, std::string headers,
                         std::string body) {
        ask_service(account, std::move(token), std::move(headers), std::move(body));
    };
    its.judge_jwt = [this](broker::login_question question,
                           std::function<void(broker::login_answer)> answer) {
        logins.judge_jwt(std::move(question), std::move(answer));
    };
    callout = std::make_unique<auth_callout>(std::move(its), random(), log);
    logins.decide_by(
        [this](broker::login_question question, std::function<void(broker::login_answer)> answer) {
            callout->ask(std::move(question), std::move(answer));
        });
    check_callout_account(*seen.configuration());
}

/// Also after a reload.
void server::state::check_callout_account(const broker::configuration& config) const {
    const auto& service = config.authorization.callout;
    if (service == nullptr) return;
    const auto is_there = [&](const broker::account_configuration& account) {
        return account.id == service->account;
    };
    if (std::ranges::any_of(config.accounts, is_there)) return;
    log.error("Authorization callout account " + protocol::quoted(service->account_name) +
              " not valid");
}

void server::state::ask_service(broker::account_id account, std::string token, std::string headers,
                                std::string body) {
    loops[0]->post([this, account, token = std::move(token), headers = std::move(headers),
                    body = std::move(body)](broker::broker& broker, moment now) {
        // An account that is not there may come with a reload.
        if (!callout_accounts.contains(account) &&
            broker.subscribe(account, callout_inbox + ".*",
                             [this](const broker::internal_message& message, moment) {
                                 const auto subject = message.subject;
                                 callout->on_answer(
                                     std::string(subject.substr(subject.rfind('.') + 1)),
                                     std::string(message.payload));
                             }) != 0) {
            callout_accounts.insert(account);
        }
        const auto reply = callout_inbox + '.' + token;
        broker.publish(
            account,
            {.subject = auth::callout_subject, .reply = reply, .headers = headers, .payload = body},
            now);
    });
}

} // namespace pipit::server
