// SPDX-License-Identifier: Apache-2.0
// The input is a source, a destination and a subject, in lines. A transform that can be made
// applies to every subject that it matches, and twice alike.
#include <pipit/base/assert.hpp>
#include <pipit/protocol/subject_transform.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    auto next_line = [rest = input]() mutable {
        const auto end = rest.find('\n');
        const auto taken = rest.substr(0, end);
        rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
        return taken;
    };
    const auto source = next_line(), destination = next_line(), subject = next_line();
    const auto transform = pipit::protocol::subject_transform::make(source, destination);
    if (!transform || !transform->matches(subject)) return 0;
    std::string first, second("something");
    pipit::random_source random(1), again(1);
    transform->apply(subject, random, first);
    transform->apply(subject, again, second);
    PIPIT_ASSERT(first == second);
    return 0;
}
