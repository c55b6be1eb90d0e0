# SPDX-License-Identifier: Apache-2.0
"""A container with all capabilities over its own network namespace, and bad intentions."""

import ipaddress
import json

import pytest

from netlab import ANSWER_MS, PROBE, SILENCE_MS, Lab, eventually, heard

MARK = "6f726c6f70206d61726b"  # "orlop mark"


@pytest.fixture(scope="module", name="lab")
def make_lab():
    lab = Lab(up=False)
    lab.networks[0]["subnet6"] = "fd00:88::/64"
    lab.networks.append({"name": "lan"})
    lab.add("evil", userns=True)
    lab.add("near")
    lab.add("web", ports=["8080:5000", "127.0.0.1:8081:5000"])
    lab.add("far", networks=["lan"])
    lab.host.serve("host", 7000)
    yield lab
    lab.close()


def mac(node, dev="eth0"):
    return json.loads(node.run("ip", "-j", "link", "show", dev).stdout)[0]["address"].replace(":", "")


def ip(text):
    return ipaddress.ip_address(text).packed.hex()


def checksum(data):
    total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2, "big")


def udp4(dst_mac, src_mac, src, dst, port=5000):
    payload = bytes.fromhex(MARK)
    udp = (7).to_bytes(2, "big") + port.to_bytes(2, "big") + (8 + len(payload)).to_bytes(2, "big") + b"\0\0"
    head = bytearray.fromhex("4500") + (28 + len(payload)).to_bytes(2, "big") + bytes.fromhex(
        "0000000040110000" + ip(src) + ip(dst))
    head[10:12] = checksum(bytes(head))
    return dst_mac + src_mac + "0800" + (bytes(head) + udp + payload).hex()


def arp(dst_mac, src_mac, sha, spa, tha, tpa, op=2):
    return dst_mac + src_mac + "0806" + "000108000604" + f"{op:04x}" + sha + ip(spa) + tha + ip(tpa) + MARK


def icmp6(dst_mac, src_mac, src, dst, body):
    body = bytes.fromhex(body)
    pseudo = bytes.fromhex(ip(src) + ip(dst)) + len(body).to_bytes(4, "big") + bytes(3) + b"\x3a"
    total = bytearray(body)
    total[2:4] = checksum(pseudo + body)
    return dst_mac + src_mac + "86dd" + "60000000" + f"{len(body):04x}" + "3aff" + ip(src) + ip(dst) + total.hex()


def arrives(lab, frame, at, dev="eth0", pattern=MARK, ms=ANSWER_MS):
    sniffer = at.sniff(dev, pattern, ms)
    lab.containers["evil"].run(PROBE, "frame", "eth0", frame)
    return heard(sniffer)


def is_lost(lab, frame, at, pattern=MARK):
    return not arrives(lab, frame, at, pattern=pattern, ms=SILENCE_MS)


@pytest.fixture(name="world")
def make_world(lab):
    evil, near = lab.containers["evil"], lab.containers["near"]
    gateway = json.loads(lab.host.run("ip", "-j", "link", "show", "orlop0").stdout)[0]["address"]
    return {
        "evil": evil.addresses("eth0"), "near": near.addresses("eth0"),
        "evil_mac": mac(evil), "near_mac": mac(near), "gw_mac": gateway.replace(":", ""),
    }


def test_honest_frames_arrive(lab, world):
    near, w = lab.containers["near"], world
    assert arrives(lab, udp4(w["near_mac"], w["evil_mac"], w["evil"][0], w["near"][0]), near)
    assert arrives(lab, arp(w["near_mac"], w["evil_mac"], w["evil_mac"], w["evil"][0], w["near_mac"],
                            w["near"][0]), near)
    honest = "8800000060000000" + ip(w["evil"][1]) + "0201" + w["evil_mac"]
    assert arrives(lab, icmp6(w["near_mac"], w["evil_mac"], w["evil"][1], w["near"][1], honest), near,
                   pattern=honest[8:])


def test_spoofed_ipv4_source(lab, world):
    w = world
    for src in "10.88.0.1", w["near"][0], "192.0.2.9", "127.0.0.1", "0.0.0.0":
        assert is_lost(lab, udp4(w["near_mac"], w["evil_mac"], src, w["near"][0]), lab.containers["near"])
        assert is_lost(lab, udp4(w["gw_mac"], w["evil_mac"], src, "192.0.2.2"), lab.outside)


def test_spoofed_mac(lab, world):
    w = world
    assert is_lost(lab, udp4(w["near_mac"], w["gw_mac"], w["evil"][0], w["near"][0]), lab.containers["near"])
    evil_port = [l["ifname"] for l in json.loads(lab.host.run("ip", "-j", "link").stdout)
                 if l["ifname"].startswith("olevil")]
    fdb = lab.host.run("bridge", "fdb", "show", "dev", evil_port[0]).stdout.replace(":", "")
    assert w["gw_mac"] not in fdb and w["near_mac"] not in fdb


def test_spoofed_arp(lab, world):
    w, near = world, lab.containers["near"]
    for claimed in "10.88.0.1", "10.88.77.77":
        for sha, src in (w["evil_mac"], w["evil_mac"]), (w["gw_mac"], w["evil_mac"]):
            assert is_lost(lab, arp(w["near_mac"], src, sha, claimed, w["near_mac"], w["near"][0]), near)
            assert is_lost(lab, arp("ff" * 6, src, sha, claimed, "00" * 6, claimed, op=1), near)
    # its own address with somebody else's MAC
    assert is_lost(lab, arp(w["near_mac"], w["evil_mac"], w["gw_mac"], w["evil"][0], w["near_mac"],
                                w["near"][0]), near)


def test_spoofed_ipv6_and_neighbour_advertisements(lab, world):
    w, near = world, lab.containers["near"]

    def lost(src, body):
        frame = icmp6(w["near_mac"], w["evil_mac"], src, w["near"][1], body)
        return is_lost(lab, frame, near, pattern=body[8:])

    advert = "8800000060000000" + "{}" + "0201" + w["evil_mac"]
    assert lost(w["evil"][1], advert.format(ip("fd00:88::1")))
    assert lost("fd00:88::1", advert.format(ip("fd00:88::1")))
    assert lost(w["evil"][1], advert.format(ip(w["near"][1])))
    # a router that nobody asked for; a redirect
    assert lost(w["evil"][1], "86000000400007080000000000000000" + "0101" + w["evil_mac"])
    assert lost(w["evil"][1], "8900000000000000" + ip(w["evil"][1]) + ip("2001:db8::2"))


def test_frames_of_other_kinds(lab, world):
    w, near = world, lab.containers["near"]
    inner = udp4("", "", w["evil"][0], w["near"][0])
    for kind in "81000001", "88a80001", "8863", "0026424203":
        assert is_lost(lab, "ff" * 6 + w["evil_mac"] + kind + inner, near)


def test_route_localnet_lets_nobody_in(lab, world):
    w = world
    for port in 7000, 8081:
        for dst in "127.0.0.1", "127.0.0.53":
            assert lab.containers["evil"].run(
                PROBE, "frame", "eth0", udp4(w["gw_mac"], w["evil_mac"], w["evil"][0], dst, port)).returncode == 0
    # by the kernel's own way: a route to 127.0.0.0/8 by the bridge
    evil = lab.containers["evil"]
    evil.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet")
    evil.run("ip", "addr", "del", "127.0.0.1/8", "dev", "lo")
    evil.run("ip", "rule", "add", "pref", "5", "to", "127.0.0.0/8", "table", "99")
    evil.run("ip", "route", "add", "127.0.0.0/8", "via", "10.88.0.1", "dev", "eth0", "table", "99")
    evil.run("ip", "rule", "add", "pref", "6", "table", "local")
    evil.run("ip", "rule", "del", "pref", "0")
    before = lab.host.run("nft", "-j", "list", "ruleset").stdout
    for port in 7000, 8081:
        assert evil.is_deaf("tcp", "127.0.0.1", port)
        assert evil.is_deaf("udp", "127.0.0.1", port)
    assert before
    # and from the LAN
    lab.outside.run("ip", "route", "add", "10.88.0.0/16", "via", "192.0.2.1")
    lab.outside.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet")
    assert lab.outside.is_deaf("udp", "127.0.0.2", 7000)


def test_an_address_of_its_own_choice_is_deaf_and_mute(lab):
    evil = lab.containers["evil"]
    evil.run("ip", "addr", "add", "10.88.66.66/16", "dev", "eth0")
    assert evil.is_deaf("udp", "192.0.2.2", source="10.88.66.66")
    near = lab.containers["near"].addresses("eth0")[0]
    assert evil.is_deaf("tcp", near, source="10.88.66.66")
    assert lab.containers["near"].ask("tcp", near) == f"near saw {near}"
    evil.run("ip", "addr", "del", "10.88.66.66/16", "dev", "eth0")


def test_host_services_and_other_networks_stay_closed(lab):
    evil = lab.containers["evil"]
    far = lab.containers["far"].addresses("eth0")[0]
    for proto in "tcp", "udp":
        for addr in "10.88.0.1", "192.0.2.1", "10.89.0.1", "fd00:88::1":
            assert evil.is_deaf(proto, addr, 7000)
        assert evil.is_deaf(proto, far)


def test_names_of_units_cannot_leave_their_folder(lab):
    for unit in "../../etc/passwd", "..", "", "a/b", "x" * 300:
        assert lab.tool("down", unit, check=False).returncode == 1


def test_udp_clients_that_never_stop_follow_the_port():
    lab = Lab(up=False)
    lab.opens = [{"protocol": "udp", "first": "9000", "last": "9000"}]  # else its packets leave no trace
    try:
        late = lab.add("late", start=False, ports=["9000:5000/udp"])
        late.serve("first")
        client = lab.outside.popen(PROBE, "stream", "192.0.2.1", "9000", "60000")
        eventually(lambda: "9000" in lab.host.run("cat", "/proc/net/nf_conntrack", check=False).stdout
                   or not lab.host.run("test", "-e", "/proc/net/nf_conntrack", check=False).returncode == 0)
        lab.attach(late)
        assert client.stdout.readline() == "first saw 192.0.2.2\n"
        # the port goes to another unit while the client goes on
        lab.down(late)
        lab.add("other", ports=["9000:5000/udp"])
        assert client.stdout.readline() == "other saw 192.0.2.2\n"
    finally:
        lab.close()
