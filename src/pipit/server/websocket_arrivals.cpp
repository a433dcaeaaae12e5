// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/websocket_arrivals.hpp>

#include <pipit/base/websocket_limits.hpp>
#include <pipit/net/error.hpp>
#include <pipit/server/host_port.hpp>

#include <array>
#include <utility>

namespace pipit::server {

class websocket_arrivals::arrival final : public net::transport_user {
public:
    arrival(websocket_arrivals& its_arrivals, const websocket_policy& its_policy)
        : of(its_arrivals), policy(its_policy) {}
    void on_readable() override { of.read(*this); }
    void on_writable() override {}

    websocket_arrivals& of;
    const websocket_policy& policy;
    broker::session_origin origin;
    steady_time deadline;
    net::filtered_transport_pointer transport;
    net::websocket_server_filter* filter = nullptr;
    std::list<std::unique_ptr<arrival>>::iterator place;
};

websocket_arrivals::websocket_arrivals(net::event_loop& events, net::buffer_pool& buffers,
                                       const logger& log, welcome_function welcome)
    : events_(events), buffers_(buffers), log_(log), welcome_(std::move(welcome)) {}

websocket_arrivals::~websocket_arrivals() = default;

void websocket_arrivals::begin(net::accepted_socket accepted, const websocket_policy& policy,
                               steady_time now) {
    if (waiting_.size() == limits::websocket_handshakes) waiting_.pop_front();
    auto& made = *waiting_.emplace_back(std::make_unique<arrival>(*this, policy));
    made.place = std::prev(waiting_.end());
    made.origin.ip = std::move(accepted.ip);
    made.origin.port = accepted.port;
    made.deadline = now + policy.handshake_timeout();
    auto filter = std::make_unique<net::websocket_server_filter>(policy, deflate_);
    made.filter = filter.get();
    made.transport = net::filtered_transport::over(
        net::make_tcp_transport(events_, std::move(accepted.socket), made), std::move(filter),
        events_, buffers_, made);
    made.transport->wait_readable();
}

std::optional<steady_time> websocket_arrivals::next_deadline() const noexcept {
    if (waiting_.empty()) return std::nullopt;
    return waiting_.front()->deadline;
}

void websocket_arrivals::expire(steady_time now) {
    while (!waiting_.empty() && waiting_.front()->deadline <= now) waiting_.pop_front();
}

void websocket_arrivals::read(arrival& from) {
    std::array<char, 4096> space;
    const auto [status, bytes] = from.transport->read({}, space);
    if (from.filter->is_open()) {
        websocket_guest guest{std::move(from.transport), from.filter, std::move(from.origin), {}};
        if (status == net::io_status::done) guest.first_bytes = {space.data(), bytes};
        if (const auto request = from.filter->take_request()) {
            from.policy.note_request(*request, guest.origin);
        }
        forget(from);
        return welcome_(std::move(guest));
    }
    if (status == net::io_status::would_block) return from.transport->wait_readable();
    refuse(from);
    forget(from);
}

void websocket_arrivals::refuse(const arrival& refused) const {
    const auto& why = refused.filter->failure();
    if (!why.code()) return;
    const auto line =
        join_host_port(refused.origin.ip, refused.origin.port) + " - websocket handshake error: ";
    if (why == net::errc::websocket_refused) {
        log_.error(line + std::string(why.detail()));
    } else {
        log_.debug(line + why.message());
    }
}

void websocket_arrivals::forget(arrival& gone) { waiting_.erase(gone.place); }

} // namespace pipit::server
