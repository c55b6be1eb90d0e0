#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The network beside Podman's netavark and beside none: throughput and latency of a published port and of the
bridge, in rounds of one run. In each round every way has its turn, in the opposite order of the round before, so
that whatever else the machine does meets all alike; a ratio is the median of the rounds' ratios. Then what
attaching costs as a bridge fills, and what many cycles leave behind.

ROUNDS=40 of short transfers, CONTAINERS=100, CYCLES=100 by default. CHECK=1: the figures that we have promised are
asserted.
"""

import json
import os
import statistics
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/ns"))

import netlab  # noqa: E402
from netlab import NET, PROBE, Lab  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "40"))
AMOUNT = "200M"  # of one transfer: short, so that some of them have the machine to themselves
CONTAINERS = int(os.environ.get("CONTAINERS", "100"))
CYCLES = int(os.environ.get("CYCLES", "100"))
NETAVARK = "/usr/lib/podman/netavark"


broken = []


def promise(kept, text):
    """Told, and with CHECK=1 the end of the run is an error."""
    print(f"  {'kept' if kept else 'NOT KEPT'}: {text}")
    if not kept:
        broken.append(text)


class Netavark(Lab):
    """The same places, with netavark in our stead."""

    def __init__(self):
        super().__init__(up=False)
        self.host.run("mkdir", "-p", "/run/netavark")
        self.host.run("sysctl", "-qw", "net.ipv4.ip_forward=1")

    def put(self, name, address, port):
        node = self.node(name)
        self.containers[name] = node
        network = {"name": "podman", "id": "0" * 64, "driver": "bridge", "network_interface": "podman0",
                   "subnets": [{"subnet": "10.88.0.0/16", "gateway": "10.88.0.1"}], "ipv6_enabled": False,
                   "internal": False, "dns_enabled": False, "ipam_options": {"driver": "host-local"}}
        options = {"container_id": name * 10, "container_name": name,
                   "networks": {"podman": {"static_ips": [address], "interface_name": "eth0"}},
                   "network_info": {"podman": network},
                   "port_mappings": [{"host_ip": "", "host_port": p, "container_port": c, "range": 1,
                                      "protocol": "tcp"} for p, c in port.items()]}
        self.host.run(NETAVARK, "--config", "/run/netavark", "setup", f"/proc/{node.proc.pid}/ns/net",
                      input=json.dumps(options))
        node.serve()
        return node


def iperf(client, server, addr, port):
    """Gbit/s."""
    daemon = server.popen("iperf3", "-s", "-p", "5001", stdout=subprocess.DEVNULL)

    def once():  # an error is told in the JSON, with exit code 0
        done = client.run("iperf3", "-c", addr, "-p", str(port), "-n", AMOUNT, "-J", check=False)
        return json.loads(done.stdout)["end"].get("sum_received")

    try:
        return netlab.eventually(once)["bits_per_second"] / 1e9
    finally:
        daemon.kill()
        daemon.wait()
        server.servers.remove(daemon)


def latency(client, addr, port):
    return float(client.run(PROBE, "rr", addr, str(port), "400").stdout)


def ways(ours, peer):
    """name: (client, server, address, port for iperf, port for questions)"""
    found = {"host itself": (ours.outside, ours.host, "192.0.2.1", 5001, 5000)}
    for who, lab in ("orlop", ours), ("netavark", peer):
        if lab:
            web, near = lab.containers["web"], lab.containers["near"]
            found[f"{who} port"] = (lab.outside, web, "192.0.2.1", 8001, 8080)
            found[f"{who} bridge"] = (near, web, web.addresses("eth0")[0], 5001, 5000)
    return found


def compare(ours, peer):
    flows, trips = {}, {}
    for n in range(ROUNDS):
        turn = list(ways(ours, peer).items())
        for name, (client, server, addr, bulk, port) in turn[::-1] if n % 2 else turn:
            flows.setdefault(name, []).append(iperf(client, server, addr, bulk))
            trips.setdefault(name, []).append(latency(client, addr, port))
    print(f"{'median of ' + str(ROUNDS):18} {'Gbit/s':>8} {'us/trip':>8}")
    for name in flows:
        print(f"{name:18} {statistics.median(flows[name]):8.2f} {statistics.median(trips[name]):8.2f}")
    for way in "port", "bridge":
        for other in [f"netavark {way}"] * bool(peer) + ["host itself"]:
            flow, trip = (statistics.median(a / b for a, b in zip(of[f"orlop {way}"], of[other]))
                          for of in (flows, trips))
            print(f"{way}: {flow:.2f} x the throughput of {other}, {trip:.2f} x its latency")
            if other != "host itself":
                promise(flow >= 0.95, f"{way}: throughput at least 0.95 x netavark's")


def spec_of(i):
    ports = b"".join(netlab.record("port", netlab.SPEC_PORT, {
        "protocol": "tcp", "host": str(10000 + i * 10 + k), "container": "5000"}) for k in range(10))
    return b"unit\0c%d.container\0" % i + netlab.record("network", netlab.SPEC_NETWORK, {"name": "orlop"}) + ports


class Many(Lab):
    """A bridge, and the means to attach the members of a network to it and to say how long that takes."""

    def __init__(self, members):
        super().__init__(up=False)
        self.members = [{"unit": f"c{i}.container", "network": "orlop", "names": f"c{i}"} for i in members]
        self.up()
        self.run = f"/proc/{self.host.proc.pid}/root/run"
        os.mkdir(f"{self.run}/specs")
        for i in members:
            with open(f"{self.run}/specs/{i}", "wb") as spec:
                spec.write(spec_of(i))

    def script(self, text):
        attach = ("attach() { a=$EPOCHREALTIME; %s attach 3</run/specs/$1 4</run/netns/n$1; b=$EPOCHREALTIME; "
                  "echo $((${b/./} - ${a/./})); }; down() { %s down c$1.container; }; " % (NET, NET))
        done = self.host.run("bash", "-ec", attach + text)
        return [int(w) for w in done.stdout.split()]

    def fill(self, first, last):
        for i in range(first, last, 50):  # no run that takes a minute
            self.script(f"for ((i = {i}; i < {min(i + 50, last)}; i++)); do ip netns add n$i; attach $i; done")

    def again(self, i):
        """Microseconds, in a namespace that is new."""
        return self.script(f"down {i}; ip netns del n{i}; ip netns add n{i}; attach {i}")[0]

    def left(self):
        links = self.host.run("ip", "-o", "link").stdout
        return self.ruleset().count(".container") + len(os.listdir(f"{self.run}/orlop/ports")) + links.count("olc")

    def empty(self, first, last):
        for i in range(first, last, 50):
            self.script(f"for ((i = {i}; i < {min(i + 50, last)}; i++)); do down $i; ip netns del n$i; done")


def attach_many():
    """The last of many beside one that is alone, in turns: the machine's other work meets both alike."""
    last = CONTAINERS - 1
    full, alone = Many(range(CONTAINERS)), Many([last])
    try:
        full.fill(0, CONTAINERS)
        alone.fill(last, last + 1)
        us = [(lab.again(last), lab) for _ in range(60) for lab in (alone, full)]
        first, most = (statistics.median(t for t, of in us if of is lab) for lab in (alone, full))
        print(f"attach with 10 ports: the only one {first / 1000:.1f} ms, the last of {CONTAINERS} "
              f"{most / 1000:.1f} ms: {most / first:.2f} x")
        promise(most <= 1.3 * first, f"the last of {CONTAINERS} takes at most 1.3 x as long as the first")
        took = [full.again(i % CONTAINERS) for i in range(CYCLES)]
        full.empty(0, CONTAINERS)
        left, todo = full.left(), full.up().stdout.strip()
        print(f"{CYCLES} cycles: attach {statistics.median(took) / 1000:.1f} ms; left behind: {left}; "
              f"to do afterwards: {todo or 'nothing'}")
        promise(not left and not todo, "nothing is left behind, and nothing is to be done afterwards")
    finally:
        full.close()
        alone.close()


def main():
    ours, peer = Lab(up=False), None
    try:
        ours.opens = [{"protocol": "tcp", "first": "5000", "last": "5001"}]  # the host itself, for comparison
        ours.add("web", ports=["8080:5000", "8001:5001"])
        ours.add("near")
        ours.host.serve("host")
        if os.path.exists(NETAVARK):
            peer = Netavark()
            peer.put("web", "10.88.0.9", {8080: 5000, 8001: 5001})
            peer.put("near", "10.88.0.10", {})
        else:
            print("netavark is not installed: no ratios")
        if ROUNDS:
            compare(ours, peer)
    finally:
        ours.close()
        if peer:
            peer.close()
    attach_many()
    if broken and os.environ.get("CHECK"):
        sys.exit(f"bench_net: {len(broken)} not kept")


if __name__ == "__main__":
    try:
        main()
    except subprocess.TimeoutExpired as late:
        sys.exit(f"bench_net: {late}")
