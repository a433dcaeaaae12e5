// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client/chunk_session.hpp>
#include <pipit/client/chunked.hpp>
#include <pipit/client/detail/link.hpp>

#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pipit::client::detail {

/// The driver of one `chunk_session` over a link.
///
/// Threads: any. Its lock is taken before the link's.
class transfer : public std::enable_shared_from_this<transfer> {
public:
    using pointer = std::shared_ptr<transfer>;

    /// Asks; `done` is told when the other end has accepted.
    static void open(const std::shared_ptr<link>& over, bytes_view subject, const headers* with,
                     const transfer_options& options, handler<chunk_stream> done);
    [[nodiscard]] static result<pointer> accept(const std::shared_ptr<link>& over,
                                                const message& request,
                                                const transfer_options& options);

    transfer(std::shared_ptr<link> over, chunk_session::side which,
             const transfer_options& options);
    ~transfer();
    transfer(const transfer&) = delete;
    transfer& operator=(const transfer&) = delete;

    void read(handler<std::optional<message>> done);
    void write(bytes_view bytes, handler<void> done);
    void finish(handler<void> done);
    void cancel(error why, bytes_view text);
    [[nodiscard]] const std::shared_ptr<link>& over() const noexcept { return link_; }
    [[nodiscard]] const transfer_options& options() const noexcept { return options_; }
    [[nodiscard]] bool is_forked() const noexcept { return mutex_.is_forked(); }

private:
    using lock = own_mutex::guard;

    struct writer {
        bytes_view rest;
        waiting<void> who;
    };

    class listener;

    [[nodiscard]] result<> subscribe();
    void abandon();
    /// Nothing of it is under way any more.
    void let_server_go();
    void listen();
    void arrived(result<message> what);
    /// Says and does everything that can be said and done now.
    void advance();
    void say(const std::string& control);
    void write_on();
    void written(result<> outcome);
    void read_on();
    /// Says which transfer failed, where nothing says that yet.
    [[nodiscard]] error named(const error& why) const;
    void fail_everything();
    void tick();
    void arm();
    template <class T>
    void give_up(std::optional<waiting<T>> transfer::*who);
    template <class T>
    void complete(std::optional<waiting<T>>& who, result<T> with);
    /// With the lock held, unless this process is a child by `fork`.
    template <class T, class Begin>
    void start(handler<T> done, Begin begin);

    const std::shared_ptr<link> link_;
    own_mutex mutex_;
    const transfer_options options_;
    chunk_session session_;
    std::uint64_t connection_; ///< The number of the one that it goes over.
    std::string subject_;      ///< Of the service.
    headers opening_;          ///< Of `open`.
    std::string inbox_;
    feed_pointer feed_;
    std::weak_ptr<asio::steady_timer> timer_; ///< Belongs to what waits for it.

    std::optional<waiting<chunk_stream>> opener_;
    std::optional<waiting<std::optional<message>>> reader_;
    std::optional<writer> writer_;
    std::optional<waiting<void>> finisher_;
    bool is_publishing_ = false;
    bool keeps_server_ = true;
    bool is_finished_ = false;  ///< By the user; the last chunks may still wait.
    std::optional<error> over_; ///< Why the user gave up what is complete; chunks are left.
};

} // namespace pipit::client::detail
