# SPDX-License-Identifier: Apache-2.0
"""Reload: what it would do, what it does, and what it leaves alone."""

from host import retry

UNIT = "[Unit]\nDescription={}\n[Service]\nExecStart=/bin/sleep {}\n{}\n[Install]\nWantedBy=multi-user.target\n"


def changes(lines):
    return {line["unit"]: line["change"] for line in lines if "change" in line}


def test_dry_run_tells_and_reload_does(host):
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
