// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/ocsp_limits.hpp>
#include <pipit/net/detail/asio_tls.hpp>
#include <pipit/net/detail/http_served.hpp>
#include <pipit/net/detail/tls_judgement.hpp>

#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>

namespace pipit::net::detail {
namespace {

/// What has to be known of a client before it is served: what somebody says of its certificate.
struct judging {
    judging(tcp::socket& of, party its_party, peer_judge by,
            std::shared_ptr<http_thread> its_thread)
        : from(its_party),
          judge(std::move(by)),
          thread(std::move(its_thread)),
          late(of.get_executor()) {}

    party from;
    peer_judge judge;
    std::shared_ptr<http_thread> thread;
    tls_judgement found;
    asio::steady_timer late;
    std::optional<std::string> why_not; ///< The answer; empty: it is served.
    std::string alert;
};

/// TLS whose client somebody else may judge when its handshake is done. Nobody else waits for that,
/// and nothing that the client sends is looked at before.
class judged_stream : public asio::ssl::stream<beast::tcp_stream> {
    using tls_stream = asio::ssl::stream<beast::tcp_stream>;

public:
    /// Without `by` nobody is asked.
    judged_stream(tcp::socket socket, asio::ssl::context& context, std::shared_ptr<judging> by)
        : tls_stream(beast::tcp_stream(std::move(socket)), context), judging_(std::move(by)) {
        if (judging_) set_judgement(native_handle(), &judging_->found);
    }

    /// Errors: `errc::tls_certificate_refused`, too.
    template <class Buffers, class Handler>
    void async_handshake(handshake_type type, const Buffers& first, Handler handler) {
        if (!judging_) return tls_stream::async_handshake(type, first, std::move(handler));
        tls_stream::async_handshake(type, first,
                                    [this, handler = std::move(handler)](
                                        beast::error_code failed, std::size_t count) mutable {
                                        if (failed) return handler(failed, count);
                                        judge(std::move(handler), count);
                                    });
    }

private:
    template <class Handler>
    void judge(Handler handler, std::size_t count) {
        if (!judging_->found.chains) return refuse(std::move(handler), count);
        judging_->late.expires_after(limits::peer_judgement);
        judging_->late.async_wait(
            [this, handler = std::move(handler), count](const beast::error_code&) mutable {
                if (!judging_->why_not || !judging_->why_not->empty()) {
                    return refuse(std::move(handler), count);
                }
                judging_->found.forget_secret();
                handler(beast::error_code(), count);
            });
        judging_->judge(
            {.chains = std::move(*judging_->found.chains), .from = judging_->from},
            [of = std::weak_ptr(judging_), thread = judging_->thread](std::string why_not) {
                thread->post([of, why_not = std::move(why_not)] {
                    const auto still = of.lock();
                    if (!still) return;
                    still->why_not = why_not;
                    still->late.cancel();
                });
            });
    }

    template <class Handler>
    void refuse(Handler handler, std::size_t count) {
        auto& its = *judging_;
        // In TLS 1.2 the handshake is over, and nothing but OpenSSL can say anything.
        if (SSL_version(native_handle()) == TLS1_3_VERSION) {
            its.alert = bad_certificate_alert(native_handle(), its.found.traffic_secret);
        }
        its.found.forget_secret();
        next_layer().expires_after(limits::http_linger);
        asio::async_write(
            next_layer(), asio::buffer(its.alert),
            [handler = std::move(handler), count](const beast::error_code&, std::size_t) mutable {
                handler(make_error_code(errc::tls_certificate_refused), count);
            });
    }

    std::shared_ptr<judging> judging_;
};

} // namespace

void begin_secure_http(tcp::socket socket, party from, const tls_context& tls,
                       const http_dependencies& its) {
    auto context = asio_context_of(tls);
    const auto& judge = tls.internals().parts.judge;
    auto by = judge ? std::make_shared<judging>(socket, from, judge, its.thread) : nullptr;
    std::make_shared<http_connection<judged_stream>>(
        judged_stream(std::move(socket), context, std::move(by)), from, its)
        ->begin();
}

} // namespace pipit::net::detail
