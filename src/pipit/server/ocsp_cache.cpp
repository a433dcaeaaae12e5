// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/ocsp_cache.hpp>

#include <pipit/base/base64.hpp>
#include <pipit/base/ocsp_limits.hpp>
#include <pipit/broker/content_encoding.hpp>
#include <pipit/protocol/json_writer.hpp>
#include <pipit/server/detail/s2_stream.hpp>
#include <pipit/server/detail/whole_file.hpp>
#include <pipit/server/error.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace pipit::server {
namespace {

namespace json = boost::json;

/// Of a key, a subject or a time in the file.
constexpr std::size_t text_bytes_max = 4096;

auth::ocsp_status status_of(std::string_view word) {
    using auth::ocsp_status;
    return word == "good"      ? ocsp_status::good
           : word == "revoked" ? ocsp_status::revoked
                               : ocsp_status::unknown;
}

std::string text_in(const json::object& object, std::string_view name) {
    const auto* const value = object.if_contains(name);
    const auto* const text = value != nullptr ? value->if_string() : nullptr;
    if (text == nullptr || text->size() > text_bytes_max) return {};
    return std::string(text->data(), text->size());
}

std::optional<kept_ocsp_answer> read_one(const json::value& value) {
    const auto* const object = value.if_object();
    const auto* const packed = object != nullptr ? object->if_contains("resp") : nullptr;
    const auto* const text = packed != nullptr ? packed->if_string() : nullptr;
    if (text == nullptr) return std::nullopt;
    const auto bytes = from_base64({text->data(), text->size()});
    auto answer = bytes ? unpack_s2(*bytes, limits::ocsp_response_bytes) : std::nullopt;
    if (!answer || answer->empty()) return std::nullopt;
    return kept_ocsp_answer{.subject = text_in(*object, "subject"),
                            .cached_at = text_in(*object, "cached_at"),
                            .status = status_of(text_in(*object, "resp_status")),
                            .expires = text_in(*object, "resp_expires"),
                            .answer = std::move(*answer)};
}

} // namespace

result<kept_ocsp_answers> read_ocsp_answers(bytes_view file) {
    boost::system::error_code failed;
    const auto parsed = json::parse({file.data(), file.size()}, failed);
    const auto* const all = failed ? nullptr : parsed.if_object();
    if (all == nullptr) {
        return error(errc::unusable_file, failed ? failed.message() : "it is no object");
    }
    kept_ocsp_answers answers;
    for (const auto& [key, value] : *all) {
        auto one = key.size() <= text_bytes_max ? read_one(value) : std::nullopt;
        if (!one || answers.size() == limits::ocsp_responses_kept) continue;
        answers.emplace(std::string(key.data(), key.size()), std::move(*one));
    }
    return answers;
}

std::string write_ocsp_answers(const kept_ocsp_answers& answers) {
    std::string text;
    protocol::json_writer out(text, " ");
    out.begin_object();
    for (const auto& [key, one] : answers) {
        out.begin_object(key);
        out.optional_member("subject", one.subject);
        out.member("cached_at", one.cached_at);
        out.member("resp_status", auth::text(one.status));
        out.member("resp_expires", one.expires);
        out.member("resp", to_base64(broker::encode(broker::content_encoding::snappy, one.answer)));
        out.end_object();
    }
    out.end_object();
    return text;
}

ocsp_cache::ocsp_cache(ocsp_cache_options options, logger log)
    : options_(std::move(options)), log_(std::move(log)) {}

std::string ocsp_cache::file() const {
    const std::filesystem::path folder =
        options_.local_store.empty() ? "_rc_" : options_.local_store;
    std::error_code ignored;
    return std::filesystem::absolute(folder / "cache.json", ignored).lexically_normal().string();
}

void ocsp_cache::load() {
    log_.debug("Starting OCSP peer cache");
    const auto path = file();
    log_.debug("Loading OCSP peer cache [" + path + "]");
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
        return log_.debug("No OCSP peer cache found, starting with empty cache");
    }
    auto text = detail::read_file(path, limits::ocsp_cache_file_bytes);
    if (text && text->size() > limits::ocsp_cache_file_bytes) {
        text = error(errc::unusable_file, "the file is too large");
    }
    auto read = text ? read_ocsp_answers(*text) : result<kept_ocsp_answers>(text.error());
    const std::lock_guard guard(lock_);
    if (!read) {
        is_changed_ = text.has_value(); // What is no cache is written anew.
        return log_.warning("Unable to load OCSP peer cache: " +
                            std::string(read.error().detail()));
    }
    answers_ = std::move(*read);
    for (const auto& [key, one] : answers_) bytes_ += one.answer.size();
}

void ocsp_cache::continue_with(const ocsp_cache& other) {
    log_.debug("Starting OCSP peer cache");
    const std::scoped_lock guard(lock_, other.lock_);
    answers_ = other.answers_;
    bytes_ = other.bytes_;
    last_order_ = other.last_order_;
    is_changed_ = true;
}

bool ocsp_cache::save() {
    const std::lock_guard saving(saving_);
    std::string text;
    {
        const std::lock_guard guard(lock_);
        if (!std::exchange(is_changed_, false)) return true;
        text = write_ocsp_answers(answers_);
    }
    const auto path = file();
    log_.debug("OCSP peer cache is dirty, saving");
    log_.debug("Saving OCSP peer cache [" + path + "]");
    if (const auto saved = detail::keep_file(path, text); !saved) {
        log_.error("Unable to save OCSP peer cache: " + std::string(saved.error().detail()));
        const std::lock_guard guard(lock_);
        is_changed_ = true;
        return false;
    }
    log_.debug("Saved OCSP peer cache successfully (" + std::to_string(text.size()) + " bytes)");
    return true;
}

std::optional<std::string> ocsp_cache::find(const std::string& key) {
    const std::lock_guard guard(lock_);
    const auto found = answers_.find(key);
    const bool is_there = found != answers_.end();
    ++(is_there ? hits_ : misses_);
    log_.debug("OCSP peer cache " + std::string(is_there ? "hit" : "miss") + " for key [" + key +
               "]");
    if (!is_there) return std::nullopt;
    return found->second.answer;
}

void ocsp_cache::remove(const std::string& key) {
    const std::lock_guard guard(lock_);
    const auto found = answers_.find(key);
    if (found == answers_.end()) return;
    --hits_;
    ++misses_;
    if (found->second.status == auth::ocsp_status::revoked && options_.preserve_revoked) {
        return log_.debug("Revoked OCSP response for key [" + key + "] preserved by cache policy");
    }
    log_.debug("Deleting OCSP peer cached response for key [" + key + "]");
    erase(found);
    is_changed_ = true;
}

void ocsp_cache::put(const std::string& key, kept_ocsp_answer answer) {
    log_.debug("Caching OCSP response for [" + answer.subject + "], key [" + key + "]");
    const std::lock_guard guard(lock_);
    if (const auto before = answers_.find(key); before != answers_.end()) erase(before);
    make_room(answer.answer.size());
    answer.order = ++last_order_;
    bytes_ += answer.answer.size();
    answers_.emplace(key, std::move(answer));
    is_changed_ = true;
}

/// For one more of that size. The oldest go; those that were called back go last.
void ocsp_cache::make_room(std::size_t bytes) {
    while (!answers_.empty() && (answers_.size() >= limits::ocsp_responses_kept ||
                                 bytes_ + bytes > limits::ocsp_bytes_kept)) {
        erase(std::ranges::min_element(answers_, {}, [](const auto& one) {
            const bool is_revoked = one.second.status == auth::ocsp_status::revoked;
            return std::pair(is_revoked, one.second.order);
        }));
    }
}

void ocsp_cache::erase(kept_ocsp_answers::iterator one) {
    bytes_ -= one->second.answer.size();
    answers_.erase(one);
}

ocsp_statistics ocsp_cache::statistics() const {
    const std::lock_guard guard(lock_);
    ocsp_statistics counted{
        .responses = static_cast<std::int64_t>(answers_.size()), .hits = hits_, .misses = misses_};
    for (const auto& [key, one] : answers_) {
        switch (one.status) {
        case auth::ocsp_status::good: ++counted.goods; break;
        case auth::ocsp_status::revoked: ++counted.revokes; break;
        case auth::ocsp_status::unknown: ++counted.unknowns; break;
        }
    }
    return counted;
}

} // namespace pipit::server
