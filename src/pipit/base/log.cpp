// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/log.hpp>

namespace pipit {

void logger::write(log_level level, std::string_view line) const {
    if (sink_) sink_(level, line);
}

} // namespace pipit
