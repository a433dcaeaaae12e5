// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/websocket_arrivals.hpp>

#include <pipit/net/error.hpp>
#include <pipit/net/https_filter.hpp>
#include <pipit/server/host_port.hpp>

#include <array>
#include <utility>

namespace pipit::server {

class websocket_arrivals::arrival final : public net::transport_user {
public:
    arrival(websocket_arrivals& its_arrivals, const websocket_policy& its_policy, party its_party)
        : of(its_arrivals),
          policy(its_policy),
          from(its_party),
          held_place(of.places_, from, [this] { of.turn_away(*this); }) {}
    void on_readable() override {
        if (secured == nullptr) return of.read(*this);
        of.handshakes_.ask(from, next_step); // What was read may take TLS long.
    }
    void on_writable() override {}

    websocket_arrivals& of;
    const websocket_policy& policy;
    const party from;
    broker::session_origin origin;
    steady_time deadline;
    net::filtered_transport_pointer transport;
    net::websocket_server_filter* filter = nullptr;
    net::filtered_transport* secured = nullptr; ///< Below, if it is encrypted; the same for:
    net::https_filter* https = nullptr;
    strangers::stay held_place;
    std::unique_ptr<strangers::stay> stay; ///< Null: nothing is kept for it.
    fair_turns::step next_step;            ///< If it is encrypted.
    std::list<std::unique_ptr<arrival>>::iterator place;
};

websocket_arrivals::websocket_arrivals(net::event_loop& events, net::buffer_pool& buffers,
                                       strangers& guests, fair_turns& handshakes, const logger& log,
                                       welcome_function welcome)
    : events_(events),
      buffers_(buffers),
      guests_(guests),
      handshakes_(handshakes),
      log_(log),
      welcome_(std::move(welcome)) {}

websocket_arrivals::~websocket_arrivals() = default;

void websocket_arrivals::begin(net::accepted_socket accepted, const websocket_policy& policy,
                               const std::shared_ptr<const tls_rules>& tls, steady_time now) {
    if (tls && tls->rate && !tls->rate->allow(now)) return;
    auto& made =
        *waiting_.emplace_back(std::make_unique<arrival>(*this, policy, party(accepted.ip)));
    made.place = std::prev(waiting_.end());
    (void)places_.make_room(); // Never its own.
    made.origin.ip = std::move(accepted.ip);
    made.origin.port = accepted.port;
    made.deadline = now + policy.handshake_timeout();
    net::transport_pointer below =
        net::make_tcp_transport(events_, std::move(accepted.socket), made);
    if (tls) {
        made.deadline += tls->timeout;
        made.next_step =
            std::make_shared<const std::function<void()>>([this, &made] { read(made); });
        auto encrypts = std::make_unique<net::https_filter>(tls->context, made.from);
        made.https = encrypts.get();
        auto secured = net::filtered_transport::over(std::move(below), std::move(encrypts), events_,
                                                     buffers_, made);
        made.secured = secured.get();
        below = std::move(secured);
    }
    auto filter = std::make_unique<net::websocket_server_filter>(policy, deflate_);
    made.filter = filter.get();
    made.transport =
        net::filtered_transport::over(std::move(below), std::move(filter), events_, buffers_, made);
    made.transport->wait_readable();
}

std::optional<steady_time> websocket_arrivals::next_deadline() const noexcept {
    if (waiting_.empty()) return std::nullopt;
    return waiting_.front()->deadline;
}

void websocket_arrivals::close() { waiting_.clear(); }

void websocket_arrivals::expire(steady_time now) {
    while (!waiting_.empty() && waiting_.front()->deadline <= now) waiting_.pop_front();
}

void websocket_arrivals::read(arrival& from) {
    std::array<char, 4096> space;
    const auto [status, bytes] = from.transport->read({}, space);
    if (from.filter->is_open()) {
        websocket_guest guest;
        guest.filter = from.filter;
        guest.origin = std::move(from.origin);
        if (from.https != nullptr) guest.tls = facts_of(from.https->tls(), true);
        guest.transport = std::move(from.transport);
        if (status == net::io_status::done) guest.first_bytes = {space.data(), bytes};
        if (const auto request = from.filter->take_request()) {
            from.policy.note_request(*request, guest.origin);
        }
        forget(from);
        return welcome_(std::move(guest));
    }
    if (status == net::io_status::would_block) return wait(from);
    refuse(from);
    forget(from);
}

/// Counts what it has made the loop keep so far.
void websocket_arrivals::wait(arrival& one) {
    const auto kept = one.transport->kept_bytes();
    if (kept != 0 && !one.stay) {
        one.stay =
            std::make_unique<strangers::stay>(guests_, one.from, [this, &one] { turn_away(one); });
    }
    if (one.stay) one.stay->keeps(kept);
    one.transport->wait_readable();
}

void websocket_arrivals::turn_away(arrival& one) {
    log_.debug(join_host_port(one.origin.ip, one.origin.port) +
               " - websocket turned away before its handshake is done");
    forget(one);
}

void websocket_arrivals::refuse(const arrival& refused) const {
    const auto place = join_host_port(refused.origin.ip, refused.origin.port);
    if (refused.secured != nullptr && (refused.secured->failure() || !refused.https->is_open())) {
        const auto why = refused.secured->failure()
                             ? std::string(refused.secured->failure()->detail())
                         : refused.https->is_within_record() ? std::string("unexpected EOF")
                                                             : std::string("EOF");
        return log_.error("websocket: TLS handshake error from " + place + ": " + why);
    }
    const auto& why = refused.filter->failure();
    if (!why.code()) return;
    const auto line = place + " - websocket handshake error: ";
    if (why == net::errc::websocket_refused) {
        log_.error(line + std::string(why.detail()));
    } else {
        log_.debug(line + why.message());
    }
}

void websocket_arrivals::forget(arrival& gone) { waiting_.erase(gone.place); }

} // namespace pipit::server
