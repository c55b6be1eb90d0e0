# SPDX-License-Identifier: Apache-2.0
"""RunInit=: a process 1 of ours, that is no file of the host's and no other container's."""

import os

import pytest

from runtime_world import RUN, TOP, Container, World, retry

TINY = os.path.join(TOP, "build/tiny/init")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture(scope="module")
def world():
    w = World()
    yield w
    w.close()


def identity(path):
    st = os.stat(path)
    return st.st_dev, st.st_ino


def mapped(pid):
    """(device, inode) of every file that a process has mapped."""
    found = set()
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            device, inode = line.split()[3:5]
            if inode != "0":
                major, minor = (int(n, 16) for n in device.split(":"))
                found.add((os.makedev(major, minor), int(inode)))
    return found


def programs_of_the_host():
    folder = os.path.dirname(RUN)
    return {identity(os.path.join(folder, name)) for name in os.listdir(folder)} | {identity(TINY)}


def pids_in(container):
    with open(container.world.path(f"/sys/fs/cgroup/{container.world.cgroup}/{container.unit}/cgroup.procs"),
              encoding="utf-8") as procs:
        return [int(pid) for pid in procs.read().split()]


def content(path):
    with open(path, "rb") as f:
        return f.read()


def test_its_pid_is_handed_over_like_any_other(world):
    r = world.sh("exit 3", run_init=True)
    assert r.failed is None and r.cloned["pid"] > 1 and r.exit["code"] == 3, r


def test_reaps_passes_signals_and_ends_alike(world):
    script = "echo $$; (sleep 0.1 &) ; sleep 0.5; cat /proc/[0-9]*/stat | grep -c ') Z'; exit 7"
    r = world.sh(script, run_init=True)
    assert r.output == "2\n0\n" and r.exit["code"] == 7
    r = world.sh("kill -9 $$", run_init=True)
    assert r.exit["code"] == 137
    r = world.sh("trap 'echo got; exit 3' TERM; kill 1; sleep 5 & wait", run_init=True)
    assert r.output == "got\n" and r.exit["code"] == 3
    r = world.sh("readlink /proc/1/exe; ls /proc/1/fd; grep -E '^(Sig(Blk|Cgt)|Seccomp|NoNewPrivs|CapEff)' /proc/1/status", run_init=True)
    lines = r.output.splitlines()
    assert lines[:4] == ["/memfd:init (deleted)", "0", "1", "2"], r
    assert {"Seccomp:\t2", "SigCgt:\t0000000000000000", "CapEff:\t00000000800405fb"} <= set(lines), r


def test_as_another_user(world):
    r = world.sh("id -u; stat -c %u /proc/1; kill 1; sleep 5", run_init=True, user="app")
    assert r.output == "1000\n1000\n" and r.exit["code"] == 128 + 15, r


def test_program_that_is_not_there(world):
    r = world.start(run_init=True, exec=["/none"])
    assert r.failed["step"] == "exec" and r.failed["code"] == 2 and "/none" in r.failed["text"], r
    assert r.running is None and r.done["populated"] == 0


@pytest.mark.parametrize("run_init", [True, False])
def test_no_page_of_a_container_is_one_of_the_hosts_programs(world, run_init):
    """What is written into pages that a container may read (as by CVE-2022-0847) reaches nobody else."""
    host = programs_of_the_host()
    with Container(world, unit="a.container", exec=["sleep", "1000"], run_init=run_init) as a, Container(
        world, unit="b.container", exec=["sleep", "1000"], run_init=run_init) as b:
        assert len(pids_in(a)) == len(pids_in(b)) == 1 + run_init
        for pid in pids_in(a) + pids_in(b):
            assert mapped(pid) and not mapped(pid) & host
            assert identity(f"/proc/{pid}/exe") not in host
        if run_init:
            assert content(f"/proc/{a.pid}/exe") == content(f"/proc/{b.pid}/exe") == content(TINY)
            assert not mapped(a.pid) & mapped(b.pid)


WRITE = r"""
exec > /told/out
e=/proc/1/exe
{ echo x > $e; } 2>/dev/null && echo written
{ echo x >> $e; } 2>/dev/null && echo appended
dd if=/dev/zero of=$e conv=notrunc bs=1 count=1 2>/dev/null && echo overwritten
truncate -s 1 $e 2>/dev/null && echo cut
truncate -s 9999 $e 2>/dev/null && echo grown
for m in /proc/1/map_files/*; do dd if=/dev/zero of=$m conv=notrunc bs=1 count=1 2>/dev/null && echo "mapped $m"; done
mount -o bind /bin/busybox $e 2>/dev/null && echo covered
mv /told/out /told/tried
exec sleep 1000
"""


# all that could help; "all" takes a host that has all of them itself
POWERS = ["CAP_" + c for c in ("SYS_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH")]


@pytest.mark.parametrize("userns", ["auto", "host"])
def test_root_with_everything_cannot_write_to_its_file(world, userns):
    """With capabilities, without a filter, even as the host's own root."""
    before = content(RUN)
    with Container(world, unit="a.container", exec=["sh", "-c", WRITE], run_init=True, userns=userns, cap_add=POWERS,
                   seccomp="unconfined", mount=[("volume", userns, "/told", "")]) as a:
        told = world.path(f"/var/lib/orlop/volumes/{userns}/data/tried")
        assert retry(lambda: os.path.exists(told)) and content(told) == b""
        assert content(f"/proc/{a.pid}/exe") == content(TINY)
    assert content(RUN) == before
    r = world.sh("exit 4", run_init=True)
    assert r.exit["code"] == 4
