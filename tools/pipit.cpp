// SPDX-License-Identifier: Apache-2.0
// The program `pipit`. Called `pipit-server` or `nats-server` it is `pipit server`.
#include <cli/arguments.hpp>
#include <cli/help_text.hpp>
#include <cli/secrets.hpp>
#include <commands/commands.hpp>
#include <server_program.hpp>
#include <standard_streams.hpp>

#include <pipit/server/command_line.hpp>
#include <pipit/server/version.hpp>

#include <algorithm>
#include <array>
#include <climits>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

using namespace pipit;

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// What runs a server: the program's name, or `server` as the first word unless a command of its
/// own follows, or a word that nobody knows.
enum class server_call { no, by_name, by_word };

server_call called_for_server(std::span<char*> arguments) {
    constexpr std::array<std::string_view, 2> names = {"pipit-server", "nats-server"};
    constexpr std::array<std::string_view, 5> commands = {"check", "info", "ping", "-h", "--help"};
    if (arguments.empty()) return server_call::no;
    if (is_one_of(base_name(arguments[0]), names)) return server_call::by_name;
    if (arguments.size() < 2 || std::string_view(arguments[1]) != "server") return server_call::no;
    if (arguments.size() < 3) return server_call::by_word;
    constexpr std::array<std::string_view, 2> servers_commands = {"help", "version"};
    const std::string_view word = arguments[2];
    const bool is_unknown = !word.starts_with('-') && !is_one_of(word, servers_commands);
    return is_unknown || is_one_of(word, commands) ? server_call::no : server_call::by_word;
}

/// The server alone takes less memory: where that program stands beside this one, it does the work.
/// Comes back when there is none.
void become_server_alone(std::span<char*> arguments) {
    std::array<char, PATH_MAX> path{};
    const auto size = ::readlink("/proc/self/exe", path.data(), path.size());
    if (size <= 0) return;
    const std::string_view self(path.data(), static_cast<std::size_t>(size));
    const auto server = std::string(self.substr(0, self.rfind('/') + 1)) + "pipit-server";
    std::vector<char*> words(arguments.begin(), arguments.end());
    words.push_back(nullptr);
    ::execv(server.c_str(), words.data());
}

/// `pipit server -p 4222` as `pipit-server -p 4222`.
int run_server(std::span<char*> arguments) {
    std::string name = "pipit-server";
    std::vector<char*> words(arguments.begin() + 1, arguments.end());
    words[0] = name.data();
    become_server_alone(words);
    return server_program(words);
}

void hide_secrets(std::span<char*> arguments, const cli::command& root,
                  const std::vector<std::string>& words) {
    for (const auto& place : cli::secret_places(root, words)) {
        char* const word = arguments[place.word + 1];
        std::fill_n(word + place.offset, place.size, '*');
    }
}

void print_version(cli::program& with) {
    with.print("pipit " + std::string(server::pipit_version()) +
               ", with the behaviour of nats-server " + std::string(server::nats_version) + "\n");
}

int show_help(cli::program& with, const cli::parsed_line& line) {
    const bool is_server = line.path_text() == "pipit server";
    if (is_server) with.print(server::help_text() + '\n');
    with.print(cli::help_text(line.path, with.coloured()));
    return cli::exit_code::done;
}

int run(cli::program& with, const cli::parsed_line& line) {
    if (with.version) {
        print_version(with);
        return cli::exit_code::done;
    }
    if (with.help) return show_help(with, line);
    if (!line.complaint.empty()) {
        return with.fail_usage(line.complaint + "\nTo see what it takes: " + line.path_text() +
                               " --help");
    }
    const auto& chosen = line.chosen();
    if (chosen.run) return chosen.run();
    if (line.path.size() == 1) {
        (void)show_help(with, line);
        return cli::exit_code::wrong_usage;
    }
    std::string names;
    for (const auto& each : chosen.commands) names += (names.empty() ? "" : ", ") + each.name;
    return with.fail_usage(line.path_text() + " needs one of its commands: " + names +
                           "\nTo see what they do: " + line.path_text() + " --help");
}

int command_line(std::span<char*> arguments) {
    const std::vector<std::string> words(arguments.begin() + 1, arguments.end());
    cli::program with;
    const auto root = cli::command_tree_of(with);
    const auto line = cli::parse_arguments(*root, words);
    hide_secrets(arguments, *root, words);
    int code = cli::exit_code::failed;
    try {
        code = run(with, line);
    } catch (const std::bad_alloc&) {
        code = with.fail("there is not enough memory");
    } catch (const std::exception& thrown) {
        code = with.fail(thrown.what());
    }
    with.flush();
    return code;
}

} // namespace

int main(int count, char** arguments) {
    open_standard_streams();
    const std::span<char*> all(arguments, static_cast<std::size_t>(count));
    switch (called_for_server(all)) {
    case server_call::by_name: return server_program(all);
    case server_call::by_word: return run_server(all);
    case server_call::no: break;
    }
    return command_line(all);
}
