# SPDX-License-Identifier: Apache-2.0
"""Uplinks by host.conf, containers on the LAN itself, and networks without a bridge of ours."""

import json

import pytest

from netlab import ANSWER_MS, PROBE, SILENCE_MS, Lab, eventually, heard

class UplinkLab(Lab):
    """A host whose card has no address yet; a router outside on 192.0.2.254."""

    def __init__(self, *uplinks):
        super().__init__(up=False)
        self.uplinks = list(uplinks)
        self.host.run("ip", "addr", "flush", "dev", "uplink")
        self.host.run("ip", "link", "set", "uplink", "down")
        self.outside.run("ip", "addr", "add", "192.0.2.254/24", "dev", "eth0")
        self.outside.serve("world")


@pytest.fixture(name="lab")
def make_lab():
    labs = []

    def make(*uplinks):
        labs.append(UplinkLab(*uplinks))
        return labs[0]

    yield make
    for lab in labs:
        lab.close()


def test_static_addresses_and_route(lab):
    lab = lab({"name": "lan", "device": "up*", "addresses": "192.0.2.77/24,2001:db8::77/64",
               "gateways": "192.0.2.254,2001:db8::2", "mtu": "1400"})
    capture = lab.outside.sniff("eth0", "00440043", 1500)  # ports of DHCP
    text = lab.up().stdout
    assert "route default by 192.0.2.254 uplink" in text
    assert lab.up().stdout == ""
    assert lab.host.addresses("uplink") == ["192.0.2.77", "2001:db8::77"]
    assert "mtu 1400" in lab.host.run("ip", "link", "show", "uplink").stdout
    web = lab.add("web", ports=["8080:5000"])
    assert lab.outside.ask("tcp", "192.0.2.77", 8080) == "web saw 192.0.2.2"
    assert web.ask("tcp", "192.0.2.2") == "world saw 192.0.2.77"
    assert lab.tool("wait-online", "2").returncode == 0
    # another address, and it is the only one
    lab.uplinks[0]["addresses"] = "192.0.2.78/24"
    lab.up()
    assert lab.host.addresses("uplink") == ["192.0.2.78"]
    assert not heard(capture)


def test_name_servers_of_uplinks_and_leases_stand_in_one_file(lab):
    lab = lab({"name": "lan", "device": "uplink", "addresses": "192.0.2.77/24", "dns": "192.0.2.53,x,::1",
               "search": "example,lan"})
    lab.up()
    resolv = "/run/orlop/resolv.conf"
    inode = lab.host.run("stat", "-c", "%i", resolv).stdout
    assert lab.host.run("cat", resolv).stdout == "search example lan\nnameserver 192.0.2.53\nnameserver ::1\n"
    # what dhcpcd calls when it has a lease
    lab.host.run("env", "reason=BOUND", "interface=eth1", "protocol=dhcp", "new_domain_name_servers=192.0.2.99",
                 "new_domain_search=lan other", "/usr/lib/orlop/dhcpcd-hook")
    assert lab.host.run("cat", resolv).stdout.startswith("search example lan other\n")
    assert "nameserver 192.0.2.99\n" in lab.host.run("cat", resolv).stdout
    assert "nameserver 192.0.2.53\n" in lab.host.run("cat", resolv).stdout
    lab.uplinks[0]["dns"] = "192.0.2.54"
    lab.up()
    text = lab.host.run("cat", resolv).stdout
    assert "192.0.2.54" in text and "192.0.2.99" in text and "192.0.2.53" not in text
    assert lab.up().stdout == ""
    assert lab.host.run("stat", "-c", "%i", resolv).stdout == inode


def test_matched_by_mac_or_driver_or_not_at_all(lab):
    lab = lab()
    mac = json.loads(lab.host.run("ip", "-j", "link", "show", "uplink").stdout)[0]["address"]
    for match in {"mac": mac}, {"driver": "veth"}, {"device": "uplink", "driver": "veth", "mac": mac.upper()}:
        lab.host.run("ip", "addr", "flush", "dev", "uplink")
        lab.uplinks = [{"name": "lan", "addresses": "192.0.2.5/24", **match}]
        lab.up()
        assert lab.host.addresses("uplink") == ["192.0.2.5"]
    for match in {"mac": "02:00:00:00:00:01"}, {"driver": "e1000"}, {"device": "en*"}:
        lab.uplinks = [{"name": "lan", "addresses": "192.0.2.6/24", **match}]
        assert "uplink lan: no network card matches" in lab.up().stderr


def test_mistakes_are_told(lab):
    lab = lab({"name": "lan", "device": "uplink", "addresses": "192.0.2.5", "gateways": "x"},
              {"name": "v", "device": "uplink", "vlan": "4096"},
              {"name": "b", "device": "uplink", "bridge": "olx"})
    told = lab.up().stderr
    assert "uplink lan: Address= is not" in told and "uplink v: VLAN= is not" in told
    assert "uplink b: its network card is another uplink's" in told
    lab.uplinks[:] = [{"name": "b", "device": "uplink", "bridge": "olx"}]
    assert "uplink b: Bridge= cannot be" in lab.up().stderr
    lab.networks += [{"name": "theirs", "parent": "virbr0", "subnet": "10.66.0.0/24", "vlan": "7"},
                     {"name": "none", "subnet": "10.67.0.0/24", "vlan": "4095"}]
    told = lab.up().stderr
    assert "network theirs: Options=vlan: virbr0 is no Bridge= of host.conf" in told
    assert 'network none: "4095" is no VLAN' in told
    # and the rest works
    lab.add("web", ports=["8080:5000"])
    assert lab.host.ask("tcp", "127.0.0.1", 8080).startswith("web saw")


def on_the_lan(lab):
    lab.networks.append({"name": "home", "parent": "lan0", "subnet": "192.0.2.0/24",
                         "gateway": "192.0.2.254", "range": "192.0.2.128/26"})
    return lab.add("smb", networks=["home"])


def test_a_bridge_over_the_uplink_puts_containers_on_the_lan(lab):
    lab = lab({"name": "lan", "device": "uplink", "bridge": "lan0", "addresses": "192.0.2.77/24",
               "gateways": "192.0.2.254"})
    mac = json.loads(lab.host.run("ip", "-j", "link", "show", "uplink").stdout)[0]["address"]
    lab.up()
    assert lab.host.addresses("lan0") == ["192.0.2.77"] and lab.host.addresses("uplink") == []
    assert json.loads(lab.host.run("ip", "-j", "link", "show", "lan0").stdout)[0]["address"] == mac
    smb = on_the_lan(lab)
    assert lab.up().stdout == ""
    (address,) = smb.addresses("eth0")
    assert address.startswith("192.0.2.1")
    # its own address, both ways, with nothing translated
    assert lab.outside.ask("tcp", address) == "smb saw 192.0.2.2"
    assert smb.ask("udp", "192.0.2.2") == f"world saw {address}"
    assert lab.host.ask("tcp", address) == "smb saw 192.0.2.77"
    # broadcast reaches it, and a bridged one not
    web = lab.add("web")
    for node, reached, ms in (smb, True, ANSWER_MS), (web, False, SILENCE_MS):
        sniffer = node.sniff("eth0", b"lan-cast!".hex(), ms)
        lab.outside.run(PROBE, "cast", "192.0.2.255", "137", "lan-cast!")
        assert heard(sniffer) == reached
    # a foreign source is dropped there too
    smb.run("ip", "addr", "add", "192.0.2.200/24", "dev", "eth0")
    assert smb.is_deaf("udp", "192.0.2.2", source="192.0.2.200")
    failed = lab.add("pub", networks=["home"], start=False, ports=["80:80"])
    assert "cannot be published" in lab.attach(failed, check=False).stderr


def test_a_card_that_had_an_address_gives_it_up_to_the_bridge(lab):
    lab = lab({"name": "lan", "device": "uplink", "addresses": "192.0.2.77/24"})
    lab.up()
    lab.uplinks[0]["bridge"] = "lan0"
    lab.up()
    assert lab.host.addresses("lan0") == ["192.0.2.77"] and lab.host.addresses("uplink") == []
    assert lab.up().stdout == ""
    assert eventually(lambda: lab.host.ask("tcp", "192.0.2.2") == "world saw 192.0.2.77")


def test_macvlan(lab):
    lab = lab({"name": "lan", "device": "uplink", "addresses": "192.0.2.77/24"})
    lab.networks.append({"name": "mac", "driver": "macvlan", "parent": "uplink", "subnet": "192.0.2.0/24",
                         "gateway": "192.0.2.254", "range": "192.0.2.192/27"})
    dlna = lab.add("dlna", networks=["mac"])
    (address,) = dlna.addresses("eth0")
    assert lab.outside.ask("tcp", address) == "dlna saw 192.0.2.2"
    assert dlna.ask("tcp", "192.0.2.2") == f"world saw {address}"
    # the known limit of macvlan: not from the host itself
    assert lab.host.is_deaf("tcp", address)
    assert lab.up().stdout == ""
    lab.down(dlna)


@pytest.mark.parametrize("kind", ["ipvlan", "vlan"])
def test_ipvlan_and_vlan(lab, kind):
    lab = lab()
    if kind == "ipvlan":
        lab.uplinks = [{"name": "lan", "device": "uplink", "addresses": "192.0.2.77/24"}]
        lab.networks.append({"name": "ip", "driver": "ipvlan", "parent": "uplink",
                             "subnet": "192.0.2.0/24", "gateway": "192.0.2.254", "range": "192.0.2.192/27"})
        node = lab.add("dlna", networks=["ip"], start=False)
        done = lab.attach(node, check=False)
        if "Operation not supported" in done.stderr:
            pytest.skip("this kernel has no ipvlan")
        node.serve()
        assert lab.outside.ask("tcp", node.addresses("eth0")[0]) == "dlna saw 192.0.2.2"
    else:
        lab.uplinks = [{"name": "lan", "device": "uplink", "vlan": "7", "addresses": "198.51.100.1/24"}]
        done = lab.up(check=False)
        if "Operation not supported" in done.stderr:
            pytest.skip("this kernel has no VLAN devices")
        lab.outside.run("ip", "link", "add", "link", "eth0", "name", "v", "type", "vlan", "id", "7")
        lab.outside.run("ip", "addr", "add", "198.51.100.2/24", "dev", "v")
        lab.outside.run("ip", "link", "set", "v", "up")
        assert lab.host.ask("tcp", "198.51.100.2") == "world saw 198.51.100.1"
