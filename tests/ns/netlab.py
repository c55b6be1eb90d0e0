# SPDX-License-Identifier: Apache-2.0
"""A whole network in namespaces: a host stand-in with its own mount and network namespace, containers, and
computers outside, joined by veth pairs. Programs run at their real paths below tmpfs and overlay mounts that
only the host stand-in sees. Everything dies with close(); nothing touches the machine the tests run on.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NET = f"{TOP}/build/bin/orlop-net"
PROBE = f"{TOP}/build/tests/ns/net_probe"
HOST = f"{TOP}/rootfs/host/files"
PORT = 5000
ANSWER_MS = 15000  # for what must come
SILENCE_MS = 400  # for what must not


def fields(header, struct):
    """The members of a C struct of strings, in order: what a record of it is made of."""
    with open(f"{TOP}/units/{header}", encoding="utf-8") as text:
        body = re.search(r"struct %s \{(.*?)\n\};" % struct, text.read(), re.S).group(1)
    return re.findall(r"^\tchar \*(\w+);", body, re.M)


NETWORK = fields("netspec.h", "netspec_network")
MEMBER = fields("netspec.h", "netspec_member")
UPLINK = fields("netspec.h", "netspec_uplink")
OPEN = fields("netspec.h", "netspec_open")
SPEC_NETWORK = fields("spec.h", "spec_network")
SPEC_PORT = fields("spec.h", "spec_port")


def record(key, names, values):
    unknown = set(values) - set(names)
    assert not unknown, unknown
    return b"".join(w.encode() + b"\0" for w in [key, *(values.get(n, "") for n in names)])


def netspec(networks, members):
    return b"".join(record("network", NETWORK, n) for n in networks) + b"".join(
        record("member", MEMBER, m) for m in members
    )


def memfd(data):
    fd = os.memfd_create("spec")
    os.write(fd, data)
    return fd


class Node:
    """A process that holds namespaces open, and the means to run things in them."""

    def __init__(self, name, parent=None, mounts=None, userns=False):
        self.name = name
        self.servers = []
        enter = parent.enter() if parent else []
        make = ["unshare", "-n"]
        if mounts is not None:
            make += ["-m", "--propagation", "private"]
        if userns:
            make += ["-U", "--map-root-user"]
        script = (mounts or "") + "\necho up; exec sleep 100000"
        self.proc = subprocess.Popen(
            [*enter, *make, "sh", "-ec", script], stdout=subprocess.PIPE, text=True
        )
        assert self.proc.stdout.readline() == "up\n", f"{name} did not come up"
        self.mounts = mounts is not None
        self.userns = userns
        self.parent = parent

    def enter(self):
        who = ["nsenter", "-t", str(self.proc.pid), "-n"]
        if self.mounts:
            who.append("-m")
        elif self.parent and self.parent.mounts:
            who.append("-m")
        return who

    def run(self, *cmd, check=True, **kw):
        done = subprocess.run(
            [*self.enter(), *cmd], capture_output=True, text=True, timeout=60, check=False, **kw
        )
        if check and done.returncode:
            raise AssertionError(f"{self.name}: {cmd}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def popen(self, *cmd, **kw):
        kw = {"stdout": subprocess.PIPE, "text": True} | kw
        p = subprocess.Popen([*self.enter(), *cmd], **kw)
        self.servers.append(p)
        return p

    def netns(self):
        return os.open(f"/proc/{self.proc.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def serve(self, name=None, port=PORT):
        p = self.popen(PROBE, "serve", name or self.name, str(port))
        assert p.stdout.readline() == "ready\n"
        return p

    def ask(self, proto, addr, port=PORT, ms=ANSWER_MS, source=None):
        """The server's answer, or why there was none. Waits long: a loaded machine is slow, not wrong."""
        args = [PROBE, "ask", proto, addr, str(port), str(ms)] + ([source] if source else [])
        return self.run(*args, check=False).stdout.strip()

    def socat(self, proto, addr, port, ms):
        """The same question, asked by socat."""
        to = f"{proto.upper()}:{f'[{addr}]' if ':' in addr else addr}:{port}"
        if proto != "udp":
            to += f",connect-timeout={ms / 1000}"
        p = subprocess.Popen([*self.enter(), "socat", f"-T{ms / 1000}", "STDIO", to], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        with p:
            try:
                p.stdin.write("?\n")
                p.stdin.flush()
            except BrokenPipeError:
                pass  # it could not even connect
            line = p.stdout.readline().strip()
            p.kill()
            with contextlib.suppress(BrokenPipeError):  # the question, if it could not be told above
                p.stdin.close()
        return line

    def is_deaf(self, proto, addr, port=PORT, source=None):
        """Whether nobody answers. Waits for what a test that it could be wrong of has shown to be plenty."""
        return "saw" not in self.ask(proto, addr, port, SILENCE_MS, source)

    def sniff(self, dev, pattern, ms=ANSWER_MS):
        """Waits for a frame with these bytes, in the background: heard() tells."""
        sniffer = self.popen(PROBE, "sniff", dev, pattern, str(ms))
        assert sniffer.stdout.readline() == "ready\n"
        return sniffer

    def addresses(self, dev):
        links = json.loads(self.run("ip", "-j", "addr", "show", "dev", dev).stdout)
        return [a["local"] for a in links[0]["addr_info"] if a["scope"] == "global"]

    def end_the_rest(self):
        """What its servers left in the network namespace that is ours: dhcpcd's proxies outlive their master, which
        on a host is seen to by the service's cgroup."""
        if self.proc.poll() is not None:
            return  # closed before
        own = os.readlink(f"/proc/{self.proc.pid}/ns/net")
        assert own != os.readlink("/proc/self/ns/net")
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if int(pid) != self.proc.pid and os.readlink(f"/proc/{pid}/ns/net") == own:
                    os.kill(int(pid), signal.SIGKILL)
            except OSError:
                pass  # gone by itself, or nothing of ours

    def close(self):
        for p in self.servers:
            p.terminate()  # those that keep servers of their own end them
        for p in self.servers:
            try:
                p.wait(timeout=10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
            if p.stdout:
                p.stdout.close()
        self.end_the_rest()
        self.proc.kill()
        self.proc.wait()
        self.proc.stdout.close()


HOST_MOUNTS = f"""
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib
mount -t tmpfs tmpfs /mnt
for dir in usr/share usr/lib etc; do
    mkdir -p /mnt/$dir/up /mnt/$dir/work
    mount -t overlay overlay -o lowerdir=/$dir,upperdir=/mnt/$dir/up,workdir=/mnt/$dir/work /$dir
done
mkdir -p /usr/share/orlop /usr/lib/orlop /var/lib/orlop/state /var/lib/dhcpcd
cp {TOP}/netcfg/base.nft /usr/share/orlop/base.nft
ln -s {NET} {HOST}/usr/lib/orlop/dhcpcd-hook /usr/lib/orlop/
mount --bind {HOST}/etc/dhcpcd.conf /etc/dhcpcd.conf
"""


ETC = """
for file in hosts/{file} resolv/{file}; do [ -e /run/orlop/$file ]; done
mount --bind /run/orlop/hosts/{file} /etc/hosts
mount --bind /run/orlop/resolv/{file} /etc/resolv.conf
"""


class Lab:
    """The host, a client outside on 192.0.2.0/24 and 2001:db8::/64, and the containers that tests add."""

    def __init__(self, up=True):
        self.nodes = []
        self.containers = {}
        self.networks = [{"name": "orlop", "bridge": "orlop0", "subnet": "10.88.0.0/16"}]
        self.members = []
        self.uplinks = []
        self.opens = []
        self.host = self.node("host", mounts=HOST_MOUNTS)
        self.outside = self.node("outside")
        self.host.run("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "eth0", "netns",
                      str(self.outside.proc.pid))
        for node, dev, n in (self.host, "uplink", 1), (self.outside, "eth0", 2):
            node.run("ip", "link", "set", "lo", "up")
            node.run("ip", "addr", "add", f"192.0.2.{n}/24", "dev", dev)
            node.run("ip", "addr", "add", f"2001:db8::{n}/64", "dev", dev, "nodad")
            # no link-local address that appears a second later and looks like a change
            node.run("ip", "link", "set", dev, "addrgenmode", "none", "up")
        if up:
            self.up()

    def node(self, name, **kw):
        node = Node(name, **kw)
        self.nodes.append(node)
        return node

    def tool(self, *args, data=b"", check=True, netns=None, trace=None):
        """orlop-net in the host stand-in, with data on fd 3 and a network namespace on fd 4. trace: a file
        that strace writes its system calls to."""
        strace = ["strace", "-f", "-v", "-o", trace, "-e", "trace=%file,%network,%process,ioctl"]
        spec = memfd(data)
        fds = [spec] if netns is None else [spec, netns]
        # inheritable copies at 3 and 4, whatever numbers they have here
        script = f'exec "$@" 3<&{spec} ' + (f"4<&{netns}" if netns is not None else "")
        try:
            for fd in fds:
                os.set_inheritable(fd, True)
            done = subprocess.run(
                ["bash", "-c", script, "bash", *self.host.enter(), *(strace if trace else []), NET, *args],
                pass_fds=fds, capture_output=True, text=True, timeout=60, check=False,
            )
        finally:
            os.close(spec)
        if check and done.returncode:
            raise AssertionError(f"orlop-net {args}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def spec(self):
        return netspec(self.networks, self.members) + b"".join(
            record("uplink", UPLINK, u) for u in self.uplinks) + b"".join(
            record("open", OPEN, o) for o in self.opens)

    def write(self, path, text):
        """A file of the host stand-in."""
        path = f"/proc/{self.host.proc.pid}/root{path}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)

    def up(self, check=True):
        return self.tool("up", data=self.spec(), check=check)

    def add(self, name, networks=("orlop",), ports=(), start=True, userns=False, up=True, etc=False, **member):
        """A container: a member of its networks, attached, with a server that answers its name.
        ports: "[ADDR:]HOST:CONTAINER[/PROTO]". etc: with /etc/hosts and resolv.conf as orlop-run binds them."""
        unit = f"{name}.container"
        for n in networks:
            self.members.append({"unit": unit, "network": n, "names": name, **member})
        if up:
            self.up()
        node = self.node(name, parent=self.host if etc else None, userns=userns,
                         mounts=ETC.format(file=unit if len(networks) > 1 else networks[0]) if etc else None)
        node.unit, node.networks, node.ports = unit, networks, ports
        self.containers[name] = node
        if start:
            self.attach(node)
            node.serve()
        return node

    def attach(self, node, check=True):
        data = b"".join(w + b"\0" for w in [b"unit", node.unit.encode()])
        for n in node.networks:
            data += record("network", SPEC_NETWORK, {"name": n})
        for p in node.ports:
            p, _, proto = p.partition("/")
            addr, host, container = ([""] + p.rsplit(":", 2))[-3:]
            data += record("port", SPEC_PORT, {"protocol": proto or "tcp", "address": addr.strip("[]"),
                                               "host": host, "container": container})
        netns = node.netns()
        try:
            return self.tool("attach", data=data, netns=netns, check=check)
        finally:
            os.close(netns)

    def down(self, node):
        return self.tool("down", node.unit)

    def ruleset(self):
        return self.host.run("nft", "list", "ruleset").stdout

    def everything(self):
        """All that the network is: links, addresses, routes, rules, records of units. Taken when nothing of
        an earlier change is under way any more (carriers, duplicate address detection)."""

        def settled():
            links = json.loads(self.host.run("ip", "-j", "-d", "addr").stdout)
            for link in links:
                port = link.get("linkinfo", {}).get("info_slave_data", {})
                assert ("LOWER_UP" in link["flags"]) == (link["operstate"] in ("UP", "UNKNOWN")), link
                assert port.get("state") in (None, "forwarding", "disabled"), link
                assert not [a for a in link["addr_info"] if a.get("tentative")], link
            return links

        keep = "ifname", "ifalias", "address", "mtu", "master", "addr_info"
        links = [{k: link[k] for k in keep if k in link} for link in eventually(settled)]
        return {
            "links": links,
            "routes": self.host.run("ip", "route", "show", "table", "all").stdout.replace(" linkdown", ""),
            "rules": self.ruleset(),
            "ports": self.host.run("ls", "/run/orlop/ports", check=False).stdout,
        }

    def close(self):
        for node in reversed(self.nodes):
            node.close()


def heard(sniffer):
    return sniffer.stdout.readline() == "seen\n"


def eventually(check, seconds=30):
    """Tries until check() is true or does not raise; its result."""
    end = time.monotonic() + seconds
    while True:
        try:
            result = check()
            if result or time.monotonic() > end:
                assert result
                return result
        except AssertionError:
            if time.monotonic() > end:
                raise
        time.sleep(0.02)
