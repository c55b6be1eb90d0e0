# SPDX-License-Identifier: Apache-2.0
"""What of the network not every machine's kernel has (SCTP, ipvlan, VLANs): Debian's kernel in a guest, with this
machine's own files (read-only, by virtiofs) as its root, runs tests of tests/ns/.
"""

import os
import shutil
import subprocess

import pytest

from guest import TOP, run, until

KERNEL = TOP / "build/kernel"
VIRTIOFSD = "/usr/lib/qemu/virtiofsd"
ROOT = "virtio_pci fuse virtiofs overlay".split()
NET = "veth bridge nf_tables nft_chain_nat nft_nat nft_masq nft_ct nft_fib_inet nft_meta_bridge macvlan ipvlan 8021q sctp".split()

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /low /new
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for m in $(cat /modules); do insmod $m; done
mount -t virtiofs -o ro root /low
mount -t tmpfs tmpfs /new
mkdir /new/up /new/work /new/root
mount -t overlay -o lowerdir=/low,upperdir=/new/up,workdir=/new/work overlay /new/root
cd /new/root
mount --move /proc proc
mount --move /sys sys
mount --move /dev dev
mount -t tmpfs tmpfs tmp
mount -t tmpfs tmpfs run
ip link set lo up
exec switch_root /new/root /bin/sh -c 'cd {top}; {command}; echo "exit code $?"; exec busybox poweroff -f'
"""
COMMAND = ("env PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp {env} "
           "/usr/bin/python3 -B -m pytest --color=no -p no:cacheprovider -q -s -rs {tests}")

# name: (environment, tests, how many pass, how its table begins)
RUNS = {
    "sctp": ("PROTOCOLS=sctp", "tests/ns/test_net_matrix.py -k test_matrix", 1, "sctp4"),
    "ipvlan": ('PROTOCOLS="tcp udp" ROWS="on the LAN by ipvlan"',
               "tests/ns/test_net_matrix.py -k test_matrix", 1, "tcp4"),
    "vlan": ("", "tests/ns/test_net_vlan.py tests/ns/test_net_uplink.py -k vlan", 5, None),
}


def module_files(names):
    """Their files, each after what it depends on."""
    base = KERNEL / "lib/modules" / (KERNEL / "release").read_text().strip()
    needs = dict(line.split(":") for line in (base / "modules.dep").read_text().splitlines())
    by_name = {os.path.basename(path).split(".")[0]: path for path in needs}
    files = []
    for name in names:
        path = by_name.get(name)  # what is built in has none
        for one in [*reversed(needs[path].split()), path] if path else []:
            if base / one not in files:
                files.append(base / one)
    return files


def make_initramfs(folder, command):
    root = folder / "root"
    (root / "bin").mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin")
    names = []
    for at, file in enumerate(module_files(ROOT + NET)):
        names.append(f"/{at}.ko")
        shutil.copy(file, root / f"{at}.ko")
    (root / "modules").write_text("\n".join(names) + "\n")
    (root / "init").write_text(INIT.format(top=TOP, command=command))
    (root / "init").chmod(0o755)
    subprocess.run("find . | cpio -o -H newc --quiet > ../initramfs", shell=True, check=True, cwd=root)
    return folder / "initramfs"


@pytest.mark.skipif(not os.environ.get("FULL"), reason="minutes of emulation; FULL=1")
@pytest.mark.skipif(not os.path.exists(VIRTIOFSD), reason="needs virtiofsd (qemu-system-common)")
@pytest.mark.parametrize("what", RUNS)
def test_net_guest(folder, report, what):
    env, tests, passed, table = RUNS[what]
    socket = folder / "fs"
    daemon = subprocess.Popen([VIRTIOFSD, f"--socket-path={socket}", "-o", "source=/", "-o", "cache=always",
                               "-o", "sandbox=chroot"],
                              stdout=subprocess.DEVNULL, stderr=(folder / "virtiofsd.log").open("w"))
    try:
        until(socket.exists, what="virtiofsd listens")
        (kernel,) = (KERNEL / "boot").glob("vmlinuz-*")
        done = run("qemu-system-x86_64", "-M", "pc", "-accel", "tcg", "-smp", "2", "-m", "1024",
                   "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
                   "-object", "memory-backend-memfd,id=mem,size=1024M,share=on", "-numa", "node,memdev=mem",
                   "-chardev", f"socket,id=fs,path={socket}", "-device", "vhost-user-fs-pci,chardev=fs,tag=root",
                   "-kernel", kernel, "-initrd", make_initramfs(folder, COMMAND.format(env=env, tests=tests)),
                   "-append", "console=ttyS0 quiet panic=-1", stdin=subprocess.DEVNULL, timeout=2400)
    finally:
        daemon.terminate()
        daemon.wait()
    (folder / "console").write_text(done.stdout)
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert "exit code 0" in lines, "\n".join(lines[-60:])
    assert f"{passed} passed" in done.stdout and "skipped" not in done.stdout, "\n".join(lines[-60:])
    if not table:
        return
    for line in lines[[line.startswith(table) for line in lines].index(True):]:
        report(line)
        if "questions" in line:
            break
