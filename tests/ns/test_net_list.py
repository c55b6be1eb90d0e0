# SPDX-License-Identifier: Apache-2.0
"""What is shown: networks, members, ports; and several networks for one container."""

import json

import pytest

from netlab import Lab


@pytest.fixture(scope="module", name="lab")
def make_lab():
    lab = Lab(up=False)
    lab.networks.append({"name": "back", "internal": "yes", "ipv6": "yes"})
    lab.add("both", networks=["back", "orlop"], ports=["8080:5000", "192.0.2.1:9000:5000/udp", ":5000"])
    lab.add("db", networks=["back"])
    lab.members.append({"unit": "later.container", "network": "orlop", "names": "later"})
    lab.up()
    yield lab
    lab.close()


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


def test_two_networks_one_container(lab):
    both = lab.containers["both"]
    assert lab.outside.ask("tcp", "192.0.2.1", 8080) == "both saw 192.0.2.2"
    (back,) = [a for a in both.addresses("eth0") if "." in a]
    assert lab.containers["db"].ask("tcp", back).startswith("both saw 10.89.0.")
    assert both.run("ip", "route", "show", "default").stdout.split()[:5] == [
        "default", "via", "10.88.0.1", "dev", "eth1"]
    hosts = lab.host.run("cat", "/run/orlop/hosts/both.container").stdout
    assert " db\n" in hosts and " later\n" in hosts
    assert " db\n" not in lab.host.run("cat", "/run/orlop/hosts/orlop").stdout


def test_networks_as_json(lab):
    nets = {n["network"]: n for n in objects(lab.tool("ls", "--json").stdout)}
    assert set(nets) == {"orlop", "back"}
    assert nets["back"]["internal"] and nets["back"]["subnet6"].startswith("fd")
    members = {m["unit"]: m for m in nets["orlop"]["members"]}
    assert members["both.container"]["attached"] and not members["later.container"]["attached"]
    assert [n["network"] for n in objects(lab.tool("ls", "--json", "back").stdout)] == ["back"]
    assert lab.tool("ls", "nothing", check=False).returncode == 1
    assert "later.container" in lab.tool("ls").stdout


def test_ports_as_json(lab):
    ports = objects(lab.tool("ports", "--json").stdout)
    assert [(p["protocol"], p["host_address"], p["container_port"], p["random"]) for p in ports] == [
        ("tcp", None, 5000, False), ("udp", "192.0.2.1", 5000, False), ("tcp", None, 5000, True)]
    assert ports[0]["host_port"] == 8080 and ports[2]["host_port"] >= 61000
    assert "*:8080" in lab.tool("ports").stdout


def test_plan_from_unit_files(lab):
    lab.host.run("sh", "-ec", """
mkdir /run/units && cd /run/units
printf '[Network]\\nSubnet=10.77.0.0/24\\nNetworkName=home\\nIPv6=true\\nOptions=isolate=false mtu=1400\\n' > home.network
printf '[Container]\\nImage=x\\nContainerName=w\\nNetwork=home.network:ip=10.77.0.9,alias=www\\n' > w.container
""")
    text = lab.tool("plan", "/run/units").stdout
    assert "address add 10.77.0.1/24 br-home" in text and "link remove" in text
    # nothing was done
    assert "10.77.0.1" not in lab.host.run("ip", "addr").stdout
