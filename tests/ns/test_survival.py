# SPDX-License-Identifier: Apache-2.0
"""docs/survival.md: every test that it names exists and names the number, and every test that begins with a number is named."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "docs/survival.md"
NUMBER = re.compile(r"\b[A-G]\d{1,2}\b")


def rows():
    """(number, test) of each line of the table."""
    for line in PAGE.read_text().splitlines():
        if row := re.match(r"\| ([A-G]\d+) \| .* \| (.*) \|$", line):
            for test in re.findall(r"`([^`]+\.(?:txt|(?:c|py)::\w+))`", row[2]):
                yield row[1], test


def about(test):
    """What a test says of itself: the docstring, the comment above, the first lines."""
    path, _, name = test.partition("::")
    text = (TESTS / path).read_text()
    if path.endswith(".txt"):
        return "".join(line for line in text.splitlines(keepends=True)[:3] if line.startswith("#"))
    if path.endswith(".py"):
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return ast.get_docstring(node) or ""
        return None
    found = re.search(rf"((?:/\*(?:(?!\*/).)*\*/\n)?)static void {name}\(", text, re.S)
    return found and found[1]


def test_every_test_names_what_it_shows():
    listed = list(rows())
    assert len({number for number, _ in listed}) >= 45
    for number, test in listed:
        said = about(test)
        assert said is not None, f"{test} does not exist"
        assert number in NUMBER.findall(said), f"{test} does not name {number}"


def test_no_number_is_left_out():
    listed = set(rows())
    for path in sorted([*TESTS.glob("ns/test_*.py"), *TESTS.glob("qemu/test_*.py")]):
        for node in ast.parse(path.read_text()).body:
            said = ast.get_docstring(node) or "" if isinstance(node, ast.FunctionDef) else ""
            begin = re.match(r"(?:[A-G]\d{1,2}(?:, )?)+(?=[:.])", said)
            for number in NUMBER.findall(begin[0]) if begin else ():
                test = f"{path.relative_to(TESTS)}::{node.name}"
                assert (number, test) in listed, f"{test} shows {number}, docs/survival.md does not say so"
