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
    return [pid for pid, words in children(host).items()
            if words[0].endswith("/orlop-run") and words[1:] in (["start"], ["start", "-n"])]


def founders(spare):
    """Processes that are in namespaces that the spare has made ahead."""
    with open(f"/proc/{spare}/task/{spare}/children", encoding="ascii") as f:
        return f.read().split()


def network(pid, host=None):
    """Of a process of this machine, or with the pid that the host knows it by."""
    return os.readlink((f"/proc/{host.pid}/root" if host else "") + f"/proc/{pid}/ns/net")


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
    assert second != first
    retry(lambda: _gone(first))
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


OTHER = WEB.replace("hello\n", "hello\nContainerName=other%s\n").replace("WantedBy=multi-user.target", "")


def test_namespaces_are_made_ahead_while_new_ones_are_needed(box):
    """The last start was of a new container, and so may the next be; after a restart the next is likely to be one."""
    for name in ("one", "two"):
        box.unit(f"{name}.container", OTHER % name)
    assert box.ask("reload")[0] == 0
    waiting = the_spare(box)
    founder, = retry(lambda: _one(founders(waiting)))
    ahead = network(founder)
    assert ahead != network(box.pid)
    assert box.ask("start", "one.container")[0] == 0
    pid = box.until("one.container", "up", 60)["pid"]
    assert network(pid, box) == ahead and not os.path.exists(f"/proc/{founder}")
    # a restart keeps its own, and what was made for nothing goes
    waiting = the_spare(box)
    founder, = retry(lambda: _one(founders(waiting)))
    assert box.ask("kill", "one.container")[0] == 0

    def again():
        status = box.status("one.container")
        assert status["state"] == "up" and status["pid"] != pid, status
        return status["pid"]
    assert network(retry(again), box) == ahead
    retry(lambda: _gone(founder))
    waiting = the_spare(box)
    assert founders(waiting) == [] and children(box)[waiting][1:] == ["start"]
    # and without one there are others
    assert box.ask("start", "two.container")[0] == 0
    assert network(box.until("two.container", "up", 60)["pid"], box) not in (ahead, network(box.pid))
    # whoever waits for a spare that was killed does not
    waiting = the_spare(box)
    founder, = retry(lambda: _one(founders(waiting)))
    os.kill(waiting, signal.SIGKILL)
    retry(lambda: _gone(founder))


def _one(found):
    assert len(found) == 1, found
    return found
