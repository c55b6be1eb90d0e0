# SPDX-License-Identifier: Apache-2.0
"""The network from unit files: PID 1, orlop-net, orlop-run and the command `orlop`, with a computer on the LAN."""

import json
import os
import shutil
import subprocess

import pytest

from host import TOP, retry
from netlab import Node

IMAGE = os.path.join(TOP, "build/images/hello.tar")
PROBE = os.path.join(TOP, "build/tests/ns/net_probe")

HOST_CONF = "[Uplink-lan]\nDevice=uplink\nBridge=lan0\nAddress=192.0.2.1/24\nGateway=192.0.2.254\n"
HOME = "[Network]\nNetworkName=home\nSubnet=10.77.0.0/24\nIPv6=true\n"
ON_LAN = ("[Network]\nNetworkName=onlan\nDriver=bridge\nOptions=parent=lan0\nSubnet=192.0.2.0/24\n"
          "Gateway=192.0.2.254\nIPRange=192.0.2.128/26\n")  # fmt: skip
MANY = ("[Network]\nNetworkName=many\nSubnet=10.78.0.0/24\nSubnet=10.79.0.0/24\nGateway=10.78.0.9\n"
        "IPRange=10.78.0.16/28\nIPRange=10.79.0.32/28\n")  # fmt: skip
WEB = "[Container]\nImage=localhost/hello\n{}\n[Install]\nWantedBy=multi-user.target\n"
# A program of this machine, with its libraries, in a container.
FOREIGN = """[Container]
Image=localhost/hello
Volume=/usr:/usr:ro
Volume=/usr/lib:/lib:ro
Volume=/usr/lib64:/lib64:ro
Volume=/var/lib/orlop/conf:/conf:ro
Tmpfs=/run:mode=755
Tmpfs=/run/samba/nmbd:mode=755
Tmpfs=/var/log/samba:mode=755
Tmpfs=/var/lib/samba:mode=755
Tmpfs=/var/cache/samba:mode=755
Entrypoint={}
Exec={}
StopTimeout=1
{}
"""
SMB = """[global]
netbios name = {}
workgroup = TEST
interfaces = {}
bind interfaces only = yes
lock directory = /run
state directory = /run
cache directory = /run
pid directory = /run
private dir = /run
ncalrpc dir = /run/ncalrpc
log file = /run/log
disable netbios = no
nmbd bind explicit broadcast = no
server role = standalone
"""


@pytest.fixture(name="box")
def make_box(host):
    if not os.path.exists(IMAGE):
        pytest.skip("build/images/hello.tar was not built (make image)")
    host.image(IMAGE)
    os.mkdir(host.path("store/conf"))
    shutil.copy(PROBE, host.path("store/conf"))
    write(host, "store/host.conf", HOST_CONF)
    outside = Node("outside")
    yield host, outside
    outside.close()


def write(host, name, text):
    with open(host.path(name), "w", encoding="utf-8") as out:
        out.write(text)


def boot(host, outside):
    """With a card that comes after the boot, and is taken up by a reload."""
    host.boot()
    retry(lambda: check(host.ask("network", "ls")[0] == 0), 60)
    retry(lambda: check(host.ask("status")[1][0]["state"] == "running"), 60)  # the images are in the store
    subprocess.run(["nsenter", "-t", str(host.pid), "-n", "ip", "link", "add", "uplink", "type", "veth", "peer", "name",
                    "eth0", "netns", str(outside.proc.pid)], check=True)
    outside.run("ip", "link", "set", "lo", "up")
    outside.run("ip", "addr", "add", "192.0.2.2/24", "dev", "eth0")
    outside.run("ip", "link", "set", "eth0", "up")
    did = orlop(host, "network", "reload")
    assert "address add 192.0.2.1/24 lan0" in did.stdout.splitlines(), (did, host.log())


def check(condition):
    assert condition


def orlop(host, *words, code=0):
    done = host.run("/usr/lib/orlop/orlop", *words)
    assert done.returncode == code, done
    return done


def test_orlop_network(box):
    host, outside = box
    host.unit("home.network", HOME)
    host.unit("web.container", WEB.format("Network=home.network:ip=10.77.0.9,alias=www"))
    host.unit("many.network", MANY)
    host.unit("two.container", WEB.format("Network=many.network"))
    host.unit("idle.container", "[Container]\nImage=localhost/hello\nNetwork=home.network\n")
    boot(host, outside)
    host.until("web.container", "up", 60)
    table = [line.split() for line in orlop(host, "network", "ls").stdout.splitlines()]
    assert table[0] == ["NETWORK", "DRIVER", "DEVICE", "SUBNET", "SUBNET6", "INTERNAL", "MEMBERS", "PROBLEM"]
    home = next(row for row in table if row[0] == "home")
    assert home[1:4] == ["bridge", "br-home", "10.77.0.0/24"] and home[4].startswith("fd")
    assert home[5:] == ["no", "1", "of", "2", "up", "-"]
    lines = [json.loads(line) for line in orlop(host, "network", "ls", "--json").stdout.splitlines()]
    assert {line["network"] for line in lines} == {"orlop", "home", "many"}
    text = orlop(host, "network", "inspect", "home").stdout
    assert "gateway: 10.77.0.1\n" in text
    member = next(line.split() for line in text.splitlines() if line.startswith("web.container"))
    assert member[1:3] == ["yes", "10.77.0.9"] and "www" in member[5]
    (one,) = [json.loads(line) for line in orlop(host, "network", "inspect", "home", "--json").stdout.splitlines()]
    assert [m["unit"] for m in one["members"] if m["attached"]] == ["web.container"]
    # several subnets of one network
    host.until("two.container", "up", 60)
    many = next(line.split() for line in orlop(host, "network", "ls").stdout.splitlines() if line.startswith("many"))
    assert many[3:5] == ["10.78.0.0/24,10.79.0.0/24", "-"]
    text = orlop(host, "network", "inspect", "many").stdout
    assert "gateway: 10.78.0.9\n" in text and "subnet: 10.79.0.0/24, gateway 10.79.0.1\n" in text
    two = next(line.split() for line in text.splitlines() if line.startswith("two.container"))[2].split(",")
    assert [a.rsplit(".", 1)[0] for a in two] == ["10.78.0", "10.79.0"]
    assert host.status("two.container")["address"] == two[0]
    # a flushed packet filter is filled again, and told
    host.run("nft", "flush", "ruleset")
    (first, *_) = orlop(host, "network", "reload").stdout.splitlines()
    assert first == "packet filter load base rules"
    assert "br-home" in host.run("nft", "list", "table", "inet", "orlop").stdout
    assert orlop(host, "network", "reload", "--json").stdout == ""
    # a mistake of host.conf is told with its place, the last good one goes on
    write(host, "store/host.conf", HOST_CONF.replace("Address", "Adress"))
    told = orlop(host, "network", "reload")
    assert told.stdout == ""
    assert "host.conf:4:1" in told.stderr and "Adress" in told.stderr, told
    assert "host.conf: going on with the last good one" in told.stderr
    assert "192.0.2.1/24" in host.run("ip", "addr", "show", "lan0").stdout
    # also after it was read anew, by another up
    (problem, *_) = [json.loads(line) for line in orlop(host, "network", "reload", "--json").stdout.splitlines()]
    assert "Adress" in problem["problem"]
    assert 'network "nowhere"' in orlop(host, "network", "inspect", "nowhere", code=1).stderr
    for words in ["inspect"], ["ls", "home"], ["reload", "home"], ["eat"]:
        assert "orlop network ls, inspect NETWORK, or reload" in orlop(host, "network", *words, code=2).stderr


def traces(host, name):
    """What there is of a network: bridge, rules, hosts and resolv.conf, its line in the listing."""
    rules = host.run("nft", "list", "ruleset").stdout
    return {what for what, there in {
        "bridge": f"br-{name}" in host.run("ip", "-o", "link").stdout,
        "rules": f"br-{name}" in rules,
        "hosts": os.path.exists(host.root(f"/run/orlop/hosts/{name}")),
        "resolv": os.path.exists(host.root(f"/run/orlop/resolv/{name}")),
        "listed": name in [line.split()[0] for line in orlop(host, "network", "ls").stdout.splitlines()],
    }.items() if there}


def test_a_network_that_is_deleted_on_stop(box):
    host, _ = box
    everything = {"bridge", "rules", "hosts", "resolv", "listed"}
    for name, key in ("dem", "NetworkDeleteOnStop=true\n"), ("kept", ""):
        host.unit(f"{name}.network", f"[Network]\nNetworkName={name}\n{key}")
        host.unit(f"{name}1.container", WEB.format(f"Network={name}.network\nStopSignal=SIGKILL"))
    host.unit("dem2.container", "[Container]\nImage=localhost/hello\nStopSignal=SIGKILL\nNetwork=dem.network\nNetwork=kept.network\n")
    host.boot()
    for unit in "dem1.container", "kept1.container":
        host.until(unit, "up", 60)
    assert traces(host, "dem") == traces(host, "kept") == everything
    before = host.status("dem1.container")["address"]
    # as with Podman, it is the network's own stop that takes it away; whoever needs it stops first
    orlop(host, "stop", "dem1.container")
    assert traces(host, "dem") == everything
    orlop(host, "start", "dem1.container")
    for unit in "dem.network", "kept.network":
        orlop(host, "stop", unit)
    assert [host.status(f"{n}1.container")["state"] for n in ("dem", "kept")] == ["down", "down"]
    assert traces(host, "dem") == set() and traces(host, "kept") == everything
    assert orlop(host, "network", "reload").stdout == ""
    orlop(host, "stop", "dem.network")
    # a member brings it back, with the same addresses
    orlop(host, "start", "dem2.container")
    assert traces(host, "dem") == everything
    orlop(host, "start", "dem1.container")
    assert host.status("dem1.container")["address"] == before
    assert orlop(host, "network", "reload").stdout == ""
    # a restart takes nothing away
    link = host.run("ip", "-o", "link", "show", "br-dem").stdout
    orlop(host, "restart", "dem1.container")
    assert host.run("ip", "-o", "link", "show", "br-dem").stdout.split()[0] == link.split()[0]
    orlop(host, "stop", "dem.network")
    assert traces(host, "dem") == set()


def lives_in(host, unit):
    """Links and addresses of its network namespace, the first line of its user namespace's map, what is published."""
    pid = host.status(unit)["pid"]
    done = host.run("nsenter", "-t", str(pid), "-n", "ip", "-j", "addr")
    assert done.returncode == 0, done
    links = {link["ifname"]: [a["local"] for a in link["addr_info"]] for link in json.loads(done.stdout)}
    with open(f"/proc/{host.pid}/root/proc/{pid}/uid_map", encoding="ascii") as f:
        ids = f.readline().split()
    ports = "".join(host.run("nft", "list", "map", "inet", "orlop", name).stdout for name in ("publish4", "publish4_at"))
    return links, ids, [port for port in ("8081", "8082") if port in ports]


def test_a_reload_moves_a_container_into_what_its_files_say_now(box):
    """Network, ports and ids outlive a restart, but not a change of the lines that say them."""
    host, _ = box
    host.unit("home.network", HOME)

    def reload(text, running=True):
        before = host.status("web.container")["pid"] if running else None
        host.unit("web.container", WEB.format(text))
        orlop(host, "reload")

        def up():
            status = host.status("web.container")
            assert status["state"] == "up" and status["pid"] != before, status
        retry(up, 60)
        return lives_in(host, "web.container")

    host.unit("web.container", WEB.format("StopSignal=SIGKILL\nPublishPort=8081:8080"))
    host.boot()
    host.until("web.container", "up", 60)
    links, ids, ports = lives_in(host, "web.container")
    assert links["eth0"] and ids[1] != "0" and ports == ["8081"]
    links, _, ports = reload("StopSignal=SIGKILL\nNetwork=none")
    assert set(links) == {"lo"} and ports == [] and not host.status("web.container").get("address")
    links, _, ports = reload("StopSignal=SIGKILL\nNetwork=home.network\nPublishPort=8082:8080")
    assert links["eth0"][0].startswith("10.77.0.") and ports == ["8082"]
    assert host.status("web.container")["address"] == links["eth0"][0]
    same, ids, _ = reload("StopSignal=SIGKILL\nNetwork=home.network\nPublishPort=8082:8080\nUserNS=host")
    assert ids == ["0", "0", "4294967295"] and same["eth0"][0] == links["eth0"][0]
    # one that waits for its restart has nothing of the earlier files either
    waits = "StopSignal=SIGKILL\nNetwork=%s\n[Service]\nRestart=always\nRestartSec=1h"
    reload(waits % "home.network")
    orlop(host, "kill", "web.container")
    host.until("web.container", "backoff", 60)
    links, ids, ports = reload(waits % "none", running=False)
    assert set(links) == {"lo"} and ids[1] != "0" and ports == []


def test_ports_of_units_in_the_hosts_network(box):
    """Published: open from outside; everything else of the host is closed, also what the same unit listens on."""
    host, outside = box
    serve = "serve {} {}"
    host.unit("a.container", FOREIGN.format("/conf/net_probe", serve.format("a", 7001),
                                            "Network=host\nPublishPort=7001:7001\nPublishPort=7001:7001/udp"))
    host.unit("b.container", FOREIGN.format("/conf/net_probe", serve.format("b", 7002), "Network=host\nPublishPort=7003"))
    boot(host, outside)
    assert host.ask("start", "a.container", "b.container", timeout=60)[0] == 0
    for name in "a", "b":
        host.until(f"{name}.container", "up", 60)
    def answers(proto):
        assert outside.ask(proto, "192.0.2.1", 7001) == "a saw 192.0.2.2"
    def neighbour_answers():
        done = host.run(os.path.join(TOP, "build/tests/ns/net_probe"), "ask", "tcp", "127.0.0.1", "7002", "15000")
        assert done.stdout.startswith("b saw "), done
    # a container is up when its program runs, not when that listens; who is on the host reaches both
    retry(neighbour_answers)
    for proto in "tcp", "udp":
        retry(lambda proto=proto: answers(proto))
        assert outside.is_deaf(proto, "192.0.2.1", 7002)


@pytest.mark.skipif(not shutil.which("nmbd") or not shutil.which("nmblookup"), reason="needs samba, samba-common-bin")
def test_broadcasts_reach_containers_in_the_hosts_network_and_on_the_lan(box):
    """nmbd in containers that orlop-run started: one with Network=host, one on the LAN's bridge, one behind ours."""
    host, outside = box
    host.unit("onlan.network", ON_LAN)
    where = {"hostnet": ("lan0", "Network=host\nPublishPort=137:137/udp\nPublishPort=138:138/udp"),
             "onlan": ("eth0", "Network=onlan.network"),
             "inside": ("eth0", "")}
    for name, (dev, network) in where.items():
        write(host, f"store/conf/{name}.conf", SMB.format(name.upper(), dev))
        host.unit(f"{name}.container", FOREIGN.format(
            "/usr/sbin/nmbd", f"--foreground --no-process-group --configfile=/conf/{name}.conf", network))
    host.unit("near.container", WEB.format(""))
    boot(host, outside)
    host.until("near.container", "up", 60)
    assert host.ask("start", *(f"{name}.container" for name in where), timeout=60)[0] == 0
    for name in where:
        host.until(f"{name}.container", "up", 60)

    def lookup(name):
        done = outside.run("nmblookup", "--configfile=/dev/null", "--option=interfaces=eth0", "-B", "192.0.2.255", name,
                           check=False)
        return [line.split()[0] for line in done.stdout.splitlines() if line.endswith("<00>")]

    retry(lambda: check(lookup("HOSTNET") == ["192.0.2.1"]), 60)
    address = host.status("onlan.container")["address"]
    assert address.startswith("192.0.2.1")
    retry(lambda: check(lookup("ONLAN") == [address]), 60)
    # the one inside answers too, but whom it can hear: its neighbours
    near = host.status("near.container")["pid"]

    def from_near():
        return host.run("nsenter", f"--net=/proc/{near}/ns/net", "nmblookup", "--configfile=/dev/null",
                        "--option=interfaces=eth0", "-B", "10.88.255.255", "INSIDE").stdout

    retry(lambda: check(host.status("inside.container")["address"] in from_near()), 60)
    assert lookup("INSIDE") == []
