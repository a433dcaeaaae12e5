// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/ocsp_staple.hpp>

#include <pipit/base/base64.hpp>
#include <pipit/base/ocsp_limits.hpp>
#include <pipit/server/detail/monitoring_text.hpp>
#include <pipit/server/detail/whole_file.hpp>
#include <pipit/server/error.hpp>

#include <utility>

namespace pipit::server {
namespace {

error failed(std::string why) { return {errc::unusable_file, std::move(why)}; }

/// Empty: it holds.
std::string why_it_does_not_hold(const auth::ocsp_answer& answer, wall_time now) {
    if (answer.next_update && *answer.next_update < now) {
        return "invalid ocsp NextUpdate, is past time: " + rfc3339(*answer.next_update);
    }
    if (answer.this_update > now) {
        return "invalid ocsp ThisUpdate, is future time: " + rfc3339(answer.this_update);
    }
    return {};
}

} // namespace

std::shared_ptr<const std::string> ocsp_staple::now() const {
    const std::lock_guard guard(lock_);
    if (answer_ && why_it_does_not_hold(*answer_, world_.now()).empty()) return der_;
    if (!std::exchange(is_late_, true) && when_late_) when_late_();
    return nullptr;
}

result<auth::ocsp_answer> ocsp_staple::find() {
    {
        const std::lock_guard guard(lock_);
        if (answer_ && why_it_does_not_hold(*answer_, world_.now()).empty()) return *answer_;
    }
    if (!about_.kept_in.empty()) {
        if (auto kept = detail::read_file(about_.kept_in, limits::ocsp_response_bytes)) {
            if (const auto answer = read(*kept)) {
                take(std::move(*kept), *answer);
                return *answer;
            }
        }
    }
    return ask();
}

result<auth::ocsp_answer> ocsp_staple::ask() {
    auto der = fetch();
    if (!der) {
        const std::lock_guard guard(lock_);
        is_late_ = false; // Whoever comes next may have it asked for again.
        return der.error();
    }
    const auto answer = read(*der);
    if (!answer) {
        const std::lock_guard guard(lock_);
        is_late_ = false;
        return failed("failed to get remote status: " + std::string(answer.error().detail()));
    }
    if (!about_.kept_in.empty()) {
        if (const auto kept = detail::keep_file(about_.kept_in, *der); !kept) {
            return failed("failed to write ocsp status: " + std::string(kept.error().detail()));
        }
    }
    take(std::move(*der), *answer);
    return *answer;
}

/// The first place that answers; as nats-server, by POST or else by GET.
result<std::string> ocsp_staple::fetch() const {
    const auto request = auth::ocsp_request(about_.link);
    if (!request) return failed(request.error().message());
    if (about_.urls.empty()) return failed("no available ocsp servers");
    std::string why;
    for (auto url : about_.urls) {
        if (url.ends_with('/')) url.pop_back();
        auto posted = world_.fetch(url, *request);
        if (posted) return posted;
        auto got = world_.fetch(url + '/' + to_base64(*request), std::nullopt);
        if (got) return got;
        why = std::string(posted.error().detail()) + '\n' + std::string(got.error().detail());
    }
    return failed("exhausted ocsp servers: " + why);
}

/// What holds now.
result<auth::ocsp_answer> ocsp_staple::read(const std::string& der) const {
    const auto now = world_.now();
    const auto answer = auth::read_ocsp_answer(der, about_.link, now);
    if (!answer) return failed(answer.error().message());
    if (auto why = why_it_does_not_hold(*answer, now); !why.empty()) return failed(std::move(why));
    return *answer;
}

void ocsp_staple::take(std::string der, const auth::ocsp_answer& answer) {
    const std::lock_guard guard(lock_);
    der_ = std::make_shared<const std::string>(std::move(der));
    answer_ = answer;
    is_late_ = false;
}

nanoseconds ocsp_staple::rest() const {
    const std::lock_guard guard(lock_);
    if (!answer_ || !answer_->next_update) return limits::ocsp_staple_interval;
    const auto half = (*answer_->next_update - world_.now()) / 2;
    return half < nanoseconds{} ? nanoseconds(limits::ocsp_staple_retry) : half;
}

} // namespace pipit::server
