# SPDX-License-Identifier: Apache-2.0
"""Slice=: units' cgroups that lie together (limits inside of one, with controllers: tests/qemu/test_serve.py)."""

import os

import pytest
from host import TOP, retry
from test_init_containers import _outer_pid
from test_init_revive import crash_and_wait

IMAGE = os.path.join(TOP, "build/images/hello.tar")
SLEEP = "[Service]\nExecStart=/bin/sleep 1000\nRestart=always\n{}\n[Install]\nWantedBy=multi-user.target\n"
READY = "[Service]\nType=notify\nExecStart=/bin/sh -c 'systemd-notify --ready || printf READY=1 | socat -u - UNIX-SENDTO:$NOTIFY_SOCKET; sleep 1000'\n{}\n"


def place(host, unit):
    """Its cgroup, as the kernel says it, below the units'."""
    with open(f"/proc/{_outer_pid(host, host.status(unit)['pid'])}/cgroup", encoding="utf-8") as f:
        line = next(line for line in f.read().splitlines() if line.startswith("0::"))
    return line.split("/orlop/", 1)[1]


def slices(host):
    return sorted(os.path.relpath(d, host.cgroup + "/orlop") for d, _, _ in os.walk(host.cgroup + "/orlop") if d.endswith(".slice"))


def test_units_lie_in_their_slices(host):
    host.unit("a.service", SLEEP.format("Slice=media-tv.slice"))
    host.unit("b.service", SLEEP.format("Slice=media.slice"))
    host.unit("c.service", SLEEP.format(""))
    host.unit("d.service", READY.format("Slice=media-tv.slice"))
    with_image = os.path.exists(IMAGE)
    if with_image:
        host.image(IMAGE)
        host.unit("e.container", "[Container]\nImage=localhost/hello\nNetwork=none\nEntrypoint=/bin/sleep\nExec=1000\nStopTimeout=0\n"
                  + SLEEP.partition("\n")[0] + "\nSlice=media.slice\n[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
    host.boot()
    units = ["a.service", "b.service", "c.service"] + (["e.container"] if with_image else [])
    for unit in units:
        host.until(unit, "up", 60)
    assert host.ask("start", "d.service", timeout=30)[0] == 0, host.log() # its message is known to be its own
    wanted = {"a.service": "media.slice/media-tv.slice/a.service", "b.service": "media.slice/b.service", "c.service": "c.service",
              "e.container": "media.slice/e.service"}  # fmt: skip
    before = {unit: host.status(unit)["pid"] for unit in units}
    places = {unit: place(host, unit) for unit in units}
    assert {u: os.path.dirname(p) for u, p in places.items()} == {u: os.path.dirname(wanted[u]) for u in units}
    # what PID 1 knows in there outlives a crash of it; what it does not know is killed
    stray = os.path.join(host.cgroup, "orlop/media.slice/stray")
    os.mkdir(stray)
    crash_and_wait(host)
    assert {unit: host.status(unit)["pid"] for unit in units} == before
    # a restart is in the slice of the file as it is then
    host.unit("a.service", SLEEP.format("Slice=other.slice"))
    assert host.ask("reload")[0] == 0 and host.ask("restart", "a.service", timeout=30)[0] == 0
    assert os.path.dirname(place(host, "a.service")) == "other.slice"
    assert host.ask("kill", "b.service")[0] == 0
    def again():
        status = host.status("b.service")
        assert status["state"] == "up" and status["pid"] != before["b.service"], status
    retry(again)
    assert os.path.dirname(place(host, "b.service")) == "media.slice"
    os.rmdir(stray)
    # the last one out takes the slice with it
    assert host.ask("stop", "d.service", *units, timeout=60)[0] == 0
    retry(lambda: _none(host))


def _none(host):
    assert slices(host) == []


@pytest.mark.parametrize("wrong", ["media", "media-.slice", "a--b.slice", "../x.slice", ".slice"])
def test_a_name_that_is_none(host, wrong):
    host.unit("a.service", SLEEP.format(f"Slice={wrong}"))
    host.boot()
    def told():
        assert "a.service:4:7" in host.log() and "write NAME.slice" in host.log(), host.log()
    retry(told)
