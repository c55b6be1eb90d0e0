# SPDX-License-Identifier: Apache-2.0
"""PID 1 and containers: the whole way from a unit file to a served page, natively; what a revival of PID 1 keeps."""

import os
import random
import re
import signal
import threading
import time

import pytest
from host import TOP, retry, settled

FULL = bool(os.environ.get("FULL"))
IMAGE = os.path.join(TOP, "build/images/hello.tar")

WEB = """[Container]
Image=localhost/hello
Volume=count.volume:/data
PublishPort=8080:80
StopTimeout=1
{}
[Service]
Restart=always
[Install]
WantedBy=multi-user.target
"""

# Prints a number a line, as fast as it is let, but never the same twice.
COUNTER = """[Container]
Image=localhost/hello
Network=none
Entrypoint=/bin/sh
Exec=-c 'i=0; trap "exit 0" TERM; while :; do i=$$((i+1)); echo line $$i; [ $$((i % 20)) -ne 0 ] || sleep 0.05; done'
[Service]
Restart=always
[Install]
WantedBy=multi-user.target
"""


@pytest.fixture
def box(host):
    if not os.path.exists(IMAGE):
        pytest.skip("build/images/hello.tar was not built (make image)")
    host.image(IMAGE)
    return host


def get(host, address="127.0.0.1:8080"):
    out = host.run("curl", "-sS", "-m", "30", f"http://{address}/")  # who asks again is counted
    assert out.returncode == 0, (out.stderr, host.log())
    return int(re.search(r"served (\d+) times", out.stdout)[1])


def test_a_page_is_served_and_killed_processes_come_back(box):
    """C26."""
    box.unit("count.volume", "[Volume]\n")
    box.unit("web.container", WEB.format(""))
    box.boot()
    first = box.until("web.container", "up", 60)
    assert retry(lambda: get(box, first["address"] + ":80")) == 1
    assert get(box) == 2
    os.kill(_outer_pid(box, first["pid"]), signal.SIGKILL)
    def again():
        status = box.status("web.container")
        assert status["state"] == "up" and status["pid"] != first["pid"], status
        return status
    second = retry(again)
    assert second["address"] == first["address"] and second["restarts"] == 1
    assert retry(lambda: get(box)) == 3
    assert box.ask("stop", "web")[0] == 0
    assert box.run("nft", "list", "table", "inet", "orlop").stdout.count("8080") == 0
    assert box.run("ip", "-br", "link").stdout.count("orlop0") == 1
    assert box.ask("start", "web")[0] == 0
    assert retry(lambda: get(box)) == 4
    assert box.rss() <= 1536 * 1024, box.rss()


def _outer_pid(host, pid):
    """The pid on this machine of a process inside."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/status", encoding="utf-8") as f:
                    spids = re.search(r"^NSpid:\s+(.*)$", f.read(), re.M)[1].split()
                if len(spids) > 1 and spids[1] == str(pid) and _same_ns(host, entry):
                    return int(entry)
            except (OSError, TypeError):
                pass
    raise AssertionError(f"no pid {pid}")


def _same_ns(host, entry):
    """Whether the process is a descendant of this host's PID 1."""
    pid = int(entry)
    while pid > 1:
        if pid == host.pid:
            return True
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            pid = int(f.read().rsplit(")", 1)[1].split()[1])
    return False


def test_a_failing_start_names_its_step(box):
    box.unit("web.container", "[Container]\nImage=localhost/nosuch\n[Install]\nWantedBy=multi-user.target\n")
    box.unit("bad.container", "[Container]\nImage=localhost/hello\nEntrypoint=/no/such\nNetwork=none\n"
             "[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
    box.boot()
    status = box.until("web.container", "failed", 60)
    assert status["step"] == "image" and "nosuch" in status["text"]
    status = box.until("bad.container", "failed", 60)
    assert status["step"] == "exec" and status["errno"] == "ENOENT", status
    retry(lambda: _upper_directories(box, 0))


def _upper_directories(host, n):
    """How many disposable upper directories there are; what is thrown away is gone."""
    run = host.path("store/tmp/run")
    assert sum(len(os.listdir(os.path.join(run, unit))) for unit in os.listdir(run)) == n
    trash = host.path("store/tmp/trash")
    assert not os.path.isdir(trash) or not os.listdir(trash)
    return True


def test_revival_keeps_containers_lines_and_addresses(box):
    """A2, F41: PID 1 crashes again and again under load; containers do not notice."""
    box.unit("count.volume", "[Volume]\n")
    box.unit("web.container", WEB.format(""))
    box.unit("counter.container", COUNTER)
    box.unit("flapping.service", "[Service]\nExecStart=/bin/sleep 0.05\nRestart=always\nRestartSec=20ms\n"
             "[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
    box.boot()
    names = ("web.container", "counter.container")
    before = {n: box.until(n, "up", 60)["pid"] for n in names}
    visits = retry(lambda: get(box))
    random.seed(4)
    ended = threading.Event()
    def ask():
        while not ended.is_set():
            try:
                box.ask("ps")
            except (OSError, EOFError, AssertionError):
                pass
    asker = threading.Thread(target=ask)
    asker.start()
    def revivals():
        return int((re.findall(r"PID 1 revived \((\d+)\)", box.log()) or [0])[-1])
    end = time.monotonic() + 120
    while revivals() < 100 and time.monotonic() < end:  # a signal that comes on top of another is one crash
        os.kill(box.pid, signal.SIGSEGV)
        time.sleep(random.random() * 0.05)
    ended.set()
    asker.join()
    retry(lambda: box.ask("version"))
    assert {n: box.status(n)["pid"] for n in names} == before, box.log()
    assert get(box) == visits + 1
    assert revivals() >= 100, box.log()
    assert box.ask("stop", "counter.container")[0] == 0
    lines = _lines(box)
    assert lines == list(range(1, len(lines) + 1)), "a line was lost or came twice"
    assert len(lines) > 100


def _lines(host):
    def read():
        code, lines = host.ask("logs", "counter.container", timeout=30)
        assert code == 0
        return [int(line["s"].split()[1]) for line in lines if line.get("s", "").startswith("line ")]
    last = None
    while last is None or read() != last:  # orlop-log writes what was in the pipe
        last = read()
        time.sleep(0.2)
    return last


def test_restarts_leave_nothing_behind(box):
    """A5: fds, cgroups, mounts, links are as before after many restarts."""
    box.unit("count.volume", "[Volume]\n")
    box.unit("web.container", WEB.format(""))
    box.boot()
    box.until("web.container", "up", 60)
    retry(lambda: get(box))
    def state():
        with open(f"/proc/{box.pid}/mounts", encoding="utf-8") as f:
            mounts = len(f.readlines())
        links = len(box.run("ip", "-br", "link").stdout.splitlines())
        return box.fds(), mounts, links, sorted(os.listdir(box.root("/sys/fs/cgroup/orlop")))
    box.ask("restart", "web.container", timeout=30)
    retry(lambda: get(box))
    before, rss = settled(state), box.rss()
    for _ in range(20):
        assert box.ask("restart", "web.container", timeout=30)[0] == 0
    def same():
        assert state() == before
    retry(same)
    assert box.rss() - rss <= 65536
    retry(lambda: _upper_directories(box, 1))


def test_stops_in_the_middle_of_starts(box):
    """B16: nothing is missed: each stop is over at once, although the containers begin, end and wait just then."""
    units = [f"c{i}.container" for i in range(6)]
    for name in units:
        box.unit(name, "[Container]\nImage=localhost/hello\nNetwork=none\nEntrypoint=/bin/false\n"
                 "[Service]\nRestart=always\nRestartSec=1ms\n")  # fmt: skip
    box.boot()
    def booted():
        assert box.ask("status")[1][0]["state"] == "running"
    retry(booted, 60)
    random.seed(5)
    for _ in range(200 if FULL else 20):
        starter = box.client()
        starter.send("start", *units)
        time.sleep(random.random() * 0.6)
        code, lines = box.ask("stop", *units, timeout=60)
        assert code == 0 and {line["state"] for line in lines} <= {"down", "failed"}, (lines, box.log())
        starter.close()
