# SPDX-License-Identifier: Apache-2.0
"""The control socket against bad clients."""

import resource
import socket
import subprocess
import time

import pytest
from host import HEAD, MAGIC, TOP, retry

resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))  # for a thousand clients

SLEEP = "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"


def raw(host):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.settimeout(15)
    retry(lambda: sock.connect(host.root("/run/orlop/control")))  # EAGAIN: the queue is full
    return sock


def closed(sock):
    try:
        return sock.recv(65536) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("packet", [
    b"x", b"", HEAD.pack(MAGIC, 5, 1), HEAD.pack(MAGIC, 3, 1) + b"ps\0more", HEAD.pack(0, 3, 1) + b"ps\0",
    HEAD.pack(MAGIC, 1 << 30, 1), b"\0" * 100000],
    ids=["short", "empty", "cut", "long", "magic", "huge", "zeros"])  # fmt: skip
def test_garbage_is_cut_off(host, packet):
    """A3."""
    host.boot()
    sock = raw(host)
    sock.send(packet)
    assert closed(sock)
    assert host.ask("version")[0] == 0


def test_malformed_words(host):
    host.boot()
    client = host.client()
    client.sock.send(HEAD.pack(MAGIC, 2, 77) + b"ps")
    ident, line = client.read()
    assert ident == 77 and line["exit"] == 2


def test_silent_client_is_cut_and_others_are_served(host):
    """A3."""
    host.boot()
    begin = time.monotonic()
    sock = raw(host)
    assert host.ask("version")[0] == 0
    assert closed(sock)
    assert 4 < time.monotonic() - begin < 15


def test_a_thousand_idle_clients(host):
    """A3."""
    host.boot()
    before = host.rss()
    socks = []
    for _ in range(1000):
        socks.append(raw(host))
    refused = 0
    for sock in socks:
        sock.setblocking(False)
        try:
            refused += b"too many" in sock.recv(65536)
        except OSError:
            pass
    assert refused > 0
    # somebody with a real question gets through while they all hang on
    assert retry(lambda: _ask(host), 3)
    assert host.rss() - before < 256 * 1024
    for sock in socks:
        sock.close()


def _ask(host):
    try:
        return host.ask("version")[0] == 0
    except (EOFError, AssertionError) as e:
        raise OSError from e


def test_client_that_does_not_read_is_cut(host):
    """A3, G49."""
    host.unit("one.service", SLEEP)
    host.boot()
    host.until("one.service", "up")
    client = host.client()
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        for _ in range(20000):
            client.send("ps", "-a")
    assert host.ask("version")[0] == 0


def test_many_requests_on_one_connection(host):
    host.boot()
    client = host.client()
    for _ in range(200):
        assert client.ask("version")[0] == 0


def test_nobody_else_may_change(host):
    host.unit("one.service", SLEEP)
    host.boot()
    host.until("one.service", "up")
    # a socket path below /proc/PID/root needs root to walk: connect first, drop the uid in the same process
    code = ("import sys, os, socket; sys.path.insert(0, 'tests/ns'); from host import Client\n"
            "fd = os.open(os.path.dirname(sys.argv[1]), os.O_PATH); os.fchdir(fd); os.setuid(1000)\n"
            "c = Client('control'); print(c.ask('ps')[0], c.ask('stop', 'one')[0])")  # fmt: skip
    out = subprocess.run(["python3", "-B", "-c", code, host.root("/run/orlop/control")], cwd=TOP,
                         capture_output=True, text=True, check=False)  # fmt: skip
    assert out.stdout.split() == ["0", "5"], out
    assert host.status("one.service")["state"] == "up"


