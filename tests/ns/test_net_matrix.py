# SPDX-License-Identifier: Apache-2.0
"""Who reaches what: every cell of mode x protocol x address family x place, with real packets, asked by socat.

The table below is the promise. Columns are who asks; a cell is y (answered), n (not answered), or . where
the question has no sense. It is printed with what was found (pytest -s). SCTP is in it where the kernel has it;
tests/qemu boots one that does.
"""

import concurrent.futures
import os
import socket

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
a container on the LAN itself  y       n    n   n    n     n      n     n     n
"""
V6 = "fd00:88::/64"


@pytest.fixture(scope="module", name="lab")
def make_lab():
    lab = Lab(up=False)
    lab.networks[0]["subnet6"] = V6
    lab.networks += [
        {"name": "lan", "ipv6": "yes"},
        {"name": "closed", "ipv6": "yes", "internal": "yes"},
        {"name": "opena", "ipv6": "yes", "isolate": "no"},
        {"name": "openb", "ipv6": "yes", "isolate": "no"},
        {"name": "lan-too", "driver": "macvlan", "parent": "uplink", "subnet": "192.0.2.0/24", "gateway": "192.0.2.2",
         "range": "192.0.2.128/26", "subnet6": "2001:db8::/64", "gateway6": "2001:db8::2",
         "range6": "2001:db8::80-2001:db8::ff"},
    ]
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
    yield lab
    lab.close()


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
        "a container on the LAN itself": (own(lab, "onlan", v6), 5000, "onlan"),
        "the world": ("2001:db8::2" if v6 else "192.0.2.2", 5000, "world"),
    }


def test_matrix(lab):
    rows = [line for line in TABLE.strip().splitlines()[1:]]
    promised = {line[:30].strip(): dict(zip(WHO, line[30:].split())) for line in rows}
    nodes = {"outside": lab.outside, "host": lab.host, **lab.containers}
    asked = []
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for proto in PROTOCOLS:
            for v6 in 0, 1:
                for what, (addr, port, name) in targets(lab, v6, proto).items():
                    for who in WHO:
                        want = promised[what][who]
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
    print(f"{len(asked)} questions" + ("" if "sctp" in PROTOCOLS else "; this kernel has no SCTP"))
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


def test_second_up_does_nothing(lab):
    assert lab.up().stdout == ""
