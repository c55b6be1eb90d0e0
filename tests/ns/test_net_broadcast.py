# SPDX-License-Identifier: Apache-2.0
"""Broadcasts, as what lives on them sees them: Samba's nmbd answers nmblookup from another computer on the LAN
with Network=host and on the LAN's bridge, and does not from behind a bridge of ours.

nmbd runs as a container does there: root of a user namespace, without a capability over the network
that it uses (host), or over one that orlop made for it.
"""

import json
import shutil

import pytest

from netlab import Lab, eventually

pytestmark = pytest.mark.skipif(not shutil.which("nmbd") or not shutil.which("nmblookup"),
                                reason="needs samba, samba-common-bin")

CONF = """[global]
netbios name = {name}
workgroup = TEST
interfaces = {dev}
bind interfaces only = yes
lock directory = {run}
state directory = {run}
cache directory = {run}
pid directory = {run}
private dir = {run}
ncalrpc dir = {run}/ncalrpc
log file = {run}/log
disable netbios = no
nmbd bind explicit broadcast = no
server role = standalone
"""


@pytest.fixture(name="lab")
def make_lab():
    lab = Lab(up=False)
    # Samba's Network=host unit publishes what it listens on
    lab.uplinks = [{"name": "lan", "device": "uplink", "bridge": "lan0", "addresses": "192.0.2.1/24"}]
    lab.networks.append({"name": "home", "parent": "lan0", "subnet": "192.0.2.0/24", "gateway": "192.0.2.254",
                         "range": "192.0.2.128/26"})
    lab.opens = [{"unit": "smb.container", "protocol": "udp", "first": "137", "last": "138"}]
    lab.up()
    lab.write("/etc/samba/client.conf", "[global]\ninterfaces = eth0\n")
    yield lab
    lab.close()


def nmbd(lab, node, name, dev):
    """Starts it in a user namespace of its own, with node's network."""
    run = f"/run/nmbd-{name}"
    lab.write(f"{run}/smb.conf", CONF.format(name=name, dev=dev, run=run))
    lab.host.run("mkdir", "-p", "/run/samba/nmbd")
    user = ["unshare", "-U", "--map-root-user"] if not node.userns else []
    pid = node.proc.pid
    server = lab.host.popen("nsenter", f"--net=/proc/{pid}/ns/net", *user, "nmbd", "--foreground", "--no-process-group",
                            f"--configfile={run}/smb.conf", stdout=None)
    # it has registered its name when it says so in its own data base
    eventually(lambda: server.poll() is None and "137" in lab.host.run(
        "nsenter", f"--net=/proc/{pid}/ns/net", "ss", "-Hlun", "sport = :137").stdout, 30)
    return server


def lookup(node, name):
    """Addresses that answer a broadcast for the name."""
    done = node.run("nmblookup", "--configfile=/dev/null", "--option=interfaces=eth0", "-B", "192.0.2.255", name,
                    check=False)
    return [line.split()[0] for line in done.stdout.splitlines() if line.endswith("<00>")]


def test_host_network(lab):
    nmbd(lab, lab.host, "HOSTNET", "192.0.2.1/24")
    eventually(lambda: lookup(lab.outside, "HOSTNET") == ["192.0.2.1"], 60)


def test_the_lans_bridge(lab):
    smb = lab.add("smb", networks=["home"])
    nmbd(lab, smb, "ONLAN", "eth0")
    (address,) = smb.addresses("eth0")
    assert address.startswith("192.0.2.1")
    eventually(lambda: lookup(lab.outside, "ONLAN") == [address], 60)


def test_a_bridge_of_ours(lab):
    smb = lab.add("smb")
    near = lab.add("near")
    nmbd(lab, smb, "INSIDE", "eth0")
    (address,) = smb.addresses("eth0")

    def from_near():
        return near.run("nmblookup", "--configfile=/dev/null", "--option=interfaces=eth0", "-B", "10.88.255.255",
                        "INSIDE", check=False).stdout

    # it runs, and its neighbour finds it; the LAN does not
    eventually(lambda: address in from_near(), 60)
    assert lookup(lab.outside, "INSIDE") == []
