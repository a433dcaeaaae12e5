// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/net/filter.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <utility>

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

/// Opens when somebody has answered what it asks at its first byte.
class asking_filter final : public filter {
public:
    result<> begin(std::string&) override { return {}; }
    result<> receive(bytes_view from_wire, std::string& plain, std::string&) override {
        held_ += from_wire;
        if (!open_ && !answered) {
            asks_ = !held_.empty();
            return {};
        }
        open_ = true;
        plain += held_;
        held_.clear();
        return {};
    }
    result<> send(std::span<const bytes_view>, std::string&) override { return {}; }
    void finish(std::string&) override {}
    [[nodiscard]] bool is_open() const noexcept override { return open_; }
    [[nodiscard]] bool is_finished() const noexcept override { return false; }
    filter_question take_question() override {
        if (!asks_) return {};
        asks_ = false;
        return [this](std::function<void()> then) { answered = std::move(then); };
    }

    std::function<void()> answered; ///< Once it is asked.

private:
    std::string held_;
    bool asks_ = false;
    bool open_ = false;
};

} // namespace pipit::net::test
