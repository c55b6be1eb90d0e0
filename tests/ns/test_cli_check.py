# SPDX-License-Identifier: Apache-2.0
"""orlop check and orlop show: without root, without a network, without a host that runs."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
DATA = Path("tests/data/units")
FOLDERS = sorted(p.name for p in (TOP / DATA).iterdir())


AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]


def prefix():
    """As nobody in an empty network namespace, as far as this process may do that."""
    if os.geteuid() != 0:
        return []
    # The tree may lie where only its owner may look.
    seen = subprocess.run([*AS_NOBODY, "test", "-x", TOP / "build/bin/orlop"], check=False).returncode == 0
    return ["unshare", "--net", *(AS_NOBODY if seen else [])]


def orlop(*words):
    argv = [*prefix(), "build/bin/orlop", *map(str, words)]
    return subprocess.run(argv, cwd=TOP, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="orlop-check-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


def objects(text):
    decoder, at, found = json.JSONDecoder(), 0, []
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        one, at = decoder.raw_decode(text, at)
        found.append(one)
    return found


def without_empty(value):
    if isinstance(value, dict):
        kept = {k: without_empty(v) for k, v in value.items()}
        return {k: v for k, v in kept.items() if v is not None and v not in ([], {})}
    if isinstance(value, list):
        return [without_empty(v) for v in value]
    return value


def test_ten_mistakes_are_ten_messages():
    r = orlop("check", DATA / "ten-mistakes")
    assert r.stdout == (TOP / DATA / "ten-mistakes/check.txt").read_text()
    assert r.stdout.count("[U0") == 10
    assert len({line.split(": ", 1)[0] for line in r.stdout.splitlines() if "[U0" in line}) == 10
    assert r.returncode == 1
    assert r.stderr == ""


@pytest.mark.parametrize("name", FOLDERS)
def test_show_prints_what_pid_1_has(name):
    """D33."""
    r = orlop("show", "--json", DATA / name)
    wanted = {u["unit"]: u for u in objects((TOP / DATA / name / "golden.json").read_text())}
    units = [u for u in objects(r.stdout) if not u.get("template") and u["service"]]
    assert {u["unit"]: without_empty(u) for u in units} == {n: without_empty(u) for n, u in wanted.items()}
    errors = any(d["severity"] == "error" for u in objects(r.stdout) for d in u["diagnostics"])
    assert r.returncode == (1 if errors else 0)


def test_exit_codes(folder):
    good, warned = folder / "good.container", folder / "warned.container"
    good.write_text("[Container]\nImage=localhost/x\n")
    assert orlop("check", good).returncode == 0
    assert orlop("check", "--strict", good).returncode == 0
    warned.write_text("[Unit]\nAfter=nobody.service\n[Container]\nImage=localhost/x\n")
    assert orlop("check", warned).returncode == 0
    assert orlop("check", "--strict", warned).returncode == 1
    assert orlop("check", folder / "nothing").returncode == 2
    assert orlop("check", "--no-such-option").returncode == 2
    (folder / "bad.container").write_text("[Container]\n")
    # Of a file alone only its own mistakes count, though its neighbours are read.
    assert orlop("check", good).returncode == 0
    assert orlop("check", folder).returncode == 1
    one = objects(orlop("check", "--json", folder / "bad.container").stdout)
    assert [u["unit"] for u in one] == ["bad.container"]
    assert one[0]["container"] is None
    assert one[0]["diagnostics"][0]["code"] == "U051"


def test_bytes_that_are_no_text_are_escaped(folder):
    unit = folder / "x.container"
    unit.write_bytes(b"[Container]\nImage=localhost/x\nLabel=a=\xff\xfe\n")
    r = orlop("show", "--json", unit)
    assert r.returncode == 0
    assert objects(r.stdout)[0]["container"]["labels"]["a"]
    assert r.stdout.isascii() or "\ufffd" not in r.stdout
