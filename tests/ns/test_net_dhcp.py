# SPDX-License-Identifier: Apache-2.0
"""The host's addresses: DHCP from a real server (dnsmasq) by the real client (dhcpcd), kept by `orlop-net
uplinks`, and static ones without a single DHCP packet, seen by tcpdump on the wire.
"""

import os
import subprocess
import time

import pytest

from netlab import NET, Lab, eventually

HOST_CONF = "/etc/orlop/host.conf"


class DhcpLab(Lab):
    """A host whose card has no address; a computer outside that can serve DHCP."""

    def __init__(self, conf):
        super().__init__(up=False)
        for node, dev in (self.host, "uplink"), (self.outside, "eth0"):
            node.run("ip", "addr", "flush", "dev", dev)
            # both ends speak IPv6 of their own accord here, as real ones do
            node.run("sysctl", "-qw", f"net.ipv6.conf.{dev}.addr_gen_mode=0")
        self.host.run("ip", "link", "set", "uplink", "down")
        self.outside.run("ip", "addr", "add", "192.0.2.2/24", "dev", "eth0")
        self.host.run("mount", "-t", "tmpfs", "tmpfs", "/var/lib/dhcpcd")
        self.server = None
        self.conf(conf)
        self.up()
        self.keeper = self.host.popen(NET, "uplinks", stdout=subprocess.DEVNULL)

    def conf(self, text):
        self.write(HOST_CONF, text)

    def serve_dhcp(self, *options, first="192.0.2.100"):
        self.stop_dhcp()
        self.server = self.outside.popen(
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--port=0",
            "--user=root", "--leasefile-ro", "--dhcp-authoritative", "--log-facility=-", "--interface=eth0",
            f"--dhcp-range={first},{first},255.255.255.0,120", "--dhcp-option=option:T1,4", *options,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop_dhcp(self):
        if self.server:
            self.server.kill()
            self.server.wait()
            self.outside.servers.remove(self.server)
            self.server = None

    def flap(self):
        self.outside.run("ip", "link", "set", "eth0", "down")
        eventually(lambda: "NO-CARRIER" in self.host.run("ip", "link", "show", "uplink").stdout)
        self.outside.run("ip", "link", "set", "eth0", "up")

    def has(self, *addresses, seconds=40):
        eventually(lambda: self.v4() == list(addresses), seconds)

    def v4(self, dev="uplink"):
        return [a for a in self.host.addresses(dev) if "." in a]

    def resolv(self):
        return self.host.run("cat", "/run/orlop/resolv.conf").stdout


@pytest.fixture(name="lab")
def make_lab():
    labs = []

    def make(conf):
        labs.append(DhcpLab(conf))
        return labs[0]

    yield make
    for lab in labs:
        lab.close()


def capture(node, dev, what):
    """tcpdump, listening."""
    p = subprocess.Popen([*node.enter(), "tcpdump", "-n", "-v", "-l", "-i", dev, what],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    node.servers.append(p)
    while "listening on" not in p.stderr.readline():
        assert p.poll() is None
    return p


def seen(p):
    p.terminate()
    return p.communicate(timeout=20)[0]


def test_a_server_that_is_late_is_found_soon(lab):
    lab = lab("[Uplink]\nDevice=up*\n")
    wire = capture(lab.outside, "eth0", "udp port 67")
    begun = time.monotonic()
    late = 120 if os.environ.get("FULL") else 0
    asked = 0  # it has asked for a while: in dhcpcd's own time the next question is far away
    while asked < 4 or time.monotonic() < begun + late:
        asked += "Discover" in wire.stdout.readline()
        assert wire.poll() is None
    assert lab.v4() == []
    lab.serve_dhcp("--dhcp-option=option:dns-server,192.0.2.53", "--dhcp-option=option:domain-search,lan")
    lab.has("192.0.2.100", seconds=15)
    assert lab.tool("wait-online", "20").returncode == 0
    eventually(lambda: lab.resolv() == "search lan\nnameserver 192.0.2.53\n")
    assert "default via 192.0.2.2" in lab.host.run("ip", "route").stdout


def test_the_lease_changes(lab):
    lab = lab("[Uplink]\nDevice=uplink\nDNS=192.0.2.54\n")
    lab.serve_dhcp("--dhcp-option=option:dns-server,192.0.2.53")
    lab.has("192.0.2.100")
    inode = lab.host.run("stat", "-c", "%i", "/run/orlop/resolv.conf").stdout
    eventually(lambda: lab.resolv() == "nameserver 192.0.2.54\nnameserver 192.0.2.53\n")
    # the same address, another name server: with the next renewal, which is every four seconds here
    lab.serve_dhcp("--dhcp-option=option:dns-server,192.0.2.99")
    eventually(lambda: "nameserver 192.0.2.99\n" in lab.resolv(), 40)
    assert "192.0.2.53" not in lab.resolv()
    # containers have it bind-mounted
    assert inode == lab.host.run("stat", "-c", "%i", "/run/orlop/resolv.conf").stdout
    assert lab.v4() == ["192.0.2.100"]


def test_the_server_refuses_the_old_address(lab):
    lab = lab("[Uplink]\nDevice=uplink\n")
    lab.serve_dhcp()
    lab.has("192.0.2.100")
    wire = capture(lab.outside, "eth0", "udp port 67 or udp port 68")
    lab.serve_dhcp(first="192.0.2.150")
    lab.flap()
    lab.has("192.0.2.150")
    assert "NACK" in seen(wire)
    assert "default via 192.0.2.2" in lab.host.run("ip", "route").stdout


def test_a_link_that_flaps_keeps_its_address(lab):
    lab = lab("[Uplink]\nDevice=uplink\n")
    lab.serve_dhcp()
    lab.has("192.0.2.100")
    web = lab.add("web", ports=["8080:5000"])
    for _ in range(3):
        lab.flap()
        lab.has("192.0.2.100")
        eventually(lambda: lab.outside.ask("tcp", "192.0.2.100", 8080, 500) == "web saw 192.0.2.2", 30)
    # the card is set down by somebody: it comes back (its address alone would not tell: a card that is down keeps it)
    lab.host.run("ip", "link", "set", "uplink", "down")
    eventually(lambda: "state UP" in lab.host.run("ip", "link", "show", "uplink").stdout, 60)
    lab.has("192.0.2.100")
    eventually(lambda: lab.outside.ask("tcp", "192.0.2.100", 8080, 500) == "web saw 192.0.2.2", 30)
    assert web.addresses("eth0")


def test_static_addresses_send_no_dhcp_packet(lab):
    lab = lab("[Uplink]\nDevice=uplink\nAddress=192.0.2.77/24 2001:db8::77/64\nGateway=192.0.2.2\n")
    lab.serve_dhcp("--enable-ra", "--dhcp-range=2001:db8:1::,ra-stateless")
    wire = capture(lab.outside, "eth0",
                   "udp port 67 or udp port 68 or udp port 546 or udp port 547 or icmp6[0] == 133")
    lab.has("192.0.2.77", seconds=20)
    lab.flap()
    lab.host.run("ip", "link", "set", "uplink", "down")
    eventually(lambda: "default via 192.0.2.2" in lab.host.run("ip", "route").stdout)
    eventually(lambda: "state UP" in lab.host.run("ip", "link", "show", "uplink").stdout)
    lab.has("192.0.2.77")
    eventually(lambda: "2001:db8::77" in lab.host.addresses("uplink"))
    # the wire works, and whatever was sent before this has been seen by now
    assert "time=" in eventually(lambda: lab.host.run("busybox", "ping", "-c", "1", "192.0.2.2").stdout)
    text = seen(wire)
    assert "DHCP" not in text and "dhcp6" not in text, text
    assert subprocess.run(["pgrep", "-P", str(lab.keeper.pid), "-x", "dhcpcd"], check=False).returncode == 1
    # and by DHCP again
    lab.conf("[Uplink]\nDevice=uplink\n")
    lab.tool("reload")
    eventually(lambda: "192.0.2.100" in lab.host.addresses("uplink"), 40)


def test_a_card_that_comes_later(lab):
    lab = lab("[Uplink-usb]\nDevice=usb*\nAddress=198.51.100.1/24\n[Uplink-rest]\nDevice=uplink\n")
    lab.serve_dhcp()
    lab.has("192.0.2.100")
    for _ in range(2):
        lab.outside.run("ip", "link", "add", "far", "type", "veth", "peer", "name", "usb0", "netns",
                        str(lab.host.proc.pid))
        eventually(lambda: lab.v4("usb0") == ["198.51.100.1"])
        eventually(lambda: ",UP" in lab.host.run("ip", "link", "show", "usb0").stdout)
        lab.outside.run("ip", "link", "del", "far")
    assert lab.v4() == ["192.0.2.100"]


SIX = ["--enable-ra", "--ra-param=eth0,4,30", "--dhcp-option=option6:dns-server,[2001:db8::53]"]


def v6(lab, dev="uplink"):
    return [a for a in lab.host.addresses(dev) if ":" in a]


def router(lab):
    lab.outside.run("ip", "addr", "add", "2001:db8::2/64", "dev", "eth0", "nodad")


@pytest.mark.parametrize("dhcp", ["yes", "ipv6"])
def test_an_address_by_dhcpv6(lab, dhcp):
    lab = lab(f"[Uplink]\nDevice=uplink\nDHCP={dhcp}\n")
    router(lab)
    lab.serve_dhcp(*SIX, "--dhcp-range=2001:db8::100,2001:db8::100,64,120")
    eventually(lambda: "2001:db8::100" in v6(lab), 60)
    eventually(lambda: "nameserver 2001:db8::53\n" in lab.resolv(), 60)
    eventually(lambda: "default via fe80:" in lab.host.run("ip", "-6", "route").stdout, 60)
    assert lab.tool("wait-online", "20").returncode == 0
    if dhcp == "yes":
        lab.has("192.0.2.100")
    else:
        assert lab.v4() == []


def test_an_address_by_router_advertisement(lab):
    lab = lab("[Uplink]\nDevice=uplink\n")
    router(lab)
    lab.serve_dhcp(*SIX, "--dhcp-range=2001:db8::,ra-stateless")
    eventually(lambda: [a for a in v6(lab) if a.startswith("2001:db8::")], 60)
    eventually(lambda: "nameserver 2001:db8::53\n" in lab.resolv(), 60)
    # containers go out by it, though the host forwards now
    lab.networks[0]["subnet6"] = "fd00:88::/64"
    web = lab.add("web", ports=["8080:5000"])
    lab.outside.serve("world")
    eventually(lambda: web.ask("tcp", "2001:db8::2", ms=2000).startswith("world saw 2001:db8::"), 60)
    eventually(lambda: "default via fe80:" in lab.host.run("ip", "-6", "route").stdout, 60)


def test_a_bridge_on_the_lan_by_dhcp(lab):
    lab = lab("[Uplink]\nDevice=uplink\nBridge=lan0\n")
    lab.serve_dhcp()
    eventually(lambda: lab.v4("lan0") == ["192.0.2.100"], 40)
    assert lab.v4() == []
