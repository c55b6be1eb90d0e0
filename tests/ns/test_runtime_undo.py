# SPDX-License-Identifier: Apache-2.0
"""Starts that fail, each at another system call, and what they leave behind: nothing.

strace makes the call fail in the kernel's stead. With FULL=1 every call of a whole start has its turn, with one errno
after the other until a thousand starts have failed; by default every fifth.
"""

import collections
import itertools
import os
import re
import shutil
import subprocess

import pytest

import runtime_world
from runtime_world import RUN, World, retry

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    pytest.mark.skipif(not shutil.which("strace"), reason="needs strace"),
]

STEP = 1 if os.environ.get("FULL") else 5

# Calls whose failure is none: they have no result, or are made for comfort.
HARMLESS = {
    "exit_group", "exit", "close", "umask", "setsid", "brk", "mmap", "munmap", "mprotect", "arch_prctl", "set_tid_address",
    "set_robust_list", "rseq", "prlimit64", "getrandom", "readlink", "pause", "rt_sigprocmask", "wait4", "kill", "fcntl",
    "close_range", "clock_gettime", "execve", "setfsuid", "setfsgid", "capget", "restart_syscall",
}

# Of the others than EIO some are answers that a step expects: a limit that the host may not set, a file that is not there.
ERRORS = ("EIO", "ENOMEM", "EBADF", "EFAULT") if STEP == 1 else ("EIO",)

MOUNTS = [("volume", "undo", "/v", ""), ("tmpfs", "", "/t", "")]


@pytest.fixture(scope="module")
def world():
    w = World()
    w.wrap = w.dir + "/wrap"
    yield w
    runtime_world.RUN = RUN
    w.close()


def strace(world, options):
    """orlop-run under strace: the tracer is no parent, so that the container is still the driver's child."""
    with open(world.wrap, "w", encoding="utf-8") as out:
        out.write(f'#!/bin/sh\nexec strace -D -f -qq -o {world.dir}/trace {options} {RUN} "$@"\n')
    os.chmod(world.wrap, 0o755)
    runtime_world.RUN = world.wrap


def calls(world):
    """[(name, which)]: every call of a good start."""
    strace(world, "")
    world.sh("true", mount=MOUNTS)
    counts = collections.defaultdict(collections.Counter)
    with open(world.dir + "/trace", encoding="utf-8", errors="replace") as trace:
        for line in trace:
            found = re.match(r"(\d+) +(\w+)\(", line)
            if found and f'execve("/bin/sh"' in line:
                break  # from here on it is the container's program
            if found:
                counts[found[1]][found[2]] += 1
    most = collections.Counter()
    for of_process in counts.values():
        for name, n in of_process.items():
            most[name] = max(most[name], n)
    return [(name, i) for name, n in sorted(most.items()) for i in range(1, n + 1) if name not in HARMLESS]


def state(world):
    """What must be the same afterwards."""
    with open(f"/proc/{world.holder.pid}/mountinfo", encoding="utf-8") as info:
        mounts = info.read()
    cgroups = sorted(os.listdir(world.path(f"/sys/fs/cgroup/{world.cgroup}")))
    cgroups = [c for c in cgroups if os.path.isdir(world.path(f"/sys/fs/cgroup/{world.cgroup}/{c}"))]
    run = sorted(set(os.listdir(world.path("/run/orlop"))) - {"network.lock"})
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    return mounts, cgroups, run, len(links.splitlines())


def scratch(world):
    """Disposable directories that are left, once the cleaner that PID 1 runs has been."""
    runtime_world.RUN = RUN
    subprocess.run(world.enter(RUN, "clean", "t.container"), check=True)
    return os.listdir(world.path("/var/lib/orlop/tmp/run/t.container"))


def processes():
    """Those of this tree: a host that others have on the machine has one that waits."""
    return subprocess.run(["pgrep", "-f", f"^{RUN} start"], capture_output=True, text=True, check=False).stdout.split()


def test_every_call_that_fails_leaves_nothing(world):
    world.sh("true", mount=MOUNTS)
    before = state(world)
    todo = calls(world)
    assert len(todo) > 150
    silent, failures, done = [], 0, 0
    for error, (name, which) in itertools.product(ERRORS, todo[:: STEP]):
        if STEP == 1 and failures >= 1000:
            break
        done += 1
        strace(world, f"-e inject={name}:error={error}:when={which}")
        r = world.sh("true", mount=MOUNTS)
        what = f"{name} {which} {error}: {r}"
        if r.failed:
            assert r.failed["step"] and r.failed["text"] and r.running is None, what
            failures += 1
        elif not (r.exit and r.exit["code"] == 0):
            silent.append(what)
        assert r.done["populated"] == 0, what
        assert scratch(world) == [], what
        assert state(world) == before, what
    assert retry(lambda: not processes())
    # the report itself cannot be sent: PID 1 then sees the process end, or the helper's exit code
    assert len(silent) <= done // 25 + 2, "\n".join(silent)
    assert failures >= (1000 if STEP == 1 else done // 2), (failures, done)
    print(f"{failures} of {done} starts failed, {len(silent)} without a word")


def test_failed_starts_in_a_row_leave_nothing(world):
    runtime_world.RUN = RUN
    world.sh("true")
    before = state(world)
    failing = [
        {"image": "none"}, {"exec": ["/none"]}, {"user": "none"}, {"workdir": "/proc/self/fd/3"}, {"timezone": "No/Zone"},
        {"mount": [("bind", "/none", "/x", "")]}, {"secret": [("none", "mount", "", "", "", "")]},
        {"device": [("/dev/none", "/dev/none", "rwm", "")]}, {"ulimit": [("none", "1", "1")]}, {"cap_add": ["NONE"]},
        {"sysctl": [("net.ipv4.none", "1")]}, {"network": [("missing", "br", "", "", "")]},
    ]
    steps = set()
    for i in range(5 * len(failing) // STEP * 5):
        r = world.start(**failing[i % len(failing)])
        assert r.failed and r.running is None, r
        steps.add(r.failed["step"])
    assert len(steps) >= 10, steps
    assert scratch(world) == [] and state(world) == before
    assert retry(lambda: not processes())
