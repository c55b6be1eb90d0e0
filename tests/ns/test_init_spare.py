# SPDX-License-Identifier: Apache-2.0
"""The orlop-run that has begun and waits, so that a start need not wait for it (init/spare.h)."""

import os
import signal

import pytest
from host import TOP, retry
from test_init_revive import crash_and_wait

IMAGE = os.path.join(TOP, "build/images/hello.tar")

WEB = """[Container]
Image=localhost/hello
Network=none
Entrypoint=/bin/sleep
Exec=1000
StopTimeout=1
[Service]
Restart=always
RestartSec=500ms
[Install]
WantedBy=multi-user.target
"""


@pytest.fixture
def box(host):
    if not os.path.exists(IMAGE):
        pytest.skip("build/images/hello.tar was not built (make image)")
    host.image(IMAGE)
    host.unit("web.container", WEB)
    host.boot()
    host.until("web.container", "up", 60)
    return host


def children(host):
    """Command lines of PID 1's children by their pids on this machine."""
    with open(f"/proc/{host.pid}/task/{host.pid}/children", encoding="ascii") as f:
        pids = f.read().split()
    found = {}
    for pid in pids:
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                found[int(pid)] = [w.decode() for w in f.read().split(b"\0")[:-1]]
        except OSError:
            pass
    return found


def spares(host):
    return [pid for pid, words in children(host).items() if words[0].endswith("/orlop-run") and words[1:] == ["start"]]


def the_spare(host):
    def one():
        found = spares(host)
        assert len(found) == 1, children(host)
        pid = found[0]
        # it waits: in recvmsg, with nothing but its socket
        with open(f"/proc/{pid}/syscall", encoding="ascii") as f:
            assert f.read().split()[0] == "47"
        assert sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2", "4"]
        assert {os.readlink(f"/proc/{pid}/fd/{n}") for n in (0, 1, 2)} == {"/dev/null"}
        return pid
    return retry(one)


def restarted(host, pid):
    def again():
        status = host.status("web.container")
        assert status["state"] == "up" and status["pid"] != pid, status
        return status["pid"]
    return retry(again)


def test_a_restart_takes_the_one_that_waits(box):
    first = the_spare(box)
    pid = box.status("web.container")["pid"]
    assert box.ask("kill", "web.container")[0] == 0
    pid = restarted(box, pid)
    # what waited did the start and has ended; another waits, one only
    second = the_spare(box)
    assert second != first and not os.path.exists(f"/proc/{first}")
    # dead ones are not asked
    os.kill(second, signal.SIGKILL)
    retry(lambda: _gone(second))
    assert spares(box) == []
    assert box.ask("kill", "web.container")[0] == 0
    restarted(box, pid)
    assert the_spare(box) != second
    assert box.ask("status", "web.container")[1][0]["restarts"] == 2


def _gone(pid):
    assert not os.path.exists(f"/proc/{pid}")


def test_it_leaves_with_pid_1(box):
    """It holds nothing that keeps it after a crash, and does not keep the machine from going down."""
    first = the_spare(box)
    pid = box.status("web.container")["pid"]
    crash_and_wait(box)
    retry(lambda: _gone(first))
    assert spares(box) == [] and box.status("web.container")["pid"] == pid
    assert box.ask("kill", "web.container")[0] == 0
    restarted(box, pid)
    last = the_spare(box)
    assert box.ask("poweroff")[0] == 0
    box.wait()
    assert not os.path.exists(f"/proc/{last}")
    assert "killed" not in box.log()
