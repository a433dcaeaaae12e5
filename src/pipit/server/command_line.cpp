// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/command_line.hpp>

#include <pipit/base/ascii_case.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/detail/checked_block.hpp>
#include <pipit/server/detail/config_keys.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/host_port.hpp>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <limits>

namespace pipit::server {
namespace {

using detail::is_one_of;

/// What flags are put into: the options, and what cannot be seen in them.
struct flag_target {
    loaded_options& loaded;
    server_options& options = loaded.options;
    std::string cluster_url{};
    std::string cluster_name{};
    bool has_routes = false;
    /// A flag spoke of TLS; the block of the file is replaced, but for its times.
    bool wants_tls = false;
    bool tls_is_off = false; ///< `--tls=false`
    net::tls_settings tls{};
    net::tls_key_pair tls_pair{};
};

enum class flag_kind { boolean, integer, text };

struct flag_rule {
    std::string_view names;
    flag_kind kind;
    void (*apply)(flag_target& target, const std::string& value);
};

// What a flag's value is, once it has been checked.

bool to_boolean(const std::string& value) { return is_one_of("1 t T TRUE true True", value); }
/// As nats-server, 0x10 is sixteen and 010 is eight.
std::int64_t to_integer(const std::string& value) {
    return std::strtoll(value.c_str(), nullptr, 0);
}

template <auto Member>
void set_text(flag_target& target, const std::string& value) {
    target.options.*Member = value;
}
template <auto Member>
void set_boolean(flag_target& target, const std::string& value) {
    target.options.*Member = to_boolean(value);
}
template <auto Member>
void set_number(flag_target& target, const std::string& value) {
    using type = std::remove_cvref_t<decltype(target.options.*Member)>;
    target.options.*Member = static_cast<type>(to_integer(value));
}
/// As for nats-server, less than nothing is nothing.
template <auto Member>
void set_size(flag_target& target, const std::string& value) {
    using type = std::remove_cvref_t<decltype(target.options.*Member)>;
    constexpr auto most = static_cast<std::int64_t>(std::numeric_limits<type>::max());
    target.options.*Member =
        static_cast<type>(std::clamp<std::int64_t>(to_integer(value), 0, most));
}
template <auto... Members>
void set_all(flag_target& target, const std::string& value) {
    ((target.options.*Members = to_boolean(value)), ...);
}
void ignore(flag_target&, const std::string&) {}

// What later versions will do.

void leave_out(flag_target& target, std::string_view flag) {
    target.loaded.notices.push_back("not supported yet: " + std::string(flag) +
                                    "; the server starts without it");
}
void set_jetstream(flag_target& target, const std::string& value) {
    target.options.jetstream = to_boolean(value);
    if (target.options.jetstream) leave_out(target, "--jetstream");
}
void set_profile(flag_target& target, const std::string& value) {
    std::erase_if(target.options.reserved_listeners,
                  [](const auto& listener) { return listener.kind == listener_kind::profile; });
    const auto port = static_cast<int>(to_integer(value));
    if (port == 0) return;
    target.options.reserved_listeners.push_back({listener_kind::profile, {}, port});
    leave_out(target, "--profile");
}
void set_cluster(flag_target& target, const std::string& value) {
    std::erase_if(target.options.reserved_listeners,
                  [](const auto& listener) { return listener.kind == listener_kind::cluster; });
    target.cluster_url = value;
}
void set_routes(flag_target& target, const std::string& value) {
    target.has_routes = !value.empty();
}
void set_cluster_name(flag_target& target, const std::string& value) {
    target.cluster_name = value;
}
void set_tls(flag_target& target, const std::string& value) {
    target.wants_tls = to_boolean(value);
    target.tls_is_off = !target.wants_tls;
}
void set_tls_verify(flag_target& target, const std::string& value) {
    target.wants_tls = true;
    target.tls.verifies_peer = to_boolean(value);
}
void set_tls_authority(flag_target& target, const std::string& value) {
    target.wants_tls = true;
    target.tls.authorities_file = value;
}
void set_tls_certificate(flag_target& target, const std::string& value) {
    target.wants_tls = true;
    target.tls_pair.certificate_file = value;
}
void set_tls_key(flag_target& target, const std::string& value) {
    target.wants_tls = true;
    target.tls_pair.key_file = value;
}

using options = server_options;
constexpr auto boolean = flag_kind::boolean;
constexpr auto integer = flag_kind::integer;
constexpr auto text = flag_kind::text;

/// Those that are no options: what they mean is decided in `parse_command_line`.
constexpr flag_rule flag_rules[] = {
    {"help h", boolean, ignore},
    {"version v", boolean, ignore},
    {"help_tls", boolean, ignore},
    {"t", boolean, ignore},
    {"config c", text, ignore},
    {"signal sl", text, ignore},
    {"port p", integer, set_number<&options::port>},
    {"addr a net", text, set_text<&options::host>},
    {"server_name name n", text, set_text<&options::server_name>},
    {"client_advertise", text, set_text<&options::client_advertise>},
    {"loops", integer, set_number<&options::loops>},
    {"debug D", boolean, set_boolean<&options::debug>},
    {"trace V", boolean, set_boolean<&options::trace>},
    {"VV", boolean, set_all<&options::trace, &options::trace_verbose>},
    {"DV", boolean, set_all<&options::debug, &options::trace>},
    {"DVV", boolean, set_all<&options::debug, &options::trace, &options::trace_verbose>},
    {"logtime T", boolean, set_boolean<&options::logtime>},
    {"logtime_utc", boolean, set_boolean<&options::logtime_utc>},
    {"log l", text, set_text<&options::log_file>},
    {"log_size_limit", integer, set_size<&options::log_size_limit>},
    {"syslog s", boolean, set_boolean<&options::syslog>},
    {"remote_syslog r", text, set_text<&options::remote_syslog>},
    {"max_traced_msg_len", integer, set_size<&options::max_traced_msg_len>},
    {"user", text, set_text<&options::username>},
    {"pass", text, set_text<&options::password>},
    {"auth", text, set_text<&options::token>},
    {"http_port m", integer, set_number<&options::http_port>},
    {"https_port ms", integer, set_number<&options::https_port>},
    {"pid P", text, set_text<&options::pid_file>},
    {"ports_file_dir", text, set_text<&options::ports_file_dir>},
    {"profile", integer, set_profile},
    {"routes", text, set_routes},
    {"cluster cluster_listen", text, set_cluster},
    {"cluster_name", text, set_cluster_name},
    {"cluster_advertise", text, ignore},
    {"no_advertise", boolean, ignore},
    {"connect_retries", integer, ignore},
    {"tls", boolean, set_tls},
    {"tlsverify", boolean, set_tls_verify},
    {"tlscert", text, set_tls_certificate},
    {"tlskey", text, set_tls_key},
    {"tlscacert", text, set_tls_authority},
    {"jetstream js", boolean, set_jetstream},
    {"store_dir sd", text, set_text<&options::store_dir>},
};

/// Unlike the keys of a configuration, flags have a case: `-p` and `-P`.
const flag_rule* find_flag(std::string_view name) {
    for (const auto& rule : flag_rules) {
        if (is_one_of(rule.names, name)) return &rule;
    }
    return nullptr;
}
std::string_view usual_name(const flag_rule& rule) {
    return rule.names.substr(0, rule.names.find(' '));
}

/// What is wrong with a value, or nothing.
std::string complaint_about(const flag_rule& rule, std::string_view name,
                            const std::string& value) {
    const auto of_flag = [&](std::string_view kind, std::string_view why) {
        return "invalid " + std::string(kind) + protocol::quoted(value) + " for " +
               (kind == "value " ? "flag " : "") + "-" + std::string(name) + ": " +
               std::string(why);
    };
    if (rule.kind == flag_kind::boolean) {
        constexpr auto words = "1 0 t f T F true false TRUE FALSE True False";
        return is_one_of(words, value) ? "" : of_flag("boolean value ", "parse error");
    }
    if (rule.kind == flag_kind::text) return {};
    char* end = nullptr;
    errno = 0;
    (void)std::strtoll(value.c_str(), &end, 0);
    if (errno == ERANGE) return of_flag("value ", "value out of range");
    const bool begins_well =
        !value.empty() && std::isspace(static_cast<unsigned char>(value[0])) == 0;
    return begins_well && *end == '\0' ? "" : of_flag("value ", "parse error");
}

/// What is wrong with a number that nats-server takes, and fails with later; or nothing.
std::string range_complaint(const flag_rule& rule, const std::string& value) {
    const auto name = usual_name(rule);
    const bool is_port = is_one_of("port http_port https_port profile", name);
    if (!is_port && name != "loops") return {};
    const auto number = to_integer(value);
    const auto lowest = is_port ? -1 : 0;
    const auto highest = is_port ? 65535 : static_cast<std::int64_t>(limits::loops);
    if (number >= lowest && number <= highest) return {};
    return "invalid " + std::string(is_port ? "port " : "value ") + value + " for flag -" +
           std::string(name) + ": it is from " + std::to_string(lowest) + " to " +
           std::to_string(highest);
}

/// Walks over the arguments.
class flag_reader {
public:
    explicit flag_reader(const std::vector<std::string>& arguments) : arguments_(arguments) {}

    result<command_line> read() {
        while (position_ < arguments_.size() && is_flag(arguments_[position_])) {
            if (arguments_[position_] == "--") {
                ++position_;
                break;
            }
            if (const auto taken = take_flag(); !taken) return taken.error();
        }
        return finish();
    }

private:
    static bool is_flag(std::string_view argument) {
        return argument.size() >= 2 && argument.starts_with('-');
    }

    result<> take_flag() {
        const auto& argument = arguments_[position_++];
        auto name = std::string_view(argument).substr(argument.starts_with("--") ? 2 : 1);
        if (name.empty() || name.starts_with('-') || name.starts_with('=')) {
            return error(errc::unknown_flag, "bad flag syntax: " + argument);
        }
        const auto equals = name.find('=');
        const bool has_value = equals != std::string_view::npos;
        std::string value(has_value ? name.substr(equals + 1) : "");
        name = name.substr(0, equals);
        const auto* rule = find_flag(name);
        if (!rule) {
            return error(errc::unknown_flag,
                         "flag provided but not defined: -" + std::string(name));
        }
        if (!has_value && rule->kind == flag_kind::boolean) {
            value = "true";
        } else if (!has_value) {
            if (position_ == arguments_.size()) {
                return error(errc::unknown_flag, "flag needs an argument: -" + std::string(name));
            }
            value = arguments_[position_++];
        }
        const auto complaint = complaint_about(*rule, name, value);
        if (!complaint.empty()) return error(errc::unknown_flag, complaint);
        auto out_of_range = range_complaint(*rule, value);
        if (!out_of_range.empty())
            return error(errc::invalid_command_line, std::move(out_of_range));
        line_.flags.emplace_back(usual_name(*rule), std::move(value));
        return {};
    }

    /// The last value of a flag that is no option, which goes from the list.
    std::string take(std::string_view name) {
        std::string value;
        std::erase_if(line_.flags, [&](const auto& flag) {
            if (flag.first != name) return false;
            value = flag.second;
            return true;
        });
        return value;
    }

    /// What is wanted first, where several things are.
    result<command_line> finish() {
        const bool version = to_boolean(take("version"));
        const bool help = to_boolean(take("help"));
        const bool tls_help = to_boolean(take("help_tls"));
        const bool check = to_boolean(take("t"));
        line_.config_file = take("config");
        line_.signal = take("signal");
        if (version) return with(command_action::print_version);
        if (help) return with(command_action::print_help);
        if (tls_help) return with(command_action::print_tls_help);
        if (position_ < arguments_.size()) {
            const auto word = lower_case(arguments_[position_]);
            if (word == "version") return with(command_action::print_version);
            if (word == "help") return with(command_action::print_help);
            return error(errc::invalid_command_line,
                         "unrecognized command: " + protocol::quoted(arguments_[position_]));
        }
        if (!line_.signal.empty()) return with(command_action::send_signal);
        return with(check ? command_action::check_configuration : command_action::run);
    }
    command_line with(command_action action) {
        line_.action = action;
        return std::move(line_);
    }

    const std::vector<std::string>& arguments_;
    std::size_t position_ = 0;
    command_line line_;
};

// After all flags.

/// Obeys the flags for TLS; returns what is wrong with them.
std::string take_tls(flag_target& target) {
    auto& tls = target.options.tls;
    if (target.tls_is_off) tls.reset();
    if (!target.wants_tls || target.tls_is_off) return {};
    if (target.tls_pair.certificate_file.empty()) {
        return "TLS Server certificate must be present and valid";
    }
    if (target.tls_pair.key_file.empty()) {
        return "TLS Server private key must be present and valid";
    }
    if (!tls) tls.emplace();
    tls->settings = std::move(target.tls);
    tls->settings.key_pairs = {target.tls_pair};
    const auto checked = check_tls_files(*tls);
    return checked ? std::string() : std::string(checked.error().detail());
}

/// Keeps the listener of `nats://user:password@host:port`; returns what is wrong with it.
std::string keep_cluster_listener(flag_target& target) {
    std::string_view url = target.cluster_url;
    if (url.empty()) return {};
    const auto complaint = "invalid cluster URL " + protocol::quoted(url);
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return complaint + ", it is like nats://host:port";
    url.remove_prefix(scheme + 3);
    const auto at = url.rfind('@');
    if (at != std::string_view::npos) {
        if (url.substr(0, at).find(':') == std::string_view::npos) {
            return "expected cluster password to be set";
        }
        url.remove_prefix(at + 1);
    }
    const auto address = split_host_port(url);
    const auto port = address ? parse_port(address->port) : std::nullopt;
    if (!port) return complaint + ", it is like nats://host:port";
    if (*port == 0) return {};
    target.options.reserved_listeners.push_back({listener_kind::cluster, address->host, *port});
    leave_out(target, "--cluster");
    return {};
}

std::string routes_complaint(const flag_target& target) {
    const auto& listeners = target.options.reserved_listeners;
    const bool has_cluster = std::any_of(listeners.begin(), listeners.end(), [](const auto& one) {
        return one.kind == listener_kind::cluster;
    });
    if (!target.has_routes || has_cluster) return {};
    return "solicited routes require cluster capabilities, e.g. --cluster";
}

/// Puts the flags over the options, and then the defaults under them.
result<loaded_options> with_flags(loaded_options loaded, const command_line& line) {
    flag_target target{loaded};
    for (const auto& [name, value] : line.flags) find_flag(name)->apply(target, value);
    for (const auto& complaint :
         {keep_cluster_listener(target), take_tls(target), routes_complaint(target),
          detail::problem_of_cluster_name(target.cluster_name)}) {
        if (!complaint.empty()) return error(errc::invalid_command_line, complaint);
    }
    apply_defaults(loaded.options);
    return loaded;
}

program_end check_configuration(const std::string& file, const config_source& source) {
    if (file.empty()) {
        return end_with_error(
            "must specify [-c, --config] option to check configuration file syntax");
    }
    const auto loaded = load_options(file, source);
    if (!loaded) return end_with_error(loaded.error().detail());
    std::string lines;
    for (const auto& warning : loaded->warnings) lines += warning + "\n";
    if (!lines.empty()) return end_with_error(lines);
    for (const auto& notice : loaded->notices) lines += notice + "\n";
    lines += "nats-server: configuration file " + file + " is valid (" +
             loaded->options.config_digest + ")\n";
    return {0, {}, lines};
}

} // namespace

result<command_line> parse_command_line(const std::vector<std::string>& arguments) {
    return flag_reader(arguments).read();
}

std::vector<flag_shape> known_flags() {
    std::vector<flag_shape> flags;
    for (const auto& rule : flag_rules) {
        std::string names;
        for (auto rest = rule.names; !rest.empty();) {
            const auto name = rest.substr(0, rest.find(' '));
            rest.remove_prefix(std::min(name.size() + 1, rest.size()));
            // One dash or two is the same to the parser; the help says them so.
            const bool is_short = name.size() <= 2 || std::isupper(name.front()) != 0;
            if (!names.empty()) names += ',';
            names += is_short ? "-" : "--";
            names += name;
        }
        flags.push_back({std::move(names), rule.kind != flag_kind::boolean});
    }
    return flags;
}

result<loaded_options> load_options(const command_line& line, const config_source& source) {
    if (line.config_file.empty()) return with_flags({}, line);
    auto loaded = load_options(line.config_file, source);
    if (!loaded) return loaded.error();
    return with_flags(std::move(*loaded), line);
}

std::optional<program_end> end_without_server(const result<command_line>& line,
                                              const config_source& source) {
    if (!line) {
        if (line.error() != errc::unknown_flag) return end_with_error(line.error().detail());
        // nats-server ends with success here, and scripts are used to it.
        return program_end{0, help_text(), std::string(line.error().detail()) + "\n"};
    }
    switch (line->action) {
    case command_action::print_version: return program_end{0, version_text(), {}};
    case command_action::print_help: return program_end{0, help_text(), {}};
    case command_action::print_tls_help: return program_end{0, tls_help_text(), {}};
    case command_action::check_configuration: return check_configuration(line->config_file, source);
    case command_action::run:
    case command_action::send_signal: break;
    }
    return std::nullopt;
}

program_end end_with_error(std::string_view why) {
    return {1, {}, "nats-server: " + std::string(why) + "\n"};
}

} // namespace pipit::server
