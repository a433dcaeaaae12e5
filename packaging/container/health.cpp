// SPDX-License-Identifier: Apache-2.0
// The container's health check, without a shell: exit code 0 when the server, which is process 1,
// answers on one of the ports it listens on, whatever its options say. A port for clients answers
// with INFO, the one for monitoring to a question.
#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr int patience_milliseconds = 1000; // For a connection's first answer, of two questions.

struct listener {
    sockaddr_storage address{};
    socklen_t size = 0;
};

/// The numbers of the sockets that process 1 has open.
std::set<std::string> sockets_of_the_server() {
    std::set<std::string> numbers;
    DIR* const folder = ::opendir("/proc/1/fd");
    if (folder == nullptr) return numbers;
    while (const auto* entry = ::readdir(folder)) {
        std::array<char, 64> target{};
        const auto path = std::string("/proc/1/fd/") + entry->d_name;
        const auto size = ::readlink(path.c_str(), target.data(), target.size());
        const std::string_view link(target.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
        if (link.starts_with("socket:[")) numbers.emplace(link.substr(8, link.size() - 9));
    }
    ::closedir(folder);
    return numbers;
}

/// Words of 32 bits in the machine's order, as /proc/net writes addresses.
void read_address(const std::string& hexadecimal, std::uint32_t* words) {
    for (std::size_t i = 0; i * 8 < hexadecimal.size(); ++i) {
        words[i] =
            static_cast<std::uint32_t>(std::stoul(hexadecimal.substr(i * 8, 8), nullptr, 16));
    }
}

/// The address of a line's second field, for which "any" becomes this machine.
listener read_listener(const std::string& field, int family) {
    const auto colon = field.find(':');
    const auto port = static_cast<std::uint16_t>(std::stoul(field.substr(colon + 1), nullptr, 16));
    listener found;
    if (family == AF_INET) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(port);
        read_address(field.substr(0, colon), &in.sin_addr.s_addr);
        if (in.sin_addr.s_addr == INADDR_ANY) in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        found.size = sizeof(in);
        std::memcpy(&found.address, &in, sizeof(in));
    } else {
        sockaddr_in6 in{};
        in.sin6_family = AF_INET6;
        in.sin6_port = htons(port);
        std::array<std::uint32_t, 4> words{};
        read_address(field.substr(0, colon), words.data());
        std::memcpy(&in.sin6_addr, words.data(), sizeof(in.sin6_addr));
        if (IN6_IS_ADDR_UNSPECIFIED(&in.sin6_addr)) in.sin6_addr = in6addr_loopback;
        found.size = sizeof(in);
        std::memcpy(&found.address, &in, sizeof(in));
    }
    return found;
}

/// Fields of a line: number, local address, remote address, state, …, and as the tenth the socket.
void read_listeners(const char* path, int family, const std::set<std::string>& of,
                    std::vector<listener>& found) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line); // The heading.
    while (std::getline(file, line)) {
        std::istringstream words(line);
        std::array<std::string, 10> fields;
        for (auto& field : fields) words >> field;
        constexpr std::string_view listens = "0A";
        if (fields[3] == listens && of.contains(fields[9])) {
            found.push_back(read_listener(fields[1], family));
        }
    }
}

/// What comes within the time, up to a buffer's size.
std::string first_answer(int socket) {
    pollfd waits{.fd = socket, .events = POLLIN, .revents = 0};
    std::array<char, 256> buffer{};
    if (::poll(&waits, 1, patience_milliseconds) != 1) return {};
    const auto size = ::recv(socket, buffer.data(), buffer.size(), 0);
    return {buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

bool answers(const listener& of) {
    const int socket = ::socket(of.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return false;
    const timeval patience{.tv_sec = 1, .tv_usec = 0};
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    bool good = false;
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&of.address), of.size) == 0) {
        good = first_answer(socket).starts_with("INFO ");
        constexpr std::string_view question = "GET /healthz HTTP/1.0\r\n\r\n";
        if (!good && ::send(socket, question.data(), question.size(), MSG_NOSIGNAL) > 0) {
            const auto answer = first_answer(socket);
            good = answer.starts_with("HTTP/1.") && answer.substr(8, 5) == " 200 ";
        }
    }
    ::close(socket);
    return good;
}

} // namespace

int main() {
    const auto sockets = sockets_of_the_server();
    std::vector<listener> listeners;
    read_listeners("/proc/1/net/tcp", AF_INET, sockets, listeners);
    read_listeners("/proc/1/net/tcp6", AF_INET6, sockets, listeners);
    for (const auto& one : listeners) {
        if (answers(one)) return 0;
    }
    std::fprintf(stderr, "none of the server's %zu ports answers\n", listeners.size());
    return 1;
}
