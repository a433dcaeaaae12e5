#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of tidy.py: each rule on a small tree that keeps it and on one that breaks it."""
import tempfile
import unittest
from pathlib import Path

import tidy
from tidy_coroutines import check_coroutines
from tidy_source import code_only

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"


def complaints(check, files, *arguments):
    """What `check` says about a tree of {path: text}, as "path: complaint"."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_text(text)
        return [f"{file}: {why}" for file, _, why in check(tidy.Tree(folder), *arguments)]


class Layers(unittest.TestCase):
    def test_a_module_may_include_what_its_layer_allows_and_itself(self):
        files = {
            "src/pipit/broker/session.cpp": "#include <pipit/protocol/parser.hpp>\n"
            "#include <pipit/broker/detail/chain.hpp>\n",
            "src/pipit/sim/world.cpp": "#include <pipit/server/server.hpp>\n",
            "tools/main.cpp": "#include <pipit/server/server.hpp>\n",
        }
        self.assertEqual(complaints(tidy.check_layers, files), [])

    def test_an_arrow_down_is_refused(self):
        files = {"src/pipit/protocol/parser.hpp": "#include <pipit/net/tcp.hpp>\n"}
        self.assertEqual(
            complaints(tidy.check_layers, files),
            ["src/pipit/protocol/parser.hpp: protocol may not include net"],
        )

    def test_a_detail_folder_belongs_to_its_module_even_for_tools(self):
        files = {"tools/main.cpp": "#include <pipit/broker/detail/chain.hpp>\n"}
        self.assertEqual(
            complaints(tidy.check_layers, files), ["tools/main.cpp: broker/detail/ belongs to broker alone"]
        )

    def test_client_and_server_never_see_each_other(self):
        self.assertNotIn("server", tidy.LAYERS["client"])
        self.assertNotIn("client", tidy.LAYERS["server"])

    def test_the_table_points_up_only(self):
        seen = []
        for module, allowed in tidy.LAYERS.items():
            self.assertLessEqual(set(allowed), set(seen), module)
            seen.append(module)


class Guides(unittest.TestCase):
    EXAMPLE = "int main() {\n    first();\n    other();\n\n    last();\n}\n"

    def said(self, block):
        files = {"examples/one.cpp": self.EXAMPLE, "docs/guide.md": f"A\n\n```cpp\n{block}```\n"}
        return complaints(tidy.check_guides, files)

    def test_paragraphs_of_one_example_may_be_shown_without_what_is_between(self):
        self.assertEqual(self.said("first();\n\nlast();\n"), [])
        self.assertEqual(self.said("int main() {\n    first();\n"), [])

    def test_what_nobody_compiles_is_not_shown(self):
        self.assertEqual(self.said("first();\nlast();\n"), ["docs/guide.md: no example has this C++"])


class Purity(unittest.TestCase):
    def refused(self, path, text):
        return complaints(tidy.check_purity, {path: text})

    def test_asio_begins_in_net(self):
        self.assertTrue(self.refused("src/pipit/broker/router.cpp", "#include <boost/asio/post.hpp>\n"))
        self.assertFalse(self.refused("src/pipit/net/tcp.cpp", "#include <boost/asio/post.hpp>\n"))

    def test_the_core_has_no_posix_headers_threads_clocks_or_chance(self):
        for text in (
            "#include <sys/socket.h>\n",
            "#include <unistd.h>\n",
            "#include <mutex>\n",
            "auto now = std::chrono::steady_clock::now();\n",
            "std::random_device chance;\n",
        ):
            self.assertTrue(self.refused("src/pipit/protocol/parser.cpp", text), text)
            self.assertFalse(self.refused("src/pipit/server/server.cpp", text), text)

    def test_a_comment_about_a_clock_is_no_clock(self):
        self.assertFalse(self.refused("src/pipit/broker/a.cpp", "// never steady_clock::now()\n"))

    def test_benchmarks_may_measure_time(self):
        self.assertFalse(self.refused("src/pipit/broker/a_bench.cpp", "steady_clock::now();\n"))


class Siblings(unittest.TestCase):
    def test_a_parser_has_a_test_a_fuzzer_and_a_corpus(self):
        files = {"src/pipit/m/p.cpp": ""}
        self.assertEqual(
            complaints(tidy.check_siblings, files, ["m/p"]),
            ["src/pipit/m/p.cpp: has no p_test.cpp beside it", "src/pipit/m/p.cpp: has no p_fuzz.cpp beside it"],
        )
        files |= {"src/pipit/m/p_test.cpp": "", "src/pipit/m/server_p_fuzz.cpp": ""}
        self.assertEqual(
            complaints(tidy.check_siblings, files, ["m/p"]),
            ["src/pipit/m/server_p_fuzz.cpp: tests/corpus/server_p_fuzz/ is empty"],
        )
        files |= {"tests/corpus/server_p_fuzz/seed": ""}
        self.assertEqual(complaints(tidy.check_siblings, files, ["m/p"]), [])

    def test_a_row_of_the_table_without_sources_is_noticed(self):
        self.assertTrue(complaints(tidy.check_siblings, {}, ["m/p"]))


class DeadFiles(unittest.TestCase):
    def test_what_is_built_or_included_lives(self):
        files = {
            "src/pipit/m/CMakeLists.txt": "pipit_module(NAME m HEADERS a.hpp SOURCES a.cpp)",
            "src/pipit/m/a.hpp": "",
            "src/pipit/m/a.cpp": '#include "b.hpp"\n',
            "src/pipit/m/b.hpp": "",
            "cmake/x.cmake": "add(tests/support/main.cpp)",
            "tests/support/main.cpp": "",
        }
        self.assertEqual(complaints(tidy.check_dead_files, files), [])

    def test_what_nobody_names_is_dead(self):
        files = {
            "src/pipit/m/CMakeLists.txt": "pipit_module(NAME m SOURCES not_a.cpp)",
            "src/pipit/m/a.cpp": "",
            "src/pipit/m/a.hpp": "",
        }
        self.assertEqual(len(complaints(tidy.check_dead_files, files)), 2)


class Texts(unittest.TestCase):
    def refused(self, path, text):
        return complaints(tidy.check_texts, {path: text})

    def test_a_source_says_its_licence(self):
        self.assertFalse(self.refused("a.cpp", SPDX))
        self.assertFalse(self.refused("scripts/go", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"))
        for path in ("a.cpp", "CMakeLists.txt", "a.py", "a.go", "a.mjs"):
            self.assertTrue(self.refused(path, "int x;\n"), path)

    def test_an_open_end_names_its_issue(self):
        self.assertTrue(self.refused("a.cpp", SPDX + "// TO" "DO: later\n"))
        self.assertFalse(self.refused("a.cpp", SPDX + "// TO" "DO(#12): later\n"))

    def test_nothing_names_a_machine_or_a_registry(self):
        for text in ("see /wo" "rk/main", "/ro" "ot/x", "/tm" "p/wt/x", "https://registry.np" "mjs.org/x"):
            self.assertTrue(self.refused("notes.md", text), text)
        self.assertFalse(self.refused("notes.md", "the frame/work/around, ~/workshop"))

    def test_tests_never_sleep(self):
        self.assertTrue(self.refused("src/pipit/m/a_test.cpp", SPDX + "sleep_for(1s);\n"))
        self.assertFalse(self.refused("src/pipit/m/a.cpp", SPDX + "sleep_for(1s);\n"))

    def test_a_module_has_a_readme(self):
        files = {"src/pipit/m/CMakeLists.txt": "pipit_module(NAME m)"}
        self.assertTrue(complaints(tidy.check_readmes, files))
        self.assertFalse(complaints(tidy.check_readmes, files | {"src/pipit/m/README.md": ""}))

    def test_links_lead_somewhere(self):
        files = {"docs/a.md": "[b](b.md#x) [c](../c) [d](https://d.example/d)", "docs/b.md": "", "c/d": ""}
        self.assertEqual(complaints(tidy.check_links, files), [])
        self.assertTrue(complaints(tidy.check_links, {"a.md": "[b](b.md)"}))


class Compilers(unittest.TestCase):
    def test_both_compilers_read_everything(self):
        files = {"src/pipit/base/a.cpp": "a.erase(std::ranges::unique(a).begin(), a.end());\n"
                 "std::ranges::sort(a);\n"}
        self.assertEqual(len(complaints(tidy.check_compilers, files)), 1)


class Coroutines(unittest.TestCase):
    def refused(self, body):
        return [why for _, why in check_coroutines("task f(int a) {\n" + body + "\n}\n")]

    def test_one_await_per_statement_is_the_way(self):
        for body in (
            "const auto n = co_await read(a);\nco_return co_await write(n);",
            "if (co_await ready()) { co_await a(); } else { co_await b(); }",
            "for (;;) {\n const auto [e, n] = co_await s.read(buffer, as_result);\n if (e) co_return e;\n}",
            "const options o{.size = 1};\nco_await connect(o);",
            "while (true) {}\nco_await a();",
            "switch (a) {\ncase 1: co_await b(); break;\ndefault: co_await c();\n}",
            'co_await print("co_await {}");',
        ):
            self.assertEqual(self.refused(body), [], body)

    def test_two_awaits_in_a_statement_are_refused(self):
        self.assertTrue(self.refused("use(co_await a(), co_await b());"))
        self.assertTrue(self.refused("co_await a(co_await b());"))

    def test_a_braced_list_in_an_await_is_refused(self):
        self.assertTrue(self.refused("co_await connect({1, 2});"))
        self.assertTrue(self.refused("co_await connect(options{.size = 1});"))
        self.assertTrue(self.refused("co_await connect({});"))
        self.assertTrue(self.refused("const point p{co_await x()};"))

    def test_a_capturing_lambda_in_an_await_is_refused(self):
        self.assertTrue(self.refused("co_await run([&] { go(a); });"))
        self.assertTrue(self.refused("co_await run([a](int b) mutable -> int { return a + b; });"))
        self.assertFalse(self.refused("co_await run([](int b) { return b; });"))

    def test_a_coroutine_is_no_lambda_with_captures(self):
        self.assertTrue(self.refused("spawn([this]() -> task { co_await run(); }());"))
        self.assertTrue(self.refused("auto g = [&a] { if (a) { co_return; } };"))
        self.assertFalse(self.refused("spawn([](self* me) -> task { co_await me->run(); }(this));"))
        self.assertFalse(self.refused("post([this] { spawn([](self* s) -> task { co_await s->run(); }(this)); });"))

    def test_complaints_carry_their_line(self):
        self.assertEqual([line for line, _ in check_coroutines("task f() {\n\n  a(co_await b(), co_await c());\n}")], [3])


class Source(unittest.TestCase):
    def test_comments_and_literals_are_blanked_in_place(self):
        text = "a // b\n/* c\nd */ 'x' \"y{\" R\"(z;)\" 1'000 e"
        code = code_only(text)
        self.assertEqual(len(code), len(text))
        self.assertEqual(code.count("\n"), text.count("\n"))
        for gone in "bcdxyz{;":
            self.assertNotIn(gone, code)
        self.assertIn("1'000 e", code)


if __name__ == "__main__":
    unittest.main()
