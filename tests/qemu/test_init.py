# SPDX-License-Identifier: Apache-2.0
"""What PID 1 survives on a machine of its own: its own crash a hundred times, units without memory, being stuck;
and how it is asked to go down. Numbers are those of docs/survival.md."""

import contextlib
import re
import time

import pytest

from conftest import HELLO_IMAGE, HELLO_UNITS
from guest import Disk, Guest, NotAnswered, build_image, copy_units, until

CRASHES = 100

# Crashes at random moments, up to 400 ms apart; what comes while PID 1 revives counts as one. Not started at boot: `orlop start` runs it,
# and it waits for GO: a start that PID 1 crashed in the middle of is not done.
CRASH = f"""\
[Service]
ExecStart=/bin/sh -c 'until [ -e /run/go ]; do sleep 0.1; done; i=0; while [ $$i -lt {2 * CRASHES} ]; do kill -SEGV 1; sleep 0.$$((RANDOM / 8192))$$((RANDOM / 3277)); i=$$((i+1)); done'
"""
GO = "[Service]\nType=oneshot\nExecStart=/bin/touch /run/go\n"
# Prints a number a line, never the same twice.
COUNTER = """\
[Container]
Image=localhost/hello
Network=none
Entrypoint=/bin/sh
Exec=-c 'i=0; trap "exit 0" TERM; while :; do i=$$((i+1)); echo line $$i; [ $$((i & 7)) -ne 0 ] || sleep 0.1; done'
[Service]
Restart=always
[Install]
WantedBy=multi-user.target
"""
FLAPPING = ("[Service]\nExecStart=/bin/sleep 0.2\nRestart=always\nRestartSec=50ms\n"
            "[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
SCORES = ("[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'cat /proc/1/oom_score_adj /proc/$$(pidof orlop-log)/oom_score_adj "
          "/proc/self/oom_score_adj'\n")  # fmt: skip
STUCK = "[Service]\nExecStart=/bin/sh -c 'echo 1 > /sys/fs/cgroup/init/cgroup.freeze'\n"
GREEDY = "x=a; while :; do x=$$x$$x; done"
GREEDY_SERVICE = f"[Service]\nMemoryMax=24M\nExecStart=/bin/sh -c '{GREEDY}'\n"
GREEDY_CONTAINER = ("[Container]\nImage=localhost/hello\nNetwork=none\nMemory=24m\nEntrypoint=/bin/sh\n"
                    f"Exec=-c '{GREEDY}'\n")  # fmt: skip
# Ignores what it is asked; stops only when killed, after longer than the test waits.
DEAF = "[Service]\nExecStart=/bin/sh -c 'trap \"\" TERM; echo deaf; while :; do sleep 1; done'\nTimeoutStopSec=600\n"


# A second file system, and a container that cannot be killed while its disk does not answer.
PHOTOS = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'mkdir /run/photos; mount /dev/vdb /run/photos'\n"
HANG = """\
[Container]
Image=localhost/hello
Network=none
Volume=/run/photos:/photos
StopTimeout=1
Entrypoint=/bin/sh
Exec=-c 'while :; do dd if=/dev/zero of=/photos/f bs=64k count=4 conv=fsync 2> /dev/null; echo written; done'
[Unit]
Requires=photos.service
After=photos.service
"""


@pytest.fixture(scope="module")
def image(module_folder):
    units = copy_units(module_folder / "units", HELLO_UNITS, crash_service=CRASH, go_service=GO, stuck_service=STUCK,
                       counter_container=COUNTER, flapping_service=FLAPPING, greedy_service=GREEDY_SERVICE,
                       eater_container=GREEDY_CONTAINER, deaf_service=DEAF,
                       scores_service=SCORES, photos_service=PHOTOS, hang_container=HANG)  # fmt: skip
    return build_image(module_folder / "image", units, [HELLO_IMAGE])


@pytest.fixture(scope="module")
def guest(module_folder, image):
    guest = Guest(module_folder, image, disks=[Disk(module_folder / "data.img")], ports=(8080,)).boot()
    guest.wait_unit("hello.container")
    guest.wait_unit("counter.container")
    yield guest
    guest.done()


def served(guest):
    return int(re.search(r"served (\d+) times", guest.get(8080))[1])


def test_a_hundred_crashes_of_pid_1_go_unnoticed(guest, report):
    """A2: the same processes, every page counted, no line lost, no reboot; PID 1 answers right afterwards."""
    names = ("hello.container", "counter.container")
    before = {name: guest.units()[name] for name in names}
    pages = served(guest)
    guest.orlop("start", "crash.service")
    guest.wait_unit("crash.service")
    with contextlib.suppress(NotAnswered):  # it crashes meanwhile
        guest.orlop("start", "go.service", timeout=10)
    asked = 0

    def crashed():
        nonlocal asked, pages
        asked += 1
        assert served(guest) == pages + 1
        pages += 1
        return int(guest.status()["revivals"]) >= CRASHES and guest.units()["crash.service"]["state"] == "down"

    until(crashed, 600, "a hundred crashes")
    after = guest.units()
    for name in names:
        assert (after[name]["pid"], after[name]["restarts"]) == (before[name]["pid"], before[name]["restarts"])
    assert after["flapping.service"]["restarts"] > 10
    assert guest.boots == 1
    guest.orlop("stop", "counter.container")
    lines = [int(line["s"].split()[1]) for line in guest.orlop("logs", "-n", "100000", "counter.container")
             if line.get("s", "").startswith("line ")]  # fmt: skip
    assert lines == list(range(lines[0], lines[0] + len(lines))) and len(lines) > 100
    report(f"PID 1 crashed and was revived {guest.status()['revivals']} times while {asked} pages were served and "
           f"{len(lines)} lines written; resident: {int(guest.status()['rss_bytes']) // 1024} KiB")  # fmt: skip


@pytest.mark.parametrize("unit", ["greedy.service", "eater.container"])
def test_a_unit_that_eats_its_memory_is_told_so_each_time(guest, unit):
    """E38: twice in a row."""
    for _ in range(2):
        try:
            guest.orlop("start", unit)
        except NotAnswered:
            pass
        status = until(lambda: guest.status(unit)["state"] == "failed" and guest.status(unit), 60)
        assert status["result"] == "oom-kill" and status["oom"], status
        guest.orlop("reset-failed", unit)
    assert guest.get(8080)


def test_it_is_never_what_the_kernel_kills_for_memory(guest):
    """E39: PID 1 and orlop-log are out of its choice, their children are not."""
    guest.orlop("start", "scores.service")
    scores = until(lambda: guest.said("scores.service")[2:] and guest.said("scores.service"))
    assert scores == ["-1000", "-1000", "0"]


def start_deaf(guest):
    """Up it is when its shell runs, deaf when that has said so."""
    before = guest.said("deaf.service")
    guest.orlop("start", "deaf.service")
    until(lambda: guest.said("deaf.service").count("deaf") > before.count("deaf"))


def press(guest):
    """Ctrl-Alt-Del, for 20 ms."""
    keys = [{"type": "qcode", "data": key} for key in ("ctrl", "alt", "delete")]
    guest.qmp.call("send-key", keys=keys, **{"hold-time": 20})


def test_ctrl_alt_del_reboots_in_order(guest):
    """B15, once: orderly; the console says who asked."""
    press(guest)
    assert guest.ended() == "guest-reset"
    console = guest.console()
    assert "Ctrl-Alt-Del: reboot" in console and "reboot at once" not in console
    guest.boot()
    guest.wait_unit("hello.container")


def test_seven_times_ctrl_alt_del_waits_for_nobody(guest):
    """B15: at once, although a unit has ten minutes to stop."""
    start_deaf(guest)
    end = time.monotonic() + 60
    with contextlib.suppress(OSError):  # it ends while we press
        # not all at once, which is more than a slow guest's keyboard holds; until seven came within two seconds
        while guest.qemu.poll() is None and time.monotonic() < end:
            press(guest)
            time.sleep(0.1)
    assert guest.ended() == "guest-reset"
    assert "reboot at once" in guest.console()
    guest.boot()
    guest.wait_unit("hello.container")


def test_a_stop_and_a_disable_are_still_true_after_a_reboot(guest):
    """B16: what was disabled stays down; what was only stopped comes with the next boot, as its file says."""
    guest.orlop("stop", "counter.container", "flapping.service")
    guest.orlop("disable", "counter.container")
    guest.reboot()
    guest.wait_unit("flapping.service")
    guest.wait_unit("hello.container")
    guest.booted()
    assert guest.status("counter.container")["state"] == "down"
    guest.orlop("enable", "counter.container")


def test_a_unit_that_does_not_stop_holds_nobody_up(guest):
    """B12: the whole host is down within its own 90 s, and the console names the unit it waits for."""
    start_deaf(guest)
    guest.orlop("poweroff")
    assert guest.ended(180) == "guest-shutdown"
    assert re.search(r"waiting for deaf.service: \d+ s left", guest.console())


def test_a_frozen_pid_1_is_rebooted(make_guest, image, folder):
    """E37: nobody feeds the watchdog, the machine starts anew."""
    guest = make_guest(image, disks=[Disk(folder / "data.img")], cmdline="orlop.watchdog=5").boot()
    guest.wait_unit("hello.container")
    try:
        guest.orlop("start", "stuck.service", timeout=5)
    except NotAnswered:
        pass
    assert guest.ended(60) == "guest-reset"


def hang(guest, drive):
    """From now on the disk takes a byte a second: whoever waits for a write waits for ever, and cannot be killed."""
    limits = dict.fromkeys(("bps", "bps_rd", "iops", "iops_rd", "iops_wr"), 0)
    assert "error" not in guest.qmp.call("block_set_io_throttle", device=drive, bps_wr=1, **limits)


def written(guest, unit):
    return guest.said(unit).count("written")


def test_disks_that_hang_hold_nobody_up(make_guest, image, folder):
    """B13, B14: who sits in a disk that hangs is given up at its deadline; the other file system is unmounted, the machine boots
    anew. B14: and so it does when the file system that cannot be synced is the host's own."""
    data, photos = Disk(folder / "data.img"), Disk(folder / "photos.img").label("photos")
    guest = make_guest(image, disks=[data, photos]).boot()
    guest.wait_unit("counter.container")
    guest.orlop("start", "hang.container")
    until(lambda: written(guest, "hang.container") > 2, 60, "it writes")
    hang(guest, "d1")
    def stands_still():
        count = written(guest, "hang.container")
        time.sleep(3)  # many times as long as it takes
        return written(guest, "hang.container") == count
    until(stands_still, 60)
    guest.orlop("reboot")
    assert guest.ended(120) == "guest-reset"
    console = guest.console()
    assert "hang.container: stuck" in console, "killed, and still there"
    assert "/var:" not in console
    assert data.fields()["Filesystem state"] == "clean" and "needs_recovery" not in data.fields()["Filesystem features"]

    guest.boot()
    guest.wait_unit("counter.container")
    hang(guest, "d0")
    guest.orlop("reboot")
    assert guest.ended(120) == "guest-reset"
    assert "does not die, left behind" in guest.console()
