# SPDX-License-Identifier: Apache-2.0
"""The table of docs/security.md, row by row, seen from inside a container that says nothing about itself.

A row without a check here, or a check without a row, fails: what the document says is what was looked at. Docker's
own defaults (moby's profiles/seccomp and oci/defaults) are written down below; nothing of ours is weaker.
"""

import json
import os
import re
import shutil

import pytest

from runtime_world import BASE, TOP, World

PROBE = os.path.join(TOP, "build/tests/ns/run_probe")
EPERM, EACCES, EINVAL, EROFS, ENOSYS = 1, 13, 22, 30, 38

DOCKER_CAPS = ("CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT "
               "KILL AUDIT_WRITE").split()  # fmt: skip
DOCKER_MASKED = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                 "/proc/sched_debug", "/proc/scsi", "/proc/interrupts", "/sys/firmware", "/sys/devices/virtual/powercap"]  # fmt: skip
DOCKER_READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
DOCKER_DEVICES = {"null", "zero", "full", "random", "urandom", "tty", "console", "ptmx", "pts", "shm", "mqueue", "fd", "stdin",
                  "stdout", "stderr", "core"}  # fmt: skip
NUMBERS = {name: n for n, name in enumerate(
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST "
    "NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE "
    "SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP".split())}  # fmt: skip

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


class Inside:
    def __init__(self, world):
        self.world = world
        self.told = self.probe()
        self.attempts = self.told["attempts"]
        self.mounts = {}
        for line in self.told["mountinfo"].splitlines():
            fields = line.split()
            kind = line.split(" - ")[1].split()[0]
            self.mounts[fields[4]] = (kind, set(fields[5].split(",")))

    def probe(self, **fields):
        r = self.world.start(image="probe", **fields)
        assert r.failed is None and r.exit["code"] == 0, r
        return json.loads(r.output)

    def sh(self, script, **fields):
        r = self.world.sh(script, **fields)
        assert r.failed is None, r
        return r.output.splitlines()


def mask(told, key):
    return int(re.search(rf"^{key}:\s+(\w+)$", told["status"], re.M)[1], 16)


def ids(i):
    assert i.told["uid_map"].split() == ["0", str(BASE), "65536"]
    assert i.probe(userns="host")["uid_map"].split()[:2] == ["0", "0"]


def capabilities(i):
    ours = {name for name, n in NUMBERS.items() if mask(i.told, "CapBnd") >> n & 1}
    assert mask(i.told, "CapBnd") == mask(i.told, "CapEff") == mask(i.told, "CapPrm") == sum(1 << NUMBERS[c] for c in ours)
    assert len(DOCKER_CAPS) == 14 and len(ours) == 11
    assert set(DOCKER_CAPS) - ours == {"MKNOD", "NET_RAW", "AUDIT_WRITE"} and ours < set(DOCKER_CAPS)
    assert mask(i.told, "CapInh") == mask(i.told, "CapAmb") == 0


def other_users(i):
    told = i.probe(user="app")
    assert mask(told, "CapEff") == mask(told, "CapPrm") == mask(told, "CapAmb") == 0
    told = i.probe(user="app", cap_add=["NET_RAW"])
    assert mask(told, "CapEff") == mask(told, "CapAmb") == 1 << NUMBERS["NET_RAW"]


def calls(i):
    assert mask(i.told, "Seccomp") == 2
    assert i.attempts["personality"] == ENOSYS and i.attempts["kexec"] == EPERM


def new_namespaces(i):
    names = ("mount_tmpfs", "mount_proc", "unshare_user", "unshare_mnt", "umount_mask", "umount_proc_sys", "remount_proc_sys")
    for k in names:
        assert i.attempts[k] == EPERM, k
    with_admin = i.probe(cap_add=["SYS_ADMIN"], seccomp="unconfined")["attempts"]
    for k in ("umount_mask", "umount_proc_sys", "remount_proc_sys", "remount_root_ro"):
        assert with_admin[k] in (EPERM, EINVAL), (k, with_admin[k])


def refused_calls(i):
    a = i.attempts
    assert a["clone3"] == a["io_uring"] == ENOSYS
    assert a["keyctl"] == a["userfaultfd"] == a["ptrace"] == EPERM
    assert i.probe(cap_add=["SYS_PTRACE"])["attempts"]["ptrace"] == 0


def terminal_input(i):
    assert i.attempts["tiocsti"] == i.attempts["tiocsti_high_bits"] == EPERM


def vsock(i):
    assert i.attempts["vsock"] == i.attempts["vsock_high_bits"] == EPERM


def x32(i):
    r = i.world.start(image="probe", entrypoint_set=True, exec=["/probe", "call", "x32", "39", "0", "1"])
    assert {line.split()[1] for line in r.output.splitlines()} == {str(ENOSYS)}


def read_only_proc(i):
    for path in DOCKER_READ_ONLY:
        if path in i.mounts:
            assert "ro" in i.mounts[path][1], path
        else:
            assert i.sh(f"test -e {path} && echo there") == [], path
    assert i.attempts["write_core_pattern"] in (EACCES, EROFS)


def masked(i):
    more = ["/sys/devices/system/cpu/cpu0/thermal_throttle"]
    script = "".join(f"if [ -d {p} ]; then ls -A {p}; elif [ -e {p} ]; then cat {p}; fi;" for p in DOCKER_MASKED + more)
    assert i.sh(script + "echo end") == ["end"]


def sysfs(i):
    for path in ("/sys", "/sys/fs/cgroup"):
        assert "ro" in i.mounts[path][1]
    assert i.attempts["write_cgroup"] in (EACCES, EROFS)


def devices(i):
    assert set(i.sh("ls /dev")) <= DOCKER_DEVICES
    assert i.attempts["mknod_disk"] == i.attempts["mknod_null"] == EPERM
    for path, (kind, flags) in i.mounts.items():
        assert "nodev" in flags or path in ("/dev", "/dev/pts"), (path, kind)
    # the filter, where a node can be made at all
    out = i.sh("mknod /dev/k c 1 11; head -c 1 /dev/k > /dev/null && echo read; echo end", userns="host", cap_add=["CAP_MKNOD"])
    assert out[-1] == "end" and "read" not in out and "not permitted" in out[0]


def root(i):
    kind, flags = i.mounts["/"]
    assert kind == "overlay" and "nodev" in flags and i.attempts["create_in_root"] == 0
    assert i.sh("stat -c %u /bin/busybox; ls /created 2>/dev/null") == ["0"]


def volumes(i):
    told = i.probe(mount=[("volume", "told", "/v", "")])["mountinfo"]
    flags = next(line.split()[5].split(",") for line in told.splitlines() if line.split()[4] == "/v")
    assert {"nosuid", "nodev", "rw"} <= set(flags)
    i.sh("touch /v/f; chown 7:8 /v/f", mount=[("volume", "told", "/v", "")])
    again = i.sh("stat -c %u:%g /v/f", mount=[("volume", "told", "/v", "")], unit="u.container", ids_base=BASE + 65536)
    assert again == ["7:8"]


def keyring(i):
    """Not even containers of one host id, with the calls allowed, find each other's keys."""
    twice = i.world.start(image="probe", entrypoint_set=True, exec=["/bin/sh", "-c", "/probe key; /probe key"], seccomp="unconfined")
    assert twice.output == "none\nfound\n"  # who shares a session does
    inside = dict(image="probe", entrypoint_set=True, exec=["/probe", "key"])
    for userns in ("host", "auto"):
        for unit in ("a.container", "b.container", "a.container"):
            assert i.world.start(unit=unit, userns=userns, seccomp="unconfined", **inside).output == "none\n"
    assert i.world.start(**inside).output == "refused\n"


def fds(i):
    assert sorted(i.told["fds"]) == ["0", "1", "2"]
    assert i.told["fds"]["0"] == "/dev/null" and all(i.told["fds"][n].startswith("pipe:") for n in "12")


CHECKS = {
    "ids": ids,
    "capabilities": capabilities,
    "capabilities of another user than root": other_users,
    "system calls": calls,
    "new namespaces, mounts": new_namespaces,
    "`clone3`, `io_uring`, `keyctl`, `userfaultfd`, `ptrace`": refused_calls,
    "pushing input to a terminal (`TIOCSTI`)": terminal_input,
    "`AF_VSOCK`": vsock,
    "x32 calls": x32,
    "`/proc/sys`, `bus`, `fs`, `irq`, `sysrq-trigger`": read_only_proc,
    "masked": masked,
    "`/sys`, `/sys/fs/cgroup`": sysfs,
    "devices": devices,
    "root file system": root,
    "volumes": volumes,
    "session keyring": keyring,
    "fds": fds,
}


def rows():
    with open(os.path.join(TOP, "docs/security.md"), encoding="utf-8") as text:
        table = text.read().split("## Defaults, beside Docker's")[1].split("\n## ")[0]
    return [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")][1:]


@pytest.fixture(scope="module")
def inside():
    w = World()
    w.image_with("probe", lambda top: shutil.copy(PROBE, top + "/probe"), Entrypoint=["/probe"])
    try:
        yield Inside(w)
    finally:
        w.close()


def test_every_row_has_a_check():
    assert rows() == list(CHECKS)


@pytest.mark.parametrize("row", CHECKS)
def test_row(inside, row):
    CHECKS[row](inside)
