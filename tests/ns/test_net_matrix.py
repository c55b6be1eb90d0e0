# SPDX-License-Identifier: Apache-2.0
"""Who reaches what: every cell of mode x protocol x address family x place, with real packets, asked by socat.

The table below is the promise. Columns are who asks; a cell is y (answered), n (not answered), or . where
the question has no sense. It is printed with what was found (pytest -s). SCTP is in it where the kernel has it;
tests/qemu boots one that does.
"""

import concurrent.futures
import os
import socket
import subprocess

import pytest

from netlab import ANSWER_MS, SILENCE_MS, Lab


def kernel_has_sctp():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP).close()
        return True
    except OSError:
        return False


PROTOCOLS = tuple(os.environ.get("PROTOCOLS", "tcp udp sctp" if kernel_has_sctp() else "tcp udp").split())
WHO = "outside", "host", "web", "near", "other", "inside", "opena", "openb", "none"
TABLE = """
what                           outside host web near other inside opena openb none
published on all addresses     y       y    y   y    y     n      y     y     n
published, by bridge address   y       y    y   y    y     n      y     y     n
published on 127.0.0.1, there  .       y    .   .    .     .      .     .     .
published on 127.0.0.1, else   n       n    n   n    n     n      n     n     n
published on one, there        y       y    y   y    y     n      y     y     n
published on one, else         n       n    n   n    n     n      n     n     n
random host port               y       y    y   y    y     n      y     y     n
a container's own address      n       y    y   y    n     n      n     n     n
inside an internal network     n       y    n   n    n     y      n     n     n
in a network with isolate=no   n       y    n   n    n     n      y     y     n
a service of the host          n       y    n   n    n     n      n     n     n
a service that is opened       y       y    n   n    n     n      n     n     n
the world                      y       y    y   y    y     n      y     y     n
on the LAN by macvlan          y       n    n   n    n     n      n     n     n
on the LAN by ipvlan           y       n    n   n    n     n      n     n     n
on the LAN's bridge            y       y    y   y    y     n      y     y     n
"""
V6 = "fd00:88::/64"


LAN = {"on the LAN by macvlan": {"driver": "macvlan", "parent": "uplink"},
       "on the LAN by ipvlan": {"driver": "ipvlan", "parent": "uplink"},
       "on the LAN's bridge": {"parent": "lan0"}}


def kernel_has_ipvlan():
    make = "ip link add name v0 type veth peer name v1 && ip link add link v0 name i0 type ipvlan"
    return subprocess.run(["unshare", "-n", "sh", "-c", make], capture_output=True, check=False).returncode == 0


def rows():
    """what: {who: promise}. ROWS: only those that begin so, with commas between them."""
    found = {line[:30].strip(): dict(zip(WHO, line[30:].split())) for line in TABLE.strip().splitlines()[1:]}
    only = tuple(os.environ.get("ROWS", "").split(","))
    if not kernel_has_ipvlan():
        del found["on the LAN by ipvlan"]
    return {what: row for what, row in found.items() if what.startswith(only)}


def build(way):
    """All that is asked and asks, with a container that is on the LAN in this way."""
    lab = Lab(up=False)
    lab.networks[0]["subnet6"] = V6
    lab.networks += [
        {"name": "lan", "ipv6": "yes"},
        {"name": "closed", "ipv6": "yes", "internal": "yes"},
        {"name": "opena", "ipv6": "yes", "isolate": "no"},
        {"name": "openb", "ipv6": "yes", "isolate": "no"},
        {"name": "lan-too", "subnet": "192.0.2.0/24", "gateway": "192.0.2.2", "range": "192.0.2.128/26",
         "subnet6": "2001:db8::/64", "gateway6": "2001:db8::2", "range6": "2001:db8::80-2001:db8::ff"} | way,
    ]
    if way["parent"] == "lan0":
        lab.uplinks = [{"name": "lan", "device": "uplink", "bridge": "lan0", "addresses": "192.0.2.1/24,2001:db8::1/64"}]
    lab.opens = [{"protocol": p, "first": "7001", "last": "7001"} for p in PROTOCOLS]
    ports = [f"{spec}/{proto}" for proto in PROTOCOLS
             for spec in ("8080:5000", "127.0.0.1:8081:5000", "192.0.2.1:8082:5000",
                          "[2001:db8::1]:8082:5000", ":5000")]
    # started last: whoever comes before it must not depend on it
    for name, net in ("near", "orlop"), ("other", "lan"), ("inside", "closed"), ("inside2", "closed"), (
            "opena", "opena"), ("openb", "openb"), ("onlan", "lan-too"):
        lab.add(name, networks=[net])
    lab.add("web", ports=ports)
    none = lab.node("none")
    none.unit, none.networks, none.ports = "none.container", ("none",), ()
    lab.attach(none)
    lab.containers["none"] = none
    lab.host.serve("host", 7000)
    lab.host.serve("host", 7001)
    lab.outside.serve("world")
    # a neighbour on the LAN who knows where the containers are
    lab.outside.run("ip", "route", "add", "10.88.0.0/13", "via", "192.0.2.1")
    lab.outside.run("ip", "route", "add", "fd00::/8", "via", "2001:db8::1")
    return lab


@pytest.fixture(scope="module", name="labs")
def make_labs():
    """One for each way to be on the LAN: two of them cannot share a card. The first has all the rest too."""
    wanted = [what for what in LAN if what in rows()] or list(LAN)[:1]
    labs = {what: build(LAN[what]) for what in wanted}
    yield labs
    for lab in labs.values():
        lab.close()


@pytest.fixture(name="lab")
def first_lab(labs):
    return next(iter(labs.values()))


def own(lab, name, v6):
    return lab.containers[name].addresses("eth0")[v6]


def random_port(lab, proto):
    words = lab.host.run("cat", "/run/orlop/ports/web.container").stdout.split("\0")
    at = [i for i, w in enumerate(words) if w == "port" and words[i + 1] == proto and words[i + 5] == "yes"]
    return int(words[at[0] + 3])


def targets(lab, v6, proto):
    host = "2001:db8::1" if v6 else "192.0.2.1"
    bridge = "fd00:88::1" if v6 else "10.88.0.1"
    return {
        "published on all addresses": (host, 8080, "web"),
        "published, by bridge address": (bridge, 8080, "web"),
        "published on 127.0.0.1, there": (None if v6 else "127.0.0.1", 8081, "web"),
        "published on 127.0.0.1, else": (host, 8081, "web"),
        "published on one, there": (host, 8082, "web"),
        "published on one, else": (bridge, 8082, "web"),
        "random host port": (host, random_port(lab, proto), "web"),
        "a container's own address": (own(lab, "web", v6), 5000, "web"),
        "inside an internal network": (own(lab, "inside2", v6), 5000, "inside2"),
        "in a network with isolate=no": (own(lab, "openb", v6), 5000, "openb"),
        "a service of the host": (host, 7000, "host"),
        "a service that is opened": (host, 7001, "host"),
        "the world": ("2001:db8::2" if v6 else "192.0.2.2", 5000, "world"),
    }


def questions(labs, v6, proto):
    """what, the address and port that it has, whose name is the answer, and the lab that it is in"""
    first = next(iter(labs.values()))
    for what, target in targets(first, v6, proto).items():
        yield what, *target, first
    for what, lab in labs.items():
        yield what, own(lab, "onlan", v6), 5000, "onlan", lab


def test_matrix(labs):
    promised = rows()
    asked = []
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for proto in PROTOCOLS:
            for v6 in 0, 1:
                for what, addr, port, name, lab in questions(labs, v6, proto):
                    nodes = {"outside": lab.outside, "host": lab.host, **lab.containers}
                    for who in WHO:
                        want = promised.get(what, {}).get(who, ".")
                        if want == "." or not addr:
                            continue
                        patience = ANSWER_MS if want == "y" else SILENCE_MS
                        job = pool.submit(nodes[who].socat, proto, addr, port, patience)
                        asked.append((f"{proto}{'6' if v6 else '4'}", what, who, want, name, job))
    found = {}
    wrong = []
    for how, what, who, want, name, job in asked:
        got = "y" if job.result().startswith(f"{name} saw ") else "n"
        found[how, what, who] = got
        if got != want:
            wrong.append(f"{how}: {what}, from {who}: {job.result()!r}, promised {want}")
    print()
    for how in (f"{proto}{v}" for proto in PROTOCOLS for v in (4, 6)):
        print(f"{how:30} " + " ".join(f"{w:7}" for w in WHO))
        for what in promised:
            print(f"{what:30} " + " ".join(f"{found.get((how, what, w), '.'):7}" for w in WHO))
    print(f"{len(asked)} questions" + ("" if kernel_has_sctp() else "; this kernel has no SCTP")
          + ("" if kernel_has_ipvlan() else "; this kernel has no ipvlan"))
    assert not wrong, "\n".join(wrong)


def test_the_clients_address_is_kept_where_it_can_be(lab):
    web = own(lab, "web", 0)
    assert lab.outside.ask("tcp", "192.0.2.1", 8080) == "web saw 192.0.2.2"
    assert lab.outside.ask("udp", "2001:db8::1", 8080) == "web saw 2001:db8::2"
    assert lab.containers["other"].ask("tcp", "192.0.2.1", 8080) == f"web saw {own(lab, 'other', 0)}"
    assert lab.containers["near"].ask("tcp", web) == f"web saw {own(lab, 'near', 0)}"


def test_ping_and_only_the_gateways_answer(lab):
    near = lab.containers["near"]
    near.run("busybox", "ping", "-c", "1", "-W", "2", "10.88.0.1")
    near.run("busybox", "ping", "-6", "-c", "1", "-W", "2", "fd00:88::1")
    near.run("busybox", "ping", "-c", "1", "-W", "2", "192.0.2.2")


def test_second_up_does_nothing(labs):
    for lab in labs.values():
        assert lab.up().stdout == ""
