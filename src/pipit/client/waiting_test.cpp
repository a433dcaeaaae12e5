// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/detail/waiting.hpp>

#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pipit::client::detail {
namespace {

waiting<int> waits_in(asio::io_context& io, std::string& told) {
    return {[&told](result<int> what) { told += std::to_string(what.value()); }, io.get_executor()};
}

TEST(Waiting, MayBeAssigned) {
    asio::io_context io;
    std::string told;
    auto first = waits_in(io, told);
    auto second = waits_in(io, told);
    first = std::move(second);
    auto& same = first;
    first = std::move(same);
    std::move(first).complete(1);
    io.poll();
    EXPECT_EQ(told, "1");
}

TEST(Waiting, MayBeTakenOutOfAVector) {
    asio::io_context io;
    std::string told;
    std::vector<waiting<int>> all;
    for (int i = 0; i < 5; ++i) all.push_back(waits_in(io, told));
    for (int i = 0; !all.empty(); ++i) {
        auto first = std::move(all.front());
        all.erase(all.begin());
        std::move(first).complete(int{i});
    }
    io.poll();
    EXPECT_EQ(told, "01234");
}

} // namespace
} // namespace pipit::client::detail
