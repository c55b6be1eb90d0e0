# SPDX-License-Identifier: Apache-2.0
"""Options=vlan=: members of a network in a VLAN of their bridge, with a switch's trunk behind the card. A kernel that
cannot keep VLANs apart skips all of it; tests/qemu/test_net_guest.py boots one that can.
"""

import json
import subprocess

import pytest

from netlab import ANSWER_MS, PROBE, SILENCE_MS, Lab, heard

TRY = subprocess.run(["unshare", "-n", "sh", "-ec", """
ip link add name b0 type bridge vlan_filtering 1
ip link add name v0 type veth peer name v1
ip link add link v0 name v7 type vlan id 7
"""], capture_output=True, text=True, check=False)
pytestmark = pytest.mark.skipif(TRY.returncode, reason=f"this kernel keeps no VLANs apart: {TRY.stderr.strip()}")


@pytest.fixture(name="lab")
def make_lab():
    lab = Lab(up=False)
    lab.outside.serve("world")
    yield lab
    lab.close()


def trunk(lab, dev, tag, address):
    lab.outside.run("ip", "link", "add", "link", dev, "name", f"v{tag}", "type", "vlan", "id", str(tag))
    lab.outside.run("ip", "addr", "add", f"{address}/24", "dev", f"v{tag}")
    lab.outside.run("ip", "link", "set", f"v{tag}", "up")


def vlans(lab):
    """port: {tag: flags}, but for the default network's bridge"""
    found = json.loads(lab.host.run("bridge", "-j", "vlan", "show").stdout)
    return {p["ifname"]: {v["vlan"]: set(v.get("flags", [])) for v in p["vlans"]} for p in found
            if p["ifname"] != "orlop0"}


OWN = {"PVID", "Egress Untagged"}


def test_a_network_of_ones_own(lab):
    lab.networks.append({"name": "acc", "bridge": "acc0", "subnet": "10.77.0.0/24", "vlan": "7"})
    lab.add("web", networks=["acc"], ports=["8080:5000"])
    lab.add("near", networks=["acc"])
    web = lab.containers["web"].addresses("eth0")[0]
    ports = vlans(lab)
    assert ports.pop("acc0") == {7: OWN}
    assert len(ports) == 2 and all(p == {7: OWN} for p in ports.values()), ports
    # among themselves, with the gateway, and through it
    assert lab.containers["near"].ask("tcp", web) == f"web saw {lab.containers['near'].addresses('eth0')[0]}"
    assert lab.host.ask("udp", web) == "web saw 10.77.0.1"
    assert lab.outside.ask("tcp", "192.0.2.1", 8080) == "web saw 192.0.2.2"
    assert lab.containers["near"].ask("tcp", "192.0.2.2") == "world saw 192.0.2.1"
    assert lab.up().stdout == ""
    # a card that somebody makes a trunk of it: its frames have the tag
    lab.host.run("ip", "link", "add", "trunk", "type", "veth", "peer", "name", "eth1", "netns", str(lab.outside.proc.pid))
    lab.host.run("ip", "link", "set", "trunk", "master", "acc0", "up")
    lab.host.run("bridge", "vlan", "add", "dev", "trunk", "vid", "7")
    lab.outside.run("ip", "link", "set", "eth1", "up")
    trunk(lab, "eth1", 7, "10.77.0.200")
    assert lab.outside.ask("tcp", web) == "web saw 10.77.0.200"
    lab.host.run("ip", "link", "del", "trunk")
    # another one, and none, for ports that are there
    lab.networks[-1]["vlan"] = "4094"
    assert lab.up().stdout.splitlines()[0] == "vlans on acc0 (4094)"
    assert all(p == {4094: OWN} for p in vlans(lab).values())
    assert lab.containers["near"].ask("tcp", web).startswith("web saw")
    lab.networks[-1]["vlan"] = ""
    assert lab.up().stdout.splitlines()[0] == "vlans off acc0"
    assert lab.containers["near"].ask("tcp", web).startswith("web saw")
    assert lab.up().stdout == ""


def test_on_the_lan(lab):
    for dev, node in ("uplink", lab.host), ("eth0", lab.outside):
        node.run("ip", "addr", "flush", "dev", dev)
    lab.outside.run("ip", "addr", "add", "192.0.2.2/24", "dev", "eth0")
    trunk(lab, "eth0", 8, "198.51.100.2")
    trunk(lab, "eth0", 9, "203.0.113.2")
    lab.uplinks = [{"name": "lan", "device": "uplink", "bridge": "lan0", "addresses": "192.0.2.1/24"}]
    for name, net, tag in ("home", "192.0.2", ""), ("iot", "198.51.100", "8"), ("cctv", "203.0.113", "9"):
        lab.networks.append({"name": name, "parent": "lan0", "subnet": f"{net}.0/24", "gateway": f"{net}.2",
                             "range": f"{net}.128/26", "vlan": tag})
    smb, bulb, lamp, cam = (lab.add(n, networks=[net]) for n, net in (
        ("smb", "home"), ("bulb", "iot"), ("lamp", "iot"), ("cam", "cctv")))
    assert lab.up().stdout == ""
    assert vlans(lab)["uplink"] == {1: OWN, 8: set(), 9: set()}
    own = {node: node.addresses("eth0")[0] for node in (smb, bulb, lamp, cam)}
    # each with its own VLAN's computers, and those without a tag as before
    seen = lab.outside.popen("tcpdump", "-l", "-n", "-e", "-i", "eth0", "-c", "1", "vlan 8 and udp port 5000",
                             stderr=subprocess.STDOUT)
    while "listening on" not in seen.stdout.readline():
        pass
    for node, world in (smb, "192.0.2.2"), (bulb, "198.51.100.2"), (lamp, "198.51.100.2"), (cam, "203.0.113.2"):
        for proto in "tcp", "udp":
            assert lab.outside.ask(proto, own[node]) == f"{node.name} saw {world}"
            assert node.ask(proto, world) == f"world saw {own[node]}"
    assert "vlan 8," in seen.stdout.readline()
    assert bulb.ask("tcp", own[lamp]) == f"lamp saw {own[bulb]}"
    assert lab.host.ask("tcp", own[smb]) == "smb saw 192.0.2.1"
    # the same broadcast: its own VLAN hears it, the others do not
    for node, reached in (lamp, True), (cam, False), (smb, False), (lab.host, False):
        sniffer = node.sniff("lan0" if node is lab.host else "eth0", b"bulb-cast!".hex(),
                             ANSWER_MS if reached else SILENCE_MS)
        bulb.run(PROBE, "cast", "198.51.100.255", "137", "bulb-cast!")
        assert heard(sniffer) == reached, node.name
    # a tag of its own making takes it nowhere
    bulb.run("ip", "link", "add", "link", "eth0", "name", "hop", "type", "vlan", "id", "9")
    bulb.run("ip", "addr", "add", "203.0.113.99/24", "dev", "hop")
    bulb.run("ip", "link", "set", "hop", "up")
    assert bulb.is_deaf("udp", "203.0.113.2", source="203.0.113.99")
    assert cam.ask("udp", "203.0.113.2") == f"world saw {own[cam]}"
    # one of them goes
    lab.down(cam)
    lab.networks.pop()
    lab.members.pop()
    assert "vlan 9 remove from port uplink" in lab.up().stdout.splitlines()
    assert vlans(lab)["uplink"] == {1: OWN, 8: set()}
    assert lab.outside.ask("tcp", own[bulb]) == "bulb saw 198.51.100.2"
    for node in bulb, lamp:
        lab.down(node)
    lab.networks.pop()
    lab.members = [m for m in lab.members if m["network"] != "iot"]
    assert "vlans off lan0" in lab.up().stdout.splitlines()
    assert lab.outside.ask("tcp", own[smb]) == "smb saw 192.0.2.2"
    assert lab.up().stdout == ""
