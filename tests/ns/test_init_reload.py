# SPDX-License-Identifier: Apache-2.0
"""Reload: what it would do, what it does, and what it leaves alone."""

import json
import os

from host import retry

FULL = bool(os.environ.get("FULL"))

UNIT = "[Unit]\nDescription={}\n[Service]\nExecStart=/bin/sleep {}\n{}\n[Install]\nWantedBy=multi-user.target\n"


def changes(lines):
    return {line["unit"]: line["change"] for line in lines if "change" in line}


def test_dry_run_tells_and_reload_does(host):
    """D29."""
    host.unit("same.service", UNIT.format("a", 1000, ""))
    host.unit("text.service", UNIT.format("a", 1001, ""))
    host.unit("work.service", UNIT.format("a", 1002, ""))
    host.boot()
    before = {name: host.until(f"{name}.service", "up")["pid"] for name in ("same", "text", "work")}
    host.unit("same.service", "# only a comment\n" + UNIT.format("a", 1000, ""))
    host.unit("text.service", UNIT.format("b", 1001, "Restart=always"))
    host.unit("work.service", UNIT.format("a", 2000, ""))
    host.unit("more.service", UNIT.format("a", 1003, ""))
    code, lines = host.ask("reload", "--dry-run")
    assert code == 0
    assert changes(lines) == {"text.service": "updated", "work.service": "restart", "more.service": "added"}
    assert host.status("work.service")["pid"] == before["work"]
    assert host.ask("status", "more.service")[0] != 0
    assert host.ask("reload")[0] == 0

    def settled():
        status = host.status("work.service")
        assert status["state"] == "up" and status["pid"] != before["work"], status

    retry(settled)
    assert host.status("same.service")["pid"] == before["same"]
    assert host.status("text.service")["pid"] == before["text"]
    assert changes(host.ask("reload", "--dry-run")[1]) == {}


def test_dry_run_of_a_mistake_names_it(host):
    """D28."""
    host.unit("one.service", UNIT.format("a", 1000, ""))
    host.boot()
    pid = host.until("one.service", "up")["pid"]
    host.unit("one.service", UNIT.format("a", 1000, "Restart=alwasy"))
    code, lines = host.ask("reload", "--dry-run")
    assert code == 1
    assert changes(lines) == {"one.service": "rejected"}
    assert any("alwasy" in line.get("error", "") for line in lines)
    assert host.ask("reload")[0] == 1
    assert host.status("one.service")["pid"] == pid


def test_the_same_a_thousand_times(host):
    """D30: reloads of what has not changed, with starts in between, restart nothing."""
    for name in ("one", "two"):
        host.unit(f"{name}.service", UNIT.format("a", 1000, "Restart=always"))
    host.boot()
    before = [host.until(f"{name}.service", "up")["pid"] for name in ("one", "two")]
    for i in range(1000 if FULL else 50):
        assert host.ask("reload")[0] == 0
        if i % 5 == 0:
            assert host.ask("start", "one.service")[0] == 0
    after = [host.status(f"{name}.service") for name in ("one", "two")]
    assert [status["pid"] for status in after] == before and {status["restarts"] for status in after} == {0}


CIRCLE = "[Unit]\nRequires={0}.service\nAfter={0}.service\n[Service]\nExecStart=/bin/sleep 1000\n"


def told(host):
    """What PID 1 says is wrong, by unit: lists of lines."""
    lines = [line for line in host.ask("ps", "-a")[1] if line["unit"].startswith("t-")]
    return {line["unit"]: host.status(line["unit"])["problems"] or [] for line in lines}


def test_a_circle_is_refused_and_check_says_the_same(host):
    """D31, D33: the units of a circle are refused, each with all of it; the others run; the same at the next boot. D33: what
    `orlop check` says of the files is what PID 1 says."""
    for name, after in (("a", "b"), ("b", "c"), ("c", "a")):
        host.unit(f"t-{name}.service", CIRCLE.format(f"t-{after}") + "[Install]\nWantedBy=multi-user.target\n")
    host.unit("t-good.service", UNIT.format("a", 1000, ""))
    host.unit("t-wrong.service", UNIT.format("a", 1000, "Restart=alwasy\nUMask=9"))
    host.unit("t-odd.service", UNIT.format("a", 1000, "Restrat=no"))
    answers = []
    for _ in range(2):
        host.boot()
        host.until("t-good.service", "up")
        for name in "abc":
            status = host.until(f"t-{name}.service", "failed")
            assert all(f"t-{other}.service" in status["refused"] + str(status["problems"]) for other in "abc"), status
        answers.append(told(host))
        out = host.run("/usr/lib/orlop/orlop", "check", "--json", "/run/orlop/units")
        assert out.returncode == 1, out
        assert host.ask("poweroff")[0] == 0
        host.wait(30)
    assert answers[0] == answers[1]
    decoder, text, checked = json.JSONDecoder(), out.stdout, {}
    while text.strip():
        unit, end = decoder.raw_decode(text.strip())
        text = text.strip()[end:]
        checked[unit["unit"]] = [f"{d['file']}:{d['line']}:{d['column']}: {d['severity']}[{d['code']}]: {d['message']}"
                                 for d in unit["diagnostics"]]  # fmt: skip
    for name, lines in answers[1].items():
        assert [line.split("; ")[0][:500] for line in lines] == [line.split("; ")[0][:500] for line in checked[name]], name
    assert sum(map(len, answers[1].values())) >= 6
