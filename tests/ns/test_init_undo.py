# SPDX-License-Identifier: Apache-2.0
"""Containers that fail to start, each at another step, with a network, a published port and PID 1: nothing is left.

A thousand of them with FULL=1, sixty by default. test_runtime_undo.py fails every single system call of a start."""

import os

import pytest
from host import TOP, retry, settled

IMAGE = os.path.join(TOP, "build/images/hello.tar")
STARTS = 1000 if os.environ.get("FULL") else 60

UNIT = """[Container]
Image=localhost/hello
PublishPort={port}:80
{lines}
[Unit]
StartLimitIntervalSec=0
[Service]
Restart=no
"""

# {step that must fail: lines of the unit}
FAILING = {
    "image": "Image=localhost/none",
    "environment": "EnvironmentFile=/none",
    "io-max": "PodmanArgs=--device-read-bps=/dev/none:1mb",
    "device-filter": "AddDevice=/dev/none",
    "filter": "SeccompProfile=/none.json",
    "sysctl": "Sysctl=net.ipv4.none=1",
    "volume": "Volume=/none:/x",
    "device-volume": "Volume=disk.volume:/x",
    "timezone": "Timezone=No/Where",
    "secret": "Secret=none",
    "user": "User=nobody-of-this-name",
    "workdir": "WorkingDir=/proc/self/fd/3",
    "exec": "Entrypoint=/none",
}


@pytest.fixture
def box(host):
    if not os.path.exists(IMAGE):
        pytest.skip("build/images/hello.tar was not built (make image)")
    host.image(IMAGE)
    return host


def state(box):
    """All that a start makes on the host."""
    with open(f"/proc/{box.pid}/mounts", encoding="utf-8") as f:
        mounts = f.read()
    links = sorted(line.split()[0] for line in box.run("ip", "-br", "link").stdout.splitlines())
    rules = box.run("nft", "list", "ruleset").stdout
    cgroups = sorted(d for d, _, _ in os.walk(box.root("/sys/fs/cgroup/orlop")))
    with open(f"/proc/{box.pid}/task/{box.pid}/children", encoding="utf-8") as f:
        children = len(f.read().split())
    run = box.path("store/tmp/run")
    uppers = sorted(u + "/" + d for u in os.listdir(run) for d in os.listdir(os.path.join(run, u))) if os.path.isdir(run) else []
    ports = sorted(os.listdir(box.root("/run/orlop/ports"))) if os.path.isdir(box.root("/run/orlop/ports")) else []
    return {"mounts": mounts, "links": links, "rules": rules, "cgroups": [c.split("/cgroup/")[1] for c in cgroups],
            "children": children, "uppers": uppers, "fds": box.fds(), "ports": ports, "netns": namespaces(box)}


def namespaces(box):
    """How many network namespaces the processes of this host are in."""
    return len(set(box.run("sh", "-c", "readlink /proc/[0-9]*/ns/net").stdout.split()))


def test_failed_starts_leave_nothing(box):
    box.unit("disk.volume", "[Volume]\nDevice=/dev/no-such-disk\nType=ext4\n")
    for i, (step, lines) in enumerate(FAILING.items()):
        text = UNIT.format(port=7000 + i, lines=lines)
        box.unit(f"{step}.container", text.replace("Image=localhost/hello\n", "", 1) if step == "image" else text)
    box.unit("good.container", UNIT.format(port=6999, lines="Entrypoint=/bin/busybox\nExec=sleep 1000\nStopTimeout=0"))
    box.boot()
    # what a good start leaves for the next one (cached filters, pins) is there before
    retry(lambda: started(box), 60)  # the image is being imported
    assert box.ask("stop", "good.container", timeout=30)[0] == 0
    for step in FAILING:
        fail(box, step)  # a unit has its log pipe from its first start on
    before = settled(lambda: state(box))
    assert not [link for link in before["links"] if link.startswith("ol") and link != "orlop0"], before
    names = list(FAILING)
    for i in range(STARTS):
        fail(box, names[i % len(names)])

    def same():
        after = state(box)
        assert after == before, {k: (before[k], after[k]) for k in before if before[k] != after[k]}

    retry(same, 30)
    started(box)


def started(box):
    code, lines = box.ask("start", "good.container", timeout=60)
    assert code == 0, (lines, box.log())


def fail(box, step):
    box.ask("start", f"{step}.container", timeout=30)

    def failed():
        status = box.status(f"{step}.container")
        assert status["state"] == "failed", status
        return status

    assert retry(failed)["step"] == step
