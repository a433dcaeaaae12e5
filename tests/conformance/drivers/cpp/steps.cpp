// SPDX-License-Identifier: Apache-2.0
#include "scenario.hpp"
#include "text.hpp"

#include <pipit/client/credentials.hpp>

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <functional>
#include <numeric>
#include <string_view>

namespace pipit::conformance {
namespace {

using boost::json::object;
using std::chrono::milliseconds;

constexpr std::string_view no_error = "no error";

std::string describe(const error& why) {
    return why.code() ? why.message() : std::string(no_error);
}

std::string joined(const std::vector<std::string>& labels) {
    std::string all;
    for (const auto& label : labels) all += (all.empty() ? "" : "+") + label;
    return all;
}

client::connection_options settings(const object& options, const std::string& shown,
                                    const std::string& url) {
    client::connection_options made{.servers = {url}, .name = shown};
    made.user = text_of(options, "user").value_or("");
    made.password = text_of(options, "pass").value_or("");
    made.token = text_of(options, "token").value_or("");
    if (const auto file = text_of(options, "creds")) {
        made.credentials_provider = client::sign_in_with_creds_file(*file).value();
    }
    made.echo = flag_of(options, "echo", true);
    made.verbose = flag_of(options, "verbose");
    made.pedantic = flag_of(options, "pedantic");
    made.inbox_prefix = text_of(options, "inbox_prefix").value_or(made.inbox_prefix);
    made.connect_timeout = milliseconds(number_of(options, "timeout_ms", 5000));
    made.request_timeout = std::chrono::seconds(3); // That of flush, too.
    made.reconnect = flag_of(options, "reconnect");
    made.reconnect_jitter = milliseconds(0);
    if (options.contains("ping_interval_ms")) {
        made.ping_interval = milliseconds(number_of(options, "ping_interval_ms"));
        made.pings_outstanding_max = static_cast<int>(number_of(options, "ping_max"));
    }
    return made;
}

void do_connect(scenario& in, const arguments& given) {
    const auto name = given.text(0);
    const auto options = given.options(1);
    auto happened = std::make_shared<happenings>();
    auto set = settings(options, text_of(options, "name").value_or(name),
                        in.urls.at(text_of(options, "via").value_or("server")));
    set.on_event = [happened](const client::connection_event& what) { happened->note(what); };
    auto nats = in.make_connection(std::move(set));
    if (const auto connected = nats->connect(); !connected) {
        in.say(name, " cannot connect: ", describe(connected.error()));
        return;
    }
    const auto cid = nats->server_info().client_id;
    in.connections[name] = {std::move(happened), std::move(nats), cid};
    in.names.push_back(name);
    if (flag_of(options, "say")) in.say(name, " connected");
}

void do_close(scenario& in, const arguments& given) { in.connection(given.text(0)).nats->close(); }

void do_drain(scenario& in, const arguments& given) {
    const auto name = given.text(0);
    auto& nats = *in.connection(name).nats;
    if (const auto drained = nats.drain(); !drained) {
        in.say(name, " cannot drain: ", describe(drained.error()));
    }
    if (!nats.is_closed()) in.say(name, " missing: end of drain");
    in.say(name, " drained");
}

void do_flush(scenario& in, const arguments& given) {
    const auto name = given.text(0);
    if (const auto flushed = in.connection(name).nats->flush(); !flushed) {
        in.say(name, " missing: pong, ", describe(flushed.error()));
        return;
    }
    in.say(name, " flushed");
}

void do_rtt(scenario& in, const arguments& given) {
    const auto name = given.text(0);
    const auto took = in.connection(name).nats->rtt();
    if (took && *took > std::chrono::nanoseconds(0) && *took < patience) {
        in.say(name, " rtt is sensible");
        return;
    }
    in.say(name, " rtt: ", took ? "not sensible" : describe(took.error()));
}

void respond(face_connection& nats, const client::message& to, const object& options) {
    if (const auto forward = text_of(options, "forward")) {
        (void)nats.publish(*forward, to.payload(), {.reply = to.reply()});
    }
    const auto reply = text_of(options, "reply");
    if (!reply || to.reply().empty()) return;
    const auto headers = make_headers(options).value();
    for (std::int64_t index = 1; index <= number_of(options, "answers", 1); ++index) {
        const auto payload =
            *reply == "=" ? std::string(to.payload()) : make_payload(*reply, {}, index);
        (void)nats.publish(to.reply(), payload, {.headers = headers ? &*headers : nullptr});
    }
    if (flag_of(options, "sentinel")) (void)nats.publish(to.reply(), "", {});
}

result<subscription_pointer> open(face_connection& nats, const std::string& subject,
                                  const object& options, const inbox_pointer& into) {
    client::subscribe_options how{.queue = text_of(options, "queue").value_or("")};
    how.messages_max = static_cast<std::uint64_t>(number_of(options, "max"));
    if (!options.contains("reply") && !options.contains("forward")) {
        return nats.subscribe(subject, std::move(how), into);
    }
    const auto answer = [&nats, options, into](const client::message& request) {
        into->add(request);
        respond(nats, request, options);
    };
    return nats.subscribe(subject, std::move(how), answer);
}

void do_subscribe(scenario& in, const arguments& given) {
    auto& nats = *in.connection(given.text(0)).nats;
    const auto label = given.text(1);
    const auto options = given.options(3);
    auto& made = in.subscriptions[label] = {};
    for (std::int64_t index = 1; index <= number_of(options, "times", 1); ++index) {
        auto handle = open(nats, indexed(given.text(2), index), options, made.messages);
        if (!handle) {
            in.say(label, " refused by the client: ", describe(handle.error()));
            return;
        }
        made.handles.push_back(std::move(*handle));
    }
    (void)nats.flush();
}

void do_unsubscribe(scenario& in, const arguments& given) {
    const auto limit = static_cast<std::uint64_t>(given.number(1));
    in.subscription(given.text(0)).handles.back()->unsubscribe(limit);
}

void do_drain_subscription(scenario& in, const arguments& given) {
    const auto label = given.text(0);
    auto& handle = *in.subscription(label).handles.back();
    if (const auto drained = handle.drain(); !drained) {
        in.say(label, " cannot drain: ", describe(drained.error()));
    }
    if (handle.is_active()) in.say(label, " missing: end of drain");
    in.say(label, " drained");
}

void do_publish(scenario& in, const arguments& given) {
    const auto name = given.text(0);
    const auto options = given.options(3);
    const auto reply = text_of(options, "reply").value_or("");
    const auto headers = make_headers(options);
    if (!headers) {
        in.say(name, " headers refused by the client: ", describe(headers.error()));
        return;
    }
    const client::publish_options how{.reply = reply, .headers = *headers ? &**headers : nullptr};
    for (std::int64_t index = 1; index <= number_of(options, "times", 1); ++index) {
        const auto payload = make_payload(given.text(2), options, index);
        const auto published =
            in.connection(name).nats->publish(indexed(given.text(1), index), payload, how);
        if (!published) {
            in.say(name, " publish refused by the client: ", describe(published.error()));
            return;
        }
    }
}

void do_request(scenario& in, const arguments& given) {
    const auto options = given.options(3);
    const auto headers = make_headers(options).value();
    const client::request_options how{.timeout =
                                          milliseconds(number_of(options, "timeout_ms", 5000)),
                                      .headers = headers ? &*headers : nullptr};
    const auto answer =
        in.connection(given.text(0))
            .nats->request(given.text(1), make_payload(given.text(2), options, 1), how);
    in.say(given.text(0), " request ", given.text(1), ": ",
           answer ? show(*answer) : describe(answer.error()));
}

void do_request_parallel(scenario& in, const arguments& given) {
    const auto count = static_cast<std::size_t>(given.number(2));
    const auto right = in.connection(given.text(0)).nats->right_answers(given.text(1), count);
    in.say(given.text(0), " got ", right, " of ", count, " answers");
}

void do_request_many(scenario& in, const arguments& given) {
    const auto options = given.options(3);
    client::request_many_options how{.timeout = patience};
    how.messages_max = static_cast<std::uint64_t>(number_of(options, "max"));
    how.ends_with_empty_payload = text_of(options, "until") == "sentinel";
    if (options.contains("stall_ms")) how.stall = milliseconds(number_of(options, "stall_ms"));
    const auto found = in.connection(given.text(0))
                           .nats->request_many(given.text(1), given.text(2), std::move(how));
    if (!found) {
        in.say(given.text(0), " request many ", given.text(1), ": ", describe(found.error()));
        return;
    }
    in.say(given.text(0), " request many ", given.text(1), ": ", found->size(), " answers");
    for (const auto& answer : *found) in.say("  ", show(answer));
}

void do_wait_messages(scenario& in, const arguments& given) {
    auto& found = in.subscription(given.text(0));
    const auto wanted = static_cast<std::size_t>(given.number(1));
    const auto arrived = [&] {
        found.collect();
        return found.messages->size() >= wanted;
    };
    if (!until(arrived)) {
        in.say(given.text(0), " missing: only ", found.messages->size(), " of ", wanted,
               " messages");
    }
}

/// Leaves a JSON payload to the runner, which knows what in it is volatile.
void do_messages(scenario& in, const arguments& given) {
    in.settle();
    const auto options = given.options(1);
    auto& messages = *in.subscription(given.text(0)).messages;
    std::vector<std::string> shown;
    for (const auto& message : messages.seen()) {
        shown.push_back(flag_of(options, "json") ? "json " + std::string(message.payload())
                                                 : show(message));
    }
    if (flag_of(options, "sorted")) std::sort(shown.begin(), shown.end());
    in.say(given.text(0), " got ", shown.size());
    for (const auto& line : shown) in.say("  ", line);
    messages.forget();
}

void do_count(scenario& in, const arguments& given) {
    in.settle();
    auto& messages = *in.subscription(given.text(0)).messages;
    in.say(given.text(0), " got ", messages.size());
    messages.forget();
}

void do_total(scenario& in, const arguments& given) {
    in.settle();
    std::size_t total = 0;
    for (const auto& label : given.texts(0)) total += in.subscription(label).messages->size();
    in.say(joined(given.texts(0)), " got ", total);
}

void do_order(scenario& in, const arguments& given) {
    in.settle();
    const auto messages = in.subscription(given.text(0)).messages->seen();
    const auto falls = [](const client::message& before, const client::message& after) {
        return std::stoi(std::string(after.payload())) <= std::stoi(std::string(before.payload()));
    };
    const bool ordered =
        std::adjacent_find(messages.begin(), messages.end(), falls) == messages.end();
    in.say(given.text(0), " got ", messages.size(), ordered ? " in order" : " out of order");
}

void do_shares(scenario& in, const arguments& given) {
    in.settle();
    const auto floor = static_cast<std::size_t>(given.number(1));
    std::set<std::string> distinct;
    std::vector<std::size_t> counts;
    for (const auto& label : given.texts(0)) {
        const auto messages = in.subscription(label).messages->seen();
        counts.push_back(messages.size());
        for (const auto& message : messages) distinct.emplace(message.payload());
    }
    const auto total = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
    std::string shares = "everyone at least " + std::to_string(floor) + " %";
    if (*std::min_element(counts.begin(), counts.end()) * 100 < total * floor) {
        shares = "shares";
        for (const auto count : counts) shares += " " + std::to_string(count);
    }
    in.say(joined(given.texts(0)), " got ", total, ", ", distinct.size(), " distinct, ", shares);
}

void do_ended(scenario& in, const arguments& given) {
    in.settle();
    const bool active = in.subscription(given.text(0)).handles.back()->is_active();
    in.say(given.text(0), " is ", active ? "open" : "closed");
}

void do_errors(scenario& in, const arguments& given) {
    auto& happened = *in.connection(given.text(0)).happened;
    const auto wanted = static_cast<std::size_t>(given.number(1));
    in.settle();
    if (!until([&] { return happened.error_count() >= wanted; })) {
        in.say(given.text(0), " missing: an error");
    }
    pause(milliseconds(10)); // For one too many.
    const std::lock_guard held(happened.mutex);
    in.say(given.text(0), " errors ", happened.errors.size());
    for (const auto& line : happened.errors) in.say("  ", line);
    happened.errors.clear();
}

void do_wait_event(scenario& in, const arguments& given) {
    auto& happened = *in.connection(given.text(0)).happened;
    const bool seen = until([&] { return happened.has(given.text(1)); });
    in.say(given.text(0), seen ? " saw " : " missing: ", given.text(1));
}

void do_closed(scenario& in, const arguments& given) {
    auto& connection = in.connection(given.text(0));
    if (!until([&] { return connection.nats->is_closed(); })) {
        in.say(given.text(0), " missing: close");
        return;
    }
    const auto told = [&] {
        const std::lock_guard held(connection.happened->mutex);
        return connection.happened->closed_because.has_value();
    };
    if (!until(told)) {
        in.say(given.text(0), " missing: the event of its end");
        return;
    }
    in.say(given.text(0), " closed: ", describe(*connection.happened->closed_because));
}

void do_open(scenario& in, const arguments& given) {
    in.settle();
    const bool closed = in.connection(given.text(0)).nats->is_closed();
    in.say(given.text(0), " is ", closed ? "closed" : "open");
}

void do_open_count(scenario& in, const arguments& given) {
    const auto names = given.texts(0);
    const auto open = [&] {
        return std::count_if(names.begin(), names.end(), [&](const std::string& name) {
            return !in.connection(name).nats->is_closed();
        });
    };
    (void)until([&] { return open() == given.number(1); });
    in.say(open(), " of ", joined(names), " open");
}

void do_increasing_ids(scenario& in, const arguments& given) {
    std::uint64_t previous = 0;
    for (const auto& name : given.texts(0)) {
        const auto cid = in.connection(name).cid;
        if (cid <= previous) {
            in.say("ids do not grow: ", cid, " after ", previous);
            return;
        }
        previous = cid;
    }
    in.say("ids grow");
}

void do_info(scenario& in, const arguments& given) {
    in.settle();
    const auto known = visible(in.connection(given.text(0)).nats->server_info());
    const bool types = flag_of(given.options(2), "types");
    for (const auto& field : given.texts(1)) {
        const auto* value = known.if_contains(field);
        if (value == nullptr) continue;
        in.say(given.text(0), " info ", field, ": ",
               types ? std::string(boost::json::to_string(value->kind()))
                     : boost::json::serialize(*value));
    }
}

/// Publishes to a reader that does not read until the server gives it up.
void do_publish_until_gone(scenario& in, const arguments& given) {
    auto& nats = *in.connection(given.text(0)).nats;
    const std::string payload(static_cast<std::size_t>(given.number(2)), '\0');
    const auto reader = given.text(3);
    for (int round = 0; round < 400; ++round) {
        for (int index = 0; index < 5; ++index) (void)nats.publish(given.text(1), payload, {});
        (void)nats.flush();
        const auto answer = in.remote("gone", {boost::json::value(reader)});
        if (!flag_of(answer, "gone")) continue;
        std::erase(in.names, reader); // It cannot know: what it is told stays in the relay.
        in.say(reader, " is gone");
        return;
    }
    in.say("missing: ", reader, " is still there");
}

void do_pause(scenario&, const arguments& given) { pause(milliseconds(given.number(0))); }

using step = void (*)(scenario&, const arguments&);

const std::map<std::string, step, std::less<>> steps{
    {"connect", do_connect},
    {"close", do_close},
    {"drain", do_drain},
    {"flush", do_flush},
    {"rtt", do_rtt},
    {"subscribe", do_subscribe},
    {"unsubscribe", do_unsubscribe},
    {"drain_subscription", do_drain_subscription},
    {"publish", do_publish},
    {"request", do_request},
    {"request_parallel", do_request_parallel},
    {"request_many", do_request_many},
    {"wait_messages", do_wait_messages},
    {"messages", do_messages},
    {"count", do_count},
    {"total", do_total},
    {"order", do_order},
    {"shares", do_shares},
    {"ended", do_ended},
    {"errors", do_errors},
    {"wait_event", do_wait_event},
    {"closed", do_closed},
    {"open", do_open},
    {"open_count", do_open_count},
    {"increasing_ids", do_increasing_ids},
    {"info", do_info},
    {"publish_until_gone", do_publish_until_gone},
    {"pause", do_pause},
};

} // namespace

bool play_step(scenario& in, const std::string& verb, const arguments& given) {
    const auto found = steps.find(verb);
    if (found == steps.end()) return false;
    found->second(in, given);
    return true;
}

} // namespace pipit::conformance
