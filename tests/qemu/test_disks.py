# SPDX-License-Identifier: Apache-2.0
"""The data disk: none, blank, two, somebody else's, cut off, damaged, grown."""

import os
import re

import pytest

from guest import Disk, run, until


def visits(page):
    return int(re.search(r"served (\d+) times", page)[1])


def disk_text(guest):
    """All that the host says about itself, as one text."""
    return str(guest.orlop("status"))


def refused_and_idle(guest):
    """What the host says of a data disk that it refuses, once its boot has ended: on an empty store in place
    of the real one a database would begin anew, so no unit is started. That is known only then: the units are
    read after the disks were looked at."""
    text = until(lambda: "refused" in disk_text(guest) and disk_text(guest))
    until(lambda: "no unit is started by itself" in guest.console())
    guest.booted()
    assert guest.units()["hello.container"]["state"] == "down"
    return text


def test_without_a_disk_it_serves_and_says_that_nothing_persists(make_guest, hello_image):
    guest = make_guest(hello_image, ports=(8080,)).boot()
    assert visits(guest.get(8080)) == 1
    assert "volatile" in disk_text(guest)
    guest.reboot()
    assert visits(guest.get(8080)) == 1
    guest.poweroff()


def test_two_data_disks_are_refused_and_untouched(make_guest, hello_image, folder):
    disks = [Disk(folder / f"{n}.img").label() for n in ("a", "b")]
    before = [d.digest() for d in disks]
    guest = make_guest(hello_image, disks=disks, ports=(8080,)).boot()
    text = refused_and_idle(guest)
    assert "/dev/vda" in text and "/dev/vdb" in text
    guest.poweroff()
    assert [d.digest() for d in disks] == before


def foreign(path, at, what):
    disk = Disk(path)
    with open(disk.path, "r+b") as f:
        f.seek(at, os.SEEK_SET if at >= 0 else os.SEEK_END)
        f.write(what)
    return disk


def test_foreign_disks_are_untouched_bit_for_bit(make_guest, hello_image, folder):
    disks = [
        foreign(folder / "table.img", 510, b"\x55\xaa"),
        foreign(folder / "last.img", -1, b"\x01"),
        foreign(folder / "first-mib.img", (1 << 20) - 1, b"\x01"),
        Disk(folder / "other.img").label("photos"),
    ]
    before = [d.digest() for d in disks]
    guest = make_guest(hello_image, disks=disks, ports=(8080,)).boot()
    assert visits(guest.get(8080)) == 1
    text = disk_text(guest)
    assert "volatile" in text
    guest.poweroff()
    assert [d.digest() for d in disks] == before


def test_a_blank_disk_beside_a_foreign_one_is_made_the_data_disk(make_guest, hello_image, folder):
    other = foreign(folder / "other.img", 0, b"somebody's")
    blank = Disk(folder / "blank.img")
    before = other.digest()
    guest = make_guest(hello_image, disks=[other, blank], ports=(8080,)).boot()
    guest.get(8080)
    assert "persistent" in disk_text(guest)
    guest.poweroff()
    assert other.digest() == before
    assert blank.fields()["Filesystem volume name"] == "orlop-data"


@pytest.mark.parametrize("machine, bus", [("pc", "scsi"), ("pc", "nvme"), ("q35", "virtio")])
def test_a_disk_on_any_bus_of_any_machine(make_guest, hello_image, folder, machine, bus):
    disk = Disk(folder / "data.img", bus=bus)
    guest = make_guest(hello_image, disks=[disk], ports=(8080,), machine=machine).boot()
    guest.get(8080)
    assert "persistent" in disk_text(guest)
    guest.poweroff()
    assert disk.fields()["Filesystem volume name"] == "orlop-data"


def test_formatting_that_was_cut_off_is_done_again(make_guest, hello_image, folder):
    mark = b"orlop: this disk was blank and is being formatted\n\0"
    disk = foreign(folder / "half.img", 0, mark)
    with open(disk.path, "r+b") as f:
        f.seek(100 << 20)
        f.write(b"an inode table, half written")
    guest = make_guest(hello_image, disks=[disk], ports=(8080,)).boot()
    guest.get(8080)
    assert "persistent" in disk_text(guest)
    guest.poweroff()
    assert disk.fields()["Filesystem volume name"] == "orlop-data"


def test_power_cut_loses_nothing_that_was_answered(make_guest, hello_image, folder):
    disk = Disk(folder / "data.img")
    guest = make_guest(hello_image, disks=[disk], ports=(8080,)).boot()
    for count in (1, 2, 3):
        assert visits(guest.get(8080)) == count
    guest.cut_power()
    guest.boot()
    assert visits(guest.get(8080)) == 4
    guest.poweroff()
    assert disk.is_consistent()


def test_a_damaged_file_system_is_refused_not_repaired_by_guess(make_guest, hello_image, folder):
    disk = Disk(folder / "data.img").label()
    run("/sbin/debugfs", "-w", "-R", "ssv state 2", disk.path)  # "has errors", checksum mended
    fields = disk.fields()
    with open(disk.path, "r+b") as f:
        # The group descriptors, in the block after the superblock's: e2fsck -p gives up, exit code 4.
        f.seek((int(fields["First block"]) + 1) * int(fields["Block size"]))
        f.write(b"\xa5" * 4096)
    guest = make_guest(hello_image, disks=[disk], ports=(8080,)).boot()
    text = refused_and_idle(guest)
    assert "e2fsck" in text, text
    guest.poweroff()


def test_a_disk_that_grew_is_used_whole(make_guest, hello_image, folder):
    disk = Disk(folder / "data.img").label()
    blocks = int(disk.fields()["Block count"])
    with open(disk.path, "r+b") as f:
        f.truncate(512 << 20)
    guest = make_guest(hello_image, disks=[disk], ports=(8080,)).boot()
    guest.get(8080)
    guest.poweroff()
    assert int(disk.fields()["Block count"]) > 1.9 * blocks
    assert disk.is_consistent()
