# SPDX-License-Identifier: Apache-2.0
"""The default bridge with one published port: who reaches what."""

import pytest

from netlab import Lab


@pytest.fixture(scope="module", name="lab")
def make_lab():
    lab = Lab()
    lab.add("web", ports=["8080:5000"])
    lab.add("client")
    yield lab
    lab.close()


def test_addresses_come_from_the_lease(lab):
    leases = lab.host.run("cat", "/var/lib/orlop/state/leases").stdout
    (address,) = lab.containers["web"].addresses("eth0")
    assert f"lease orlop web.container {address} -" in leases
    assert lab.host.addresses("orlop0") == ["10.88.0.1"]


def test_published_port_from_outside(lab):
    assert lab.outside.ask("tcp", "192.0.2.1", 8080) == "web saw 192.0.2.2"


def test_published_port_from_the_host(lab):
    assert lab.host.ask("tcp", "192.0.2.1", 8080) == "web saw 192.0.2.1"
    assert lab.host.ask("tcp", "127.0.0.1", 8080) == "web saw 10.88.0.1"


def test_published_port_from_a_neighbour_and_itself(lab):
    for who in "client", "web":
        assert lab.containers[who].ask("tcp", "192.0.2.1", 8080) == "web saw 10.88.0.1"


def test_neighbours_talk(lab):
    (web,) = lab.containers["web"].addresses("eth0")
    (client,) = lab.containers["client"].addresses("eth0")
    assert lab.containers["client"].ask("tcp", web) == f"web saw {client}"


def test_containers_go_out_by_the_hosts_address(lab):
    lab.outside.serve("world")
    assert lab.containers["client"].ask("udp", "192.0.2.2") == "world saw 192.0.2.1"


def test_second_up_does_nothing(lab):
    assert lab.up().stdout == ""
