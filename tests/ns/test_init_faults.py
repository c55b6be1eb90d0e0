# SPDX-License-Identifier: Apache-2.0
"""the k-th call of one function fails, for all k, while units start, stop, are reloaded, while PID 1 is revived and
while the host goes down. PID 1 goes on, the unit says which step failed and why, and nothing is left behind.

Without FULL=1 a sample of the k is taken.
"""

import os
import re
import signal
from collections import Counter

import pytest
from faults import FUNCTIONS, Faults
from host import TOP, Host, retry, settled

IMAGE = os.path.join(TOP, "build/images/hello.tar")
FULL = bool(os.environ.get("FULL"))
FUNCTION = pytest.mark.parametrize("function", sorted(FUNCTIONS))

STEADY = "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"
SERVICE = ("[Unit]\nDescription={}\n[Service]\nExecStartPre=/bin/true\nExecStart=/bin/sleep 1000\nExecStopPost=/bin/true\n"
           "TimeoutStartSec=10\nTimeoutStopSec=3\n")  # fmt: skip
CONTAINER = ("[Container]\nImage=localhost/hello\nEntrypoint=/bin/sleep\nExec=1000\nPublishPort=8080:80\nStopTimeout=0\n"
             "[Service]\nTimeoutStartSec=20\n")  # fmt: skip
UNITS = ["s.service"] + (["c.container"] if os.path.exists(IMAGE) else [])


def counts():
    """Which of the calls fails: all, or fewer and fewer."""
    k = 1
    while True:
        yield k
        k += 1 if FULL else 1 + k // 2


@pytest.fixture
def box(host):
    host.faults = Faults(host)
    host.unit("steady.service", STEADY)
    host.unit("s.service", SERVICE.format("one"))
    if len(UNITS) > 1:
        host.unit("c.container", CONTAINER)
        host.image(IMAGE)
    host.boot()
    def booted():
        assert host.ask("status")[1][0]["state"] == "running"
    retry(booted, 60)
    host.steady = host.until("steady.service", "up")["pid"]
    return host


def ask(host, *words):
    """None if the connection is what broke."""
    try:
        return host.ask(*words, timeout=40)
    except (OSError, EOFError, AssertionError):  # closed, or turned away with a frame of nobody
        return None


def alive(host):
    def look():
        assert host.ask("version", timeout=5)[0] == 0
        assert host.status("steady.service")["pid"] == host.steady, host.log()
    retry(look, 30)


def all_down(host):
    """Stopped and forgotten that it failed; nothing left of it."""
    code, lines = host.ask("stop", *UNITS, timeout=60)
    assert code == 0, (lines, host.log()[-2000:])
    host.ask("reset-failed", *UNITS)
    for unit in UNITS:
        host.until(unit, "down", 60)


def says_why(host, unit):
    """A start that failed names its step and its errno; one that did not fail is up."""
    def look():
        status = host.status(unit)
        assert status["state"] in ("up", "failed", "down"), status
        return status
    status = retry(look, 40)
    if status["state"] == "failed" and status["result"] == "resources":
        assert status["step"] and status["errno"] and status["text"], (status, host.log()[-2000:])
    return status


def kinds(host):
    """What PID 1 holds open, without numbers."""
    names = []
    for fd in os.listdir(f"/proc/{host.pid}/fd"):
        try:
            names.append(re.sub(r"\d+", "N", os.readlink(f"/proc/{host.pid}/fd/{fd}")))
        except FileNotFoundError:
            pass
    return sorted(names)


def same_fds(host, before):
    def look():
        now = kinds(host)
        assert now == before, (Counter(now) - Counter(before), Counter(before) - Counter(now))
    retry(look)


@FUNCTION
def test_starts(box, function):
    """A4."""
    before = None
    for k in counts():
        all_down(box)
        if before is None:
            box.ask("start", *UNITS, timeout=60)
            all_down(box)
            before = settled(lambda: kinds(box))
        box.faults.arm(function, k)
        ask(box, "start", *UNITS)
        for unit in UNITS:
            says_why(box, unit)
        hits = box.faults.disarm()[1]
        alive(box)
        all_down(box)
        same_fds(box, before)
        if not hits:
            break
    box.ask("start", *UNITS, timeout=60)
    for unit in UNITS:
        box.until(unit, "up", 30)
    print(f"\n{function}: {k - 1} calls in a start")


@FUNCTION
def test_stops(box, function):
    """A4."""
    before = None
    for k in counts():
        assert box.ask("start", *UNITS, timeout=60)[0] == 0, box.log()[-2000:]
        if before is None:
            before = settled(lambda: kinds(box))
        same_fds(box, before)
        box.faults.arm(function, k)
        ask(box, "stop", *UNITS)
        hits = box.faults.disarm()[1]
        alive(box)
        all_down(box)
        if not hits:
            break


@FUNCTION
def test_reloads(box, function):
    """A4."""
    assert box.ask("start", *UNITS, timeout=60)[0] == 0
    before = settled(lambda: kinds(box))
    for k in counts():
        box.unit("s.service", SERVICE.format(k))
        box.faults.arm(function, k)
        ask(box, "reload")
        settled(lambda: kinds(box), quiet=0.1)
        hits = box.faults.disarm()[1]
        alive(box)
        assert box.ask("reload", timeout=60)[0] == 0
        def told():
            assert box.status("s.service")["description"] == str(k)
        retry(told)
        same_fds(box, before)
        if not hits:
            break


@FUNCTION
def test_revivals(box, function):
    """A4."""
    assert box.ask("start", *UNITS, timeout=60)[0] == 0
    os.kill(box.pid, signal.SIGSEGV)
    alive(box)
    pids = {unit: box.status(unit)["pid"] for unit in UNITS}
    before = settled(lambda: kinds(box))
    for k in counts():
        box.faults.arm(function, k)
        os.kill(box.pid, signal.SIGSEGV)
        alive(box)
        hits = box.faults.disarm()[1]
        assert {unit: box.status(unit)["pid"] for unit in UNITS} == pids, box.log()[-3000:]
        same_fds(box, before)
        if not hits:
            break
    all_down(box)


@FUNCTION
def test_shutdowns(function):
    """A4: A host for each k; without containers, so that it is up in no time."""
    for k in counts():
        host = Host()
        try:
            faults = Faults(host)
            host.unit("steady.service", STEADY)
            host.boot()
            host.until("steady.service", "up")
            faults.arm(function, k)
            ask(host, "poweroff")
            try:
                host.wait(5)
            except Exception:  # what failed was the question
                faults.disarm()
                ask(host, "poweroff")
                host.wait(60)
            hits = faults.disarm()[1]
        finally:
            host.close()
        if not hits:
            break
