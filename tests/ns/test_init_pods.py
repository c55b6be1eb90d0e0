# SPDX-License-Identifier: Apache-2.0
"""Pods, and containers in another container's network, from unit files through PID 1."""

import os
import time

import pytest
from host import TOP, retry, settled

IMAGE = os.path.join(TOP, "build/images/hello.tar")

POD = """[Pod]
PublishPort=8080:80
HostName=together
ShmSize=8m
AddHost=printer:192.0.2.7
Volume=shared.volume:/shared
{}
[Install]
WantedBy=multi-user.target
"""

MEMBER = """[Container]
Image=localhost/hello
Pod=app.pod
StopTimeout=1
Entrypoint=/bin/busybox
Exec={}
{}
[Service]
Restart=always
"""

# What a member tells about itself, once a second at most, in a file that the test reads.
TELL = r"""sh -c 'cd /shared; for k in user net ipc uts mnt pid; do busybox readlink /proc/self/ns/$$k; done > {0}.new;
busybox hostname >> {0}.new; busybox df -k /dev/shm | busybox tail -1 >> {0}.new; busybox grep printer /etc/hosts >> {0}.new;
echo {0} > /dev/shm/{0}; busybox mv {0}.new {0}; exec busybox sleep 1000'"""


@pytest.fixture
def box(host):
    if not os.path.exists(IMAGE):
        pytest.skip("build/images/hello.tar was not built (make image)")
    host.image(IMAGE)
    host.unit("shared.volume", "[Volume]\n")
    return host


def one_line(script):
    return " ".join(script.split("\n"))


def told(box, name):
    path = box.path(f"store/volumes/systemd-shared/data/{name}")
    with open(path, encoding="utf-8") as f:
        return f.read().splitlines()


def inside(box, unit, *argv):
    """A command in a unit's namespaces, by its pid."""
    pid = box.status(unit)["pid"]
    return box.run("nsenter", "-t", str(pid), "-m", "-n", "-i", "-u", "--", *argv)


def pods(box):
    try:
        return sorted(os.listdir(box.root("/run/orlop/pods")))
    except FileNotFoundError:
        return []


def test_members_share_network_ipc_and_host_name(box):
    box.unit("app.pod", POD.format(""))
    box.unit("a.container", MEMBER.format(one_line(TELL.format("a")), ""))
    box.unit("b.container", MEMBER.format(one_line(TELL.format("b")), ""))
    box.unit("web.container", MEMBER.format("httpd -f -p 80 -h /srv/www", "Volume=count.volume:/data"))
    box.unit("count.volume", "[Volume]\n")
    box.boot()
    for name in ("app.pod", "a.container", "b.container", "web.container"):
        box.until(name, "up", 60)
    a, b = retry(lambda: told(box, "a")), retry(lambda: told(box, "b"))
    assert a[:4] == b[:4], (a, b)  # user net ipc uts
    assert a[4] != b[4] and a[5] != b[5]  # mnt, pid
    assert a[6] == "together" and b[6] == "together"
    assert a[7].split()[1] == "8192"
    assert a[8].split() == ["192.0.2.7", "printer"]
    # /dev/shm is one
    assert inside(box, "b.container", "/bin/busybox", "cat", "/dev/shm/a").stdout == "a\n"
    # so is loopback, and the pod's port leads to whichever listens
    assert "served" in retry(lambda: check(inside(box, "a.container", "/bin/busybox", "wget", "-qO-", "http://127.0.0.1/")))
    out = retry(lambda: check(box.run("curl", "-sS", "-m", "5", "http://127.0.0.1:8080/")))
    assert "served" in out
    address = box.status("a.container")["address"]
    assert address and address == box.status("web.container")["address"]

    # a member that restarts finds the same ones
    box.ask("restart", "a.container", timeout=30)
    os.remove(box.path("store/volumes/systemd-shared/data/a"))
    box.ask("restart", "a.container", timeout=30)
    again = retry(lambda: told(box, "a"))
    assert again[:4] == b[:4]

    # the pod takes its members and what they shared along
    assert box.ask("stop", "app.pod", timeout=30)[0] == 0
    for name in ("a.container", "b.container", "web.container"):
        assert box.status(name)["state"] == "down"
    retry(lambda: check_true("app.pod" not in pods(box)))
    assert pods(box) in ([], ["app.pod.lock"])
    assert "/run/orlop/pods" not in box.run("cat", "/proc/self/mounts").stdout
    assert box.run("nft", "list", "table", "inet", "orlop").stdout.count("8080") == 0
    # and comes back with all of them
    assert box.ask("start", "app.pod", timeout=30)[0] == 0
    for name in ("a.container", "b.container", "web.container"):
        box.until(name, "up", 30)
    assert "served" in retry(lambda: check(box.run("curl", "-sS", "-m", "5", "http://127.0.0.1:8080/")))


def check(result):
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("policy,state", [("stop", "down"), ("continue", "up")])
def test_exit_policy(box, policy, state):
    box.unit("app.pod", POD.format(f"ExitPolicy={policy}"))
    box.unit("a.container", MEMBER.format("sleep 1000", "").replace("Restart=always", ""))
    box.unit("late.container", MEMBER.format("sleep 1000", "StartWithPod=false"))
    box.boot()
    box.until("a.container", "up", 60)
    retry(lambda: check_true(box.ask("status")[1][0]["state"] == "running"))  # all is started that is to be
    assert box.status("late.container")["state"] == "down"
    assert box.ask("stop", "a.container", timeout=30)[0] == 0
    assert settled(lambda: box.status("app.pod")["state"]) == state
    if policy == "continue":
        assert "app.pod" in pods(box)
    else:
        retry(lambda: check_true("app.pod" not in pods(box)))
    # a member that does not start with its pod starts by name, and brings the pod up
    assert box.ask("start", "late.container", timeout=30)[0] == 0
    box.until("app.pod", "up")


def check_true(value):
    assert value


def test_network_of_another_container(box):
    box.unit("owner.container", "[Container]\nImage=localhost/hello\nPublishPort=8080:80\nVolume=count.volume:/data\n"
             "StopTimeout=1\n[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
    box.unit("count.volume", "[Volume]\n")
    box.unit("guest.container", "[Container]\nImage=localhost/hello\nNetwork=owner.container\nVolume=shared.volume:/shared\n"
             f"StopTimeout=1\nEntrypoint=/bin/busybox\nExec={one_line(TELL.format('g'))}\n"
             "[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
    box.boot()
    box.until("owner.container", "up", 60)
    box.until("guest.container", "up", 60)
    told_by = retry(lambda: told(box, "g"))
    owner = [box.run("readlink", f"/proc/{box.status('owner.container')['pid']}/ns/{k}").stdout.strip()
             for k in ("user", "net", "ipc", "uts")]  # fmt: skip
    assert told_by[:2] == owner[:2]
    assert told_by[2] != owner[2] and told_by[3] != owner[3]
    assert "served" in retry(lambda: check(inside(box, "guest.container", "/bin/busybox", "wget", "-qO-", "http://127.0.0.1/")))
    assert box.status("guest.container")["address"] == box.status("owner.container")["address"]
    # the owner's restart keeps its network, and its guest is in it again
    assert box.ask("restart", "owner.container", timeout=30)[0] == 0
    box.until("guest.container", "up", 30)
    assert "served" in retry(lambda: check(inside(box, "guest.container", "/bin/busybox", "wget", "-qO-", "http://127.0.0.1/")))


def test_user_namespace_of_a_pod(box):
    """UserNS= of the pod is that of all members, whatever they are."""
    tell = "sh -c 'busybox cat /proc/self/uid_map > /shared/{0}; busybox id -u >> /shared/{0}; exec busybox sleep 1000'"
    for mode, size in (("auto:size=3000", 3000), ("nomap", 65536), ("host", 4294967295), ("keep-id:uid=12,gid=13", 65536)):
        name = mode.split(":")[0].replace("-", "")
        box.unit(f"{name}.pod", f"[Pod]\nUserNS={mode}\nVolume=shared.volume:/shared\n[Install]\nWantedBy=multi-user.target\n")
        for member in "ab":
            box.unit(f"{name}{member}.container", f"[Container]\nImage=localhost/hello\nPod={name}.pod\nStopTimeout=0\n"
                     f"Entrypoint=/bin/busybox\nExec={tell.format(name + member)}\n")  # fmt: skip
    os.makedirs(box.path("store/volumes/systemd-shared/data"))
    os.chmod(box.path("store/volumes/systemd-shared/data"), 0o777)
    box.boot()
    for name, size, uid in (("auto", 3000, "0"), ("nomap", 65536, "0"), ("host", 4294967295, "0"), ("keepid", 65536, "12")):
        members = []
        for member in "ab":
            box.until(f"{name}{member}.container", "up", 60)
            lines = retry(lambda n=name + member: told_all(box, n, 2))
            members.append(lines[0].split())
            assert lines[1] == uid, (name, lines)
            assert (members[-1][0], members[-1][2]) == ("0", str(size)), (name, lines)
            assert (members[-1][1] == "0") == (name == "host")
        assert members[0] == members[1]
        spaces = {box.run("readlink", f"/proc/{box.status(f'{name}{m}.container')['pid']}/ns/user").stdout for m in "ab"}
        assert len(spaces) == 1


def told_all(box, name, n):
    lines = told(box, name)
    assert len(lines) == n
    return lines


def test_alias_of_a_pod(box):
    """Other containers of the network find the pod by each of its names, as they do one another."""
    box.unit("lan.network", "[Network]\n")
    box.unit("dns.service", "[Service]\nExecStart=/usr/lib/orlop/orlop-net dns\n[Install]\nWantedBy=multi-user.target\n")
    box.unit("app.pod", "[Pod]\nNetwork=lan.network\nNetworkAlias=shop\nNetworkAlias=till\n[Install]\nWantedBy=multi-user.target\n")
    box.unit("web.container", MEMBER.format("httpd -f -p 80 -h /srv/www", "Volume=count.volume:/data"))
    box.unit("count.volume", "[Volume]\n")
    box.unit("other.container", "[Container]\nImage=localhost/hello\nNetwork=lan.network\nEntrypoint=/bin/busybox\nExec=sleep 1000\n"
             "NetworkAlias=neighbour\nStopTimeout=0\n[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
    box.boot()
    box.until("web.container", "up", 60)
    box.until("other.container", "up", 60)
    found = {box.status(unit)["address"]: unit for unit in ("web.container", "other.container")}
    assert len(found) == 2, found

    def ask(unit, name):
        """In the unit's network, of the name server that it is told of. (A static program cannot: libc would need more.)"""
        server = inside(box, unit, "/bin/busybox", "cat", "/etc/resolv.conf").stdout.split("nameserver ")[1].split()[0]
        out = box.run("nsenter", "-t", str(box.status(unit)["pid"]), "-n", "dig", "+short", "+tries=1", "+time=10", f"@{server}", name)
        return found[check(out).strip()]

    for name in ("shop", "till", "systemd-app"):
        assert retry(lambda n=name: ask("other.container", n)) == "web.container", name
    assert retry(lambda: ask("web.container", "neighbour")) == "other.container"
    other, address = box.status("other.container")["pid"], box.status("web.container")["address"]
    assert "served" in retry(lambda: check(box.run("nsenter", "-t", str(other), "-n", "curl", "-sS", "-m", "5", f"http://{address}/")))


def test_stop_timeout_of_a_pod(box):
    """A member that does not heed the stop signal is killed when the pod's time is over, not after its own ten seconds."""
    deaf = "sh -c 'trap : TERM; echo x > /shared/{0}; while :; do busybox sleep 1; done'"
    box.unit("app.pod", "[Pod]\nStopTimeout=1\nVolume=shared.volume:/shared\n[Install]\nWantedBy=multi-user.target\n")
    box.unit("a.container", MEMBER.format(deaf.format("a"), "").replace("StopTimeout=1\n", ""))
    box.boot()
    box.until("a.container", "up", 60)
    retry(lambda: told_all(box, "a", 1))
    begin = time.monotonic()
    assert box.ask("stop", "app.pod", timeout=60)[0] == 0
    took = time.monotonic() - begin
    assert 0.9 < took < 8, took
    assert box.status("a.container")["state"] == "down"
