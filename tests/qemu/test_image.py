# SPDX-License-Identifier: Apache-2.0
"""The host image as files: size, the same bytes twice, what lies in it."""

import re
import subprocess

import pytest

from conftest import HELLO_IMAGE, HELLO_UNITS
from guest import TOP, build_image, run


@pytest.fixture(scope="module")
def listing(module_folder):
    """`ls -l` lines of the default image's initramfs: {path: (mode, size)}."""
    names = {}
    for part in ("system", "orlop"):
        packed = TOP / f"build/host/{part}.cpio.zst"
        text = run("sh", "-c", f"zstd -dcq {packed} | cpio -tv --quiet", cwd=module_folder).stdout
        for line in text.splitlines():
            mode, _, owner, group, size, *_ = line.split()
            name = re.split(r"\s+", line, maxsplit=8)[8].split(" -> ")[0]
            assert (owner, group) == ("root", "root"), line
            names[name] = (mode, size)
    return names


def test_kernel_and_initramfs_are_at_most_24_mb(hello_image, report):
    sizes = {name: (hello_image / name).stat().st_size for name in ("vmlinuz", "initramfs")}
    report("size: " + ", ".join(f"{n} {s / 1e6:.1f} MB" for n, s in sizes.items()))
    assert sum(sizes.values()) <= 24_000_000


def test_two_builds_are_identical(hello_image, folder):
    programs = sorted((TOP / "build/bin").iterdir())
    again = folder / "again"
    again.mkdir()
    run("rootfs/host/mksystem", "build/kernel", again / "system", cwd=TOP)
    run("rootfs/host/mkorlop", again / "orlop", *programs, cwd=TOP)
    for part in ("system", "orlop"):
        assert (again / part).read_bytes() == (TOP / f"build/host/{part}.cpio.zst").read_bytes(), part
    build_image(folder, HELLO_UNITS, [HELLO_IMAGE])
    for name in ("vmlinuz", "initramfs", "cmdline"):
        assert (folder / name).read_bytes() == (hello_image / name).read_bytes(), name


def test_no_setuid_file_and_nothing_writable_by_others(listing):
    for name, (mode, _) in listing.items():
        assert "s" not in mode.lower(), name
        assert mode.startswith("l") or mode[8] != "w", name


def test_root_lets_mapped_users_look_up_names(listing):
    """A / of mode 0700 makes every lookup by a container's user fail."""
    assert listing["orlop-root"][0] == "drwxr-xr-x"


def test_modules_come_in_an_order_that_loads(listing, folder):
    """Each module of the list stands behind those it depends on, and is there."""
    packed = TOP / "build/host/system.cpio.zst"
    run("sh", "-c", f"zstd -dcq {packed} | cpio -id --quiet --no-preserve-owner", cwd=folder)
    root = folder / "orlop-root"
    release = (TOP / "build/kernel/release").read_text().strip()
    needs = {}
    for line in (root / f"usr/lib/modules/{release}/modules.dep").read_text().splitlines():
        name, _, rest = line.partition(":")
        needs[name] = rest.split()
    seen = set()
    for path in (root / "usr/lib/orlop/modules.list").read_text().split():
        assert (root / path.lstrip("/")).is_file()
        name = path.removeprefix(f"/usr/lib/modules/{release}/")
        assert set(needs[name]) <= seen, name
        seen.add(name)
    assert len(seen) > 20


def test_an_unknown_folder_of_units_is_refused(folder):
    with pytest.raises(subprocess.CalledProcessError) as refused:
        build_image(folder, folder / "nowhere")
    assert "is not a folder" in refused.value.stderr
