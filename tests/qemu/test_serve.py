# SPDX-License-Identifier: Apache-2.0
"""The main job on one host, from the first request to an orderly end. The tests go in this order: later
ones reboot and switch off the guest of the earlier."""

import re
import struct

import pytest

from conftest import HELLO_IMAGE, HELLO_UNITS
from guest import Disk, Guest, build_image, copy_units, until

READER = """\
[Unit]
After=hello.container
[Container]
Image=localhost/hello
Exec=-f -p 80 -h /shared
Volume=hello-data.volume:/shared:ro
PublishPort=8081:80
StopSignal=SIGKILL
[Service]
Restart=always
[Install]
WantedBy=multi-user.target
"""

ON_HOST = """\
[Container]
Image=localhost/hello
Exec=-f -p 8082 -h /srv/www
Network=host
StopSignal=SIGKILL
[Install]
WantedBy=multi-user.target
"""

TALKER = """\
[Container]
Image=localhost/hello
Entrypoint=/bin/sh
Exec=-c 'echo one word from stdout; echo one from stderr >&2; exec sleep 1000'
StopSignal=SIGKILL
[Install]
WantedBy=multi-user.target
"""

LIMITED = """\
[Container]
Image=localhost/hello
Network=none
Memory=64m
PidsLimit=20
Entrypoint=/bin/sh
Exec=-c 'cd /sys/fs/cgroup; for f in memory.max memory.high memory.swap.max memory.oom.group pids.max cpu.max cpu.weight cpuset.cpus io.weight; do echo "$$f: $$(cat $$f)"; done; grep Cpus_allowed_list /proc/self/status; i=0; while [ $$i -lt 40 ]; do sleep 1000 & i=$$((i+1)); done; echo not reached'
[Service]
MemoryHigh=48M
MemorySwapMax=0
CPUQuota=50%
CPUWeight=77
AllowedCPUs=1
IOWeight=123
Slice=small-things.slice
Restart=no
[Install]
WantedBy=multi-user.target
"""

# The disk that a file is on, and that of a partition. Nothing starts it at boot: by then the image's pages are in memory.
SLOW = """\
[Container]
Image=localhost/hello
Network=none
Volume=slow:/data
Entrypoint=/bin/sh
Exec=-c 'cd /sys/class/block; echo "disks $$(cat vda/dev vdb/dev | tr "\\n" " ")"; cat /sys/fs/cgroup/io.max; dd if=/dev/zero of=/data/file bs=64k count=16 conv=fsync; read a b < /proc/uptime; dd if=/data/file of=/dev/null bs=64k iflag=direct && read c d < /proc/uptime && echo "read from $$a to $$c"; exec sleep 1000'
StopSignal=SIGKILL
[Service]
IOReadBandwidthMax=/dev/vda 1M
IOReadBandwidthMax=/var/lib/orlop 256K
IOWriteIOPSMax=/dev/vdb1 700
Restart=no
"""

SLOW_HOST = """\
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'cat /sys/fs/cgroup$$(sed s/^0::// /proc/self/cgroup)/io.max; echo over'
IOReadIOPSMax=/dev/vda 900
IOWriteBandwidthMax=/dev/vdb1 3M
"""

# The host's own root, with the capability to make any node, against the cgroup's device filter: the data disk, memory, the
# kernel's log, the console.
DEVICES = """\
[Container]
Image=localhost/hello
Network=none
UserNS=host
AddCapability=MKNOD
Entrypoint=/bin/sh
Exec=-c 'n=0; tail -n +3 /proc/partitions | while read a b size name; do mknod /dev/$$name b $$a $$b && echo "made $$name"; head -c 1 /dev/$$name > /dev/null && echo "read $$name"; done; for d in 1:1 1:2 1:11 4:1 5:1 10:200 10:130; do mknod /dev/c$$d c $$(echo $$d | tr : " ") || echo "not made $$d"; head -c 1 /dev/c$$d > /dev/null && echo "read $$d"; (: > /dev/c$$d) && echo "written $$d"; done; head -c 1 /dev/zero > /dev/null && echo "read zero"; echo over; exec sleep 1000'
StopSignal=SIGKILL
[Install]
WantedBy=multi-user.target
"""

# PublishPort= is line 3, "eighty" begins at column 18.
BROKEN = """\
[Container]
Image=localhost/hello
PublishPort=8080:eighty
Volme=x:/y
"""


@pytest.fixture(scope="module")
def guest(module_folder):
    units = copy_units(module_folder / "units", HELLO_UNITS, reader_container=READER,
                       onhost_container=ON_HOST, talker_container=TALKER, limited_container=LIMITED,
                       devices_container=DEVICES, broken_container=BROKEN, slow_container=SLOW, slowhost_service=SLOW_HOST)
    image = build_image(module_folder / "image", units, [HELLO_IMAGE])
    disk = Disk(module_folder / "data.img")
    guest = Guest(module_folder, image, disks=[disk, parted(module_folder / "parted.img")], ports=(8080, 8081, 8082)).boot()
    yield guest
    guest.done()


def parted(path):
    """A disk of somebody's, with one partition."""
    disk = Disk(path, 8 << 20)
    with open(path, "r+b") as f:
        f.seek(446)
        f.write(struct.pack("<B3sB3sII", 0, b"", 0x83, b"", 2048, 4096) + bytes(48) + b"\x55\xaa")
    return disk


def visits(page):
    return int(re.search(r"served (\d+) times", page)[1])


def test_the_page_names_the_container_and_counts(guest):
    first = guest.get(8080)
    assert "Hello from hello" in first
    assert visits(first) == 1
    assert visits(guest.get(8080)) == 2


def test_every_good_unit_is_up(guest):
    for name in ("hello.container", "reader.container", "onhost.container", "talker.container"):
        unit = guest.wait_unit(name)
        assert unit["pid"] > 1


def test_a_broken_unit_is_told_with_its_place_and_stops_nobody(guest):
    unit = until(lambda: guest.units()["broken.container"])
    assert unit["state"] in ("failed", "refused")
    problems = guest.status("broken.container")["problems"]
    assert [re.search(r"broken\.container:(\d+:\d+): error", m)[1] for m in problems] == ["3:18", "4:1"]


def test_a_second_container_sees_the_volume_read_only(guest):
    count = visits(guest.get(8080))
    until(lambda: len(guest.get(8081, "/visits")) == count)


def test_a_container_in_the_hosts_network_is_reached(guest):
    page = guest.get(8082)
    assert "served" in page or "Hello" in page


def test_logs_have_both_streams(guest):
    until(lambda: {"one word from stdout", "one from stderr"} <= set(guest.said("talker.container")), 60)


def lines_of(guest, unit, last):
    """What a container has said, once it has said the last of it."""

    def said():
        lines = guest.said(unit)
        return lines if any(last in line for line in lines) else None

    return until(said, 60)


def test_limits_seen_from_inside(guest):
    """Of a unit two slices below the others, where the controllers must be turned on first."""
    lines = lines_of(guest, "limited.container", "can't fork")
    told = dict(line.split(": ", 1) for line in lines if ": " in line)
    assert {k: told[k] for k in ("memory.max", "memory.high", "memory.swap.max", "memory.oom.group", "pids.max")} == {
        "memory.max": str(64 << 20), "memory.high": str(48 << 20), "memory.swap.max": "0", "memory.oom.group": "1", "pids.max": "20"}
    assert told["cpu.max"] == "50000 100000" and told["cpu.weight"] == "77" and told["cpuset.cpus"] == "1"
    assert told["io.weight"].endswith("123")
    assert any(line.split() == ["Cpus_allowed_list:", "1"] for line in lines)
    assert "not reached" not in lines  # the limit of processes holds


def test_limits_of_disks_hold(guest):
    guest.wait_unit("hello.container")
    guest.orlop("start", "slow.container")
    lines = lines_of(guest, "slow.container", "read from")
    first, second = next(line for line in lines if line.startswith("disks ")).split()[1:]
    # the later line counts, by whatever path; of a partition it is the disk that is limited
    assert f"{first} rbps=256000 wbps=max riops=max wiops=max" in lines
    assert f"{second} rbps=max wbps=max riops=max wiops=700" in lines
    began, ended = (float(word) for word in re.search(r"read from (\S+) to (\S+)", "\n".join(lines)).groups())
    assert ended - began > (1 << 20) / 256000 - 0.5, lines
    guest.orlop("stop", "slow.container")
    guest.orlop("start", "slowhost.service")
    lines = lines_of(guest, "slowhost.service", "over")
    assert f"{first} rbps=max wbps=max riops=900 wiops=max" in lines
    assert f"{second} rbps=max wbps=3000000 riops=max wiops=max" in lines


def test_devices_of_the_host_are_out_of_reach(guest):
    lines = lines_of(guest, "devices.container", "over")
    assert any(line.startswith("made vda") for line in lines) and "read zero" in lines
    assert [line for line in lines if line.startswith(("read ", "written "))] == ["read zero"], lines
    assert sum("not permitted" in line for line in lines) >= 8


def test_one_client_of_the_control_port_after_the_other(guest):
    """Each has its answer, though the kernel may tell late that the one before has left."""
    for _ in range(100):
        assert guest.status()["state"] in ("booting", "running")
        assert guest.orlop("boot")


def test_killed_main_process_is_started_again(guest):
    before = guest.units()["hello.container"]
    count = visits(guest.get(8080))
    guest.orlop("kill", "hello.container")
    until(lambda: guest.units()["hello.container"]["pid"] not in (0, None, before["pid"]), 60)
    assert visits(guest.get(8080)) == count + 1
    assert guest.units()["hello.container"]["restarts"] == before["restarts"] + 1


def test_something_is_tried_and_thrown_away(guest):
    """orlop run over the control port, detached; what it uses is counted by all controllers; nothing is left."""
    before = set(guest.units())
    guest.orlop("run", "-d", "--rm", "--name", "tried", "-m", "32m", "--pids-limit=20", "--device-read-bps=/dev/vda:1g", "--entrypoint=", "--stop-timeout=1",
                "localhost/hello", "sh", "-c", "while :; do :; done")  # fmt: skip
    guest.wait_unit("tried.container")
    (used,) = guest.orlop("stats", "tried")
    assert used["memory_bytes"] > 0 and used["memory_max_bytes"] == 32 << 20
    assert used["pids"] >= 1 and used["pids_max"] == 20
    assert used["cpu_percent"] > 5 and used["net_in_bytes"] >= 0
    refused = guest.orlop("run", "localhost/hello", codes=(5, 125))
    assert refused == []
    guest.orlop("rm", "-f", "tried")
    until(lambda: set(guest.units()) == before, 60)


def test_restart_keeps_the_address(guest):
    before = guest.units()["hello.container"]
    guest.orlop("restart", "hello.container")
    after = guest.wait_unit("hello.container")
    assert after["pid"] != before["pid"]
    assert after["address"] == before["address"]


def test_stop_stays_stopped_and_start_starts(guest):
    count = visits(guest.get(8080))
    guest.orlop("stop", "hello.container")
    assert guest.units()["hello.container"]["state"] == "down"
    guest.orlop("start", "hello.container")
    assert visits(guest.get(8080)) == count + 1


def test_reboot_keeps_the_volume(guest):
    count = visits(guest.get(8080))
    address = guest.units()["hello.container"]["address"]
    guest.reboot()
    assert visits(guest.get(8080)) == count + 1
    assert guest.units()["hello.container"]["address"] == address


def test_power_button_ends_in_order(guest):
    """B15."""
    count = visits(guest.get(8080))
    guest.qmp.call("system_powerdown")
    assert guest.ended() == "guest-shutdown"
    guest.boot()
    assert visits(guest.get(8080)) == count + 1


def test_power_off_leaves_a_clean_file_system(guest):
    guest.get(8080)
    guest.poweroff()
    disk = guest.disks[0]
    fields = disk.fields()
    assert fields["Filesystem state"] == "clean"
    assert "needs_recovery" not in fields["Filesystem features"]
    assert disk.is_consistent()
