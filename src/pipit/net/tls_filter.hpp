// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/net/filter.hpp>
#include <pipit/net/tls_context.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::net {

/// TLS as a filter: OpenSSL between two views of memory.
///
/// It reads all that it is given at once; of a record that is not complete it keeps the bytes, at
/// most 17 KB, and else nothing. A server's side has nothing but those few bytes until a client's
/// hello has begun, and takes none that says to be far longer than any is. An alert of the other
/// side, a record that is none, and a certificate that is not good are errors; what this side has
/// to say of it is in `wire`. Errors: those of `errc` that begin with `tls_`; the detail says it as
/// Go does.
class tls_filter final : public filter {
public:
    /// The server's side; who judges the client is told whose it is.
    explicit tls_filter(std::shared_ptr<const tls_context> context, party client = {});
    /// The client's side. The server's certificate must be for `server_name`, a name or an address.
    tls_filter(std::shared_ptr<const tls_context> context, std::string_view server_name);
    ~tls_filter() override;

    result<> begin(std::string& wire) override;
    result<> receive(bytes_view from_wire, std::string& plain, std::string& wire) override;
    result<> send(std::span<const bytes_view> plain, std::string& wire) override;
    void finish(std::string& wire) override;
    [[nodiscard]] bool is_open() const noexcept override { return open_; }
    [[nodiscard]] bool is_finished() const noexcept override { return finished_; }
    [[nodiscard]] std::size_t kept_bytes() const noexcept override;
    /// Whether its certificate is taken, where somebody else judges the clients.
    [[nodiscard]] filter_question take_question() override;

    // What the two sides agreed upon; once it is open.

    /// `1.3`
    [[nodiscard]] std::string_view version() const noexcept;
    /// `TLS_AES_128_GCM_SHA256`
    [[nodiscard]] std::string_view cipher_suite() const noexcept;
    /// What the other side showed, in DER: its own first, then those between it and an authority.
    [[nodiscard]] std::vector<std::string> peer_certificates() const;
    /// From the peer's own certificate to the authority that was trusted, in DER; empty without
    /// one, and after a session that was resumed.
    [[nodiscard]] std::vector<std::string> verified_chain() const;

private:
    struct connection;
    struct verdict;

    [[nodiscard]] result<bool> hello_begins();
    result<> advance(std::string& plain);
    result<> shake_hands();
    void hold();
    result<> take_verdict(bytes_view from_wire, std::string& plain, std::string& wire);
    result<> read_records(std::string& plain);
    result<> write(bytes_view plain);
    [[nodiscard]] error failure();

    std::shared_ptr<const tls_context> context_;
    std::unique_ptr<connection> connection_; ///< A server's has none before a hello.
    std::string first_bytes_;                ///< Before that.
    std::size_t handshake_bytes_ = 0;
    bool open_ = false;
    bool finished_ = false;
    bool failed_ = false;
    std::shared_ptr<verdict> verdict_; ///< While somebody judges the other side.
    std::string held_;                 ///< What it has sent meanwhile.
    party client_;
};

} // namespace pipit::net
