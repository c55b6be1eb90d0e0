# SPDX-License-Identifier: Apache-2.0
"""Names within a network, and only there: by /etc/hosts, and by DNS packets to the gateway. The clients are
dig, and the resolvers of glibc, musl and Go.
"""

import ipaddress
import os
import re
import shutil
import signal
import subprocess

import pytest

from netlab import NET, Lab, eventually

SERVERS = 6  # of four networks, and of the two sets that somebody is in
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]


def upstream(node, address, answer):
    node.run("ip", "addr", "add", f"{address}/24", "dev", "eth0")
    node.popen("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--user=root",
               "--no-resolv", "--no-hosts", "--bind-interfaces", f"--listen-address={address}",
               f"--address=/example.org/{answer}", f"--address=/web/{answer}", "--local=/lan/", "--log-facility=-")
    eventually(lambda: node.run("ss", "-Hlun", f"src {address}:53").stdout)


@pytest.fixture(scope="module", name="lab")
def make_lab():
    lab = Lab(up=False)
    upstream(lab.outside, "192.0.2.53", "198.51.100.1")
    upstream(lab.outside, "192.0.2.54", "198.51.100.2")
    lab.uplinks = [{"name": "lan", "device": "uplink", "addresses": "192.0.2.1/24,2001:db8::1/64",
                    "dns": "192.0.2.53", "search": "lan"}]
    lab.networks[0]["subnet6"] = "fd00:88::/64"
    lab.networks += [{"name": "back"}, {"name": "closed", "internal": "yes"},
                     {"name": "mute", "disable_dns": "yes"}, {"name": "other", "dns": "192.0.2.54"}]
    lab.up()
    lab.dns = lab.host.popen(*NOBODY, NET, "dns", stdout=subprocess.DEVNULL)
    lab.add("web", etc=True, names="web,www.alias")
    lab.add("client", etc=True)
    lab.add("db", networks=["back"], etc=True)
    lab.add("safe", networks=["closed"], etc=True)
    lab.add("mute1", networks=["mute"], etc=True)
    lab.add("mute2", networks=["mute"], etc=True)
    lab.add("else", networks=["other"], etc=True)
    lab.add("both", networks=["back", "orlop"], etc=True)
    lab.add("twin", networks=["orlop", "back"], start=False)  # the same two
    lab.add("pair", networks=["back", "closed"], etc=True)
    eventually(lambda: len(servers(lab)) == SERVERS)
    for name in "client", "db", "safe", "else", "both", "pair":  # all of them answer
        eventually(lambda n=name: dig(lab, n, "host.containers.internal") != [])
    yield lab
    lab.close()


def servers(lab):
    found = subprocess.run(["pgrep", "-P", str(lab.dns.pid)], capture_output=True, text=True, check=False)
    return {int(p) for p in found.stdout.split()}


def dig(lab, who, *args, check=True):
    done = lab.containers[who].run("dig", "+short", "+tries=1", "+time=10", *args, check=check)
    return done.stdout.split()


def address(lab, name, v6=False):
    return lab.containers[name].addresses("eth0")[v6]


def test_names_of_the_network_by_dns(lab):
    web = address(lab, "web")
    assert lab.containers["client"].run("cat", "/etc/resolv.conf").stdout == "search lan\nnameserver 10.88.0.1\n"
    for name in "web", "www.alias", "WEB":
        assert dig(lab, "client", name) == [web]
        assert dig(lab, "client", "+tcp", name) == [web]
    assert dig(lab, "client", "web", "AAAA") == [address(lab, "web", True)]
    assert dig(lab, "client", "-x", web) == ["web."]
    assert dig(lab, "client", "host.containers.internal") == ["10.88.0.1"]
    assert dig(lab, "client", "@fd00:88::1", "web") == [web]


def test_the_rest_comes_from_the_hosts_servers(lab):
    assert dig(lab, "client", "example.org") == ["198.51.100.1"]
    assert dig(lab, "else", "example.org") == ["198.51.100.2"]
    # a plain name that is nobody's is asked of nobody (the server above would know one)
    assert dig(lab, "db", "web") == []
    text = lab.containers["db"].run("dig", "web").stdout
    assert "NXDOMAIN" in text
    # an internal network has no way out, not even this one
    assert dig(lab, "safe", "safe") == [address(lab, "safe")]
    assert dig(lab, "safe", "example.org") == []


def test_only_members_are_answered(lab):
    for gateway in "10.88.0.1", "fd00:88::1", "192.0.2.1":
        for proto in "+notcp", "+tcp":
            done = lab.containers["db"].run("dig", f"@{gateway}", proto, "+tries=1", "+time=1", "web", check=False)
            assert done.returncode == 9, done.stdout  # no reply
    lab.outside.run("ip", "route", "replace", "10.88.0.0/16", "via", "192.0.2.1")
    for gateway in "10.88.0.1", "192.0.2.1":
        done = lab.outside.run("dig", f"@{gateway}", "+tries=1", "+time=1", "web", check=False)
        assert done.returncode == 9, done.stdout


def test_disable_dns(lab):
    mute = lab.containers["mute1"]
    assert mute.run("cat", "/etc/resolv.conf").stdout == "search lan\nnameserver 192.0.2.53\n"
    assert dig(lab, "mute1", "example.org") == ["198.51.100.1"]
    assert "mute" not in mute.run("cat", "/run/orlop/hosts/mute").stdout
    own = lab.host.run("cat", "/run/orlop/hosts/mute1.container").stdout
    assert " mute1\n" in own and "mute2" not in own
    gateway = mute.run("ip", "route", "show", "default").stdout.split()[2]
    assert mute.run("dig", f"@{gateway}", "+tries=1", "+time=1", "mute2", check=False).returncode == 9


def test_a_member_of_two_networks(lab):
    both = lab.containers["both"]
    assert both.run("cat", "/etc/resolv.conf").stdout.startswith("search lan\nnameserver 10.89.")
    for name in "db", "web", "client":
        assert both.run("getent", "ahostsv4", name).stdout.startswith(address(lab, name))


def gateways(lab, name):
    """The name servers of a container: the gateways of its networks."""
    routes = lab.containers[name].run("ip", "-4", "route", "show", "scope", "link").stdout.split()
    return [str(ipaddress.ip_network(net)[1]) for net in routes if "/" in net]


def test_dns_packets_of_a_member_of_several(lab):
    """The names of all its networks, from every gateway of its own, and of no other."""
    assert len(gateways(lab, "both")) == len(gateways(lab, "pair")) == 2
    for who, known in ("both", ("web", "client", "db", "pair")), ("pair", ("db", "both", "safe")):
        for gateway in gateways(lab, who):
            for proto in "+notcp", "+tcp":
                for name in known:
                    own = set(lab.containers[name].addresses("eth0")) | (
                        set(lab.containers[name].addresses("eth1")) if name in ("both", "pair") else set())
                    found = dig(lab, who, proto, f"@{gateway}", name)
                    assert found and set(found) <= own, (who, gateway, name, found)
                assert dig(lab, who, proto, f"@{gateway}", *{"web", "db", "safe", "else", "mute1"} - set(known)) == []
            assert dig(lab, who, f"@{gateway}", "example.org") == ["198.51.100.1"]
            assert dig(lab, who, f"@{gateway}", "host.containers.internal") != []
            assert dig(lab, who, f"@{gateway}", "-x", address(lab, "db")) == ["db."]
    # by IPv6 too
    assert dig(lab, "both", "@fd00:88::1", "db") == [address(lab, "db")]
    # its neighbours hear what they heard, and nobody gets at that server's own port
    assert dig(lab, "client", "db") == [] and dig(lab, "db", "web") == []
    ports = set(re.findall(r": 10\.[0-9.]+ \. (\d+)", lab.host.run("nft", "list", "map", "inet", "orlop", "names4").stdout))
    assert len(ports) == 2
    for port in ports:
        done = lab.containers["client"].run("dig", "-p", port, "@10.88.0.1", "+tries=1", "+time=1", "db", check=False)
        assert done.returncode == 9, done.stdout


def test_who_leaves_one_of_its_networks_does_not_hear_of_it_any_more(lab):
    left = [m for m in lab.members if (m["unit"], m["network"]) == ("pair.container", "closed")]
    kept = lab.members
    lab.members = [m for m in kept if m not in left]
    lab.up()
    eventually(lambda: len(servers(lab)) == SERVERS - 1)
    back = next(g for g in gateways(lab, "pair") if g in lab.containers["db"].run("cat", "/etc/resolv.conf").stdout)
    assert dig(lab, "pair", f"@{back}", "db") == [address(lab, "db")]
    assert dig(lab, "pair", f"@{back}", "safe") == []
    lab.members = kept
    lab.up()
    eventually(lambda: dig(lab, "pair", f"@{back}", "safe", check=False) == [address(lab, "safe")])
    assert lab.up().stdout == ""


@pytest.fixture(scope="module", name="musl")
def make_musl(tmp_path_factory):
    if not shutil.which("musl-gcc"):
        pytest.skip("needs musl-tools")
    out = tmp_path_factory.mktemp("musl") / "resolve"
    code = r"""
#include <netdb.h>
#include <stdio.h>
#include <arpa/inet.h>
int main(int n, char **v) { struct addrinfo h = {.ai_socktype = SOCK_STREAM}, *a; char t[64];
for (int r = n == 2 ? getaddrinfo(v[1], "80", &h, &a) : 1; !r && a; a = a->ai_next) {
inet_ntop(a->ai_family, a->ai_family == AF_INET ? (void *)&((struct sockaddr_in *)a->ai_addr)->sin_addr
: (void *)&((struct sockaddr_in6 *)a->ai_addr)->sin6_addr, t, sizeof t); puts(t); } return 0; }
"""
    subprocess.run(["musl-gcc", "-static", "-x", "c", "-", "-o", str(out)], input=code, text=True, check=True)
    return str(out)


def resolvers(musl):
    """name: (command, reads its answer)"""
    go = ["env", "GODEBUG=netdns=go", "skopeo", "--command-timeout=20s", "inspect", "--tls-verify=false"]
    return {
        "glibc": lambda node, name: set(node.run("getent", "ahosts", name).stdout.split()) - {
            "STREAM", "DGRAM", "RAW", name},
        "musl": lambda node, name: set(node.run(musl, name).stdout.split()),
        # whom it cannot pull an image from is whom it found
        "go": lambda node, name: set(re.findall(
            r"dial tcp \[?([0-9a-f.:]+?)\]?:4444",
            node.run(*go, f"docker://{name}:4444/x", check=False).stderr)),
    }


@pytest.mark.parametrize("way", ["hosts", "dns"])
def test_glibc_musl_and_go_resolve_names(lab, musl, way):
    both = {address(lab, "web"), address(lab, "web", True)}
    client = lab.containers["client"]
    if way == "dns":
        client = lab.node("plain", parent=client, mounts="""
echo 127.0.0.1 localhost > /run/plain-hosts
mount --bind /run/plain-hosts /etc/hosts
""")
        # its network is the client's
        client.enter = lambda pid=client.proc.pid: [
            "nsenter", "-t", str(pid), "-m", "nsenter", f"--net=/proc/{lab.containers['client'].proc.pid}/ns/net"]
    for who, resolve in resolvers(musl).items():
        found = resolve(client, "web")
        assert found and found <= both and (who == "go" or found == both), (who, found)


def test_what_changes_needs_no_restart(lab):
    before = servers(lab)
    lab.members.append({"unit": "new.container", "network": "orlop", "names": "fresh", "address": "10.88.9.9"})
    lab.up()
    eventually(lambda: dig(lab, "client", "fresh") == ["10.88.9.9"])
    lab.members.pop()
    lab.uplinks[0]["dns"] = "192.0.2.54"
    lab.up()
    eventually(lambda: dig(lab, "client", "fresh") == [])
    eventually(lambda: dig(lab, "client", "example.org") == ["198.51.100.2"])
    lab.uplinks[0]["dns"] = "192.0.2.53"
    lab.up()
    eventually(lambda: dig(lab, "client", "example.org") == ["198.51.100.1"])
    assert servers(lab) == before


def test_a_network_comes_and_goes(lab):
    lab.networks.append({"name": "late", "subnet": "10.99.0.0/24"})
    lab.add("latecomer", networks=["late"], etc=True)
    eventually(lambda: dig(lab, "latecomer", "latecomer", check=False) == ["10.99.0.2"]
               or dig(lab, "latecomer", "latecomer", check=False) == [address(lab, "latecomer")])
    lab.down(lab.containers["latecomer"])
    lab.networks.pop()
    lab.members.pop()
    lab.up()
    eventually(lambda: len(servers(lab)) == SERVERS)


def test_a_server_that_dies_comes_back(lab):
    for pid in servers(lab):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: dig(lab, "client", "web", check=False) == [address(lab, "web")], 60)
    eventually(lambda: len(servers(lab)) == SERVERS)


def test_it_has_no_privileges(lab):
    for pid in servers(lab) | {lab.dns.pid}:
        with open(f"/proc/{pid}/status", encoding="utf-8") as text:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in text if ":\t" in line)
        assert status["Uid"].split() == ["65534"] * 4
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == int(status["CapBnd"], 16) == 0


def test_a_published_port_53_does_not_take_the_gateways(lab):
    lab.add("pihole", ports=["53:5000/udp", "53:5000/tcp"])
    assert dig(lab, "client", "web") == [address(lab, "web")]
    assert lab.outside.ask("udp", "192.0.2.1", 53) == "pihole saw 192.0.2.2"
