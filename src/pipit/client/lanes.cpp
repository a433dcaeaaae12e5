// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/lanes.hpp>

namespace pipit::client {

std::string lanes::mapping() const {
    return '"' + subject + ".*\": \"" + subject + ".{{partition(" + std::to_string(count) +
           ",1)}}.{{wildcard(1)}}\"";
}

std::string lanes::lane_subject(std::uint32_t lane) const {
    return subject + '.' + std::to_string(lane) + ".*";
}

std::string lanes::lane_queue(std::uint32_t lane) const {
    return queue + '-' + std::to_string(lane);
}

std::string lanes::subject_for(bytes_view key) const { return subject + '.' + std::string(key); }

} // namespace pipit::client
