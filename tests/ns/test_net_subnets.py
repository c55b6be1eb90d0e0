# SPDX-License-Identifier: Apache-2.0
"""Several subnets in one network: the bridge is the gateway of each, a member has an address of each."""

import ipaddress
import json

import pytest

from netlab import Lab

SUBNETS = ["10.77.0.0/24", "10.78.0.0/24", "fd00:77::/64", "fd00:78::/64"]
GATEWAYS = ["10.77.0.1", "10.78.0.254", "fd00:77::1", "fd00:78::1"]
MANY = {"name": "many", "bridge": "many0", "subnet": "10.77.0.0/24,10.78.0.0/24", "gateway": ",10.78.0.254",
        "range": ",10.78.0.128/26", "subnet6": "fd00:77::/64,fd00:78::/64"}


def a_lab():
    lab = Lab(up=False)
    lab.networks.append(MANY)
    lab.add("web", networks=["many"], ports=["8080:5000"], etc=True)
    lab.add("near", networks=["many"], address="10.78.0.9", etc=True)
    lab.add("other")
    yield lab
    lab.close()


make_lab = pytest.fixture(scope="module", name="lab")(a_lab)
make_own = pytest.fixture(name="own_lab")(a_lab)  # for who changes it


def addresses(lab, name):
    return lab.containers[name].addresses("eth0")


def test_one_address_of_each_subnet(lab):
    assert set(lab.host.addresses("many0")) == set(GATEWAYS)
    for name in "web", "near":
        found = [ipaddress.ip_address(a) for a in addresses(lab, name)]
        assert len(found) == len(SUBNETS)
        for subnet in SUBNETS:
            assert len([a for a in found if a in ipaddress.ip_network(subnet)]) == 1, found
    assert "10.78.0.9" in addresses(lab, "near")
    (ranged,) = [a for a in addresses(lab, "web") if a.startswith("10.78.0.")]
    assert 128 <= int(ranged.rsplit(".", 1)[1]) < 192
    assert lab.up().stdout == ""


def test_all_of_them_answer_and_only_within_the_network(lab):
    near, other = lab.containers["near"], lab.containers["other"]
    for own in addresses(lab, "web"):
        for proto in "tcp", "udp":
            assert near.ask(proto, own).startswith("web saw ")
        assert other.is_deaf("tcp", own)
    for gateway in "192.0.2.1", "10.77.0.1", "10.78.0.254", "2001:db8::1", "fd00:78::1":
        assert near.ask("tcp", gateway, 8080).startswith("web saw")
    assert lab.outside.ask("tcp", "192.0.2.1", 8080) == "web saw 192.0.2.2"
    assert lab.outside.ask("tcp", "2001:db8::1", 8080) == "web saw 2001:db8::2"


def test_out_by_each_of_them(lab):
    lab.outside.serve("world")
    near = lab.containers["near"]
    for own in addresses(lab, "near"):
        v6 = ":" in own
        assert near.ask("udp", "2001:db8::2" if v6 else "192.0.2.2", source=own) == (
            f"world saw {'2001:db8::1' if v6 else '192.0.2.1'}")


@pytest.mark.parametrize("foreign", ["10.77.0.77", "10.78.0.77", "fd00:78::77"])
def test_no_other_address_of_a_subnet(lab, foreign):
    near, web = lab.containers["near"], lab.containers["web"]
    to = next(a for a in addresses(lab, "web") if a.startswith(foreign[:-2]))
    near.run("ip", "addr", "add", f"{foreign}/{64 if ':' in foreign else 24}", "dev", "eth0",
             *(["nodad"] if ":" in foreign else []))
    try:
        assert near.is_deaf("udp", to, source=foreign)
    finally:
        near.run("ip", "addr", "del", f"{foreign}/{64 if ':' in foreign else 24}", "dev", "eth0")
    assert near.ask("udp", to).startswith("web saw")
    assert web.ask("udp", "10.78.0.9") == f"near saw {next(a for a in addresses(lab, 'web') if '10.78.0.' in a)}"


def test_names_and_the_listing(lab):
    text = lab.containers["near"].run("cat", "/etc/hosts").stdout
    lines = dict(line.split(" ", 1) for line in text.splitlines())
    assert {a for a, names in lines.items() if names == "web"} == set(addresses(lab, "web"))
    assert {a for a, names in lines.items() if "host.containers.internal" in names} == set(GATEWAYS)
    (one,) = [json.loads(line) for line in lab.tool("ls", "--json", "many").stdout.splitlines()]
    assert [s["subnet"] for s in one["subnets"]] == SUBNETS
    assert [s["gateway"] for s in one["subnets"]] == GATEWAYS
    assert [s["range"] for s in one["subnets"]] == [None, "10.78.0.128/26", None, None]
    assert (one["subnet"], one["gateway6"]) == ("10.77.0.0/24", "fd00:77::1")
    (web,) = [m for m in one["members"] if m["unit"] == "web.container"]
    assert set(web["addresses"]) == set(addresses(lab, "web")) and web["address"] == web["addresses"][0]


def test_they_are_kept_and_one_of_them_goes(own_lab):
    lab = own_lab
    before = addresses(lab, "web")
    web = lab.containers["web"]
    lab.down(web)
    lab.attach(web)
    assert addresses(lab, "web") == before
    members, lab.members = lab.members, []
    lab.up()  # nobody is left, and their leases stay
    lab.members = members
    lab.up()
    lab.down(web)
    lab.attach(web)
    assert addresses(lab, "web") == before
    lab.networks[1] = MANY | {"subnet": "10.77.0.0/24", "gateway": "", "range": ""}
    lab.members[1].pop("address")
    lab.up()
    assert set(lab.host.addresses("many0")) == set(GATEWAYS) - {"10.78.0.254"}
    lab.down(web)
    lab.attach(web)
    assert addresses(lab, "web") == [a for a in before if "10.78." not in a]
    assert lab.up().stdout == ""


def test_mistakes(own_lab):
    lab = own_lab
    lab.networks += [
        {"name": "twice", "subnet": "10.60.0.0/24,10.60.0.128/25"},
        {"name": "gate", "subnet": "10.61.0.0/24,10.62.0.0/24", "gateway": "10.61.0.1,10.61.0.2"},
        {"name": "nine", "subnet": ",".join(f"10.63.{n}.0/24" for n in range(9))},
    ]
    lab.members.append({"unit": "far.container", "network": "many", "names": "far", "address": "10.99.0.1"})
    told = lab.up().stderr
    assert "network twice: subnet 10.60.0.128/25 overlaps another one of network twice" in told
    assert "network gate: gateway 10.61.0.2 lies outside of 10.62.0.0/24" in told
    assert "network nine: more than 8 subnets of IPv4" in told
    assert "far.container: network many: 10.99.0.1 lies outside of 10.77.0.0/24" in told
