#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The network beside Podman's netavark and beside none: throughput and latency of a published port and of the
bridge, in interleaved rounds of one run (the best of each, as other work on the machine only ever takes away), as
ratios; then what attaching costs as a bridge fills, and what many
cycles leave behind. ROUNDS=20 of short transfers, CONTAINERS=100, CYCLES=100 by default.
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

ROUNDS = int(os.environ.get("ROUNDS", "20"))
AMOUNT = "200M"  # of one transfer: short, so that some of them have the machine to themselves
CONTAINERS = int(os.environ.get("CONTAINERS", "100"))
CYCLES = int(os.environ.get("CYCLES", "100"))
NETAVARK = "/usr/lib/podman/netavark"


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
    for _ in range(ROUNDS):
        for name, (client, server, addr, bulk, port) in ways(ours, peer).items():
            flows.setdefault(name, []).append(iperf(client, server, addr, bulk))
            trips.setdefault(name, []).extend(latency(client, addr, port) for _ in range(2))
    print(f"{'':18} {'Gbit/s':>8} {'us/trip':>8}")
    for name in flows:
        print(f"{name:18} {max(flows[name]):8.2f} {min(trips[name]):8.2f}")
    for way in "port", "bridge":
        if peer:
            flow = max(flows[f"orlop {way}"]) / max(flows[f"netavark {way}"])
            trip = min(trips[f"orlop {way}"]) / min(trips[f"netavark {way}"])
            print(f"{way}: {flow:.2f} x netavark's throughput, {trip:.2f} x its latency")


def attach_many():
    lab = Lab(up=False)
    lab.members = [{"unit": f"c{i}.container", "network": "orlop", "names": f"c{i}"} for i in range(CONTAINERS)]
    lab.up()
    run = f"/proc/{lab.host.proc.pid}/root/run"
    os.mkdir(f"{run}/specs")
    for i in range(CONTAINERS):
        with open(f"{run}/specs/{i}", "wb") as spec:
            spec.write(b"unit\0c%d.container\0" % i)
            spec.write(netlab.record("network", netlab.SPEC_NETWORK, {"name": "orlop"}))
            for k in range(10):
                spec.write(netlab.record("port", netlab.SPEC_PORT, {
                    "protocol": "tcp", "host": str(10000 + i * 10 + k), "container": "5000"}))
    took = "$(( (${b/./} - ${a/./}) ))"

    def script(text):
        return [int(w) for w in lab.host.run("bash", "-ec", text).stdout.split()]

    attach = f"{NET} attach 3</run/specs/$i 4</run/netns/n$i"
    us = script(f"for ((i = 0; i < {CONTAINERS}; i++)); do ip netns add n$i; a=$EPOCHREALTIME; {attach}; "
                f"b=$EPOCHREALTIME; echo {took}; done")
    tenth = max(CONTAINERS // 10, 1)
    first, last = statistics.median(us[:tenth]), statistics.median(us[-tenth:])
    print(f"attach with 10 ports: first {tenth} of {CONTAINERS}: {first / 1000:.1f} ms, last {last / 1000:.1f} ms: "
          f"{last / first:.2f} x")
    us = script(f"i=0; for ((n = 0; n < {CYCLES}; n++)); do {NET} down c0.container; a=$EPOCHREALTIME; {attach}; "
                f"b=$EPOCHREALTIME; echo {took}; done")
    script(f"for ((i = 0; i < {CONTAINERS}; i++)); do {NET} down c$i.container; ip netns del n$i; done")
    left = lab.ruleset().count(".container") + len(os.listdir(f"{run}/orlop/ports")) + lab.host.run(
        "ip", "-o", "link").stdout.count("olc")
    print(f"{CYCLES} cycles: attach {statistics.median(us) / 1000:.1f} ms; left behind: {left}; "
          f"to do afterwards: {lab.up().stdout.strip() or 'nothing'}")
    lab.close()


def main():
    ours, peer = Lab(), None
    try:
        ours.add("web", ports=["8080:5000", "8001:5001"])
        ours.add("near")
        ours.host.serve("host")
        if os.path.exists(NETAVARK):
            peer = Netavark()
            peer.put("web", "10.88.0.9", {8080: 5000, 8001: 5001})
            peer.put("near", "10.88.0.10", {})
        else:
            print("netavark is not installed: no ratios")
        compare(ours, peer)
    finally:
        ours.close()
        if peer:
            peer.close()
    attach_many()


if __name__ == "__main__":
    try:
        main()
    except subprocess.TimeoutExpired as late:
        sys.exit(f"bench_net: {late}")
