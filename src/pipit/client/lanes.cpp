// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/lanes.hpp>

#include <pipit/protocol/error.hpp>
#include <pipit/protocol/subject.hpp>

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

result<> check_lanes(const lanes& all, lane_share share) {
    const auto invalid = [](std::string why) {
        return error(make_error_code(boost::system::errc::invalid_argument), std::move(why));
    };
    if (!protocol::is_valid_publish_subject(all.subject)) {
        return error(protocol::errc::invalid_subject, "'" + all.subject + "' of lanes");
    }
    if (all.count == 0) return invalid("there are no lanes of '" + all.subject + "'");
    if (share.member >= share.members) {
        return invalid("member " + std::to_string(share.member) + " of the lanes of '" +
                       all.subject + "' is none of " + std::to_string(share.members) +
                       ": they are counted from 0");
    }
    return {};
}

} // namespace pipit::client
