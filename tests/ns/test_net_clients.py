# SPDX-License-Identifier: Apache-2.0
"""The programs that people use, over every way there is: curl, iperf3, dig, nmap and tcpdump, IPv4 and IPv6, to
published ports and neighbours. What may reach what is test_net_matrix.py's table; here it must be of use.
"""

import json
import os
import re
import subprocess

import pytest

from netlab import Lab, eventually

FULL = os.environ.get("FULL")
V4, V6 = "192.0.2.1", "2001:db8::1"


@pytest.fixture(scope="module", name="lab")
def make_lab():
    lab = Lab(up=False)
    lab.networks[0]["subnet6"] = "fd00:88::/64"
    lab.networks.append({"name": "lan", "ipv6": "yes"})
    lab.opens = [{"protocol": p, "first": "7001", "last": "7001"} for p in ("tcp", "udp")]
    lab.add("near")
    lab.add("other", networks=["lan"])
    ports = ["8080:5000", "8090:5080", "8001:5201", "8001:5201/udp", "8053:53", "8053:53/udp", "127.0.0.1:8081:5000",
             "7500:5000/udp"]
    web = lab.add("web", ports=ports)
    web.popen("python3", "-m", "http.server", "--bind", "::", "--directory", f"{os.path.dirname(__file__)}", "5080",
              stderr=subprocess.DEVNULL)
    web.popen("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--no-resolv", "--no-hosts",
              "--user=root", "--address=/name.test/192.0.2.99", "--address=/name.test/2001:db8::99",
              stderr=subprocess.DEVNULL)
    for port in 5080, 53:
        eventually(lambda p=port: web.run("ss", "-Hltn", f"sport = :{p}").stdout)
    lab.host.serve("host", 7000)
    lab.host.serve("host", 7001)
    lab.outside.serve("world")
    yield lab
    lab.close()


def own(lab, v6):
    return lab.containers["web"].addresses("eth0")[v6]


def askers(lab):
    return {"outside": lab.outside, "host": lab.host, **lab.containers}


def ways(lab, published, inside):
    """(who, node, address, port): everybody to the published port, and those beside it to the container itself."""
    for who, node in askers(lab).items():
        for v6, addr in enumerate((V4, V6)):
            yield f"{who} to {addr}", node, addr, published
            if who in ("near", "web", "host"):
                yield f"{who} to {own(lab, v6)}", node, own(lab, v6), inside


def brackets(addr):
    return f"[{addr}]" if ":" in addr else addr


def test_curl(lab):
    with open(__file__, encoding="utf-8") as text:
        wanted = text.read()
    for how, node, addr, port in ways(lab, 8090, 5080):
        got = node.run("curl", "-sS", "-m", "30", "-g", f"http://{brackets(addr)}:{port}/{os.path.basename(__file__)}")
        assert got.stdout == wanted, how
    assert lab.host.run("curl", "-sS", "-m", "30", f"http://127.0.0.1:8090/{os.path.basename(__file__)}").stdout == wanted


def test_iperf3(lab):
    web = lab.containers["web"]
    for how, node, addr, port in ways(lab, 8001, 5201):
        for udp in ([], ["-u", "-b", "20M"]):

            def once():
                server = web.popen("iperf3", "-s", "-1", "-p", "5201", stdout=subprocess.DEVNULL)
                try:
                    done = node.run("iperf3", "-c", addr, "-p", str(port), "-n", "1M", "-J", "--connect-timeout", "5000",
                                    *udp, check=False)
                    end = json.loads(done.stdout)["end"]
                    return end.get("sum_received", end.get("sum", {})).get("bytes", 0)
                finally:
                    server.kill()
                    server.wait()
                    web.servers.remove(server)

            assert eventually(once, 60) > 0, how


def test_dig(lab):
    for how, node, addr, port in ways(lab, 8053, 53):
        for kind, answer in ("A", "192.0.2.99"), ("AAAA", "2001:db8::99"):
            for tcp in "+notcp", "+tcp":
                done = node.run("dig", f"@{addr}", "-p", str(port), "+short", "+time=10", tcp, "name.test", kind)
                assert done.stdout == answer + "\n", (how, kind, tcp)


def scan(node, addr, *options):
    """Ports that nmap finds open."""
    six = ["-6"] if ":" in addr else []
    done = node.run("nmap", "-n", "-Pn", *six, "--max-retries", "3", "-oG", "-", *options, addr)
    return {int(port) for port in re.findall(r"\b(\d+)/open/", done.stdout)}


def finds(node, addr, wanted, pieces, *options):
    """Open is what is wanted, and nothing else is ever. A machine that is busy may be late with an answer: who was not
    heard is asked again."""
    found = set()

    def scan_again():
        found.update(*(scan(node, addr, *options, ports) for ports in pieces))
        assert found <= wanted, (addr, found - wanted)
        return found == wanted

    eventually(scan_again, 120)


def test_nmap_finds_open_what_was_opened_and_nothing_else(lab):
    """From outside: published ports, and what host.conf opens. Port 7000, which the host listens on, and what is
    published on 127.0.0.1 are not to be seen."""
    # in pieces: a closed port is asked four times
    ports = [f"-p{n}-{n + 8191}" for n in range(1, 65535, 8192)] if FULL else ["-p1-1024,5000-5300,7000-9000"]
    ports[-1] = ports[-1].replace("65536", "65535")
    for addr in V4, V6:
        finds(lab.outside, addr, {7001, 8080, 8090, 8053}, ports, "-sS", "--min-rate", "2000")
        finds(lab.outside, addr, {7001, 7500}, ["-p53,67,68,123,137,546,5000,7000,7001,7500"], "-sU")
    for addr in "10.88.0.1", "fd00:88::1":
        finds(lab.containers["near"], addr, {8080, 8090, 8053}, ["-p7000-7001,8000-8100"], "-sS", "--min-rate", "2000")
    # and the containers behind it are not there for who is outside, although the route is
    lab.outside.run("ip", "route", "replace", own(lab, 0), "via", V4)
    assert scan(lab.outside, own(lab, 0), "-sS", "-p53,5000,5080") == set()


def test_tcpdump_sees_the_hosts_addresses_only(lab):
    wire = lab.outside.popen("tcpdump", "-n", "-l", "-i", "eth0", "tcp port 5000 or udp port 5000",
                             stderr=subprocess.PIPE)
    while "listening on" not in wire.stderr.readline():
        assert wire.poll() is None
    near = lab.containers["near"]
    for proto in "tcp", "udp":
        assert near.ask(proto, "192.0.2.2") == "world saw 192.0.2.1"
        assert near.ask(proto, "2001:db8::2").startswith("world saw 2001:db8::1")
    seen = ""
    while seen.count("UDP") < 4:  # the last question and answer that were sent
        seen += wire.stdout.readline()
    wire.terminate()
    assert "IP 192.0.2.1." in seen and "IP6 2001:db8::1." in seen
    assert "10.88." not in seen and "fd00:" not in seen, seen
    wire.stderr.close()
