// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/ocsp_cache.hpp>

#include <pipit/base/base64.hpp>
#include <pipit/base/ocsp_limits.hpp>
#include <pipit/server/detail/s2_stream.hpp>
#include <support/temporary_folder.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace pipit::server {
namespace {

using auth::ocsp_status;

struct OcspCache : testing::Test {
    OcspCache() { options.local_store = folder / "store"; }
    [[nodiscard]] std::string text() const {
        std::ifstream from(options.local_store + "/cache.json");
        return {std::istreambuf_iterator<char>(from), {}};
    }
    static kept_ocsp_answer answer(std::string bytes, ocsp_status status = ocsp_status::good) {
        return {.subject = "CN=client",
                .cached_at = "2026-11-27T00:00:00Z",
                .status = status,
                .expires = "2026-11-28T00:00:00Z",
                .answer = std::move(bytes)};
    }

    const support::temporary_folder temporary;
    std::filesystem::path folder = temporary.path();
    ocsp_cache_options options;
};

TEST_F(OcspCache, KeepsAnswersAndCountsThem) {
    ocsp_cache cache(options, {});
    EXPECT_FALSE(cache.find("a"));
    cache.put("a", answer("first"));
    cache.put("b", answer("second", ocsp_status::revoked));
    cache.put("c", answer("third", ocsp_status::unknown));
    cache.put("a", answer("fourth"));
    EXPECT_EQ(cache.find("a"), "fourth");
    EXPECT_EQ(cache.find("c"), "third");
    cache.remove("c");
    const auto counted = cache.statistics();
    EXPECT_EQ(counted.responses, 2);
    EXPECT_EQ(counted.goods, 1);
    EXPECT_EQ(counted.revokes, 1);
    EXPECT_EQ(counted.unknowns, 0);
    EXPECT_EQ(counted.hits, 1) << "what was of no use was none";
    EXPECT_EQ(counted.misses, 2);
}

TEST_F(OcspCache, KeepsWhatWasCalledBackIfItIsToldTo) {
    options.preserve_revoked = true;
    ocsp_cache cache(options, {});
    cache.put("a", answer("first", ocsp_status::revoked));
    cache.remove("a");
    EXPECT_TRUE(cache.find("a"));
}

TEST_F(OcspCache, IsThereAgainAfterARestart) {
    const std::string bytes("\x30\x00\xff binary \x00", 12);
    {
        ocsp_cache cache(options, {});
        cache.load();
        cache.put("a+/=", answer(bytes));
        cache.save();
    }
    EXPECT_NE(text().find("\"resp_status\": \"good\""), std::string::npos) << text();
    ocsp_cache again(options, {});
    again.load();
    EXPECT_EQ(again.find("a+/="), bytes);
    std::filesystem::remove(options.local_store + "/cache.json");
    again.save();
    EXPECT_EQ(text(), "") << "nothing has changed";
}

TEST_F(OcspCache, BeginsAnewWhenItsFileIsNone) {
    std::filesystem::create_directory(options.local_store);
    for (const std::string content : {"{", "[]", "nonsense", ""}) {
        std::ofstream(options.local_store + "/cache.json") << content;
        int warnings = 0;
        ocsp_cache cache(options, logger([&](log_level level, std::string_view) {
                             warnings += level == log_level::warning ? 1 : 0;
                         }));
        cache.load();
        EXPECT_EQ(warnings, 1) << content;
        EXPECT_EQ(cache.statistics().responses, 0);
        cache.save();
        EXPECT_EQ(text(), "{}");
    }
}

TEST_F(OcspCache, LeavesOutWhatItCannotUse) {
    const auto read = read_ocsp_answers(R"({
        "a": 1, "b": {"resp": 2}, "c": {"resp": "not base64"}, "d": {"resp": "AAAA"},
        "e": {"resp": ""}, "f": {"resp": "/wYAAHNOYVBwWQEHAAAAAAAAYWJj", "subject": 1},
        "g": {"resp": "/wYAAHNOYVBwWQ=="}})");
    ASSERT_TRUE(read);
    ASSERT_EQ(read->size(), 1u);
    EXPECT_EQ(read->at("f").answer, "abc");
    EXPECT_EQ(read->at("f").status, ocsp_status::unknown);
}

TEST_F(OcspCache, IsBounded) {
    ocsp_cache cache(options, {});
    cache.put("revoked", answer("x", ocsp_status::revoked));
    for (std::size_t i = 0; i < limits::ocsp_responses_kept + 10; ++i) {
        cache.put(std::to_string(i), answer("x"));
    }
    EXPECT_EQ(cache.statistics().responses, static_cast<std::int64_t>(limits::ocsp_responses_kept));
    EXPECT_TRUE(cache.find("revoked"));
    EXPECT_FALSE(cache.find("0"));
}

TEST_F(OcspCache, IsBoundedInBytesSoThatItsFileCanBeReadAgain) {
    constexpr auto most = limits::ocsp_bytes_kept / limits::ocsp_response_bytes;
    std::string bytes(limits::ocsp_response_bytes, '\0');
    std::uint32_t last = 1; // That cannot be packed.
    for (auto& byte : bytes) byte = static_cast<char>((last = last * 1664525 + 1013904223) >> 24);
    {
        ocsp_cache cache(options, {});
        cache.put("revoked", answer("x", ocsp_status::revoked));
        for (std::size_t i = 0; i < most + 10; ++i) cache.put(std::to_string(i), answer(bytes));
        EXPECT_EQ(cache.statistics().responses, static_cast<std::int64_t>(most));
        EXPECT_FALSE(cache.find("10"));
        cache.put(std::to_string(most), answer(bytes)); // A newer one in its place.
        EXPECT_EQ(cache.statistics().responses, static_cast<std::int64_t>(most));
        EXPECT_TRUE(cache.save());
    }
    EXPECT_LT(text().size(), limits::ocsp_cache_file_bytes);
    ocsp_cache again(options, {});
    again.load();
    EXPECT_EQ(again.statistics().responses, static_cast<std::int64_t>(most));
    EXPECT_TRUE(again.find("revoked"));
}

/// A chunk of a stream; its checksum is 0.
std::string chunk(char type, std::string_view data) {
    const auto size = data.size() + 4;
    std::string text(1, type);
    for (int i = 0; i < 3; ++i) text += static_cast<char>(size >> (8 * i));
    return text.append(4, '\0').append(data);
}
const std::string head("\xff\x06\x00\x00S2sTwO", 10);

TEST(S2Stream, UnpacksCopiesThatRepeatAnOffset) {
    // "abc", 4 from 3 before, and then 6 more from as far.
    const std::string block("\x0d\x08"
                            "abc"
                            "\x01\x03"
                            "\x09\x00",
                            9);
    EXPECT_EQ(unpack_s2(head + chunk(0, block), 100), "abcabcabcabca");
    EXPECT_EQ(unpack_s2(head + chunk(0, block) + chunk(1, "xyz"), 100), "abcabcabcabcaxyz");
    EXPECT_EQ(unpack_s2(head + "\x99" + std::string("\x01\x00\x00?", 4) + chunk(1, "xyz"), 100),
              "xyz");
}

TEST(S2Stream, GivesNothingOfWhatIsNone) {
    const std::string block("\x0d\x08"
                            "abc"
                            "\x01\x03"
                            "\x09\x00",
                            9);
    const auto stream = head + chunk(0, block);
    EXPECT_FALSE(unpack_s2(stream, 12)) << "too much";
    for (std::size_t i = 0; i < stream.size(); ++i) {
        const auto part = unpack_s2(stream.substr(0, i), 100);
        EXPECT_TRUE(!part || part->empty()) << i;
    }
    EXPECT_FALSE(unpack_s2(chunk(1, "xyz"), 100)) << "no beginning";
    EXPECT_FALSE(unpack_s2(head + chunk(2, "xyz"), 100)) << "unknown";
    EXPECT_FALSE(unpack_s2(head + chunk(0, std::string("\x04\x01\x03", 3)), 100)) << "from before";
    EXPECT_FALSE(unpack_s2(head + chunk(0, std::string("\x05\x00x\x01\x00", 5)), 100))
        << "repeats nothing";
    EXPECT_FALSE(unpack_s2(head + chunk(0, "\xff\xff\xff\xff\x0f"), 100));
}

} // namespace
} // namespace pipit::server
