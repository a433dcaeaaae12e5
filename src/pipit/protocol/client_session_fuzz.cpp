// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/client_session.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <string>

namespace {

using namespace pipit;
using namespace pipit::protocol;
using std::chrono::milliseconds;

void require(bool holds) {
    if (!holds) std::abort();
}

/// A server that sends what it likes, and a user who asks for everything at any time. What was
/// asked for is answered once, a subscription that has ended says no more, and what waits to be
/// sent is bounded.
class world {
public:
    world(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {
        session_.start(now_);
        drain();
    }

    void run() {
        while (size_ != 0) {
            step(next());
            drain();
            require(session_.pending_output().size() <= output_bytes_max + size_ * 8 + 4096);
        }
        session_.close();
        drain();
        require(closed_ && pending_.empty() && subscriptions_.empty());
        require(session_.next_deadline() == std::nullopt);
    }

private:
    static constexpr std::size_t output_bytes_max = 4096;

    static client_session_options options() {
        client_session_options out;
        out.protocol.servers = {{.host = "a"}, {.host = "b"}};
        out.protocol.pending_output_bytes_max = output_bytes_max;
        out.protocol.offline_bytes_max = output_bytes_max;
        out.protocol.retry_first_connect = true;
        return out;
    }
    std::uint8_t next() {
        if (size_ == 0) return 0;
        --size_;
        return *data_++;
    }
    nanoseconds next_time() { return milliseconds(std::int64_t{next()} * next()); }

    void step(std::uint8_t what) {
        switch (what % 20) {
        case 0:
        case 1: return receive(next());
        case 2: return receive("MSG a 1 1\r\nx\r\n");
        case 3: return receive("PONG\r\n");
        case 4: return receive("INFO {\"server_id\":\"N\",\"headers\":true} \r\n");
        case 5: return reply("1 1\r\nx\r\n", "MSG ");
        case 6: return reply("1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n", "HMSG ");
        case 7: return receive("-ERR 'Permissions Violation for Publish to \"a\"'\r\n");
        case 8: return receive("-ERR 'Permissions Violation for Subscription to \"a\"'\r\n");
        case 9: return session_.transport_closed(now_);
        case 10: return session_.transport_opened(now_);
        case 11: now_ += next_time(); return session_.expire(now_);
        case 12: return remember(session_.request({.subject = "a"}, now_, next_time()));
        case 13:
            return remember(session_.request_many({.subject = "b"}, now_,
                                                  {.timeout = next_time(),
                                                   .stall = next_time(),
                                                   .messages_max = std::uint64_t{next()}}));
        case 14: return remember(session_.flush(now_, next_time()));
        case 15: return session_.cancel(some_operation());
        case 16:
            if (const auto id = session_.subscribe("a", next() % 2 == 0 ? "" : "q")) {
                require(subscriptions_.insert(*id).second);
            }
            return;
        case 17: return unsubscribe(some_subscription(), next());
        case 18: return session_.drain(some_subscription(), now_, next_time());
        default: return seldom(next());
        }
    }
    void seldom(std::uint8_t what) {
        if (what == 0) return session_.drain_all(now_, next_time());
        if (what == 1) return session_.reconnect(now_);
        if (what == 2) return session_.close();
        if (what < 128) return (void)session_.publish({.subject = "a", .payload = "payload"});
        session_.consume_output(std::min<std::size_t>(what, session_.pending_output().size()));
    }

    /// `count` bytes of the input, as they are.
    void receive(std::uint8_t count) {
        const auto taken = std::min<std::size_t>(count, size_);
        const bytes_view bytes(reinterpret_cast<const char*>(data_), taken);
        data_ += taken;
        size_ -= taken;
        receive(bytes);
    }
    void receive(bytes_view bytes) {
        const auto space = session_.prepare();
        const auto count = std::min(space.size(), bytes.size());
        if (count != 0) std::memcpy(space.data(), bytes.data(), count);
        session_.commit(count, now_);
        drain();
    }
    /// To a request that was sent, if one can be seen in the output.
    void reply(bytes_view rest, bytes_view name) {
        const auto out = session_.pending_output();
        const auto at = out.rfind("_INBOX.");
        if (at == bytes_view::npos) return;
        std::string wire(name);
        wire += out.substr(at, out.find_first_of(" *\r", at) - at);
        wire += ' ';
        wire += rest;
        receive(wire);
    }

    void remember(const result<operation_id>& asked) {
        if (asked) require(pending_.insert(*asked).second);
    }
    operation_id some_operation() {
        const auto from = pending_.lower_bound(operation_id{std::uint64_t{next()} << 20});
        return from == pending_.end() ? operation_id{next()} : *from;
    }
    /// One that lives, or one that has ended or never was.
    sid some_subscription() {
        const auto from = subscriptions_.lower_bound(sid{next()});
        return from == subscriptions_.end() ? sid{1'000'000} : *from;
    }
    void unsubscribe(sid subscription, std::uint64_t max) {
        max %= 4;
        session_.unsubscribe(subscription, max);
        // An end that was on its way to be told may still come: it was drained just now.
        if (max == 0 && subscriptions_.erase(subscription) != 0) left_.insert(subscription);
    }

    void drain() {
        while (auto event = session_.next_event()) {
            require(!closed_);
            std::visit([&](auto& e) { tell(e); }, *event);
        }
    }
    template <class Other>
    void tell(const Other&) {}
    void tell(const connect_requested&) { session_.connect({}); }
    void tell(const tls_requested&) { session_.transport_closed(now_); }
    void tell(const closed&) { closed_ = true; }
    void tell(const subscription_message& e) {
        require(subscriptions_.contains(e.subscription));
        require(session_.keep(e.message).payload() == e.message.payload);
    }
    void tell(const subscription_ended& e) {
        require(subscriptions_.erase(e.subscription) + left_.erase(e.subscription) == 1);
    }
    void tell(const request_answered& e) { answered(e.operation); }
    void tell(const reply_received& e) { require(pending_.contains(e.operation)); }
    void tell(const replies_ended& e) { answered(e.operation); }
    void tell(const flushed& e) { answered(e.operation); }
    void answered(operation_id id) { require(pending_.erase(id) == 1); }

    const std::uint8_t* data_;
    std::size_t size_;
    steady_time now_{std::chrono::hours(1)};
    client_session session_{options(), random_source(1)};
    std::set<operation_id> pending_;
    std::set<sid> subscriptions_;
    std::set<sid> left_;
    bool closed_ = false;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    world(data, size).run();
    return 0;
}
