# SPDX-License-Identifier: Apache-2.0
"""Readiness, watchdog and health as PID 1 hears of them."""

import os
import shutil
import signal

import pytest
from host import TOP, retry

SEND = os.path.join(TOP, "build/tests/ns/notify_send")
IMAGE = os.path.join(TOP, "build/images/hello.tar")

SERVICE = """[Unit]
{unit}
[Service]
Type=notify
ExecStart=/usr/lib/orlop/notify_send {args}
{service}
[Install]
WantedBy=multi-user.target
"""

CONTAINER = """[Container]
Image=localhost/hello
Network=none
Volume=/usr/lib/orlop:/tools:ro
{}
[Service]
{}
[Install]
WantedBy=multi-user.target
"""


@pytest.fixture
def box(host):
    shutil.copy(SEND, host.path("programs/notify_send"))
    if os.path.exists(IMAGE):
        host.image(IMAGE)
    return host


def test_ready_and_status(box):
    """E34, E35."""
    box.unit("n.service", SERVICE.format(unit="", args='"STATUS=warming up" /tmp/warm READY=1', service=""))
    box.unit("after.service", "[Unit]\nRequires=n.service\nAfter=n.service\n[Service]\nExecStart=/bin/sleep 1000\n"
             "[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
    box.boot()
    def warming():
        status = box.status("n.service")
        assert status.get("status") == "warming up" and status["state"] == "readying", status
    retry(warming)
    box.until("after.service", "waiting")
    with open(box.root("/tmp/warm"), "w", encoding="utf-8"):
        pass
    box.until("n.service", "up")
    box.until("after.service", "up")


def test_never_ready_is_killed(box):
    """E35."""
    box.unit("n.service", SERVICE.format(unit="", args='"STATUS=never"', service="TimeoutStartSec=1"))
    box.boot()
    status = box.until("n.service", "failed")
    assert status["result"] == "timeout"


def test_nobody_speaks_for_another_unit(box):
    """E34."""
    box.unit("n.service", SERVICE.format(unit="", args='"STATUS=waits"', service=""))
    box.unit("liar.service", SERVICE.format(unit="", args='"STATUS=lie" "READY=1"', service=""))
    box.unit("later.service", "[Service]\nType=notify\nExecStart=/usr/lib/orlop/notify_send READY=1\n")
    box.boot()
    def waits():
        assert box.status("n.service")["status"] == "waits"
    retry(waits)
    box.until("liar.service", "up")
    # from outside of every unit's cgroup
    message = "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', '/run/orlop/notify')"
    assert box.run("/usr/bin/python3", "-c", message).returncode == 0
    # what came over the same socket later has been heard, so the lie has been too
    assert box.ask("start", "later.service")[0] == 0
    status = box.status("n.service")
    assert status["state"] == "readying" and status["status"] == "waits", status


def test_a_start_that_asks_for_more_time(box):
    """E34: EXTEND_TIMEOUT_USEC= moves the end of the time to start; without it three seconds are all there is."""
    box.unit("slow.service", SERVICE.format(unit="", args='-s 1 EXTEND_TIMEOUT_USEC=60000000 A=1 A=1 A=1 READY=1',
                                            service="TimeoutStartSec=3"))  # fmt: skip
    box.unit("late.service", SERVICE.format(unit="", args='-s 1 A=1 A=1 A=1 A=1 READY=1', service="TimeoutStartSec=3"))
    box.boot()
    assert box.until("late.service", "failed")["result"] == "timeout"
    assert box.until("slow.service", "up", 60)["restarts"] == 0


@pytest.fixture
def main_pid(box):
    shutil.copy(os.path.join(TOP, "tests/ns/main_pid.py"), box.path("programs/main_pid.py"))
    def start(how, more=""):
        box.unit("m.service", "[Service]\nType=notify\nExecStart=/usr/bin/python3 -BS /usr/lib/orlop/main_pid.py %s\n"
                 "Restart=on-failure\nRestartSec=600\n%s\n[Install]\nWantedBy=multi-user.target\n" % (how, more))  # fmt: skip
        box.boot()
        pid = box.until("m.service", "up")["pid"]
        with open(box.root(f"/proc/{pid}/status"), encoding="utf-8") as f:
            parent = int(f.read().split("PPid:")[1].split()[0])
        assert parent > 1, "it is the child that is the main process now"
        return pid, parent
    return start


def test_another_main_process(box, main_pid):
    """E34: MAINPID= of a process whose parent leaves: from now on its end is the unit's, over a crash of PID 1 too."""
    pid, parent = main_pid("leave")
    with open(box.root("/tmp/heard"), "w", encoding="utf-8"):
        pass
    def reaped():
        assert not os.path.exists(box.root(f"/proc/{parent}"))
    retry(reaped)
    os.kill(box.pid, 11)
    retry(lambda: box.ask("version"))
    assert box.status("m.service")["pid"] == pid and box.status("m.service")["state"] == "up"
    box.run("kill", "-9", str(pid))
    status = box.until("m.service", "backoff")
    assert (status["result"], status["signal"]) == ("signal", "SIGKILL")


def test_a_main_process_that_somebody_else_reaps(box, main_pid):
    """E34: MAINPID= of a process whose parent stays: that it ends is seen, how is not; nothing of the unit is left."""
    pid, parent = main_pid("stay")
    box.run("kill", "-9", str(pid))
    assert box.until("m.service", "down")["result"] == "success"
    assert not os.path.exists(box.root(f"/proc/{parent}"))


def test_nobody_names_a_process_of_another_unit(box):
    """E34: MAINPID= of a process that is not in the unit's cgroup is not believed."""
    box.unit("n.service", SERVICE.format(unit="", args='MAINPID=1 READY=1', service=""))
    box.boot()
    pid = box.until("n.service", "up")["pid"]
    assert pid > 1 and box.ask("stop", "n.service")[0] == 0


def test_ready_and_gone_at_once(box):
    """C25: who says READY=1 and exits while PID 1 does not look was ready, then exited, and is restarted once."""
    script = ("import os, socket, time; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
              "while not os.path.exists('/tmp/go'): time.sleep(0.02)\n"
              "os.unlink('/tmp/go'); s.sendto(b'READY=1', os.environ['NOTIFY_SOCKET']); os._exit(3)\n")  # fmt: skip
    with open(box.path("programs/once.py"), "w", encoding="utf-8") as f:
        f.write(script)
    box.unit("o.service", "[Service]\nType=notify\nExecStart=/usr/bin/python3 -BS /usr/lib/orlop/once.py\n"
             "Restart=always\nRestartSec=50ms\n[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
    box.boot()
    pid = box.until("o.service", "readying")["pid"]
    follower = box.client(timeout=30)
    follower.send("events")
    assert box.ask("version")[0] == 0
    path = box.root(f"/proc/{pid}/stat")
    go = box.root("/tmp/go")
    os.kill(box.pid, signal.SIGSTOP)
    with open(go, "w", encoding="utf-8"):
        pass
    def dead():
        with open(path, encoding="utf-8") as f:
            assert f.read().rsplit(")", 1)[1].split()[0] == "Z"
    retry(dead)
    os.kill(box.pid, signal.SIGCONT)
    seen = []
    while len(seen) < 3 or seen[-1] != "readying":
        line = follower.read()[1]
        if line["unit"] == "o.service":
            seen.append(line["to"])
    assert seen == ["up", "ending", "cleaning", "backoff", "waiting", "starting", "execing", "readying"], seen
    status = box.status("o.service")
    assert (status["restarts"], status["exit_code"], status["state"]) == (1, 3, "readying")


def test_unit_watchdog(box):
    """E34."""
    box.unit("n.service", SERVICE.format(unit="", args='-s 1 READY=1 WATCHDOG=1 WATCHDOG=1 WATCHDOG=1', service="WatchdogSec=4"))
    box.boot()
    begin = box.until("n.service", "up")["since_usec"]
    status = box.until("n.service", "failed", 60)
    assert status["result"] == "watchdog"
    assert status["since_usec"] - begin > 4500000


def needs_image():
    return pytest.mark.skipif(not os.path.exists(IMAGE), reason="build/images/hello.tar was not built (make image)")


@needs_image()
def test_container_with_notify(box):
    """E34."""
    box.unit("c.container", CONTAINER.format(
        'Notify=true\nEntrypoint=/tools/notify_send\nExec=STATUS=soon /tools/now READY=1', ""))  # fmt: skip
    box.boot()
    def soon():
        status = box.status("c.container")
        assert status["state"] == "readying" and status["status"] == "soon", (status, box.log())
    retry(soon, 30)
    with open(box.path("programs/now"), "w", encoding="utf-8"):
        pass
    box.until("c.container", "up")


@needs_image()
def test_health_of_a_container(box):
    """E36."""
    box.unit("c.container", CONTAINER.format(
        "Entrypoint=/bin/sh\nExec=-c 'trap \"exit 0\" TERM; echo > /healthy; while :; do sleep 0.1; done'\n"
        "HealthCmd=/bin/cat /healthy\nHealthInterval=300ms\nHealthStartPeriod=60s\nHealthRetries=2\nHealthOnFailure=kill\nNotify=healthy",
        "Restart=always"))  # fmt: skip
    box.boot()
    first = box.until("c.container", "up", 30)
    assert first["health"] == "healthy"
    # the file goes away: unhealthy, killed, started again with a fresh root, healthy again
    pid = first["pid"]
    box.run("rm", f"/proc/{pid}/root/healthy")
    def again():
        status = box.status("c.container")
        assert status["state"] == "up" and status["pid"] != pid, status
        assert status["health"] == "healthy" and status["restarts"] == 1, status
    retry(again, 30)
