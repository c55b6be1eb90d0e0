# SPDX-License-Identifier: Apache-2.0
"""orlop upgrade-init: another program as PID 1 without a reboot, and back when it does not work (G45)."""

import os
import shutil

from faults import Faults
from host import BIN, retry

SLEEP = "[Service]\nExecStart=/bin/sleep 1000\nRestart=always\n[Install]\nWantedBy=multi-user.target\n"


def program(host):
    return os.readlink(f"/proc/{host.pid}/exe").rsplit("/root", 1)[-1]


def started(host):
    for name in "ab":
        host.unit(f"{name}.service", SLEEP)
    host.boot()
    return {name: host.until(f"{name}.service", "up")["pid"] for name in "ab"}


def pids(host):
    return {name: host.status(f"{name}.service")["pid"] for name in "ab"}


def test_a_new_program_goes_on(host):
    """G45."""
    before = started(host)
    shutil.copy(os.path.join(BIN, "orlop-init"), host.path("programs/next"))
    seen = set()
    for _ in range(10):
        code, lines = host.ask("upgrade-init", "/usr/lib/orlop/next", timeout=60)
        assert code == 0 and "is PID 1 now" in lines[0]["text"], (lines, host.log())
        assert pids(host) == before
        seen.add(program(host))
    assert len(seen) == 10 and all("/run/orlop/init." in path for path in seen), seen
    # a crash revives the new one
    os.kill(host.pid, 11)
    retry(lambda: host.ask("version"))
    assert pids(host) == before and program(host) in seen
    host.run("kill", "-9", str(before["a"]))
    def again():
        status = host.status("a.service")
        assert status["state"] == "up" and status["pid"] != before["a"]
    retry(again)


def test_what_is_no_orlop_init_is_refused(host):
    """G45."""
    before = started(host)
    with open(host.path("programs/text"), "w", encoding="utf-8") as f:
        f.write("this is no program\n")
    for path, why in (("/usr/lib/orlop/text", "format"), ("/bin/true", "no orlop-init"), ("/bin/false", "cannot go on"),
                      ("/no/such/file", "cannot be copied"), ("/etc", "cannot be copied"), ("next", "absolute")):  # fmt: skip
        code, lines = host.ask("upgrade-init", path, timeout=60)
        assert code != 0 and any(why in line["error"] for line in lines), (path, code, lines)
    assert pids(host) == before
    assert "PID 1 revived" not in host.log()


def test_a_program_that_fails_as_pid_1_is_left_again(host):
    """G45."""
    before = started(host)
    faults = Faults(host, "next")
    for function in ("epoll_ctl", "malloc"):
        faults.arm(function, 1, always=True)
        code, lines = host.ask("upgrade-init", "/usr/lib/orlop/next", timeout=60)
        assert code == 1 and "the old one goes on" in lines[0]["error"], (lines, host.log())
        assert pids(host) == before
        assert faults.disarm()[1] > 0
    assert host.ask("stop", "b.service")[0] == 0
    # and without the faults it would have worked
    assert host.ask("upgrade-init", "/usr/lib/orlop/next", timeout=60)[0] == 0
    assert host.status("a.service")["pid"] == before["a"]
