# SPDX-License-Identifier: Apache-2.0
"""What a restart of a container leaves alone: its address, its port, and what its neighbours are doing."""

import os
import re
import subprocess

import pytest

from host import TOP

IMAGE = os.path.join(TOP, "build/images/hello.tar")
PROBE = os.path.join(TOP, "build/tests/ns/net_probe")
RESTARTS = 20

# Nothing but the server: programs that a page of it would start are not what is measured.
WEB = """[Container]
Image=localhost/hello
Exec=-f -h /etc
PublishPort=8080:80
StopSignal=SIGKILL
[Service]
Restart=always
[Install]
WantedBy=multi-user.target
"""
PLAIN = """[Container]
Image=localhost/hello
Entrypoint=/bin/sh
Exec=-c 'exec sleep 100000'
StopSignal=SIGKILL
[Install]
WantedBy=multi-user.target
"""
@pytest.fixture(name="box")
def make_box(host):
    if not os.path.exists(IMAGE):
        pytest.skip("build/images/hello.tar was not built (make image)")
    host.image(IMAGE)
    host.unit("web.container", WEB)
    host.unit("steady.container", WEB.replace("PublishPort=8080:80\n", ""))
    host.unit("db.container", PLAIN)
    host.unit("near.container", PLAIN)
    host.boot()
    for unit in "web", "steady", "db", "near":
        host.until(f"{unit}.container", "up", 60)
    return host


@pytest.fixture(name="inside")
def make_inside(box):
    """Starts a process in the unit's network namespace (None: in the host's)."""
    started = []

    def start(unit, *argv, **options):
        where = ["-a", "-t", str(box.pid)]
        if unit:
            where = [f"--net={box.root('/proc')}/{box.status(f'{unit}.container')['pid']}/ns/net"]
        started.append(subprocess.Popen(["nsenter", *where, *argv], stdout=subprocess.PIPE, text=True, **options))
        return started[-1]

    yield start
    for p in started:
        p.kill()
        p.wait()
        p.stdout.close()


def test_restart_keeps_address_port_and_the_neighbours_connections(box, inside):
    """C26."""
    before = box.status("web.container")
    assert inside("db", PROBE, "serve", "db", "5000").stdout.readline() == "ready\n"
    client = inside("near", PROBE, "hold", box.status("db.container")["address"], "5000", stdin=subprocess.PIPE)
    assert client.stdout.readline() == "open\n"
    # the machine may be busy: what a server that nobody restarts is not heard for does not count
    steady = box.status("steady.container")["address"]
    asker, other = (inside(None, PROBE, "gaps", *where, stdin=subprocess.PIPE) for where in (("127.0.0.1", "8080"), (steady, "80")))

    def longest(asker=asker):
        """Without an answer since the last time that this was asked, in s; once there is one again."""
        asker.stdin.write("?\n")
        asker.stdin.flush()
        return int(asker.stdout.readline()) / 1e6

    gaps, noise = [], []
    longest(), longest(other)
    for _ in range(RESTARTS):
        pid = box.status("web.container")["pid"]
        assert box.ask("restart", "web.container", timeout=60)[0] == 0
        assert box.status("web.container")["pid"] not in (0, None, pid)
        gaps.append(longest())
        noise.append(longest(other))
        client.stdin.write("still there?\n")
        client.stdin.flush()
        assert re.match(r"db saw 10\.88\.", client.stdout.readline())
        assert box.status("web.container")["address"] == before["address"]
    print("without an answer for", ", ".join(f"{g * 1000:.0f} ms" for g in gaps))
    assert max(gap - more for gap, more in zip(gaps, noise)) <= 1.0, (gaps, noise)
