// SPDX-License-Identifier: Apache-2.0
// An authority's answer means the same each time, and a part of it means nothing. The input is a
// certificate, its issuer and the answer, the first two with their length in two bytes before.
#include <pipit/auth/ocsp.hpp>
#include <pipit/base/assert.hpp>

namespace {

pipit::bytes_view take_part(pipit::bytes_view& from) {
    if (from.size() < 2) return {};
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(from[i]); };
    const auto part = from.substr(2, byte(0) * std::size_t{256} + byte(1));
    from.remove_prefix(2 + part.size());
    return part;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pipit::auth;
    pipit::bytes_view input(reinterpret_cast<const char*>(data), size);
    ocsp_link link;
    link.certificate = take_part(input);
    link.issuer = take_part(input);
    const auto now = pipit::wall_time(std::chrono::seconds(1'800'000'000));
    (void)ocsp_responders(link.certificate);
    (void)demands_staple(link.certificate);
    (void)ocsp_request(link);
    const auto answer = read_ocsp_answer(input, link, now);
    if (!answer) return 0;
    const auto again = read_ocsp_answer(input, link, now);
    PIPIT_ASSERT(again && again->status == answer->status &&
                 again->this_update == answer->this_update &&
                 again->next_update == answer->next_update);
    PIPIT_ASSERT(!read_ocsp_answer(input.substr(0, input.size() - 1), link, now));
    return 0;
}
