# SPDX-License-Identifier: Apache-2.0
"""A disk that does not answer holds up whoever waits for it, and PID 1 never does: it goes on answering while people ask
for what must be written there or read from it, and they are told that it did not work."""

import contextlib
import glob
import os
import subprocess
import threading
import time

import pytest
from host import TOP, retry
from test_init_exec import ORLOP

IMAGE = os.path.join(TOP, "build/images/hello.tar")
SLEEP = "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"
# a file system whose server never says a word, for as long as this runs
MUTE = """
import ctypes, os, sys, time
fd = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = f"fd={fd},rootmode=40000,user_id=0,group_id=0".encode()
assert libc.mount(b"mute", sys.argv[1].encode(), b"fuse", 0, options) == 0, os.strerror(ctypes.get_errno())
os.close(1)
time.sleep(1000)
"""


class Asked(threading.Thread):
    """A request under way."""

    def __init__(self, host, *words):
        super().__init__(daemon=True)
        self.host, self.words, self.answer = host, words, None
        self.begun, self.took = time.monotonic(), None
        self.start()

    def run(self):
        self.answer = self.host.ask(*self.words, timeout=60)
        self.took = time.monotonic() - self.begun

    def result(self):
        self.join(60)
        assert self.answer, f"{self.words} was never answered\n" + self.host.log()[-2000:]
        return self.answer


def serves(host):
    """Answers everybody at once who wants nothing of the disk."""
    begun = time.monotonic()
    assert host.ask("ps", timeout=9)[0] == 0
    assert host.ask("status", "kept.service", timeout=9)[0] == 0
    assert time.monotonic() - begun < 9, "of the fifteen seconds that the disk is given"


@pytest.fixture
def disk(host):
    """A store of its own, which can be frozen: who writes to it then waits, and no signal ends that."""
    image, store = host.path("disk"), host.path("store")
    with open(image, "wb") as f:
        f.truncate(64 << 20)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, store], check=True)
    host.frozen = False
    def freeze(on):
        if on != host.frozen:
            subprocess.run(["fsfreeze", "-f" if on else "-u", store], check=True)
        host.frozen = on
    host.freeze = freeze
    yield host
    freeze(False)
    host.kill()
    retry(lambda: subprocess.run(["umount", store], check=True, stderr=subprocess.DEVNULL) and None
          if os.path.ismount(store) else None)  # fmt: skip


def test_nobody_waits_for_who_writes(disk):
    """A51: with the disk frozen, disable, enable, run -d and rm are asked for; each is answered with what is wrong,
    the first at its deadline and the others with it, PID 1 serves meanwhile. Thawed, all works again, and what was
    answered as done is on the disk."""
    containers = os.path.exists(IMAGE)
    disk.unit("kept.service", SLEEP)
    disk.unit("other.service", SLEEP)
    if containers:
        disk.image(IMAGE)
    disk.boot()
    disk.until("kept.service", "up", 60)
    assert disk.ask("disable", "other.service")[0] == 0
    assert os.path.exists(disk.root("/var/lib/orlop/state/disabled/other.service")), "answered when it is there"
    text = "[Container]\nImage=localhost/hello\nNetwork=none\nEntrypoint=/bin/busybox\nExec=sleep 1000\nStopTimeout=0\n"
    if containers:
        assert disk.ask("run", "gone", text, "-d", timeout=60)[0] == 0, disk.log()[-2000:]
        assert disk.ask("stop", "gone", timeout=60)[0] == 0
    disk.freeze(True)
    asked = [Asked(disk, "disable", "kept.service"), Asked(disk, "enable", "other.service"),
             Asked(disk, "run", "never", text, "-d")]  # fmt: skip
    asked += [Asked(disk, "rm", "gone")] if containers else []
    while any(a.is_alive() for a in asked):
        serves(disk)
        time.sleep(0.2)
    errors = {a.words[0]: (a.result()[0], str(a.result()[1])) for a in asked}
    assert errors["disable"][0] == 1 and "until the next boot only" in errors["disable"][1], errors
    assert errors["enable"][0] == 1 and "enabled until the next boot only" in errors["enable"][1], errors
    assert errors["run"][0] == 125 and "the disk" in errors["run"][1], errors
    if containers:
        assert errors["rm"][0] == 1 and "at the next boot" in errors["rm"][1], errors
    assert all(14 < a.took < 30 for a in asked), [a.took for a in asked]
    names = [u["unit"] for u in disk.ask("ps", "-a")[1]]
    assert "never.container" not in names and "gone.container" not in names

    # one process sits in it: nobody else is sent after it, and so nobody waits
    again = Asked(disk, "disable", "other.service")
    assert again.result()[0] == 1 and again.took < 5, (again.answer, again.took)
    disk.freeze(False)
    def works():
        assert disk.ask("disable", "kept.service")[0] == 0
    retry(works)
    assert disk.ask("enable", "other.service")[0] == 0
    assert sorted(os.listdir(disk.root("/var/lib/orlop/state/disabled"))) == ["kept.service"]
    if containers:
        assert disk.ask("run", "never", text, "-d", timeout=60)[0] == 0
        assert disk.ask("rm", "-f", "never", timeout=60)[0] == 0
        assert "never.container" not in os.listdir(disk.root("/var/lib/orlop/state/transient"))


def commands(host):
    """The command lines of all that runs inside."""
    inside = os.readlink(f"/proc/{host.pid}/ns/pid")
    for path in glob.glob("/proc/[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(path + "/ns/pid") == inside:
                with open(path + "/cmdline", encoding="utf-8", errors="replace") as f:
                    yield f.read()


def hang(host, job, number):
    """So many processes are at the store for this."""
    assert "".join(commands(host)).count(f"--aide\0store\0{job}") == number


def mute(host, path):
    """Whatever is below that path inside does not answer, until the result is killed."""
    process = subprocess.Popen(
        ["nsenter", "-t", str(host.pid), "-m", "/usr/bin/python3", "-c", MUTE, path], stdout=subprocess.PIPE)  # fmt: skip
    process.stdout.read()  # its end: it is mounted
    return process


def test_nobody_waits_for_who_reads(host):
    """A51: the unit files of the data disk cannot be read: a reload says so and changes nothing, a crash of PID 1 in the middle of
    it is survived, with the units of before."""
    host.unit("kept.service", SLEEP)
    host.boot()
    pid = host.until("kept.service", "up")["pid"]
    server = mute(host, "/var/lib/orlop/units")
    try:
        asked = [Asked(host, "reload"), Asked(host, "reload", "--dry-run")]
        while any(a.is_alive() for a in asked):
            serves(host)
            time.sleep(0.2)
        for a in asked:
            assert a.result()[0] == 1 and "the disk" in str(a.answer[1]) and a.took < 20, (a.answer, a.took)
        retry(lambda: hang(host, "units", 0))
        asked = Asked(host, "reload")
        retry(lambda: hang(host, "units", 1))
        serves(host)
        host.run("kill", "-SEGV", "1")
        assert asked.result()[0] == 1 and "revived" in str(asked.answer[1]), asked.answer
        retry(lambda: serves(host))
        assert host.status("kept.service")["pid"] == pid
    finally:
        server.kill()
        server.wait()
        host.run("umount", "-l", "/var/lib/orlop/units")
    host.unit("more.service", SLEEP)
    assert host.ask("reload")[0] == 0
    assert host.status("more.service")["state"] == "down"


def test_nobody_waits_for_who_looks_at_conditions(host):
    """A51: a condition's path leads to what does not answer: the start takes its time and fails, PID 1 does not, and a crash of
    it in the middle is survived. With an answer the conditions are looked at in their order."""
    host.unit("kept.service", SLEEP)
    host.unit("asks.service", "[Unit]\nConditionPathExists=/etc/passwd\nConditionPathExists=!/run/mute/x\n"
              "[Service]\nExecStartPre=/bin/touch /tmp/pre\nExecStart=/bin/sleep 1000\nTimeoutStartSec=4\n")  # fmt: skip
    host.unit("or.service", "[Unit]\nConditionPathExists=|/no/such\nConditionPathIsDirectory=|!/tmp\n" + SLEEP)
    host.boot()
    host.until("kept.service", "up")
    assert host.ask("start", "or.service")[0] == 0
    assert "ConditionPathIsDirectory=!/tmp does not hold" in str(host.status("or.service")), host.status("or.service")
    os.mkdir(host.root("/run/mute"))
    server = mute(host, "/run/mute")
    try:
        asked = Asked(host, "start", "asks.service")
        while asked.is_alive():
            serves(host)
            time.sleep(0.2)
        assert asked.result()[0] == 1 and 3 < asked.took < 15, (asked.answer, asked.took)
        assert host.status("asks.service")["state"] == "failed", host.status("asks.service")
        asked = Asked(host, "start", "asks.service")
        def looks():
            assert host.status("asks.service")["state"] not in ("down", "failed")
        retry(looks)
        serves(host)
        host.run("kill", "-SEGV", "1")
        retry(lambda: serves(host))
        host.until("asks.service", "failed", 30)
    finally:
        server.kill()
        server.wait()
        host.run("umount", "-l", "/run/mute")
    assert not os.path.exists(host.root("/tmp/pre"))
    assert host.ask("start", "asks.service", timeout=30)[0] == 0
    assert host.status("asks.service")["state"] == "up" and os.path.exists(host.root("/tmp/pre"))


def test_what_is_given_up_was_put_in_force_by_a_reload(disk):
    """A51: a reload that waited for the disk reads the unit that `orlop run` is making. The disk then does not take its
    note: run is told, nothing of the unit stays in force, and who wants it removed meanwhile is answered too."""
    disk.unit("kept.service", SLEEP)
    for folder in ("state", "state/transient", "state/disabled"):
        os.mkdir(os.path.join(disk.path("store"), folder))
    disk.boot()
    disk.until("kept.service", "up", 60)
    server = mute(disk, "/var/lib/orlop/state/transient")
    try:
        disk.freeze(True)
        asked = Asked(disk, "disable", "kept.service")
        retry(lambda: hang(disk, "disable", 1))
        client = disk.client(timeout=60)  # one, for their order
        reload = client.send("reload")
        run = client.send("run", "never", "[Container]\nImage=localhost/none\nNetwork=none\n", "-d")
        retry(lambda: os.stat(disk.root("/run/orlop/units/never.container")))
        disk.freeze(False)
        assert asked.result()[0] == 0
        def answers(wanted):
            while True:
                ident, line = client.read()
                if "exit" in line:
                    assert ident == wanted, line
                    return line
        assert answers(reload)["exit"] == 0
        assert disk.status("never.container")["state"] == "down"
        removed = Asked(disk, "rm", "never")
        line = answers(run)
        assert line["exit"] == 125 and "the disk" in line["error"], line
    finally:
        disk.freeze(False)
        server.kill()
        server.wait()
        disk.run("umount", "-l", "/var/lib/orlop/state/transient")
    code, lines = removed.result()
    assert (lines[0]["unit"], lines[0]["state"]) == ("never.container", "removed"), (code, lines)
    def is_gone():
        assert "never.container" not in [u["unit"] for u in disk.ask("ps", "-a")[1]]
    retry(is_gone)
    assert not os.path.exists(disk.root("/run/orlop/units/never.container"))


def test_a_shutdown_sends_nobody_after_it(host):
    """A51: a poweroff while one reload hangs in the disk and others wait: those are told, none is begun beside the unmount, and
    what hangs is killed."""
    host.unit("kept.service", SLEEP)
    host.boot()
    host.until("kept.service", "up")
    server = mute(host, "/var/lib/orlop/units")
    try:
        client = host.client(timeout=30)
        ids = [client.send("reload", "--dry-run") for _ in range(3)]
        retry(lambda: hang(host, "units", 1))
        assert host.ask("poweroff")[0] == 0
        told = [client.read() for _ in ids[1:]]
        assert [ident for ident, _ in told] == ids[1:], told
        assert all("shutting down" in line["error"] for _, line in told), told
        host.wait()
    finally:
        server.kill()
        server.wait()
    assert host.log().count("store: killed by signal 9") == 1, host.log()
    assert "going down all the same" not in host.log()


def test_a_boot_goes_on_without_it(host):
    """A51: at boot the image's own services run and people are served. What is disabled cannot be read, so nothing else
    starts by itself, not even later; by hand it does."""
    host.unit("kept.service", SLEEP)
    host.unit("off.service", SLEEP)
    for folder in ("programs/units", "store/state", "store/state/disabled"):
        os.mkdir(host.path(folder))
    with open(host.path("programs/units/own.service"), "w", encoding="utf-8") as f:
        f.write(SLEEP)
    with open(host.path("store/state/disabled/off.service"), "w", encoding="utf-8"):
        pass
    with open(host.path("programs/before"), "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\nmkdir -p /var/lib/orlop/units\n"
                f"/usr/bin/python3 -c '{MUTE}' /var/lib/orlop/units >/dev/null &\n"
                "until grep -q mute /proc/mounts; do sleep 0.1; done\n")  # fmt: skip
    os.chmod(host.path("programs/before"), 0o755)
    host.boot()
    serves_at_all = time.monotonic()
    assert host.ask("version", timeout=5)[0] == 0
    host.until("own.service", "up", 60)
    def is_over():
        assert "no unit is started by itself" in host.log()
        assert host.ask("status")[1][0]["state"] == "running"
    retry(is_over, 60)
    assert "the units in /var/lib/orlop/units are left out" in host.log()
    assert time.monotonic() - serves_at_all < 40
    assert host.ask("status")[1][0]["store"] == "failed"
    assert [host.status(u)["state"] for u in ("kept.service", "off.service")] == ["down", "down"]
    assert host.ask("start", "kept.service")[0] == 0


def test_what_commands_left_is_not_written_out_one_by_one(disk):
    """A51: hundreds of units that commands had made before a power cut are gone with a handful of commits at the next boot,
    so that even a slow disk does it in time."""
    units = [f"left{i}.container" for i in range(300)]
    for folder in ("state", "state/transient", "state/disabled", "logs"):
        os.mkdir(os.path.join(disk.path("store"), folder))
    for unit in units:
        for path in ("state/transient/" + unit, "state/disabled/" + unit):
            with open(os.path.join(disk.path("store"), path), "w", encoding="utf-8"):
                pass
        os.mkdir(os.path.join(disk.path("store"), "logs", unit.rpartition(".")[0]))
    source = subprocess.run(["findmnt", "-no", "SOURCE", disk.path("store")], check=True, capture_output=True, text=True)
    def commits():
        with open(f"/proc/fs/jbd2/{os.path.basename(source.stdout.strip())}-8/info", encoding="utf-8") as f:
            return int(f.read().split()[0])
    subprocess.run(["sync", "-f", disk.path("store")], check=True)
    before = commits()
    disk.unit("kept.service", SLEEP)
    disk.boot()
    disk.until("kept.service", "up", 60)
    assert commits() - before < 40, commits() - before
    for folder in ("state/transient", "state/disabled", "logs"):
        assert not [n for n in os.listdir(os.path.join(disk.path("store"), folder)) if n.startswith("left")], folder


def test_a_power_cut_after_the_answer(disk):
    """A51: what was answered as done is there after power is cut at that moment: the disk as it is then, on another boot."""
    disk.unit("kept.service", SLEEP)
    disk.boot()
    disk.until("kept.service", "up", 60)
    assert disk.ask("disable", "kept.service")[0] == 0
    with open(disk.path("disk"), "rb") as f, open(disk.path("cut"), "wb") as to:
        to.write(f.read())
    folder = disk.path("look")
    os.mkdir(folder)
    subprocess.run(["mount", "-o", "loop", disk.path("cut"), folder], check=True)
    try:
        assert os.listdir(os.path.join(folder, "state/disabled")) == ["kept.service"]
    finally:
        subprocess.run(["umount", folder], check=True)
