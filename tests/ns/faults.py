# SPDX-License-Identifier: Apache-2.0
"""The other side of tests/ns/wraps/faults.c: says which call of PID 1 fails."""

import errno
import mmap
import os
import shutil
import struct

from host import TOP

FAULTY = os.path.join(TOP, "build/tests/ns/faulty-init")
FUNCTIONS = {
    "clone3": (1, errno.EAGAIN), "fork": (2, errno.EAGAIN), "pipe2": (3, errno.EMFILE), "openat": (4, errno.ENFILE),
    "mount": (5, errno.ENOMEM), "epoll_ctl": (6, errno.ENOSPC), "read": (7, errno.EIO), "write": (8, errno.EIO),
    "malloc": (9, errno.ENOMEM), "socketpair": (10, errno.EMFILE), "memfd_create": (11, errno.ENFILE),
    "mkdirat": (12, errno.ENOSPC),
}  # fmt: skip
CONTROL = struct.Struct("=IIIiII")


class Faults:
    """Puts the faulty program into the host's folder of programs, under a name."""

    def __init__(self, host, name="orlop-init"):
        shutil.copy(FAULTY, host.path(f"programs/{name}"))
        path = host.path("programs/faults")
        with open(path, "wb") as f:
            f.write(bytes(4096))
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 4096)

    def arm(self, function, at, always=False):
        number, error = FUNCTIONS[function]
        self.map[: CONTROL.size] = CONTROL.pack(0, 0, 0, 0, 0, 0)
        self.map[4 : CONTROL.size] = CONTROL.pack(0, at, always, error, 0, 0)[4:]
        self.map[:4] = struct.pack("=I", number)

    def disarm(self):
        """(calls, hits) since it was armed."""
        calls, hits = CONTROL.unpack(self.map[: CONTROL.size])[4:]
        self.map[:4] = bytes(4)
        return calls, hits
