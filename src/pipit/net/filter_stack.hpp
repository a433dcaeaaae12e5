// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/net/filter.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace pipit::net {

/// Filters one above the other, as one: `wss` is WebSocket above TLS. Each begins when the one
/// below it is open. An empty one gives on what it is given.
class filter_stack final : public filter {
public:
    /// Puts one on top; it begins at once when the others are open.
    result<> add(std::unique_ptr<filter> upper, std::string& wire);
    [[nodiscard]] bool is_empty() const noexcept { return levels_.empty(); }

    /// Does nothing: each has begun when it was added, or will when it can.
    result<> begin(std::string& wire) override;
    result<> receive(bytes_view from_wire, std::string& plain, std::string& wire) override;
    result<> send(std::span<const bytes_view> plain, std::string& wire) override;
    void finish(std::string& wire) override;
    [[nodiscard]] bool is_open() const noexcept override;
    [[nodiscard]] bool holds_more() const noexcept override;
    [[nodiscard]] bool is_finished() const noexcept override;

private:
    result<> begin_next(std::string& wire);
    result<> receive_at(std::size_t level, bytes_view bytes, std::string& plain, std::string& wire);
    result<> send_below(std::size_t level, bytes_view bytes, std::string& wire);

    std::vector<std::unique_ptr<filter>> levels_; ///< The one nearest the wire first.
    std::size_t begun_ = 0;
};

} // namespace pipit::net
