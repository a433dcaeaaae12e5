// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/detail/claims_reader.hpp>

#include <boost/json/array.hpp>

#include <limits>

namespace pipit::auth::detail {

const boost::json::value* claims_reader::find(std::string_view name) const noexcept {
    const auto* const found = object_.if_contains({name.data(), name.size()});
    return found == nullptr || found->is_null() ? nullptr : found;
}

const boost::json::object& claims_reader::no_members() noexcept {
    static const boost::json::object nothing;
    return nothing;
}

void claims_reader::spoil(std::string_view name) {
    if (wrong_.empty()) wrong_ = "\"" + std::string(name) + "\" is not what it must be";
}

void claims_reader::read(std::string_view name, std::string& to) {
    const auto* const found = find(name);
    if (found == nullptr) return;
    if (const auto* const text = found->if_string()) {
        to.assign(text->data(), text->size());
    } else {
        spoil(name);
    }
}

void claims_reader::read(std::string_view name, bool& to) {
    const auto* const found = find(name);
    if (found == nullptr) return;
    if (const auto* const value = found->if_bool()) {
        to = *value;
    } else {
        spoil(name);
    }
}

void claims_reader::read(std::string_view name, std::int64_t& to) {
    const auto* const found = find(name);
    if (found == nullptr) return;
    if (const auto* const value = found->if_int64()) {
        to = *value;
    } else {
        spoil(name); // A number beyond 63 bits is unsigned.
    }
}

void claims_reader::read(std::string_view name, int& to) {
    std::int64_t wide = to;
    read(name, wide);
    if (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max()) {
        return spoil(name);
    }
    to = static_cast<int>(wide);
}

void claims_reader::read(std::string_view name, std::vector<std::string>& to) {
    std::vector<std::string> all;
    for_each(name, [&](const boost::json::value& each) {
        if (const auto* const text = each.if_string()) {
            all.emplace_back(text->data(), text->size());
        } else if (each.is_null()) {
            all.emplace_back();
        } else {
            spoil(name);
        }
    });
    if (find(name) != nullptr) to = std::move(all);
}

void claims_reader::read(std::string_view name, std::map<std::string, std::int64_t>& to) {
    object(name, [&](claims_reader inner) {
        for (const auto& member : inner.members()) {
            const auto key = member.key();
            inner.read({key.data(), key.size()}, to[std::string(key.data(), key.size())]);
        }
    });
}

void claims_reader::read_kind(std::string_view name, bool& is_service) {
    std::string text;
    read(name, text);
    if (text != "stream" && text != "service") return spoil(name);
    is_service = text == "service";
}

} // namespace pipit::auth::detail
