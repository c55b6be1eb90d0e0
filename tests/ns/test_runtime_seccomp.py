# SPDX-License-Identifier: Apache-2.0
"""Every system call number, called inside a container in each of the three ABIs, against the frozen table.

The oracle is the table where it refuses, and a container without a filter where it allows.
"""

import os
import shutil
import subprocess

import pytest
from runtime_world import TOP, World

PROBE = os.path.join(TOP, "build/tests/ns/run_probe")
TABLE = os.path.join(TOP, "tests/unit/filter/golden/seccomp.table")
ERRNO = {"eperm": 1, "enosys": 38}

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture(scope="module")
def world():
    w = World()
    w.image_with("calls", lambda top: shutil.copy(PROBE, top + "/probe"))
    yield w
    w.close()


def table(arch):
    """{number: errno of a refusal, or None}."""
    rows = {n: 38 for n in range(471)}  # the table has what is not ENOSYS
    with open(TABLE, encoding="utf-8") as lines:
        for line in lines:
            name, number, verdict = line.split(None, 2)
            if name == arch:
                word = verdict.split()[-1].lower()
                rows[int(number)] = None if word == "allow" else ERRNO.get(word) or int(word)
    return rows


def results(world, arch, numbers, **fields):
    """{number: errno, or 1000 when the caller did not come back}."""
    r = world.start(image="calls", exec=["/probe", "call", arch, *map(str, numbers)], **fields)
    assert r.failed is None and r.exit["code"] == 0, r
    return {int(n): int(e) for n, e in (line.split() for line in r.output.splitlines())}


# uretprobe and uprobe (Linux 6.11, 6.18): the kernel lets them by every filter; only its own trampolines may make them.
UNFILTERED = (335, 336)


def abi_works(arch):
    """Whether a 64-bit program can make 32-bit calls here at all: getpid."""
    out = subprocess.run([PROBE, "call", arch, "20"], capture_output=True, text=True, check=True).stdout
    return out.split()[1] != "1000"


@pytest.mark.parametrize("arch", ["x86_64", "x86", "x32"])
def test_every_call_as_the_table_has_it(world, arch):
    if arch == "x86" and not abi_works(arch):
        pytest.skip("this machine has no int 0x80")
    rows = {n: e for n, e in table(arch).items() if arch != "x86_64" or n not in UNFILTERED}
    assert list(rows.values()).count(None) > (-1 if arch == "x32" else 250)  # of x32 nothing is allowed
    refused = [n for n, e in rows.items() if e is not None]
    allowed = [n for n, e in rows.items() if e is None]
    got = results(world, arch, refused)
    wrong = {n: (got.get(n), rows[n]) for n in refused if got.get(n) != rows[n]}
    assert not wrong
    if allowed:
        # a filter that refused what the table allows would say ENOSYS or EPERM where the kernel says something else
        with_filter, without = results(world, arch, allowed), results(world, arch, allowed, seccomp="unconfined")
        by_arguments = {"x86_64": {56, 135}, "x86": {120, 136}}[arch]  # clone and personality: -1 is refused
        wrong = {n: (with_filter.get(n), without.get(n)) for n in set(allowed) - by_arguments
                 if with_filter.get(n) in (1, 38) and without.get(n) not in (1, 38)}  # fmt: skip
        assert not wrong


def test_capabilities_add_their_calls(world):
    """chroot(2) and mount(2) are refused by the filter, not only by the kernel, without the capability."""
    assert results(world, "x86_64", [161], cap_drop=["CAP_SYS_CHROOT"])[161] == 1
    assert results(world, "x86_64", [161])[161] == 14  # EFAULT: the kernel looked at the path
    assert results(world, "x86_64", [101])[101] == 1  # ptrace
    assert results(world, "x86_64", [101], cap_add=["CAP_SYS_PTRACE"])[101] != 1
