// SPDX-License-Identifier: Apache-2.0
#include "control.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <iterator>
#include <stdexcept>

namespace pipit::conformance {

control::control(const std::string& url) {
    const auto host = url.find("//") + 2;
    const auto colon = url.rfind(':');
    host_ = url.substr(host, colon - host);
    port_ = url.substr(colon + 1, url.find('/', colon) - colon - 1);
}

boost::json::object control::plan() const {
    return exchange("GET / HTTP/1.1\r\nHost: control\r\nConnection: close\r\n\r\n");
}

boost::json::object control::ask(const boost::json::object& request) const {
    const auto body = boost::json::serialize(request);
    return exchange("POST / HTTP/1.1\r\nHost: control\r\nConnection: close\r\nContent-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body);
}

boost::json::object control::exchange(const std::string& request) const {
    boost::asio::ip::tcp::iostream stream(host_, port_);
    stream << request << std::flush;
    const std::string answer(std::istreambuf_iterator<char>(stream), {});
    const auto body = answer.find("\r\n\r\n");
    if (body == std::string::npos) throw std::runtime_error("the runner does not answer");
    return boost::json::parse(std::string_view(answer).substr(body + 4)).as_object();
}

} // namespace pipit::conformance
