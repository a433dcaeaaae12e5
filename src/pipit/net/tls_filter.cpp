// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/tls_filter.hpp>

#include <pipit/base/filter_limits.hpp>
#include <pipit/base/stranger_limits.hpp>
#include <pipit/net/detail/tls_failure.hpp>
#include <pipit/net/detail/tls_judgement.hpp>
#include <pipit/net/detail/tls_state.hpp>
#include <pipit/net/error.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <new>
#include <utility>

namespace pipit::net {
namespace {

constexpr std::size_t record_bytes = SSL3_RT_MAX_PLAIN_LENGTH;

/// The header of a record, and that of the handshake's message in it.
constexpr std::size_t record_header_bytes = SSL3_RT_HEADER_LENGTH;
constexpr std::size_t message_header_bytes = SSL3_HM_HEADER_LENGTH;

error not_tls() { return {errc::not_tls, "tls: first record does not look like a TLS handshake"}; }

/// Source: RFC 8446, sections 4 and 5.1: numbers go by their highest byte first.
std::size_t number_in(bytes_view bytes) noexcept {
    std::size_t number = 0;
    for (const char each : bytes) number = number << 8 | static_cast<unsigned char>(each);
    return number;
}

/// The two ends of OpenSSL's wire while a call lasts. OpenSSL's own BIO for memory would keep a
/// buffer for each connection.
struct wire_ends {
    bytes_view in;
    std::string* out = nullptr;
    detail::tls_judgement judgement{};
};

wire_ends& ends_of(BIO* bio) { return *static_cast<wire_ends*>(BIO_get_data(bio)); }

int read_wire(BIO* bio, char* space, int space_bytes) {
    auto& in = ends_of(bio).in;
    BIO_clear_retry_flags(bio);
    if (in.empty() || ends_of(bio).judgement.chains) {
        BIO_set_retry_read(bio);
        return -1;
    }
    const auto count = std::min(in.size(), static_cast<std::size_t>(space_bytes));
    std::memcpy(space, in.data(), count);
    in.remove_prefix(count);
    return static_cast<int>(count);
}

int write_wire(BIO* bio, const char* bytes, int count) {
    BIO_clear_retry_flags(bio);
    auto* const out = ends_of(bio).out;
    if (out == nullptr) return -1;
    out->append(bytes, static_cast<std::size_t>(count));
    return count;
}

long control_wire(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

int create_wire(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
}

using bio_method_pointer = c_pointer<BIO_METHOD, BIO_meth_free>;

const BIO_METHOD* wire_method() {
    static const bio_method_pointer method = [] {
        bio_method_pointer made(
            BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pipit wire"));
        if (!made) throw std::bad_alloc();
        BIO_meth_set_read(made.get(), read_wire);
        BIO_meth_set_write(made.get(), write_wire);
        BIO_meth_set_ctrl(made.get(), control_wire);
        BIO_meth_set_create(made.get(), create_wire);
        return made;
    }();
    return method.get();
}

} // namespace

struct tls_filter::connection {
    explicit connection(SSL_CTX* context) : ssl(SSL_new(context)) {
        BIO* const wire = BIO_new(wire_method());
        if (!ssl || wire == nullptr) throw std::bad_alloc();
        BIO_set_data(wire, &ends);
        SSL_set_bio(ssl.get(), wire, wire);
        detail::set_judgement(ssl.get(), &ends.judgement);
    }

    wire_ends ends;
    c_pointer<SSL, SSL_free> ssl;
};

/// What somebody else has said, on a thread of his own.
struct tls_filter::verdict {
    std::string why_not; ///< Once it is there.
    std::atomic<bool> is_there = false;
};

tls_filter::tls_filter(std::shared_ptr<const tls_context> context, party client)
    : context_(std::move(context)), client_(client) {}

tls_filter::tls_filter(std::shared_ptr<const tls_context> context, std::string_view server_name)
    : context_(std::move(context)),
      connection_(std::make_unique<connection>(context_->internals().contexts.front().get())) {
    auto* const ssl = connection_->ssl.get();
    SSL_set_connect_state(ssl);
    if (!detail::expect_name(ssl, *context_, std::string(server_name))) failed_ = true;
}

tls_filter::~tls_filter() = default;

result<> tls_filter::begin(std::string& wire) {
    if (failed_) return error(errc::tls_wrong_name, "tls: there is no name to verify");
    if (context_->internals().is_server) return {};
    std::string nothing;
    return receive({}, nothing, wire);
}

result<> tls_filter::receive(bytes_view from_wire, std::string& plain, std::string& wire) {
    if (failed_) return error(errc::tls_failed, "tls: it has failed before");
    if (verdict_) return take_verdict(from_wire, plain, wire);
    std::string hello;
    if (connection_ == nullptr) {
        first_bytes_ += from_wire;
        const auto begins = hello_begins();
        failed_ = !begins;
        if (!begins) return begins.error();
        if (!*begins) return {};
        from_wire = hello = std::exchange(first_bytes_, {});
        connection_ = std::make_unique<connection>(context_->internals().contexts.front().get());
        SSL_set_accept_state(connection_->ssl.get());
    }
    auto& ends = connection_->ends;
    ends.in = from_wire;
    ends.out = &wire;
    auto outcome = advance(plain);
    ends.in = {};
    ends.out = nullptr;
    return outcome;
}

/// Whether what came first is enough to see that it may be a client's hello. Errors: it is none.
result<bool> tls_filter::hello_begins() {
    if (first_bytes_.empty()) return false;
    if (first_bytes_[0] == SSL3_RT_ALERT) return true;
    if (first_bytes_[0] != SSL3_RT_HANDSHAKE) return not_tls();
    // The message's header may lie in several records.
    bytes_view rest(first_bytes_);
    std::string header;
    while (header.size() < message_header_bytes) {
        if (rest.size() < record_header_bytes) return false;
        const auto bytes = number_in(rest.substr(3, 2));
        // OpenSSL says what is wrong with such a record.
        if (rest[0] != SSL3_RT_HANDSHAKE || bytes == 0 || bytes > record_bytes) return true;
        const auto wanted = std::min(bytes, message_header_bytes - header.size());
        rest.remove_prefix(record_header_bytes);
        if (rest.size() < wanted) return false;
        header += rest.substr(0, wanted);
        rest.remove_prefix(std::min(bytes, rest.size()));
    }
    if (number_in(bytes_view(header).substr(1)) > limits::tls_hello_bytes) {
        return error(errc::tls_failed, "tls: handshake message too large");
    }
    return true;
}

std::size_t tls_filter::kept_bytes() const noexcept {
    if (connection_ == nullptr) return first_bytes_.size();
    if (!open_) return limits::tls_handshake_memory + memory_of(held_);
    return SSL_has_pending(connection_->ssl.get()) == 1 ? record_bytes : 0;
}

result<> tls_filter::advance(std::string& plain) {
    ERR_clear_error();
    if (!open_) {
        auto shaken = shake_hands();
        if (!shaken || !open_) return shaken;
    }
    return read_records(plain);
}

result<> tls_filter::shake_hands() {
    auto* const ssl = connection_->ssl.get();
    const auto in = connection_->ends.in;
    constexpr char first_bytes[] = {SSL3_RT_HANDSHAKE, SSL3_RT_ALERT};
    if (handshake_bytes_ == 0 && !in.empty() && in[0] != first_bytes[0] &&
        in[0] != first_bytes[1]) {
        failed_ = true;
        return not_tls();
    }
    if (handshake_bytes_ > limits::tls_handshake_bytes) {
        failed_ = true;
        return error(errc::tls_failed, "tls: handshake message too large");
    }
    handshake_bytes_ += in.size();
    const bool is_done = SSL_do_handshake(ssl) == 1;
    if (!is_done && SSL_get_error(ssl, -1) != SSL_ERROR_WANT_READ) return failure();
    if (connection_->ends.judgement.chains) {
        hold();
    } else {
        open_ = is_done;
    }
    return {};
}

// --- A certificate that somebody else judges ---

/// Keeps what the client has sent behind its certificate.
void tls_filter::hold() {
    held_ = connection_->ends.in;
    handshake_bytes_ -= held_.size();
    verdict_ = std::make_shared<verdict>();
}

filter_question tls_filter::take_question() {
    if (!verdict_) return {};
    auto& found = connection_->ends.judgement.chains;
    if (!found) return {};
    auto peer = std::make_shared<peer_to_judge>(
        peer_to_judge{.chains = std::move(*found), .from = client_});
    found.reset();
    return [judge = &context_->internals().parts.judge, context = context_, peer,
            verdict = verdict_](std::function<void()> answered) {
        (*judge)(std::move(*peer), [verdict, answered = std::move(answered)](std::string why_not) {
            verdict->why_not = std::move(why_not);
            verdict->is_there = true;
            answered();
        });
    };
}

result<> tls_filter::take_verdict(bytes_view from_wire, std::string& plain, std::string& wire) {
    held_ += from_wire;
    if (held_.size() > limits::tls_handshake_bytes) {
        failed_ = true;
        return error(errc::tls_failed, "tls: too much before the handshake is done");
    }
    if (!verdict_->is_there) return {};
    const auto answered = std::exchange(verdict_, nullptr);
    const auto held = std::exchange(held_, {});
    auto& judgement = connection_->ends.judgement;
    if (answered->why_not.empty()) {
        judgement.forget_secret();
        return receive(held, plain, wire);
    }
    failed_ = true;
    wire += detail::bad_certificate_alert(connection_->ssl.get(), judgement.traffic_secret);
    judgement.forget_secret();
    return error(errc::tls_certificate_refused, answered->why_not);
}

// --- When it is open ---

result<> tls_filter::read_records(std::string& plain) {
    auto* const ssl = connection_->ssl.get();
    for (;;) {
        std::array<char, record_bytes> record;
        std::size_t count = 0;
        if (SSL_read_ex(ssl, record.data(), record.size(), &count) == 1) {
            plain.append(record.data(), count);
            continue;
        }
        switch (SSL_get_error(ssl, 0)) {
        case SSL_ERROR_WANT_READ: return {};
        case SSL_ERROR_ZERO_RETURN: finished_ = true; return {};
        default: return failure();
        }
    }
}

result<> tls_filter::send(std::span<const bytes_view> plain, std::string& wire) {
    if (failed_ || !open_) return error(errc::tls_failed, "tls: the handshake is not done");
    connection_->ends.out = &wire;
    result<> outcome;
    // Small pieces share records.
    std::array<char, record_bytes> record;
    std::size_t filled = 0;
    for (auto piece : plain) {
        while (!piece.empty() && outcome) {
            if (filled == 0 && piece.size() >= record.size()) {
                outcome = write(piece.substr(0, record.size()));
                piece.remove_prefix(record.size());
                continue;
            }
            const auto count = std::min(piece.size(), record.size() - filled);
            std::memcpy(record.data() + filled, piece.data(), count);
            piece.remove_prefix(count);
            filled += count;
            if (filled < record.size()) break;
            outcome = write({record.data(), std::exchange(filled, 0)});
        }
    }
    if (filled > 0 && outcome) outcome = write({record.data(), filled});
    connection_->ends.out = nullptr;
    return outcome;
}

result<> tls_filter::write(bytes_view plain) {
    ERR_clear_error();
    std::size_t written = 0;
    auto* const ssl = connection_->ssl.get();
    if (SSL_write_ex(ssl, plain.data(), plain.size(), &written) == 1) return {};
    return failure();
}

error tls_filter::failure() {
    failed_ = true;
    return describe_tls_failure(connection_->ssl.get());
}

void tls_filter::finish(std::string& wire) {
    if (failed_ || !open_) return;
    connection_->ends.out = &wire;
    SSL_shutdown(connection_->ssl.get());
    ERR_clear_error();
    connection_->ends.out = nullptr;
}

std::string_view tls_filter::version() const noexcept {
    switch (SSL_version(connection_->ssl.get())) {
    case TLS1_2_VERSION: return "1.2";
    case TLS1_3_VERSION: return "1.3";
    default: return "unknown";
    }
}

std::string_view tls_filter::cipher_suite() const noexcept {
    const auto* const cipher = SSL_get_current_cipher(connection_->ssl.get());
    const char* const name = cipher != nullptr ? SSL_CIPHER_standard_name(cipher) : nullptr;
    return name != nullptr ? name : "";
}

std::vector<std::string> tls_filter::peer_certificates() const {
    auto* const ssl = connection_->ssl.get();
    std::vector<std::string> all;
    const auto add = [&](X509* one) { detail::add_certificate(all, one); };
    X509* const own = SSL_get0_peer_certificate(ssl);
    if (own == nullptr) return all;
    add(own);
    // A client's list has the peer's own certificate too.
    auto* const others = SSL_get_peer_cert_chain(ssl);
    for (int i = 0; others != nullptr && i < sk_X509_num(others); ++i) {
        auto* const one = sk_X509_value(others, i);
        if (i > 0 || X509_cmp(one, own) != 0) add(one);
    }
    return all;
}

std::vector<std::string> tls_filter::verified_chain() const {
    std::vector<std::string> chain;
    auto* const ssl = connection_->ssl.get();
    if (SSL_get0_peer_certificate(ssl) == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) {
        return chain;
    }
    auto* const verified = SSL_get0_verified_chain(ssl);
    for (int i = 0; verified != nullptr && i < sk_X509_num(verified); ++i) {
        detail::add_certificate(chain, sk_X509_value(verified, i));
    }
    return chain;
}

} // namespace pipit::net
