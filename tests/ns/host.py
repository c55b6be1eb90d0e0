# SPDX-License-Identifier: Apache-2.0
"""A host without a machine: orlop-init --inside as PID 1 of a pid namespace, with mount, network, UTS, IPC and
cgroup namespaces around it, on an overlay of this machine's root (enter.sh). Natively fast; needs root.

    def test_it(host):
        host.unit("a.service", "[Service]\\nExecStart=/bin/sleep 100\\n")
        host.boot()
        host.until("a.service", "up")
        code, lines = host.ask("stop", "a.service")
"""

import itertools
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BIN = os.path.join(TOP, "build/bin")
MAGIC = 0x316C726F
HEAD = struct.Struct("=III")


def cgroup2():
    """Where this machine has the unified hierarchy, or None."""
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        for line in mounts:
            words = line.split()
            if words[2] == "cgroup2":
                return words[1]
    return None


def retry(function, timeout=20.0):
    """Calls function until it returns without an exception that means "not yet"; returns what it returned. A field
    that is not there yet (LookupError) and a connection that PID 1 closed when it crashed (EOFError) are such."""
    end = time.monotonic() + timeout
    while True:
        try:
            return function()
        except (AssertionError, OSError, LookupError, EOFError):
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


def settled(function, quiet=0.5, timeout=30.0):
    """What function returns, once that has been the same for `quiet` seconds: the last client's connection is closed,
    the last helper is reaped. What goes while it is looked at (OSError) is not at rest."""
    end = time.monotonic() + timeout
    last, since = object(), time.monotonic()
    while time.monotonic() - since < quiet:
        assert time.monotonic() < end, f"never at rest: {last}"
        time.sleep(0.02)
        try:
            value = function()
        except OSError as e:
            value = e
        if value != last:
            last, since = value, time.monotonic()
    return last


class Status(dict):
    """What PID 1 says of a unit. A unit that does not run has no pid: a field that was not said is None."""

    def __missing__(self, key):
        return None


class Client:
    """One connection of the control protocol, on the SOCK_SEQPACKET socket."""

    ids = itertools.count(1)

    def __init__(self, path, timeout=15.0):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(timeout)
        self.sock.connect(path)

    def send(self, *words):
        payload = b"".join(w.encode() + b"\0" for w in words)
        ident = next(self.ids)
        self.sock.send(HEAD.pack(MAGIC, len(payload), ident) + payload)
        return ident

    def read(self):
        """One line of an answer: (id, object)."""
        packet = self.sock.recv(1 << 17)
        if not packet:
            raise EOFError("closed")
        magic, length, ident = HEAD.unpack_from(packet)
        assert magic == MAGIC and length == len(packet) - HEAD.size
        return ident, json.loads(packet[HEAD.size :])

    def ask(self, *words):
        """(exit code, lines); the error of the last line is a line of its own: {"error": ...}."""
        ident = self.send(*words)
        lines = []
        while True:
            answered, line = self.read()
            assert answered == ident
            if "exit" in line:
                if "error" in line:
                    lines.append({"error": line["error"]})
                return line["exit"], lines
            lines.append(line)

    def close(self):
        self.sock.close()


class Host:
    def __init__(self):
        self.base = tempfile.mkdtemp(prefix="orlop-ns-", dir="/var/tmp")
        self.process = None
        self.pid = None
        self.cgroup = os.path.join(cgroup2(), os.path.basename(self.base))
        for name in ("units", "store", "programs", "share", "share/images"):
            os.mkdir(os.path.join(self.base, name))
        shutil.copy(os.path.join(TOP, "netcfg/base.nft"), self.path("share"))
        for name in os.listdir(BIN):
            shutil.copy(os.path.join(BIN, name), os.path.join(self.base, "programs", name))

    # --- before the boot

    def path(self, name):
        """A file of the harness: units/..., store/..., programs/..."""
        return os.path.join(self.base, name)

    def unit(self, name, text):
        with open(os.path.join(self.base, "units", name), "w", encoding="utf-8") as f:
            f.write(text)

    def image(self, archive):
        """An image archive that the boot imports."""
        shutil.copy(archive, self.path("share/images"))

    def boot(self, *options, wait=True, console=None):
        """console: an fd in place of the log file."""
        if not os.path.isdir(self.cgroup):
            os.mkdir(self.cgroup)
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(
                ["unshare", "--pid", "--fork", "--kill-child=KILL", "--mount", "--net", "--uts", "--ipc",
                 "--cgroup", os.path.join(TOP, "tests/ns/enter.sh"), self.base,
                 "/usr/lib/orlop/orlop-init", "--inside", *options],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log if console is None else console,
                preexec_fn=self._join_cgroup)  # fmt: skip
        self.pid = retry(self._find_pid)
        if wait:
            retry(self._answers)

    def _join_cgroup(self):
        with open(os.path.join(self.cgroup, "cgroup.procs"), "w", encoding="utf-8") as f:
            f.write("0")

    def _find_pid(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as f:
            children = f.read().split()
        assert len(children) == 1, self.log()
        with open(f"/proc/{children[0]}/comm", encoding="utf-8") as f:
            assert f.read().strip() == "orlop-init", self.log()
        return int(children[0])

    def _answers(self):
        assert self.process.poll() is None, self.log()
        assert self.ask("status")[0] == 0

    # --- while it runs

    def root(self, path):
        """A path inside, as seen from here."""
        return f"/proc/{self.pid}/root{path}"

    def client(self, **options):
        return Client(self.root("/run/orlop/control"), **options)

    def ask(self, *words, **options):
        client = self.client(**options)
        try:
            return client.ask(*words)
        finally:
            client.close()

    def status(self, unit):
        code, lines = self.ask("status", unit)
        assert code in (0, 3), lines
        return Status(lines[0])

    def until(self, unit, state, timeout=20.0):
        """Waits until the unit is in that state; returns its status."""

        def look():
            status = self.status(unit)
            assert status["state"] == state, (status, self.log())
            return status

        return retry(look, timeout)

    def run(self, *argv, **options):
        """A command inside."""
        return subprocess.run(
            ["nsenter", "-t", str(self.pid), "-a", *argv],
            capture_output=True, text=True, timeout=60, **options, check=False)  # fmt: skip

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def rss(self):
        """Resident set of PID 1 in bytes."""
        with open(f"/proc/{self.pid}/statm", encoding="utf-8") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def wait(self, timeout=30.0):
        """Until PID 1 has ended."""
        return self.process.wait(timeout)

    # --- after it

    def kill(self):
        if self.process and self.process.poll() is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except (ProcessLookupError, TypeError):
                self.process.kill()
            self.process.wait()

    def close(self):
        self.kill()
        self._remove_cgroups()
        shutil.rmtree(self.base, ignore_errors=True)

    def _remove_cgroups(self):
        for directory, _, _ in os.walk(self.cgroup, topdown=False):
            retry(lambda d=directory: os.path.isdir(d) and os.rmdir(d))
