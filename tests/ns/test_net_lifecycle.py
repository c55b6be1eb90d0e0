# SPDX-License-Identifier: Apache-2.0
"""Attach, detach, flush, conflict, wait: what comes goes again, and only what changed is touched."""

import fcntl
import re
import subprocess

import pytest

from netlab import NET, Lab, eventually


@pytest.fixture(name="lab")
def make_lab():
    lab = Lab()
    yield lab
    lab.close()


def test_a_user_namespace_owns_the_netns(lab):
    web = lab.add("web", ports=["8080:5000"], userns=True)
    assert lab.outside.ask("tcp", "192.0.2.1", 8080) == "web saw 192.0.2.2"
    assert web.run("cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start").stdout == "0\n"
    assert web.run("cat", "/proc/sys/net/ipv4/ping_group_range").stdout == "0\t2147483647\n"


def changes(trace):
    """What the traced program did to anything: messages but questions, files opened to be written, programs."""
    with open(trace, encoding="utf-8") as lines:
        text = lines.read()
    sent = re.findall(r"nlmsg_type=(\S+?),", "".join(re.findall(r" send\w+\(.*", text)))
    assert "RTM_GETLINK" in sent and any("NFT_MSG_GETSETELEM" in s for s in sent)
    return ([s for s in sent if "GET" not in s]
            + [p for p in re.findall(r'openat\([^"]*"([^"]*)", [^)]*O_(?:WRONLY|RDWR|CREAT)', text)
               if p != "/run/orlop/network.lock"]
            + re.findall(r"(?:unlink|rename|mkdir|truncate|clone|fork)\w*\(.* = [^-].*", text))


def test_up_again_makes_no_call(lab, tmp_path):
    lab.add("web", ports=["8080:5000"])
    lab.networks.append({"name": "new"})
    lab.tool("up", data=lab.spec(), trace=f"{tmp_path}/first")
    assert {"RTM_NEWLINK", "RTM_NEWADDR", "/run/orlop/hosts/new"} <= set(changes(f"{tmp_path}/first"))
    assert lab.tool("up", data=lab.spec(), trace=f"{tmp_path}/again").stdout == ""
    assert changes(f"{tmp_path}/again") == []


def test_nothing_is_left_after_cycles(lab):
    web = lab.add("web", ports=[f"{8000 + i}:{5000 + i}" for i in range(10)])
    lab.down(web)
    before = lab.everything()
    for _ in range(20):
        web.close()
        web = lab.node("web")
        web.unit, web.networks = "web.container", ("orlop",)
        web.ports = [f"{8000 + i}:{5000 + i}" for i in range(10)]
        lab.attach(web)
        assert lab.ruleset().count("web.container") == 11
        lab.down(web)
    assert lab.everything() == before
    assert lab.up().stdout == ""


def test_attach_replaces_what_an_earlier_one_left(lab):
    web = lab.add("web", ports=["8080:5000"])
    before = lab.everything()
    (address,) = web.addresses("eth0")
    again = lab.node("again")
    again.unit, again.networks, again.ports = web.unit, web.networks, ["8080:5000"]
    lab.attach(again)
    again.serve("again")
    after = lab.everything()
    for state in before, after:
        for link in state["links"]:
            link.pop("address", None)
    assert after == before
    assert again.addresses("eth0") == [address]
    assert lab.outside.ask("tcp", "192.0.2.1", 8080) == "again saw 192.0.2.2"


def test_leftovers_that_no_record_tells_of_are_replaced_too(lab):
    web = lab.add("web", ports=["8080:5000"])
    lab.host.run("rm", "/run/orlop/ports/web.container")
    again = lab.node("again")
    again.unit, again.networks, again.ports = web.unit, web.networks, ["8080:5000", "8081:5000"]
    lab.attach(again)
    again.serve("again")
    assert lab.outside.ask("tcp", "192.0.2.1", 8081) == "again saw 192.0.2.2"
    assert lab.up().stdout == ""


def test_what_only_an_up_puts_there_stays(lab):
    """Where a member's questions for names go, and the ports of its own that are open."""
    lab.networks.append({"name": "back"})
    lab.opens.append({"unit": "web.container", "protocol": "tcp", "first": "7000", "last": "7000"})
    web = lab.add("web", networks=("orlop", "back"), ports=["8080:5000"])
    maps = [[*"nft list map inet orlop names4".split()], [*"nft list set inet orlop open".split()]]
    before = [lab.host.run(*m).stdout for m in maps]
    assert all("web.container" in text for text in before)
    lab.write("/run/orlop/ports/web.container", "damaged")
    lab.down(web)
    assert [lab.host.run(*m).stdout for m in maps] == before
    assert "web.container" not in lab.host.run("nft", "list", "map", "inet", "orlop", "publish4").stdout
    assert "web.container" not in lab.host.run("nft", "list", "table", "bridge", "orlop").stdout


def test_a_taken_port_names_its_owner_and_undoes_the_rest(lab):
    lab.add("web", ports=["8080:5000"])
    other = lab.add("other", start=False, ports=["9090:5000", "8080:5000"])
    before = lab.everything()
    failed = lab.attach(other, check=False)
    assert failed.returncode == 1
    assert "publish4 tcp . 8080" in failed.stderr and "published by web.container" in failed.stderr
    assert lab.everything() == before


def test_a_failing_step_is_named_with_the_kernels_words(lab):
    web = lab.add("web", start=False)
    web.run("ip", "link", "add", "eth0", "type", "bridge")
    before = lab.everything()
    failed = lab.attach(web, check=False)
    assert "network: links: making veth" in failed.stderr
    assert lab.everything() == before


def test_a_flushed_ruleset_is_filled_again(lab):
    lab.add("web", ports=["8080:5000"])
    before = lab.ruleset()
    for flush in "flush ruleset", "flush table inet orlop", "delete element inet orlop publish4 { tcp . 8080 }":
        lab.host.run("nft", flush)
        assert "packet filter" in lab.up().stdout
        assert lab.ruleset() == before
        assert lab.outside.ask("tcp", "192.0.2.1", 8080) == "web saw 192.0.2.2"


def test_other_tables_are_left_alone(lab):
    lab.host.run("nft", "add table inet mine; add chain inet mine c { type filter hook input priority 0; }")
    lab.host.run("nft", "flush table inet orlop")
    lab.up()
    assert "table inet mine" in lab.ruleset()


def test_a_lease_is_kept_for_ever(lab):
    (address,) = lab.add("web").addresses("eth0")
    lab.members.clear()
    lab.up()
    for i in range(30):
        lab.members.append({"unit": f"x{i}.container", "network": "orlop", "names": f"x{i}"})
    lab.up()
    assert f"lease orlop web.container {address} -" in lab.host.run(
        "cat", "/var/lib/orlop/state/leases").stdout
    web = lab.add("web")
    assert web.addresses("eth0") == [address]


def test_hosts_file_is_complete_before_anybody_starts(lab):
    lab.members += [{"unit": "a.container", "network": "orlop", "names": "a,alias.a"},
                    {"unit": "b.container", "network": "orlop", "names": "b", "address": "10.88.7.7"}]
    lab.up()
    hosts = lab.host.run("cat", "/run/orlop/hosts/orlop").stdout
    assert hosts.startswith("127.0.0.1 localhost\n::1 localhost")
    assert "10.88.7.7 b\n" in hosts and " a alias.a\n" in hosts
    assert "10.88.0.1 host.containers.internal" in hosts
    inode = lab.host.run("stat", "-c", "%i", "/run/orlop/hosts/orlop").stdout
    lab.members.pop()
    lab.up()
    assert "10.88.7.7" not in lab.host.run("cat", "/run/orlop/hosts/orlop").stdout
    # containers have it bind-mounted: it must stay the same file
    assert inode == lab.host.run("stat", "-c", "%i", "/run/orlop/hosts/orlop").stdout


def test_networks_come_and_go(lab):
    lab.networks.append({"name": "lan"})
    text = lab.up().stdout
    assert "bridge add ob" in text and "10.89.0.1/24" in text
    lab.networks.pop()
    assert "link remove ob" in lab.up().stdout
    assert lab.up().stdout == ""


def waits(process, name, call):
    """Whether it is that program by now, and sits in that system call."""
    with open(f"/proc/{process.pid}/comm", encoding="ascii") as comm, open(f"/proc/{process.pid}/syscall", encoding="ascii") as at:
        return comm.read().strip() == name and at.read().split()[0] == str(call)


def waits_for_a_lock(pid):
    with open("/proc/locks", encoding="ascii") as locks:
        return any("->" in line and str(pid) in line.split() for line in locks)


def test_a_reload_does_not_undo_an_up_that_it_waited_for(lab):
    run = f"/proc/{lab.host.proc.pid}/root/run/orlop"
    lab.networks.append({"name": "lan"})
    with open(f"{run}/network.lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        reload = lab.host.popen(NET, "reload")
        eventually(lambda: waits_for_a_lock(reload.pid))
        lab.write("/run/orlop/network.want", lab.spec().decode())  # what an up does last
    did = reload.communicate(timeout=60)[0]
    assert reload.returncode == 0 and "bridge add ob" in did
    assert lab.up().stdout == ""


def test_a_reload_before_the_first_up_says_so():
    lab = Lab(up=False)
    try:
        reload = lab.tool("reload", check=False)
        assert reload.returncode == 1 and "orlop-net up has not run" in reload.stderr
    finally:
        lab.close()


def test_a_network_gets_ipv6_later_and_loses_it_again(lab):
    lab.networks[0]["subnet6"] = "fd00:88::/64"
    lab.up()
    assert lab.host.addresses("orlop0") == ["10.88.0.1", "fd00:88::1"]
    assert lab.up().stdout == ""
    del lab.networks[0]["subnet6"]
    lab.up()
    assert lab.host.addresses("orlop0") == ["10.88.0.1"]
    assert lab.up().stdout == ""


def test_one_bad_network_or_member_stops_nobody_else(lab):
    lab.networks += [{"name": "bad", "subnet": "10.88.1.0/24"}, {"name": "worse", "subnet": "1.2.3"}]
    lab.members += [{"unit": "in-bad.container", "network": "bad", "names": "x"},
                    {"unit": "far.container", "network": "orlop", "address": "10.99.0.1"}]
    up = lab.up()
    assert "network bad: subnet 10.88.1.0/24 overlaps that of network orlop" in up.stderr
    assert 'network worse: "1.2.3" is not an IPv4 subnet' in up.stderr
    assert "far.container: network orlop: 10.99.0.1 lies outside of 10.88.0.0/16" in up.stderr
    lab.add("web", ports=["8080:5000"])
    assert lab.outside.ask("tcp", "192.0.2.1", 8080) == "web saw 192.0.2.2"


def test_without_bridges_only_settings_and_lo():
    lab = Lab(up=False)
    try:
        lab.networks.clear()
        assert not [op for op in lab.up().stdout.splitlines()
                    if not op.startswith(("sysctl", "file", "link up lo"))]
        assert lab.ruleset() == ""
        none = lab.node("none")
        none.unit, none.networks, none.ports = "none.container", ("none",), ()
        lab.attach(none)
        assert "UP" in none.run("ip", "link", "show", "lo").stdout
    finally:
        lab.close()


def test_wait_online_wakes_with_the_route(lab):
    assert lab.tool("wait-online", "1", check=False).returncode == 1
    p = lab.host.popen(NET, "wait-online", "60")
    eventually(lambda: waits(p, "orlop-net", 7))
    assert p.poll() is None
    lab.host.run("ip", "route", "add", "default", "via", "192.0.2.2")
    assert p.wait(timeout=30) == 0


def test_a_damaged_lease_file_is_told_and_survived(lab):
    lab.host.run("sh", "-c", "printf 'lease orlop web.container 10.88.9.9 -\\n"
                 "lease orlop %s 10.88.9.8 -\\nlease a b\\n\\377\\n' $(head -c 4000 /dev/zero | tr '\\0' x)"
                 " > /var/lib/orlop/state/leases")
    up = lab.up()
    assert "3 lines cannot be read" in up.stderr
    assert lab.add("web").addresses("eth0") == ["10.88.9.9"]
