// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/connection.hpp>

#include <pipit/client/detail/link.hpp>
#include <pipit/client/error.hpp>

#include <utility>

namespace pipit::client {

connection::connection(asio::any_io_executor executor, connection_options options)
    : link_(detail::link::make(std::move(executor), std::move(options),
                               detail::face::asynchronous)) {}

connection::~connection() {
    link_->silence();
    link_->close();
}

void connection::start_connect(detail::handler<void> done) { link_->connect(std::move(done)); }

result<> connection::publish(bytes_view subject, bytes_view payload,
                             const publish_options& options) {
    return link_->publish(subject, payload, options);
}

std::optional<result<>> connection::try_publish(bytes_view subject, bytes_view payload,
                                                const publish_options& options) {
    return link_->try_publish(subject, payload, options);
}

void connection::start_publish(bytes_view subject, bytes_view payload,
                               const publish_options& options, detail::handler<void> done) {
    link_->publish_when_room(subject, payload, options, std::move(done));
}

result<subscription> connection::subscribe(bytes_view subject, subscribe_options options) {
    return subscribe(subject, nullptr, std::move(options));
}

result<subscription> connection::subscribe(bytes_view subject,
                                           std::function<void(message)> callback,
                                           subscribe_options options) {
    auto made = link_->subscribe(subject, std::move(callback), options);
    if (!made) return made.error();
    return subscription(std::move(*made));
}

void connection::start_request(bytes_view subject, bytes_view payload,
                               const request_options& options, detail::handler<message> done) {
    link_->request(subject, payload, options, std::move(done));
}

result<replies> connection::request_many(bytes_view subject, bytes_view payload,
                                         request_many_options options) {
    auto made = link_->request_many(subject, payload, options);
    if (!made) return made.error();
    return replies(std::move(*made));
}

result<> connection::respond(const message& request, bytes_view payload, publish_options options) {
    return link_->respond(request, payload, options);
}

void connection::start_flush(detail::handler<void> done) { link_->flush({}, std::move(done)); }

void connection::start_rtt(detail::handler<nanoseconds> done) { link_->flush({}, std::move(done)); }

void connection::start_drain(detail::handler<void> done) { link_->drain(std::move(done)); }

void connection::close() { link_->close(); }
void connection::reconnect() { link_->reconnect(); }
result<> connection::renew_credentials() { return link_->renew_credentials(); }
std::string connection::new_inbox() { return link_->new_inbox(); }
bool connection::is_connected() const { return link_->is_connected(); }
bool connection::is_closed() const { return link_->is_closed(); }
protocol::server_info connection::server_info() const { return link_->server_info(); }
std::string connection::connected_server() const { return link_->connected_server(); }
std::vector<std::string> connection::servers() const { return link_->servers(); }
protocol::session_statistics connection::statistics() const { return link_->statistics(); }
asio::any_io_executor connection::get_executor() const { return link_->executor(); }

} // namespace pipit::client
