# SPDX-License-Identifier: Apache-2.0
"""Network=ns:PATH: a network namespace that somebody else has made, here by ip netns, joined as it is."""

import os
import subprocess
import sys

import pytest

from runtime_world import RUN, Container, World, retry

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

NEAR, FAR = "192.0.2.1", "192.0.2.2"


@pytest.fixture(scope="module")
def world():
    w = World()
    os.mkdir(w.path("/run/others"))
    with open(w.path("/run/others/plain"), "w", encoding="utf-8"):
        pass
    os.mkfifo(w.path("/run/others/pipe"))
    yield w
    w.close()


class Pair:
    """Two namespaces with a link between them; the container joins "near". When that is no more, neither is the link."""

    path = "/run/netns/near"

    def __init__(self, world):
        self.world = world
        for name in ("near", "far"):
            self.ip("netns", "add", name)
        self.link()
        self.ip("-n", "far", "link", "set", "lo", "up")

    def ip(self, *words):
        return subprocess.run(self.world.enter("ip", *words), capture_output=True, text=True, check=True).stdout

    def link(self):
        self.ip("link", "add", "n0", "netns", "near", "type", "veth", "peer", "name", "f0", "netns", "far")
        for name, device, address in (("near", "n0", NEAR), ("far", "f0", FAR)):
            self.ip("-n", name, "addr", "add", address + "/24", "dev", device)
            self.ip("-n", name, "link", "set", device, "up")

    def inode(self):
        return os.stat(self.world.path(self.path)).st_ino

    def links(self, name):
        return {line.split(": ")[1].split("@")[0] for line in self.ip("-n", name, "-o", "link").splitlines()}

    def settings(self):
        """What is set in it that orlop sets in a namespace of its own."""
        files = ("ipv4/ip_unprivileged_port_start", "ipv4/ping_group_range", "ipv4/ip_forward")
        argv = ["nsenter", "--net=" + self.world.path(self.path), "cat", *(f"/proc/sys/net/{f}" for f in files)]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout, self.ip("-n", "near", "addr")

    def close(self):
        """Whether nobody has held it: then the link's other end goes with it."""
        self.ip("netns", "del", "near")
        gone = retry(lambda: "f0" not in self.links("far"))
        self.ip("netns", "del", "far")
        return gone


@pytest.fixture
def pair(world):
    p = Pair(world)
    yield p
    assert p.close()


def at(path):
    return [("ns:" + path, "", "", "", "")]


def sh(world, script, path=Pair.path, **fields):
    r = world.sh(script, network=at(path), **fields)
    assert r.failed is None, r
    return r


SERVE = """import socket
server = socket.create_server(("%s", 7))
server.settimeout(30)
print(flush=True)
server.accept()[0].sendall(b"far\\n")""" % FAR


def listener(pair):
    """Says "far" to whoever comes first; listening when this returns."""
    path = pair.world.path("/run/netns/far")
    process = subprocess.Popen(["nsenter", "--net=" + path, sys.executable, "-c", SERVE], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"\n"
    return process


def test_it_is_in_that_network(world, pair):
    before = pair.settings()
    with listener(pair):
        r = sh(world, f"stat -L -c %i /proc/self/ns/net; ls /sys/class/net; ip -o -4 addr show n0; hostname; cat /etc/resolv.conf; nc {FAR} 7",
               hostname="own")  # fmt: skip
    words = r.output.split()
    assert words[0] == str(pair.inode())
    assert "n0" in words and NEAR + "/24" in words and words[-4:] == ["own", "nameserver", "192.0.2.53", "far"]
    # PID 1 is given the pidfd and the user namespace, and not this one to keep
    assert r.cloned["fds"] == 3
    assert pair.settings() == before


def test_name_servers_of_the_unit(world, pair):
    r = sh(world, "cat /etc/resolv.conf /etc/hosts", dns=["192.0.2.9"], add_host=["other:192.0.2.2"])
    assert r.output.startswith("nameserver 192.0.2.9\n127.0.0.1 localhost\n") and "192.0.2.2 other\n" in r.output


def test_it_has_no_power_over_it(world, pair):
    before = pair.settings()
    script = ("ip link set lo up || echo link; ip addr add 192.0.2.7/24 dev n0 || echo address;"
              " echo 1 > /proc/sys/net/ipv4/ip_forward || echo sysctl; nc -l -p 80 || echo port")  # fmt: skip
    r = sh(world, script, cap_add=["CAP_NET_ADMIN", "CAP_NET_BIND_SERVICE"])
    assert [line for line in r.output.splitlines() if line in ("link", "address", "sysctl", "port")] == ["link", "address", "sysctl", "port"]
    assert pair.settings() == before
    # with the host's ids it has what the unit gives it
    sh(world, "ip link set lo up", userns="host", cap_add=["CAP_NET_ADMIN"])
    assert "LOOPBACK,UP" in pair.ip("-n", "near", "link", "show", "lo")


def test_one_more_process_is_in_it_too(world, pair):
    with Container(world, exec=["sleep", "1000"], network=at(pair.path)) as c:
        assert c.run("/bin/stat", "-L", "-c", "%i", "/proc/self/ns/net").stdout == f"{pair.inode()}\n"


@pytest.mark.parametrize("options", [["--net"], ["--user", "--map-root-user", "--net"]])
def test_a_process_leads_to_it(world, options):
    """Also where it belongs to another user namespace than the host's."""
    holder = subprocess.Popen(["unshare", *options, "sh", "-c", "echo; exec sleep 1000"], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"\n"
        r = sh(world, "stat -L -c %i /proc/self/ns/net; ls /sys/class/net", f"/proc/{holder.pid}/ns/net")
        inode, *links = r.output.split()
        assert inode == str(os.stat(f"/proc/{holder.pid}/ns/net").st_ino) and "lo" in links
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_every_start_opens_it_anew(world, pair):
    script = "stat -L -c %i /proc/self/ns/net"
    assert sh(world, script).output == f"{pair.inode()}\n"
    pair.ip("netns", "del", "near")
    assert retry(lambda: "f0" not in pair.links("far"))  # nobody keeps the first one
    r = world.sh(script, network=at(pair.path))
    assert r.failed["step"] == "net-path" and r.cloned is None, r
    pair.ip("netns", "add", "near")
    pair.link()
    assert sh(world, script).output == f"{pair.inode()}\n"


def left(world):
    subprocess.run(world.enter(RUN, "clean", "t.container"), check=True)
    with open(f"/proc/{world.holder.pid}/mountinfo", encoding="utf-8") as info:
        mounts = info.read()
    cgroup = world.path(f"/sys/fs/cgroup/{world.cgroup}")
    return (mounts, sorted(os.listdir(world.path("/run/orlop"))), os.listdir(world.path("/var/lib/orlop/tmp/run/t.container")),
            [c for c in os.listdir(cgroup) if os.path.isdir(f"{cgroup}/{c}")])  # fmt: skip


@pytest.mark.parametrize("path,why", [
    ("/run/netns/none", "No such file or directory"),
    ("/run/others/plain", "is no network namespace"),
    ("/run/others/plain/x", "Not a directory"),
    ("/run/others", "is no network namespace"),
    ("/run/others/pipe", "is no network namespace"),
    ("/dev/tty", ""),
    ("/proc/self/ns/mnt", "is no network namespace"),
    ("/proc/self/ns/user", "is no network namespace"),
    ("/proc/self/ns", "is no network namespace"),
])  # fmt: skip
def test_what_is_no_network_namespace_fails_the_start(world, pair, path, why):
    sh(world, "true")
    before = left(world)
    r = world.sh("true", network=at(path))
    assert r.failed["step"] == "net-path" and r.cloned is None and r.running is None, r
    assert f"Network=ns:{path}" in r.failed["text"] and why in r.failed["text"], r
    assert r.done["populated"] == 0 and left(world) == before


def test_a_start_that_fails_later_leaves_nothing(world, pair):
    sh(world, "true")
    before, settings = left(world), pair.settings()
    for fields in ({"exec": ["/none"]}, {"user": "none"}, {"timezone": "No/Zone"}, {"mount": [("bind", "/none", "/x", "")]}):
        r = world.start(network=at(pair.path), **fields)
        assert r.failed and r.failed["step"] != "net-path", r
    assert left(world) == before and pair.settings() == settings
    # and the fixture sees that nobody holds the namespace


def test_plan_shows_it(world):
    unit = "/run/others/t.container"
    with open(world.path(unit), "w", encoding="utf-8") as out:
        out.write(f"[Container]\nImage=localhost/busybox:latest\nNetwork=ns:{Pair.path}\n")
    p = subprocess.run(world.enter(RUN, "plan", unit), capture_output=True, text=True, check=False)
    assert p.returncode == 0, p.stderr
    assert f"\nnet-path path={Pair.path}\n" in p.stdout and " net=ns\n" in p.stdout and "net-sysctl" not in p.stdout
