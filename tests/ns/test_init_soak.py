# SPDX-License-Identifier: Apache-2.0
"""50 units that end again and again leave nothing behind. FULL=1: 100,000 restarts, which take minutes."""

import os
import time

import pytest
from host import TOP, retry, settled

IMAGE = os.path.join(TOP, "build/images/hello.tar")
RESTARTS = 100_000 if os.environ.get("FULL") else 1_000

SERVICE = """[Service]
ExecStart={}
Restart=always
RestartSec=10ms
"""

CONTAINER = """[Container]
Image=localhost/hello
Entrypoint={}
PublishPort={}:80
Volume=shared.volume:/data
[Service]
Restart=always
RestartSec=200ms
"""


def net_namespaces(host):
    """All network namespaces that a process inside is in or PID 1 holds."""
    out = host.run("sh", "-c", "readlink /proc/[0-9]*/ns/net /proc/1/fd/* | grep ^net: | sort -u").stdout
    return len(out.splitlines())


def inventory(host):
    with open(f"/proc/{host.pid}/mounts", encoding="utf-8") as f:
        mounts = len(f.readlines())
    return {
        "fds": host.fds(),
        "mounts": mounts,
        "links": sorted(line.split()[0] for line in host.run("ip", "-br", "link").stdout.splitlines()),
        "namespaces": net_namespaces(host),
        "cgroups": sorted(os.listdir(host.root("/sys/fs/cgroup/orlop"))),
        "ruleset": host.run("nft", "list", "table", "inet", "orlop").stdout.count("\n"),
        "processes": len(host.run("sh", "-c", "ls -d /proc/[0-9]*").stdout.splitlines()),
    }


def restarts(host):
    return sum(line["restarts"] for line in host.ask("ps", "-a", timeout=60)[1])


def round_of(host, units, enough):
    """Starts all, waits for that many restarts, stops all."""
    code, lines = host.ask("start", *units, timeout=120)
    host.ask("reset-failed", *units, timeout=60)
    begin, high = time.monotonic(), 0
    while restarts(host) < enough:
        high = max(high, host.rss())
        time.sleep(0.5)
    took, n = time.monotonic() - begin, restarts(host)
    code, lines = host.ask("stop", *units, timeout=120)
    assert code == 0, [line for line in lines if line.get("state") != "down"]
    retry(lambda: _down(host, units))
    return n, took, high


@pytest.mark.skipif(not os.path.exists(IMAGE), reason="build/images/hello.tar was not built (make image)")
def test_crash_restarts_leave_nothing_behind(host):
    """A5."""
    ends = ["/bin/false", "/bin/true", "/bin/sh -c 'kill -9 $$$$'", "/bin/sh -c 'sleep 0.01 & exit 3'"]
    for i in range(44):
        host.unit(f"s{i}.service", SERVICE.format(ends[i % len(ends)]))
    for i in range(6):
        host.unit(f"c{i}.container", CONTAINER.format(ends[i % 2], 9000 + i))
    host.unit("shared.volume", "[Volume]\n")
    host.image(IMAGE)
    host.boot()
    units = [f"s{i}.service" for i in range(44)] + [f"c{i}.container" for i in range(6)]
    retry(lambda: _booted(host), 120)
    round_of(host, units, 500)  # what is made once is made now
    before, rss = settled(lambda: inventory(host), quiet=1), host.rss()
    n, took, high = round_of(host, units, RESTARTS)
    def same():
        assert inventory(host) == before
    retry(same, 60)
    print(f"\n{n} restarts in {took:.0f} s; PID 1: {rss // 1024} KiB resident before, {host.rss() // 1024} after, "
          f"{high // 1024} at most meanwhile; {before['fds']} fds")  # fmt: skip
    assert host.rss() - rss <= 64 * 1024


def _down(host, units):
    left = [line for line in host.ask("ps", "-a", timeout=60)[1]
            if line["unit"] in units and line["state"] not in ("down", "failed")]  # fmt: skip
    assert not left, left


def _booted(host):
    assert host.ask("status")[1][0]["state"] == "running"
