// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::broker {

/// The two names of what one account imports from another: `orders.*.>` at the exporter may be
/// `shop.$1.>` at the importer.
///
/// Source: auth, section 3; where it is silent, nats-server v2.15.2.
class import_subjects {
public:
    /// `local` may hold `$1`, `{{wildcard(1)}}` or `*` for the wildcards of `exported`, and has to
    /// hold all of them; empty: the same as `exported`.
    /// Errors: `protocol::errc::invalid_mapping`, with nats-server's words as the detail.
    [[nodiscard]] static result<import_subjects> make(std::string_view exported,
                                                      std::string_view local);

    /// As the exporter knows them; a literal or a pattern.
    [[nodiscard]] const std::string& exported() const noexcept { return exported_; }
    /// As the importer knows them, with `*` for each wildcard.
    [[nodiscard]] const std::string& local() const noexcept { return local_; }

    /// What the importer calls a subject that `exported` matches, or the other way round; a
    /// pattern stays one. Lifetime: that of the subject, of `scratch` and of this.
    [[nodiscard]] bytes_view to_local(bytes_view subject, std::string& scratch) const;
    [[nodiscard]] bytes_view to_exported(bytes_view subject, std::string& scratch) const;

    /// What has to be subscribed to at the exporter so that a subscription of the importer gets
    /// all that it imports; nothing when the import has no part in it.
    [[nodiscard]] std::optional<std::string> interest_of(bytes_view subscribed) const;

    friend bool operator==(const import_subjects&, const import_subjects&) = default;

private:
    /// One token of the result: a literal, or the token that stood at a place of the source.
    struct step {
        std::string literal;
        std::optional<std::size_t> place;
        bool rest = false; ///< All tokens from `place` on.
        friend bool operator==(const step&, const step&) = default;
    };
    using steps = std::vector<step>;

    import_subjects() = default;
    void link(const std::vector<bytes_view>& exported, bytes_view destination);
    static bytes_view apply(const steps& to, bytes_view subject, std::string& result);

    std::string exported_;
    std::string local_;
    bool same_ = false; ///< Both are one pattern: nothing is renamed.
    steps to_local_;    ///< Empty: what is exported is one subject, or nothing is renamed.
    steps to_exported_;
};

} // namespace pipit::broker
