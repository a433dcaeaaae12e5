// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/net/filter.hpp>

#include <cstddef>
#include <span>
#include <string>

namespace pipit::net::test {

/// Gives on so many bytes at a time, and keeps the others.
class slow_filter final : public filter {
public:
    explicit slow_filter(std::size_t bytes) : bytes_(bytes) {}
    result<> begin(std::string&) override { return {}; }
    result<> receive(bytes_view from_wire, std::string& plain, std::string&) override {
        held_ += from_wire;
        plain += held_.substr(0, bytes_);
        held_.erase(0, bytes_);
        return {};
    }
    result<> send(std::span<const bytes_view>, std::string&) override { return {}; }
    void finish(std::string&) override {}
    [[nodiscard]] bool is_open() const noexcept override { return true; }
    [[nodiscard]] bool is_finished() const noexcept override { return false; }
    [[nodiscard]] bool holds_more() const noexcept override { return !held_.empty(); }

private:
    std::size_t bytes_;
    std::string held_;
};

} // namespace pipit::net::test
