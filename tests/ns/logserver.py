# SPDX-License-Identifier: Apache-2.0
"""PID 1's side of orlop-log: the pipes of units, and the socket over which their read ends go."""

import array
import os
import re
import signal
import socket

from private import BIN, Private, retry

RECORD = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) ([FPM]) (.*)", re.DOTALL)
STORE = "/var/lib/orlop/logs"
RING = "/run/orlop/logs"


def exec_with_fd(number, fd):
    """Words that run what follows with fd at another number, whatever pytest has there."""
    if fd == number:
        return ["env"]
    return ["bash", "-c", f'exec {number}<&{fd} {fd}<&-; exec "$@"', "orlop-log"]


class Pipe:
    def __init__(self, unit, options):
        self.unit, self.options = unit, options
        self.read, self.write = os.pipe()


class LogServer:
    def __init__(self, *args, setup=""):
        self.ns = Private(setup)
        self.pipes = {}
        self.process = None
        self.start(*args)

    def start(self, *args):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = self.ns.popen(
            *exec_with_fd(3, theirs.fileno()), f"{BIN}/orlop-log", "serve", *args,
            pass_fds=(theirs.fileno(),),
        )
        theirs.close()
        self.control = ours
        for pipe in self.pipes.values():
            self.send(pipe)

    def send(self, pipe):
        words = b"".join(w.encode() + b"\0" for w in (pipe.unit, *pipe.options))
        fds = array.array("i", [pipe.read])
        self.control.sendmsg([words], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])

    def unit(self, name, *options):
        """A new unit; returns the write end of its pipe, blocking."""
        self.pipes[name] = Pipe(name, options)
        self.send(self.pipes[name])
        return self.pipes[name].write

    def store_ready(self):
        self.control.send(b"@store\0")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self.control.close()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def files(self, unit, place=STORE):
        folder = self.ns.path(f"{place}/{unit}")
        try:
            names = sorted(os.listdir(folder))  # digits sort before "current"
        except FileNotFoundError:
            return []
        return [os.path.join(folder, n) for n in names]

    def size(self, unit, place=STORE):
        return sum(len(data) for data in self.contents(unit, place))

    def contents(self, unit, place=STORE):
        """What is in the files, oldest first, at one moment: if one is rotated away, once more."""
        while True:
            try:
                found = []
                for name in self.files(unit, place):
                    with open(name, "rb") as f:
                        found.append(f.read())
                return found
            except FileNotFoundError:
                continue

    def records(self, unit, place=STORE):
        """[(time, flag, text)] of all files; every line must be a record. A write that is under way may be
        seen in part; it must be whole a moment later."""
        found = []
        retry(lambda: all(d.endswith(b"\n") for d in self.contents(unit, place) if d))
        for data in self.contents(unit, place):
            for line in data.split(b"\n")[:-1]:
                match = RECORD.fullmatch(line)
                assert match, line[:200]
                found.append(match.groups())
        return found

    def texts(self, unit, place=STORE):
        return [text for _, _, text in self.records(unit, place)]

    def read(self, *args):
        return self.ns.run(f"{BIN}/orlop-log", "read", *args)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.control.close()
        for pipe in self.pipes.values():
            os.close(pipe.read)
            os.close(pipe.write)
        self.ns.close()
