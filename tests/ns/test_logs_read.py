# SPDX-License-Identifier: Apache-2.0
"""orlop-log read: text and frames, the last lines, since when, following across rotation."""

import json
import os
import re
import select
import socket
import struct
import subprocess
import threading
import time

import pytest
from logserver import RING, STORE, LogServer, exec_with_fd
from private import BIN, retry

HEAD = struct.Struct("=III")


@pytest.fixture
def logs():
    server = LogServer()
    yield server
    server.close()


def put(logs, unit, *lines, options=()):
    pipe = logs.pipes[unit].write if unit in logs.pipes else logs.unit(unit, *options)
    os.write(pipe, b"".join(line + b"\n" for line in lines))
    retry(lambda: logs.texts(unit)[-1:] == [lines[-1]])


class FrameReader:
    """A client's end of the connection that orlop-log read inherits as fd 3."""

    def __init__(self, logs, *args, kind=socket.SOCK_SEQPACKET, ident=77):
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
        self.process = logs.ns.popen(
            *exec_with_fd(3, theirs.fileno()),
            f"{BIN}/orlop-log", "read", "--frame-id", str(ident), *args,
            pass_fds=(theirs.fileno(),),
        )
        theirs.close()
        self.ident, self.kind, self.data = ident, kind, b""
        self.ours.settimeout(20)

    def next(self):
        while True:
            if len(self.data) >= HEAD.size:
                magic, length, ident = HEAD.unpack_from(self.data)
                assert (magic, ident) == (0x316C726F, self.ident)
                assert HEAD.size + length <= 32 << 10
                if len(self.data) >= HEAD.size + length:
                    if self.kind == socket.SOCK_SEQPACKET:
                        assert len(self.data) == HEAD.size + length, "one packet, one frame"
                    payload = self.data[HEAD.size : HEAD.size + length]
                    self.data = self.data[HEAD.size + length :]
                    return json.loads(payload)
            chunk = self.ours.recv(1 << 17)
            if not chunk:
                return None
            self.data += chunk

    def rest(self):
        found = []
        while (line := self.next()) is not None:
            found.append(line)
        return found

    def close(self):
        self.ours.close()
        return self.process.wait(10)


def follows(reader):
    """It has looked at what there was, and waits for more."""
    folder = f"/proc/{reader.process.pid}/fd"
    return polls(reader.process) and "anon_inode:inotify" in {os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)}


def polls(process):
    with open(f"/proc/{process.pid}/syscall", encoding="ascii") as f:
        return f.read().split()[0] == "7"


def test_text_is_what_the_unit_wrote(logs):
    put(logs, "web.container", b"one", b"t\0w\xffo", b"three")
    done = logs.read("web.container")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"one\nt\0w\xffo\nthree\n", b"")


@pytest.mark.parametrize("kind", [socket.SOCK_SEQPACKET, socket.SOCK_STREAM])
def test_frames_are_json_lines(logs, kind):
    put(logs, "web.container", b"one", b'q"\\\0\x1b', b"\xc3\xa4\xff")
    reader = FrameReader(logs, "web.container", kind=kind)
    *lines, last = reader.rest()
    assert reader.close() == 0
    assert [line["s"] for line in lines] == ["one", 'q"\\\0\x1b', "\u00e4\u00ff"]
    assert all(line["p"] is False for line in lines)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", line["t"]) for line in lines)
    assert last == {"exit": 0}


@pytest.mark.parametrize("kind", [socket.SOCK_SEQPACKET, socket.SOCK_STREAM])
def test_the_worst_line_fits_into_frames(logs, kind):
    """16 KiB of which JSON makes 96: several frames, all but the last partial."""
    line = bytes([1, 0xFF, 0x1B]) * 5000
    put(logs, "web.container", line, b"end")
    reader = FrameReader(logs, "web.container", kind=kind)
    *lines, last = reader.rest()
    assert reader.close() == 0 and last == {"exit": 0}
    assert "".join(piece["s"] for piece in lines[:-1]).encode("latin-1") == line
    assert [piece["p"] for piece in lines[:-1]] == [True] * (len(lines) - 2) + [False]


@pytest.mark.parametrize("n", [0, 1, 2, 999, 1000, 1001, 5000, 19999, 20000, 20001])
def test_the_last_lines(logs, n):
    lines = [b"line %d" % i for i in range(20000)]
    for i in range(0, 20000, 1000):
        put(logs, "web.container", *lines[i : i + 1000], options=("size=64K", "files=1000", "rate=0"))
    assert len(logs.files("web.container")) > 10
    shown = logs.read("-n", str(n), "web.container").stdout.splitlines()
    assert shown == lines[max(0, 20000 - n) :] if n else shown == []


def test_since(logs):
    put(logs, "web.container", b"old")
    time.sleep(1.1)
    cut = time.time()
    put(logs, "web.container", b"new")
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(cut)) + f"{cut % 1:.6f}"[1:] + "Z"
    assert logs.read("--since", stamp, "web.container").stdout == b"new\n"
    assert logs.read("--since", "1s", "web.container").stdout in (b"new\n", b"")
    assert logs.read("--since", "10m", "web.container").stdout == b"old\nnew\n"
    assert logs.read("--since", "@0", "web.container").stdout == b"old\nnew\n"
    bad = FrameReader(logs, "--since", "yesterday", "web.container")
    assert bad.rest()[0]["exit"] == 2
    bad.close()


def test_a_unit_without_output_has_no_lines(logs):
    done = logs.read("nothing.container")
    assert (done.returncode, done.stdout) == (0, b"")
    assert logs.read("../../etc/passwd").returncode == 2
    assert logs.read("a/b").returncode == 2


def test_following_from_before_the_first_line(logs):
    reader = FrameReader(logs, "-f", "later.container")
    retry(lambda: follows(reader))
    put(logs, "later.container", b"first")
    assert reader.next()["s"] == "first"
    os.write(logs.pipes["later.container"].write, b"second\n")
    assert reader.next()["s"] == "second"
    assert reader.close() == 0


def test_following_across_rotation_loses_nothing(logs):
    pipe = logs.unit("busy.container", "size=64K", "files=1000", "rate=0")
    reader = FrameReader(logs, "-f", "busy.container")
    count = 60000

    def write():
        for i in range(0, count, 20):
            os.write(pipe, b"".join(b"%d\n" % k for k in range(i, i + 20)))

    thread = threading.Thread(target=write)
    thread.start()
    seen = [int(reader.next()["s"]) for _ in range(count)]
    thread.join()
    assert seen == list(range(count))
    assert len(logs.files("busy.container")) > 30
    assert reader.close() == 0


def test_a_follower_that_is_too_slow_is_told(logs):
    pipe = logs.unit("busy.container", "size=64K", "files=2", "rate=0")
    os.write(pipe, b"0\n")
    reader = FrameReader(logs, "-f", "busy.container")
    assert reader.next()["s"] == "0"
    for i in range(1, 40000):
        os.write(pipe, b"%d\n" % i)
    seen, gaps = [0], 0
    while seen[-1] != 39999:
        line = reader.next()
        if line.get("m"):
            gaps += 1
            assert "removed before" in line["s"]
        else:
            seen.append(int(line["s"]))
    assert seen == sorted(set(seen))
    assert gaps >= 1 and len(seen) < 40000
    reader.close()


def test_following_from_the_ring_into_the_store(logs):
    retry(lambda: os.path.exists(logs.ns.path(STORE)))
    logs.kill()
    subprocess.run(["rm", "-r", logs.ns.path(STORE)], check=True)
    logs.start("--early")
    pipe = logs.unit("early.container")
    os.write(pipe, b"one\ntwo\n")
    retry(lambda: logs.texts("early.container", RING) == [b"one", b"two"])
    reader = FrameReader(logs, "-f", "early.container")
    assert [reader.next()["s"] for _ in range(2)] == ["one", "two"]
    logs.store_ready()
    retry(lambda: os.path.exists(logs.ns.path(STORE)))
    os.write(pipe, b"three\n")
    assert reader.next()["s"] == "three"
    os.write(pipe, b"four\n")
    assert reader.next()["s"] == "four"
    assert logs.texts("early.container") == [b"one", b"two", b"three", b"four"]
    assert reader.close() == 0


def test_a_follower_ends_with_its_client(logs):
    put(logs, "web.container", b"one")
    for kind in (socket.SOCK_SEQPACKET, socket.SOCK_STREAM):
        reader = FrameReader(logs, "-f", "web.container", kind=kind)
        assert reader.next()["s"] == "one"
        retry(lambda r=reader: follows(r))  # without a line it waits for ever
        assert reader.close() == 0


def test_it_reads_as_the_log_user(logs):
    put(logs, "web.container", b"one")
    reader = FrameReader(logs, "-f", "web.container")
    assert reader.next()["s"] == "one"
    with open(f"/proc/{reader.process.pid}/status", encoding="ascii") as f:
        fields = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    assert fields["Uid"].split() == ["472"] * 4
    assert int(fields["CapPrm"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"] == "1"
    reader.close()


def test_a_non_blocking_client_gets_everything(logs):
    """PID 1's end of the connection is non-blocking, and so is what the child inherits."""
    lines = [b"%d %s" % (i, b"x" * 200) for i in range(4000)]
    for i in range(0, 4000, 200):
        put(logs, "web.container", *lines[i : i + 200], options=("rate=0",))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.setblocking(False)
    process = logs.ns.popen(
        *exec_with_fd(3, theirs.fileno()),
        f"{BIN}/orlop-log", "read", "--frame-id", "1", "web.container",
        pass_fds=(theirs.fileno(),),
    )
    retry(lambda: not select.select([], [theirs], [], 0)[1] and polls(process))  # what it can send at once is sent
    theirs.close()
    got = []
    while data := ours.recv(1 << 17):
        got.append(json.loads(data[HEAD.size :]))
    assert process.wait(10) == 0
    assert [line["s"].encode() for line in got[:-1]] == lines
