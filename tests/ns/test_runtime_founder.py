# SPDX-License-Identifier: Apache-2.0
"""Namespaces made ahead by an orlop-run that waits (runtime/founder.h): what is left when it is killed, or a call fails."""

import os
import shutil
import signal
import socket
import subprocess

import pytest
from host import BIN, retry

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    pytest.mark.skipif(not shutil.which("strace"), reason="needs strace"),
]

REPORT = 4  # RUN_IN_REPORT


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(word) for word in f.read().split()]


def one(found):
    assert len(found) == 1, found
    return found[0]


class Spare:
    """orlop-run start -n below strace, which does something to its calls."""

    def __init__(self, inject):
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        words = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=prctl,ioctl", "-e", "inject=" + inject]
        script = f'exec {REPORT}<&{theirs.fileno()} "$@"'
        self.strace = subprocess.Popen(["bash", "-c", script, "bash", *words, os.path.join(BIN, "orlop-run"), "start", "-n"],
                                       pass_fds=[theirs.fileno()])  # fmt: skip
        theirs.close()
        self.pid = retry(lambda: one(children(self.strace.pid)))

    def waits(self):
        """In recvmsg, for its job."""
        with open(f"/proc/{self.pid}/syscall", encoding="ascii") as f:
            assert f.read().split()[0] == "47"

    def end(self):
        self.ours.close()
        self.strace.wait(timeout=20)


def gone(pid):
    assert not os.path.exists(f"/proc/{pid}")


def test_the_founder_of_a_spare_that_was_killed_at_once():
    """Before it has asked for a signal at its parent's end."""
    spare = Spare("prctl:delay_enter=300000")
    founder = retry(lambda: one(children(spare.pid)))
    os.kill(spare.pid, signal.SIGKILL)
    try:
        retry(lambda: gone(founder), 5)
    finally:
        if os.path.exists(f"/proc/{founder}"):
            os.kill(founder, signal.SIGKILL)
        spare.end()


def test_a_loopback_that_does_not_come_up():
    """Whoever starts in that network could not talk to itself, and would not be told."""
    spare = Spare("ioctl:error=EPERM")
    retry(spare.waits)
    assert children(spare.pid) == []
    spare.end()
    assert spare.strace.returncode == 0
    spare = Spare("ioctl:delay_enter=1")
    retry(spare.waits)
    founder = one(children(spare.pid))
    spare.end()
    gone(founder)
