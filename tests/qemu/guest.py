# SPDX-License-Identifier: Apache-2.0
"""A booted host: QEMU, its disks, its console and its control port.

Nothing here waits by sleeping for a guessed time: until() asks again until it is so or its deadline has
passed. Nothing reads the console to find out how things are: the control port answers. The console is
kept in a file and looked through at the end for what no run may print.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from http.client import HTTPException
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
ORLOP = TOP / "build/bin/orlop"

# What a healthy run never prints. The command line itself is echoed by the kernel: "panic=10".
BAD = re.compile(r"BUG:|Oops|[Pp]anic(?!=)|hung task|blocked for more than|segfault|Call Trace")


def until(condition, seconds=60, what=None):
    """Calls condition until it returns something true, and returns that. An exception of its own counts as
    "not yet" until the deadline, where it is the failure."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            value, error = condition(), None
        except (AssertionError, OSError, LookupError, NotAnswered, HTTPException) as e:
            value, error = None, e
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not so after {seconds} s: {what or condition}") from error
        time.sleep(0.05)


class NotAnswered(Exception):
    """orlop exited with a code other than 0."""

    def __init__(self, code, text):
        super().__init__(f"orlop: exit code {code}: {text}")
        self.code = code


def run(*command, **kwargs):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True, **kwargs)


class Port:
    """A port of this machine that is a guest's for as long as this lives: bound, so that it becomes nobody's by
    chance, between two boots neither; and QEMU may listen on it, as both want it to be used again."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.number = self.socket.getsockname()[1]


def build_image(out, units=None, images=(), cmdline=""):
    """make image, without make: its parts were built before the tests began."""
    env = dict(os.environ, OUT=str(out), UNITS=str(units or ""), CMDLINE=cmdline)
    env["IMAGES"] = " ".join(str(i) for i in images)
    run(TOP / "rootfs/host/mkimage", cwd=TOP, env=env)
    return Path(out)


class Disk:
    """A raw disk in a sparse file. bus: what it hangs on in the guest."""

    DEVICES = {
        "virtio": ["-device", "virtio-blk-pci,drive={id}"],
        "scsi": ["-device", "virtio-scsi-pci,id=bus-{id}", "-device", "scsi-hd,bus=bus-{id}.0,drive={id}"],
        "nvme": ["-device", "nvme,serial={id},drive={id}"],
    }

    def __init__(self, path, size=256 << 20, bus="virtio"):
        self.path = Path(path)
        self.bus = bus
        with open(self.path, "wb") as f:
            f.truncate(size)

    def qemu_options(self, number):
        drive = f"d{number}"
        device = [word.format(id=drive) for word in self.DEVICES[self.bus]]
        return ["-drive", f"file={self.path},format=raw,if=none,id={drive},discard=unmap", *device]

    def label(self, label="orlop-data"):
        run("/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-L", label, self.path)
        return self

    def digest(self):
        return run("sha256sum", self.path).stdout.split()[0]

    def fields(self):
        """The superblock in words, as dumpe2fs has it."""
        text = run("/sbin/dumpe2fs", "-h", self.path).stdout
        return dict(re.findall(r"^([^:\n]+):\s+(.*)$", text, re.M))

    def is_consistent(self):
        return subprocess.run(["/sbin/e2fsck", "-fn", self.path], capture_output=True).returncode == 0


class Qmp:
    """QEMU's own control socket: events (why it ended), the power button."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        until(lambda: self.socket.connect(str(path)) is None, 30, "QEMU opens its socket")
        self.stream = self.socket.makefile("rw")
        self.events = []
        self.stream.readline()  # greeting
        self.call("qmp_capabilities")

    def call(self, name, **arguments):
        self.stream.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.stream.flush()
        for line in self.stream:
            message = json.loads(line)
            if "event" in message:
                self.events.append(message)
            elif "return" in message or "error" in message:
                return message
        return None

    def shutdown_reason(self):
        """Reads on until QEMU closes the socket: it ended."""
        try:
            self.events += [json.loads(line) for line in self.stream]
        except OSError:
            pass
        reasons = [e["data"].get("reason") for e in self.events if e["event"] == "SHUTDOWN"]
        return reasons[-1] if reasons else None

    def close(self):
        with contextlib.suppress(OSError):  # what it could not be told any more
            self.stream.close()
        self.socket.close()


class Guest:
    def __init__(self, folder, image, disks=(), ports=(), cmdline="", memory=512, machine="pc"):
        self.folder = Path(folder)
        self.image = Path(image)
        self.disks = list(disks)
        self.ports = {guest: Port() for guest in ports}
        self.cmdline = cmdline
        self.memory = memory
        self.machine = machine
        self.qemu = self.qmp = None
        self.boots = 0

    # --- life ---

    def _command(self):
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{h.number}-:{g}" for g, h in self.ports.items())
        append = (self.image / "cmdline").read_text().strip()
        command = [
            "qemu-system-x86_64", "-M", self.machine, "-accel", "tcg", "-smp", "2", "-m", str(self.memory),
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-kernel", self.image / "vmlinuz", "-initrd", self.image / "initramfs",
            "-append", f"{append} orlop.control=virtio {self.cmdline}",
            "-chardev", f"socket,id=con,path={self.folder}/tty,server=on,wait=off,logfile={self.console_path}",
            "-serial", "chardev:con",
            "-qmp", f"unix:{self.folder}/qmp,server=on,wait=off",
            "-netdev", f"user,id=net0{forwards}", "-device", "virtio-net-pci,netdev=net0,romfile=",
            "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=ctl,path={self.folder}/control,server=on,wait=off",
            "-device", "virtserialport,chardev=ctl,name=org.orlop.control",
        ]
        for i, disk in enumerate(self.disks):
            command += disk.qemu_options(i)
        return [str(c) for c in command]

    @property
    def console_path(self):
        return self.folder / f"console-{self.boots}.log"

    def start(self):
        self.boots += 1
        for name in ("tty", "qmp", "control"):
            (self.folder / name).unlink(missing_ok=True)
        with open(self.folder / "qemu.log", "a", encoding="utf-8") as log:
            self.qemu = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.qmp = Qmp(self.folder / "qmp")
        return self

    def boot(self, seconds=120):
        """Starts it and waits until PID 1 answers."""
        self.start()
        until(lambda: self.is_running() and self.orlop("ps", timeout=5) is not None, seconds,
              "the control port answers")
        return self

    def is_running(self):
        assert self.qemu.poll() is None, f"QEMU ended: {self.log_tail()}"
        return True

    def ended(self, seconds=90):
        """Waits until the machine is off; says why: guest-shutdown, guest-reset, ..."""
        self.qemu.wait(seconds)
        reason = self.qmp.shutdown_reason()
        self.qmp.close()
        self.qemu = self.qmp = None
        self.check_console()
        return reason

    def poweroff(self):
        self.orlop("poweroff")
        assert self.ended() == "guest-shutdown"

    def reboot(self):
        self.orlop("reboot")
        assert self.ended() == "guest-reset"
        return self.boot()

    def cut_power(self):
        """Ends it where it stands. What the guest had handed to the disk is there, nothing else."""
        if self.qemu:
            self.qemu.kill()
            self.qemu.wait(30)
            self.qmp.close()
            self.qemu = self.qmp = None

    # --- talking to it ---

    def orlop(self, *words, timeout=30, codes=(0,)):
        """The answer of a verb, as a list of objects. Raises NotAnswered if orlop's exit code is not among codes."""
        command = [str(ORLOP), "--connect", f"unix:{self.folder}/control", "--timeout", str(timeout), *words]
        if words[0] not in ("poweroff", "reboot", "halt", "run"):
            command.append("--json")
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout + 10)
        if done.returncode not in codes:
            raise NotAnswered(done.returncode, done.stderr.strip() + done.stdout.strip())
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def units(self):
        return {u["unit"]: u for u in self.orlop("ps", "-a") if "unit" in u}

    def status(self, *unit):
        """As systemctl does, `orlop status UNIT` exits with 3 where the unit is not up."""
        return self.orlop("status", *unit, codes=(0, 3))[0]

    def said(self, unit):
        """The lines that a unit has said so far."""
        return [line["s"] for line in self.orlop("logs", unit) if "s" in line]

    def wait_unit(self, name, state="up", seconds=60):
        return until(lambda: self.units()[name]["state"] == state and self.units()[name], seconds,
                     f"{name} is {state}")

    def get(self, port, path="/", seconds=60):
        """A page from a published port; asks until there is one. One that is slow to come is not asked for twice."""
        url = f"http://127.0.0.1:{self.ports[port].number}{path}"

        def fetch():
            self.is_running()
            with urllib.request.urlopen(url, timeout=seconds) as answer:
                return answer.read().decode()

        return until(fetch, seconds, url)

    def booted(self, seconds=120):
        """Waits until the boot has ended: all that starts by itself has been started."""
        until(lambda: self.status()["state"] == "running", seconds, "the boot has ended")
        return self

    def phases(self):
        return {p["phase"]: p["usec"] for p in self.orlop("boot") if "phase" in p}

    # --- the console ---

    def console(self):
        try:
            return self.console_path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def log_tail(self, lines=40):
        qemu = (self.folder / "qemu.log").read_text(encoding="utf-8", errors="replace")
        return "\n".join((qemu + self.console()).splitlines()[-lines:])

    def check_console(self):
        bad = [line for line in self.console().splitlines() if BAD.search(line)]
        assert not bad, "the console shows:\n" + "\n".join(bad)

    def done(self):
        """End of a test, whatever came before."""
        self.cut_power()
        self.check_console()


def copy_units(to, *sources, **files):
    """A folder of units: copies of folders, and files given as text (name with _ for its last dot)."""
    to.mkdir(parents=True, exist_ok=True)
    for source in sources:
        shutil.copytree(source, to, dirs_exist_ok=True)
    for name, text in files.items():
        (to / ".".join(name.rsplit("_", 1))).write_text(text)
    return to
