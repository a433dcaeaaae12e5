// SPDX-License-Identifier: Apache-2.0
// Logs in again and again, and says what that cost the server.
//
// pipit_bench_logins make COUNT FOLDER
//     writes FOLDER/server.conf (an operator with one account) and FOLDER/logins: COUNT users'
//     JWTs.
// pipit_bench_logins run LOGINS PORT COUNT THREADS
//     logs in COUNT times with the lines of LOGINS in turn, and prints a line of JSON. A line is
//     the JSON of a CONNECT, and after a tab, for who signs the nonce, a user's seed.
#include <pipit/auth/creds.hpp>
#include <pipit/auth/test_tokens.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace auth = pipit::auth;

namespace {

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "pipit_bench_logins: %s\n", why.c_str());
    std::exit(1);
}

void make(int count, const std::filesystem::path& folder) {
    const auth::test_key operator_key(auth::nkey_prefix::operator_key, 1);
    const auth::test_key account(auth::nkey_prefix::account, 2);
    const auth::test_key system(auth::nkey_prefix::account, 3);
    const auth::test_key user(auth::nkey_prefix::user, 4);
    const auto account_jwt = [&](const auth::test_key& key) {
        return operator_key.issue_account(key.text(), auth::no_account_limits, R"("name":"a")");
    };
    std::ofstream(folder / "server.conf")
        << "operator: \""
        << operator_key.issue(operator_key.text(),
                              R"("name":"o","nats":{"type":"operator","version":2})")
        << "\"\nsystem_account: " << system.text() << "\nresolver: MEMORY\nresolver_preload {\n  "
        << account.text() << ": " << account_jwt(account) << "\n  " << system.text() << ": "
        << account_jwt(system) << "\n}\n";
    std::ofstream logins(folder / "logins");
    for (int number = 0; number < count; ++number) {
        const auto name = "\"name\":\"user-" + std::to_string(number) + "\"";
        logins << R"({"verbose":false,"protocol":1,"jwt":")"
               << account.issue_user(user.text(), {}, name) << "\"}\t" << auth::encode(user.seed())
               << '\n';
    }
}

struct login {
    std::string connect; ///< the JSON, without its closing brace
    std::optional<auth::nkey_seed> seed;
};

std::vector<login> read_logins(const char* path) {
    std::vector<login> logins;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const auto tab = line.find('\t');
        login read{line.substr(0, std::min(tab, line.size()) - 1), {}};
        if (tab != std::string::npos) {
            read.seed = auth::decode_nkey_seed(line.substr(tab + 1)).value();
        }
        logins.push_back(std::move(read));
    }
    if (logins.empty()) give_up(std::string("no logins in ") + path);
    return logins;
}

std::string read_until(int socket, std::string_view wanted) {
    std::string text;
    char buffer[4096];
    while (text.find(wanted) == std::string::npos) {
        const auto count = ::recv(socket, buffer, sizeof buffer, 0);
        if (count <= 0) give_up("the server closed after: " + text);
        text.append(buffer, static_cast<std::size_t>(count));
        if (text.find("-ERR") != std::string::npos) give_up("the server said: " + text);
    }
    return text;
}

void log_in(const login& how, const sockaddr_in& address) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    const int one = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    // Closing with a reset leaves no port behind in TIME_WAIT.
    const linger at_once{1, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        give_up("cannot connect");
    }
    const auto info = read_until(socket, "\r\n");
    auto connect = "CONNECT " + how.connect;
    if (how.seed) {
        constexpr std::string_view member = "\"nonce\":\"";
        const auto begin = info.find(member) + member.size();
        const auto nonce = info.substr(begin, info.find('"', begin) - begin);
        connect += ",\"sig\":\"" + auth::sign_nonce(*how.seed, nonce) + "\"";
    }
    connect += "}\r\nPING\r\n";
    if (::send(socket, connect.data(), connect.size(), 0) < 0) give_up("cannot send");
    read_until(socket, "PONG\r\n");
    ::close(socket);
}

void run(const char* path, int port, int count, int threads) {
    const auto logins = read_logins(path);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::atomic<int> next{0};
    const auto work = [&] {
        for (int number = next++; number < count; number = next++) {
            log_in(logins[static_cast<std::size_t>(number) % logins.size()], address);
        }
    };
    const auto begin = std::chrono::steady_clock::now();
    {
        std::vector<std::jthread> workers;
        for (int number = 0; number < threads; ++number) workers.emplace_back(work);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::printf("{\"logins\":%d,\"seconds\":%.3f}\n", count, took.count());
}

} // namespace

int main(int argument_count, char** arguments) {
    const std::string_view command = argument_count > 1 ? arguments[1] : "";
    if (command == "make" && argument_count == 4) {
        make(std::atoi(arguments[2]), arguments[3]);
    } else if (command == "run" && argument_count == 6) {
        run(arguments[2], std::atoi(arguments[3]), std::atoi(arguments[4]),
            std::atoi(arguments[5]));
    } else {
        give_up("usage: make COUNT FOLDER | run LOGINS PORT COUNT THREADS");
    }
}
