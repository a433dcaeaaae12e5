// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::auth::detail {

/// Reads members of a JSON object of claims: one that is missing or null leaves its target as it
/// is, one of another type spoils the whole token. The first that does is remembered.
class claims_reader {
public:
    claims_reader(const boost::json::object& object, std::string& wrong)
        : object_(object), wrong_(wrong) {}

    void read(std::string_view name, std::string& to);
    void read(std::string_view name, bool& to);
    void read(std::string_view name, std::int64_t& to);
    void read(std::string_view name, int& to);
    void read(std::string_view name, std::vector<std::string>& to);
    void read(std::string_view name, std::map<std::string, std::int64_t>& to);
    /// `stream` or `service`.
    void read_kind(std::string_view name, bool& is_service);

    /// Calls `visit(claims_reader)` with an object.
    template <class Visit>
    void object(std::string_view name, Visit visit) {
        const auto* const found = find(name);
        if (found == nullptr) return;
        if (const auto* const inner = found->if_object()) {
            visit(claims_reader(*inner, wrong_));
        } else {
            spoil(name);
        }
    }
    /// Calls `visit(claims_reader)` with each object of an array; null is one without members.
    template <class Visit>
    void objects(std::string_view name, Visit visit) {
        for_each(name, [&](const boost::json::value& each) {
            const auto* const inner = each.is_null() ? &no_members() : each.if_object();
            if (inner == nullptr) return spoil(name);
            visit(claims_reader(*inner, wrong_));
        });
    }
    /// Calls `visit(value)` with each element of an array.
    template <class Visit>
    void for_each(std::string_view name, Visit visit) {
        const auto* const found = find(name);
        if (found == nullptr) return;
        const auto* const array = found->if_array();
        if (array == nullptr) return spoil(name);
        for (const auto& each : *array) visit(each);
    }

    [[nodiscard]] const boost::json::value* find(std::string_view name) const noexcept;
    [[nodiscard]] const boost::json::object& members() const noexcept { return object_; }
    [[nodiscard]] std::string& wrong() noexcept { return wrong_; }
    void spoil(std::string_view name);

private:
    [[nodiscard]] static const boost::json::object& no_members() noexcept;

    const boost::json::object& object_;
    std::string& wrong_;
};

} // namespace pipit::auth::detail
