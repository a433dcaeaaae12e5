// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/detail/monitoring_documents.hpp>

namespace pipit::server {
namespace {

/// What is wrong; `type` is one of nats-server's words for where.
struct health_problem {
    int status = 0;
    std::string_view overall; ///< The `status` that goes with it.
    std::string_view type;
    std::string text;
};

struct healthz_options {
    bool details = false;
    std::string account;
    std::string stream;
    std::string consumer;
};

healthz_options read_options(const document_request& request) {
    auto& query = request.query;
    if (query.flag("js-enabled")) {
        request.log.warning("Healthcheck: js-enabled deprecated, use js-enabled-only instead");
    }
    // Without JetStream there is nothing that these would leave out; they must be readable.
    for (const auto* ignored : {"js-enabled-only", "js-server-only", "js-meta-only"}) {
        static_cast<void>(query.flag(ignored));
    }
    healthz_options options;
    options.details = query.flag("details");
    options.account = query.text("account");
    options.stream = query.text("stream");
    options.consumer = query.text("consumer");
    return options;
}

std::optional<health_problem> find_problem(const document_request& request,
                                           const healthz_options& options) {
    if (options.account.empty() && !options.stream.empty()) {
        return health_problem{400, "error", "BAD_REQUEST",
                              "\"account\" must not be empty when checking stream health"};
    }
    if (options.stream.empty() && !options.consumer.empty()) {
        return health_problem{400, "error", "BAD_REQUEST",
                              "\"stream\" must not be empty when checking consumer health"};
    }
    // A loop that does not answer makes a server that does not serve.
    const auto snapshot = request.collect({});
    if (!snapshot) {
        return health_problem{503, "unavailable", "CONNECTION", snapshot.error().message()};
    }
    if (!snapshot->server.not_ready.empty()) {
        return health_problem{500, "error", "CONNECTION", snapshot->server.not_ready};
    }
    return std::nullopt;
}

std::string written(const std::optional<health_problem>& problem, bool details, bool with_code) {
    std::string text;
    json_writer json(text);
    json.begin_object();
    json.member("status", !problem ? "ok" : details ? "error" : problem->overall);
    if (with_code) json.member("status_code", problem ? problem->status : 200);
    if (problem && !details) {
        json.member("error", problem->text);
    } else if (problem) {
        json.begin_array("errors");
        json.element();
        json.begin_object();
        json.member("type", problem->type);
        json.member("error", problem->text);
        json.end_object();
        json.end_array();
    }
    json.end_object();
    return text;
}

} // namespace

net::http_response healthz(const document_request& request) {
    const auto options = read_options(request);
    if (!request.query.problem().empty()) return bad_request(request.query.problem());
    const auto problem = find_problem(request, options);
    if (problem) {
        request.log.warning(options.details
                                ? std::string("Healthcheck failed: 1 errors")
                                : "Healthcheck failed: " + protocol::quoted(problem->text));
    }
    return json_answer(written(problem, options.details, request.as_message),
                       problem ? problem->status : 200);
}

} // namespace pipit::server
