// SPDX-License-Identifier: Apache-2.0
// Neither a user before the host nor a query changes whether a text is a URL; of one that is, the
// host alone is one too, and of none the path may be broken.
#include <pipit/auth/detail/information_url.hpp>
#include <pipit/base/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using pipit::auth::detail::is_information_url;
    const std::string url(std::string_view(reinterpret_cast<const char*>(data), size));
    const bool is_one = is_information_url(url);
    PIPIT_ASSERT(is_information_url(url + "?%") == is_one);
    const auto colon = url.find("://");
    if (colon == std::string::npos) {
        PIPIT_ASSERT(!is_one);
        return 0;
    }
    const auto host = colon + 3;
    auto with_user = url;
    with_user.insert(host, "me@");
    PIPIT_ASSERT(is_information_url(with_user) == is_one);
    const auto origin = url.substr(0, url.find_first_of("/?#", host));
    PIPIT_ASSERT(!is_one || is_information_url(origin));
    PIPIT_ASSERT(is_information_url(origin + "/%20") == is_information_url(origin));
    PIPIT_ASSERT(!is_information_url(origin + "/%zz"));
    return 0;
}
