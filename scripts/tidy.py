#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks of the tree that no compiler makes; `tidy.py [root]` prints what is wrong and fails.

layers      a module includes only what its layer may use, and its own detail/
purity      what decides does no I/O: no Asio, sockets, threads or clocks below `net`
siblings    what parses bytes from outside has a test, a fuzzer and a corpus
coroutines  one co_await per statement, nothing in it that g++ 12 destroys twice
compilers   nothing that clang 14, which builds the fuzzers, cannot read
dead files  every source is built, every header is included or installed
texts       SPDX lines, no open ends, no paths of somebody's machine
links       what a page points to is there
"""
import re
import sys
from pathlib import Path

from tidy_coroutines import check_coroutines
from tidy_source import code_only, line_of

# What each module may include beside itself: the table of docs/architecture.md.
LAYERS = {
    "base": [],
    "protocol": ["base"],
    "auth": ["base", "protocol"],
    "jetstream": ["base", "protocol"],
    "store": ["base", "jetstream"],
    "broker": ["base", "protocol", "auth", "jetstream", "store"],
    "net": ["base"],
    "client": ["base", "protocol", "auth", "jetstream", "net"],
    "server": ["base", "protocol", "auth", "jetstream", "store", "broker", "net"],
    "service": ["base", "protocol", "jetstream", "client"],
    "http_bridge": ["base", "protocol", "jetstream", "client", "net"],
    "gateway": ["base", "protocol", "auth", "jetstream", "client", "net"],
}
# `sim` and what is outside src/pipit may use everything.

ASIO_FREE = ["base", "protocol", "auth", "jetstream", "store", "broker"]
# The store's real side and the drivers touch the world; everything else is handed it.
WORLD_FREE = ["base", "protocol", "auth", "jetstream", "broker"]
POSIX_FREE = WORLD_FREE + ["client"]
# The queues between loops are the one place below `net` where threads meet.
LOCKS_ALLOWED = ["src/pipit/broker/mesh.cpp", "src/pipit/broker/mesh.hpp"]

ASIO = re.compile(r"#include <(boost/)?(asio|beast)\b")
POSIX = re.compile(r"#include <(unistd\.h|fcntl\.h|poll\.h|netdb\.h|pthread\.h|(sys|netinet|arpa)/)")
THREADS = re.compile(r"#include <(thread|mutex|shared_mutex|condition_variable|future)>")
CLOCK = re.compile(r"_clock::now\b|\brandom_device\b|\bgettimeofday\b|\bclock_gettime\b")
SUBRANGES = re.compile(r"\branges::(unique|remove|remove_if|partition|rotate|search|equal_range)\(")
LOGGING_AND_OPTIONS = re.compile(r"#include <(spdlog|CLI)/")

# What takes bytes from outside, by the sources' path below src/pipit: each has siblings.
PARSERS = [
    "auth/certificate",
    "auth/creds",
    "auth/detail/information_url",
    "auth/distinguished_name",
    "auth/jwt",
    "auth/nkey",
    "auth/ocsp",
    "auth/xkey",
    "base/base64",
    "base/party",
    "broker/latency_metric",
    "client/chunk_session",
    "net/http_head",
    "net/proxy_protocol",
    "net/tls_filter",
    "net/websocket_codec",
    "net/websocket_filter",
    "net/websocket_handshake",
    "protocol/client_protocol",
    "protocol/client_session",
    "protocol/connect",
    "protocol/headers",
    "protocol/parser",
    "protocol/server_protocol",
    "protocol/subject_transform",
    "server/config_language",
    "server/monitoring",
    "server/ocsp_cache",
    "server/system_requests",
]

SOURCE_SUFFIXES = {".cpp", ".hpp", ".py", ".go", ".js", ".mjs", ".ts", ".sh", ".cmake"}
SKIPPED_FOLDERS = {"build", ".git", "node_modules", "__pycache__", ".cache"}

# Split, so that these lines do not find themselves.
OPEN_ENDS = re.compile(r"\b(?:TO" r"DO|FIX" r"ME)\b(?!\(#\d+\))")
MACHINE_PATHS = re.compile(r"(?<![\w./-])/(?:wo" r"rk|ro" r"ot|tm" r"p/wt)(?=/)")
REGISTRY_HOSTS = re.compile(
    r"registry\.np" r"mjs\.org|files\.python" r"hosted\.org|proxy\.gol" r"ang\.org|deb\.deb" r"ian\.org"
)
SLEEPS = re.compile(r"\bsleep_(?:for|until)\b|\bu?sleep\(")
DISABLED = re.compile(r"\bDISABLED_")
PIPIT_INCLUDE = re.compile(r"#include <pipit/([\w/]+\.hpp)>")
CPP_BLOCK = re.compile(r"^```cpp\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^()\s]+)\)")
ANY_INCLUDE = re.compile(r'#include [<"]([\w./]+)[>"]')


class Tree:
    """The files of a checkout, read once."""

    def __init__(self, root):
        self.root = Path(root)
        self.files = sorted(self._walk(self.root))
        self.texts = {f: (self.root / f).read_text(errors="replace") for f in self.files}

    def _walk(self, folder):
        for entry in folder.iterdir():
            if entry.is_dir():
                if entry.name not in SKIPPED_FOLDERS:
                    yield from self._walk(entry)
            elif not (folder == self.root and entry.name == ".git"):
                yield entry.relative_to(self.root)

    def cpp(self):
        return [f for f in self.files if f.suffix in {".cpp", ".hpp"}]

    def module_of(self, file):
        """The module a source belongs to, or None outside src/pipit and for its test programs."""
        parts = file.parts
        return parts[2] if parts[:2] == ("src", "pipit") and len(parts) > 3 else None


def is_test(file):
    return file.stem.endswith(("_test", "_bench", "_fuzz"))


def check_layers(tree):
    for file in tree.cpp():
        module = tree.module_of(file)
        for match in PIPIT_INCLUDE.finditer(tree.texts[file]):
            target, *rest = match[1].split("/")
            where = line_of(tree.texts[file], match.start())
            if rest[:1] == ["detail"] and target != module:
                yield file, where, f"{target}/detail/ belongs to {target} alone"
            if not rest or module == "sim" or module is None or target == module:
                continue
            # A module's tests may drive it with what stands above it.
            if not is_test(file) and target not in LAYERS.get(module, []):
                yield file, where, f"{module} may not include {target}"


def check_purity(tree):
    rules = [
        (ASIO, ASIO_FREE, "Asio begins in net"),
        (POSIX, POSIX_FREE, "no POSIX header here"),
        (THREADS, WORLD_FREE, "no threads or locks here"),
        (CLOCK, WORLD_FREE, "time and chance are arguments here"),
        (LOGGING_AND_OPTIONS, [m for m in LAYERS if m != "server"], "only tools and server use this"),
    ]
    for file in tree.cpp():
        module = tree.module_of(file)
        if module is None or is_test(file):
            continue
        text = code_only(tree.texts[file])
        for pattern, modules, why in rules:
            if module not in modules or (pattern is THREADS and str(file) in LOCKS_ALLOWED):
                continue
            yield from found(pattern, file, text, why)


def check_siblings(tree, parsers=PARSERS):
    files = [str(f) for f in tree.files]
    for unit in parsers:
        folder, name = f"src/pipit/{unit}".rsplit("/", 1)
        source = next((f for f in files if f in (f"{folder}/{name}.cpp", f"{folder}/{name}.hpp")), None)
        if source is None:
            yield Path("scripts/tidy.py"), 1, f"{unit} is in PARSERS and is not there"
            continue
        if f"{folder}/{name}_test.cpp" not in files:
            yield Path(source), 1, f"has no {name}_test.cpp beside it"
        # One fuzzer, or one per role: server_parser_fuzz.cpp.
        fuzzer = re.compile(rf"{folder}/(?:\w+_)?{name}_fuzz\.cpp")
        fuzzers = [Path(f) for f in files if fuzzer.fullmatch(f)]
        if not fuzzers:
            yield Path(source), 1, f"has no {name}_fuzz.cpp beside it"
        for missing in fuzzers:
            if not any(f.startswith(f"tests/corpus/{missing.stem}/") for f in files):
                yield missing, 1, f"tests/corpus/{missing.stem}/ is empty"


def check_dead_files(tree):
    included = set()
    for file in tree.cpp():
        for match in ANY_INCLUDE.finditer(tree.texts[file]):
            included.add(match[1].rsplit("/", 1)[-1])
    for file in tree.cpp():
        if file.suffix == ".hpp" and file.name in included:
            continue
        if not any(is_built(tree, folder, file) for folder in file.parents):
            yield file, 1, "no CMakeLists.txt names it and nothing includes it"


def is_built(tree, folder, file):
    """Whether the build description in `folder` names `file`; cmake/ speaks from the root."""
    name = re.compile(rf"(?<![\w.-]){re.escape(str(file.relative_to(folder)))}(?![\w.-])")
    build_files = [folder / "CMakeLists.txt"]
    if folder == Path("."):
        build_files += [f for f in tree.files if f.suffix == ".cmake"]
    return any(name.search(tree.texts.get(f, "")) for f in build_files)


def check_readmes(tree):
    for file in tree.files:
        if file.name == "CMakeLists.txt" and "pipit_module(" in tree.texts[file]:
            if file.parent / "README.md" not in tree.texts:
                yield file, 1, "the module has no README.md"


def check_texts(tree):
    for file in tree.files:
        text = tree.texts[file]
        if is_source(file, text):
            if "SPDX-License-Identifier: Apache-2.0" not in "".join(text.splitlines(True)[:3]):
                yield file, 1, "no SPDX line"
            yield from found(OPEN_ENDS, file, text, "open end without an issue's number")
        if file.suffix == ".hpp" and "#pragma once" not in text:
            yield file, 1, "no #pragma once"
        if file.suffix == ".cpp" and (file.stem.endswith("_test") or file.parts[0] == "tests"):
            yield from found(SLEEPS, file, code_only(text), "tests never sleep")
            yield from found(DISABLED, file, text, "a disabled test proves nothing")
        yield from found(MACHINE_PATHS, file, text, "a path of somebody's machine")
        yield from found(REGISTRY_HOSTS, file, text, "the host of a package registry")


def check_links(tree):
    for file in tree.files:
        if file.suffix != ".md":
            continue
        for match in LINK.finditer(tree.texts[file]):
            target = match[1].split("#")[0]
            if target and "://" not in target and not (tree.root / file.parent / target).exists():
                yield file, line_of(tree.texts[file], match.start()), f"{target} is not there"


def unindented(text):
    return "\n".join(line.strip() for line in text.splitlines())


def check_guides(tree):
    """What a guide shows of C++ is compiled and run: its paragraphs stand in one of the examples."""
    examples = [unindented(text) for file, text in tree.texts.items()
                if file.parts[0] == "examples" and file.suffix in (".cpp", ".hpp")]
    for file in tree.files:
        if file.suffix != ".md" or file.parts[0] != "docs":
            continue
        for match in CPP_BLOCK.finditer(tree.texts[file]):
            paragraphs = unindented(match[1]).strip().split("\n\n")
            if not any(all(each in text for each in paragraphs) for text in examples):
                yield file, line_of(tree.texts[file], match.start()), "no example has this C++"


def is_source(file, text):
    return file.suffix in SOURCE_SUFFIXES or file.name == "CMakeLists.txt" or text.startswith("#!")


def found(pattern, file, text, why):
    for match in pattern.finditer(text):
        yield file, line_of(text, match.start()), why


def check_co_await(tree):
    for file in tree.cpp():
        if "co_" in tree.texts[file]:
            for line, why in check_coroutines(tree.texts[file]):
                yield file, line, why


def check_compilers(tree):
    why = "clang 14 cannot read what this returns: take the algorithm of <algorithm>"
    for file in tree.cpp():
        yield from found(SUBRANGES, file, code_only(tree.texts[file]), why)


CHECKS = [
    check_layers,
    check_purity,
    check_siblings,
    check_co_await,
    check_compilers,
    check_dead_files,
    check_readmes,
    check_texts,
    check_links,
    check_guides,
]


def main(root):
    tree = Tree(root)
    complaints = sorted({c for check in CHECKS for c in check(tree)})
    for file, line, why in complaints:
        print(f"{file}:{line}: {why}")
    print(f"{len(tree.files)} files, {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent))
