// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/subscription.hpp>

#include <cstdlib>
#include <cstring>
#include <new>

namespace pipit::broker {

subscription* subscription::make(session& owner, bytes_view subject, bytes_view queue,
                                 bytes_view sid) {
    const auto text_size = 5 + subject.size() + 1 + sid.size() + 1 + queue.size();
    void* memory = std::malloc(sizeof(subscription) + text_size);
    if (memory == nullptr) throw std::bad_alloc();
    auto* made = new (memory) subscription;
    made->owner = &owner;
    made->subject_size = static_cast<std::uint32_t>(subject.size());
    made->sid_size = static_cast<std::uint32_t>(sid.size());
    made->queue_size = static_cast<std::uint32_t>(queue.size());

    auto* write = static_cast<char*>(memory) + sizeof(subscription);
    const auto append = [&write](bytes_view bytes, char blank) {
        std::memcpy(write, bytes.data(), bytes.size());
        write += bytes.size();
        *write++ = blank;
    };
    append("HMSG", ' ');
    append(subject, ' ');
    append(sid, ' ');
    if (!queue.empty()) std::memcpy(write, queue.data(), queue.size());
    return made;
}

void subscription::destroy(subscription* subscription) noexcept {
    subscription->~subscription();
    std::free(subscription);
}

} // namespace pipit::broker
