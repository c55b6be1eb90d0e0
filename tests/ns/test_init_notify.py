# SPDX-License-Identifier: Apache-2.0
"""Readiness, watchdog and health as PID 1 hears of them."""

import os
import shutil

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
    box.unit("n.service", SERVICE.format(unit="", args='-s 2 "STATUS=warming up" "READY=1"', service=""))
    box.unit("after.service", "[Unit]\nRequires=n.service\nAfter=n.service\n[Service]\nExecStart=/bin/sleep 1000\n"
             "[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
    box.boot()
    def warming():
        status = box.status("n.service")
        assert status.get("status") == "warming up" and status["state"] == "readying", status
    retry(warming)
    assert box.status("after.service")["state"] == "waiting"
    box.until("n.service", "up")
    box.until("after.service", "up")


def test_never_ready_is_killed(box):
    box.unit("n.service", SERVICE.format(unit="", args='"STATUS=never"', service="TimeoutStartSec=1"))
    box.boot()
    status = box.until("n.service", "failed")
    assert status["result"] == "timeout"


def test_nobody_speaks_for_another_unit(box):
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


def test_unit_watchdog(box):
    box.unit("n.service", SERVICE.format(unit="", args='-s 1 READY=1 WATCHDOG=1 WATCHDOG=1', service="WatchdogSec=2"))
    box.boot()
    begin = box.until("n.service", "up")["since_usec"]
    status = box.until("n.service", "failed", 15)
    assert status["result"] == "watchdog"
    assert status["since_usec"] - begin > 2500000


def needs_image():
    return pytest.mark.skipif(not os.path.exists(IMAGE), reason="build/images/hello.tar was not built (make image)")


@needs_image()
def test_container_with_notify(box):
    box.unit("c.container", CONTAINER.format(
        'Notify=true\nEntrypoint=/tools/notify_send\nExec=-s 2 STATUS=soon READY=1', ""))  # fmt: skip
    box.boot()
    def soon():
        status = box.status("c.container")
        assert status["state"] == "readying" and status["status"] == "soon", (status, box.log())
    retry(soon, 30)
    box.until("c.container", "up")


@needs_image()
def test_health_of_a_container(box):
    box.unit("c.container", CONTAINER.format(
        "Entrypoint=/bin/sh\nExec=-c 'trap \"exit 0\" TERM; echo > /healthy; while :; do sleep 0.1; done'\n"
        "HealthCmd=/bin/cat /healthy\nHealthInterval=300ms\nHealthRetries=2\nHealthOnFailure=kill\nNotify=healthy",
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
