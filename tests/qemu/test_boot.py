# SPDX-License-Identifier: Apache-2.0
"""How long the boot takes, as stamped in the guest, beside the bare kernel's time to a static init."""

import re
import shutil
import subprocess

from guest import TOP, Disk, run, until

RUNS = 3


def bare_kernel(folder, image):
    """Microseconds from the kernel's start to the first instruction of a static init; the best of RUNS."""
    root = folder / "bare"
    root.mkdir()
    shutil.copy(TOP / "build/tests/qemu/bare_init", root / "init")
    run("sh", "-c", "echo init | cpio --quiet -o -H newc > ../bare.cpio", cwd=root)
    times = []
    for _ in range(RUNS):
        said = subprocess.run(
            ["qemu-system-x86_64", "-M", "pc", "-accel", "tcg", "-smp", "2", "-m", "512", "-nodefaults",
             "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot",
             "-kernel", image / "vmlinuz", "-initrd", folder / "bare.cpio",
             "-append", (image / "cmdline").read_text().strip()],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True).stdout
        times.append(int(re.search(r"bare-init (\d+)", said)[1]))
    return min(times)


def boot_once(make_guest, image, disk):
    guest = make_guest(image, disks=[disk], ports=(8080,)).boot()
    guest.get(8080)
    phases = until(lambda: "booted" in guest.phases() and guest.phases(), 120, "all units are up")
    guest.poweroff()
    return phases


def test_boot_phases(make_guest, hello_image, folder, report):
    bare = bare_kernel(folder, hello_image)
    disk = Disk(folder / "data.img", 1 << 30)
    first = boot_once(make_guest, hello_image, disk)
    again = [boot_once(make_guest, hello_image, disk) for _ in range(RUNS)]
    best = min(again, key=lambda phases: max(phases.values()))
    report(f"bare kernel to a static init: {bare / 1e6:.2f} s (best of {RUNS})")
    report(f"{'phase':28} {'first boot':>10} {'later':>10} {'x bare':>8}")
    for name, usec in sorted(best.items(), key=lambda item: item[1]):
        early = f"{first[name] / 1e6:.2f} s" if name in first else ""
        report(f"{name:28} {early:>10} {usec / 1e6:8.2f} s {usec / bare:8.2f}")
    for name in ("kernel", "modules", "root", "disk", "units", "network", "first-container-started"):
        assert name in best, name
