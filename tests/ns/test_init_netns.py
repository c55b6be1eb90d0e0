# SPDX-License-Identifier: Apache-2.0
"""Network=ns:PATH from unit files through PID 1: starts that come too early, restarts, guests, pods, orlop run."""

import os

import pytest
from host import TOP, retry

IMAGE = os.path.join(TOP, "build/images/hello.tar")
ORLOP = "/usr/lib/orlop/orlop"
PATH = "/run/netns/vpn"
SLEEPS = "[Container]\nImage=localhost/hello\nEntrypoint=/bin/busybox\nExec=sleep 100000\nStopTimeout=0\n{}\n"
AT_BOOT = "[Install]\nWantedBy=multi-user.target\n"


@pytest.fixture
def box(host):
    if not os.path.exists(IMAGE):
        pytest.skip("build/images/hello.tar was not built (make image)")
    host.image(IMAGE)
    host.unit("vpn.container", SLEEPS.format(f"Network=ns:{PATH}\n[Service]\nRestart=always\nRestartSec=200ms\n") + AT_BOOT)
    return host


def ip(box, *words):
    r = box.run("ip", *words)
    assert r.returncode == 0, r.stderr
    return r.stdout


def make(box):
    """The namespace, with a link into the host's own: when it is no more, neither is that."""
    ip(box, "netns", "add", "vpn")
    ip(box, "link", "add", "outside", "type", "veth", "peer", "name", "inside", "netns", "vpn")
    ip(box, "-n", "vpn", "addr", "add", "192.0.2.1/24", "dev", "inside")


def is_gone(box):
    assert "outside" not in ip(box, "-o", "link")


def inode(box, path=PATH):
    return os.stat(box.root(path)).st_ino


def network_of(box, unit):
    return inode(box, f"/proc/{box.until(unit, 'up', 30)['pid']}/ns/net")


def ask(box, *words):
    code, lines = box.ask(*words, timeout=60)
    assert code == 0, lines


def test_a_namespace_that_comes_late_and_is_made_anew(box):
    box.boot()

    def failed():
        status = box.status("vpn.container")
        assert status["step"] == "net-path" and status["errno"] == "ENOENT" and f"Network=ns:{PATH}" in status["text"], status
        return status

    retry(failed, 60)
    make(box)
    assert network_of(box, "vpn.container") == inode(box)
    assert "192.0.2.1" in box.run(ORLOP, "exec", "vpn", "/bin/busybox", "ip", "addr").stdout

    # its name leads to another one: the next start is in that
    first = inode(box)
    ip(box, "netns", "del", "vpn")
    ip(box, "netns", "add", "vpn")
    assert inode(box) != first == network_of(box, "vpn.container")
    ask(box, "restart", "vpn.container")
    assert network_of(box, "vpn.container") == inode(box)
    retry(lambda: is_gone(box))  # nobody keeps the first one


def test_nothing_is_kept_when_it_is_down(box):
    box.boot()
    retry(lambda: box.status("vpn.container")["step"] == "net-path", 60)
    make(box)
    box.until("vpn.container", "up", 30)
    ask(box, "stop", "vpn.container")
    assert "192.0.2.1" in ip(box, "-n", "vpn", "addr")  # it is not ours to take away
    ip(box, "netns", "del", "vpn")
    retry(lambda: is_gone(box))


def test_another_path_after_a_reload(box):
    box.boot()
    make(box)
    assert network_of(box, "vpn.container") == inode(box)
    ip(box, "netns", "add", "other")
    box.unit("vpn.container", SLEEPS.format("Network=ns:/run/netns/other\n") + AT_BOOT)
    ask(box, "reload")

    def moved():
        assert network_of(box, "vpn.container") == inode(box, "/run/netns/other")

    retry(moved)
    ip(box, "netns", "del", "vpn")
    retry(lambda: is_gone(box))


def test_guest_of_such_a_container(box):
    box.unit("guest.container", SLEEPS.format("Network=vpn.container\n"))
    box.boot()
    make(box)
    box.until("vpn.container", "up", 60)
    ask(box, "start", "guest.container")
    assert network_of(box, "guest.container") == network_of(box, "vpn.container") == inode(box)
    users = {os.readlink(box.root(f"/proc/{box.status(u)['pid']}/ns/user")) for u in ("guest.container", "vpn.container")}
    assert len(users) == 1


def test_pod(box):
    box.unit("app.pod", f"[Pod]\nNetwork=ns:{PATH}\nHostName=together\n")
    for name in "ab":
        box.unit(f"{name}.container", SLEEPS.format("Pod=app.pod\n"))
    box.boot()
    make(box)
    box.until("vpn.container", "up", 60)  # the image is there
    ask(box, "start", "app.pod")
    first = inode(box)
    assert network_of(box, "a.container") == network_of(box, "b.container") == first
    assert box.run(ORLOP, "exec", "a", "/bin/busybox", "hostname").stdout == "together\n"
    # the pod keeps it no more than PID 1 does: where the path leads to another one, its restart is in that
    ask(box, "stop", "vpn.container")
    ip(box, "netns", "del", "vpn")
    ip(box, "netns", "add", "vpn")
    ask(box, "restart", "app.pod")
    assert network_of(box, "a.container") == network_of(box, "b.container") == inode(box) != first
    retry(lambda: is_gone(box))
    ask(box, "stop", "app.pod")
    assert "/run/orlop/pods" not in box.run("cat", "/proc/self/mounts").stdout


def test_orlop_run(box):
    box.boot()
    make(box)
    words = ("--rm", "--entrypoint=", "localhost/hello", "busybox", "ip", "addr")
    box.until("vpn.container", "up", 60)
    r = box.run(ORLOP, "run", f"--network=ns:{PATH}", *words)
    assert r.returncode == 0 and "192.0.2.1" in r.stdout, r
    r = box.run(ORLOP, "run", "--network=ns:/run/netns/none", *words)
    assert r.returncode != 0 and "ns:/run/netns/none" in r.stderr, r
    r = box.run(ORLOP, "run", f"--network=ns:{PATH}", "-p", "8080:80", *words)
    assert r.returncode != 0 and "PublishPort=" in r.stderr, r
