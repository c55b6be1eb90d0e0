# SPDX-License-Identifier: Apache-2.0
"""Bad image archives, preloaded beside a good one: the good one is served, the bad are told and leave nothing."""

import re

import archives
from conftest import HELLO_IMAGE, HELLO_UNITS
from guest import Disk, build_image, copy_units


def test_bad_archives_leave_nothing_and_stop_nobody(make_guest, folder):
    whole = archives.oci("localhost/truncated:latest", archives.PLAIN)
    bad = {
        "flipped": archives.oci("localhost/flipped:latest", archives.PLAIN, archives.flip_byte),
        "truncated": whole[: len(whole) // 2],
        "climbs": archives.oci("localhost/climbs:latest", archives.CLIMBS),
        "text": b"this is no archive\n" * 100,
    }
    paths = [HELLO_IMAGE]
    for name, data in bad.items():
        paths.append(folder / f"{name}.tar")
        paths[-1].write_bytes(data)
    links = folder / "links-out.tar"
    links.write_bytes(archives.oci("localhost/links-out:latest", archives.LINKS_OUT))
    units = copy_units(folder / "units", HELLO_UNITS)
    image = build_image(folder / "image", units, paths + [links])
    guest = make_guest(image, disks=[Disk(folder / "data.img")], ports=(8080,)).boot()
    assert re.search(r"served 1 times", guest.get(8080))
    guest.booted()  # all of them have had their turn
    names = {n for i in guest.orlop("images") for n in i.get("names", ())}
    assert any("hello" in n for n in names)
    for name in bad:
        assert not any(name in n for n in names), (name, names)
    # The link may be kept or refused; nothing was written through it: the host's console shell, which
    # needs /etc/passwd, and everything else still run after another boot.
    guest.reboot()
    assert re.search(r"served 2 times", guest.get(8080))
    guest.poweroff()
