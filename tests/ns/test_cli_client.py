# SPDX-License-Identifier: Apache-2.0
"""The command orlop against a peer that speaks the protocol: framing, tables, errors, exit codes."""

import json
import os
import pty
import random
import socket
import subprocess
import threading
import time

import pytest
from controlserver import MAGIC, ControlServer, frame
from private import BIN, Private, retry

WEB = {
    "unit": "web.container",
    "name": "web",
    "kind": "container",
    "state": "up",
    "since_usec": 0,
    "pid": 4711,
    "restarts": 2,
    "result": "success",
    "status": "serving",
    "ports": ["0.0.0.0:8080->80/tcp", "[::]:8080->80/tcp"],
    "address": "10.88.0.2",
    "image": "localhost/hello:latest",
}


class Host:
    def __init__(self):
        self.ns = Private()
        self.server = None

    def serve(self, handler, stream=False):
        path = "/run/orlop/stream" if stream else "/run/orlop/control"
        self.server = ControlServer(self.ns.path(path), handler, stream)

    def answer(self, *objects, code=0, error=None, stream=False):
        """Answers every request with these objects and an end."""

        def handler(_words, send, ident):
            for o in objects:
                send(frame(ident, o))
            send(frame(ident, {"exit": code, **({"error": error} if error else {})}))

        self.serve(handler, stream)

    def orlop(self, *args, **options):
        options.setdefault("text", True)
        return self.ns.run("env", "-u", "COLUMNS", f"{BIN}/orlop", *args, **options)

    def close(self):
        try:
            if self.server:
                self.server.close()
        finally:
            self.ns.close()


@pytest.fixture
def host():
    h = Host()
    yield h
    h.close()


def test_ps_is_a_table(host):
    host.answer({**WEB, "since_usec": int(time.time() - 200) * 10**6}, {"unit": "db", "state": "down"})
    done = host.orlop("ps", "-a")
    assert done.returncode == 0 and done.stderr == ""
    head, web, db = done.stdout.splitlines()
    assert head.split() == ["UNIT", "STATE", "SINCE", "RESTARTS", "PID", "ADDRESS", "PORTS", "STATUS"]
    assert web.split()[:3] == ["web.container", "up", "3m"]
    assert web.split()[4:7] == ["2", "4711", "10.88.0.2"]
    assert web.endswith("0.0.0.0:8080->80/tcp, [::]:8080->80/tcp  serving")
    assert db.split() == ["db", "down", "-", "-", "-", "-", "-", "-"]
    assert web.index("up") == db.index("down") == head.index("STATE")
    assert host.server.requests == [["ps", "-a"]]


def test_json_is_what_came(host):
    host.answer(WEB)
    done = host.orlop("ps", "--json")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [WEB]


@pytest.mark.parametrize("code", [0, 1, 3, 4, 5, 124])
def test_exit_codes_come_through(host, code):
    """G46."""
    host.answer(code=code, error="because" if code else None)
    done = host.orlop("stop", "web")
    assert done.returncode == code
    assert done.stderr == ("orlop: because\n" if code else "")
    assert host.server.requests == [["stop", "web"]]


def test_nobody_answers(host):
    done = host.orlop("ps")
    assert done.returncode == 1
    assert "orlop-init does not answer on /run/orlop/control" in done.stderr
    assert "--connect" in done.stderr and "No such file" in done.stderr


def test_a_silent_server_is_a_timeout(host):
    """G46."""
    over = threading.Event()
    host.serve(lambda words, send, ident: over.wait(60))
    start = time.monotonic()
    done = host.orlop("--timeout", "1", "ps")
    took = time.monotonic() - start
    over.set()
    assert done.returncode == 124
    assert 0.9 < took < 20
    assert "did not finish" in done.stderr


def test_a_timeout_counts_the_whole_answer(host):
    def drip(_words, send, ident):
        while True:  # until the client has gone
            send(frame(ident, WEB))
            time.sleep(0.1)

    host.serve(drip)
    start = time.monotonic()
    assert host.orlop("--timeout=1", "ps").returncode == 124
    assert 0.9 < time.monotonic() - start < 20


def test_a_server_that_goes_away(host):
    host.serve(lambda words, send, ident: send(frame(ident, WEB)))
    done = host.orlop("ps")
    assert done.returncode == 1 and "closed the connection" in done.stderr


@pytest.mark.parametrize("payload", [b"", b"nonsense", b"[1]", b"{", b"\xff\xfe", b"[" * 5000])
def test_what_is_no_json_object_is_an_error(host, payload):
    host.serve(lambda words, send, ident: send(frame(ident, payload)))
    done = host.orlop("ps")
    assert done.returncode == 1 and "JSON" in done.stderr


def test_stream_ignores_foreign_answers_and_noise(host):
    """A virtio port gives bytes: leftovers of others, frames in pieces, garbage between them."""
    seed = random.randrange(1 << 30)
    rng = random.Random(seed)

    def handler(_words, send, ident):
        parts = [b"garbage orl", frame(ident ^ 1, {"unit": "foreign", "state": "up"})]
        parts += [frame(ident ^ 2, {"exit": 5, "error": "foreign"})]
        for i in range(50):
            parts.append(frame(ident, {"unit": f"u{i}", "state": "up"}))
            parts.append(rng.choice([b"", b"o", b"orl", b"\0" * 5, MAGIC.to_bytes(4, "little") + b"\xff" * 8]))
        parts.append(frame(ident, {"exit": 0}))
        data = b"".join(parts)
        while data:
            n = rng.randrange(1, 60)
            send(data[:n])
            data = data[n:]

    host.serve(handler, stream=True)
    done = host.orlop("--connect", "unix:/run/orlop/stream", "ps")
    assert done.returncode == 0, (seed, done.stderr)
    units = [line.split()[0] for line in done.stdout.splitlines()[1:]]
    assert units == [f"u{i}" for i in range(50)], seed
    assert host.server.requests == [["ps"]]


def test_ids_differ(host):
    seen = []

    def handler(_words, send, ident):
        seen.append(ident)
        send(frame(ident, {"exit": 0}))

    host.serve(handler)
    for _ in range(10):
        host.orlop("ps")
    assert len(set(seen)) == 10 and 0 not in seen


def test_terminal_is_safe_and_coloured(host):
    evil = {**WEB, "status": "\x1b]0;owned\x07\x1b[2Jroot  up\nforged \u009b31m\u202e", "unit": "a\x1b[8m"}
    host.answer(evil)

    def on_terminal(**env):
        master, slave = pty.openpty()
        process = host.ns.popen(
            "env", *(f"{k}={v}" for k, v in {"TERM": "xterm", "COLUMNS": "200", **env}.items()),
            f"{BIN}/orlop", "ps", stdout=slave, stderr=slave,
        )
        os.close(slave)
        data = b""
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError:
                break
            if not chunk:
                break
            data += chunk
        os.close(master)
        assert process.wait(10) == 0
        return data

    shown = on_terminal()
    assert shown.count(b"\n") == 2
    assert b"\x1b[32mup\x1b[0m" in shown
    rest = shown.replace(b"\x1b[32m", b"").replace(b"\x1b[0m", b"")
    assert not any(c in rest for c in (b"\x1b", b"\x07", b"\xc2\x9b", "\u202e".encode()))
    assert rb"\x1b]0;owned\x07" in rest and rb"\x0aforged" in rest
    assert b"\x1b" not in on_terminal(NO_COLOR="1")
    assert b"\x1b" not in on_terminal(TERM="dumb")
    assert max(len(line.decode().rstrip("\r")) for line in on_terminal(NO_COLOR="1", COLUMNS="90").split(b"\n")) <= 90


def test_status_shows_every_member(host):
    """G47: with what the unit said last."""
    answers = {
        "status": [{**WEB, "step": "pivot-root", "next_start_usec": 1500000}, {"exit": 3}],
        "logs": [{"s": "one", "p": False}, {"s": "t\x1b", "p": True}, {"s": "wo", "p": False}, {"exit": 0}],
    }

    def handler(words, send, ident):
        for line in answers[words[0]]:
            send(frame(ident, line))

    host.serve(handler)
    done = host.orlop("status", "web")
    assert done.returncode == 3
    assert done.stdout.startswith("web.container: up\n")
    for text in ("step: pivot-root", "next start in: 1.500 s", "status: serving", "restarts: 2"):
        assert text in done.stdout
    assert done.stdout.endswith("last lines:\n      one\n      t\\x1bwo\n")
    assert host.server.requests == [["status", "web"], ["logs", "-n", "10", "web"]]
    shown = json.loads(host.orlop("status", "--json", "web").stdout)
    assert shown == {**answers["status"][0], "last_lines": ["one", "t\x1bwo"]}


def test_logs_print_pieces_and_markers(host):
    host.answer(
        {"t": "2026-11-24T03:31:13.000000001Z", "p": False, "s": "one"},
        {"t": "2026-11-24T03:31:13.000000002Z", "p": True, "s": "two "},
        {"t": "2026-11-24T03:31:13.000000003Z", "p": False, "s": "three\0\x1b"},
        {"t": "2026-11-24T03:31:13.000000004Z", "p": False, "m": True, "s": "9 bytes dropped"},
    )
    done = host.orlop("logs", "-n", "3", "--since", "10m", "web", text=False)
    assert done.stdout == b"one\ntwo three\0\x1b\n-- 9 bytes dropped --\n"
    assert host.server.requests == [["logs", "-n", "3", "--since", "10m", "web"]]
    done = host.orlop("logs", "-ft", "web", text=False)
    assert done.stdout.startswith(b"2026-11-24T03:31:13.000000001Z one\n2026-11-24T03:31:13.000000002Z two three")
    assert host.server.requests[1] == ["logs", "-f", "-n", "10", "web"]


def test_following_stops_when_the_reader_does(host):
    def handler(_words, send, ident):
        while True:
            send(frame(ident, {"t": "", "p": False, "s": "x" * 100}))

    host.serve(handler)
    done = host.ns.run("bash", "-c", f"{BIN}/orlop logs -f web | head -n 3", text=True)
    assert done.stdout == ("x" * 100 + "\n") * 3


def test_events_end_after_n(host):
    host.answer(*({"seq": i, "usec": i * 10**6, "unit": "web", "state": "up"} for i in range(9)))
    done = host.orlop("events", "-n", "2")
    assert done.returncode == 0
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["1970-01-01T00:00:00Z", "web", "seq=0", "state=up"],
        ["1970-01-01T00:00:01Z", "web", "seq=1", "state=up"],
    ]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("start", "a", "b"), ["start", "a", "b"]),
        (("kill", "-sHUP", "a"), ["kill", "-s", "HUP", "a"]),
        (("kill", "a"), ["kill", "a"]),
        (("reload",), ["reload"]),
        (("poweroff",), ["poweroff"]),
        (("images",), ["images"]),
        (("stop", "--", "-a"), ["stop", "-a"]),
    ],
)
def test_requests_are_words(host, args, words):
    host.answer({"unit": "a", "state": "up"})
    assert host.orlop(*args).returncode == 0
    assert host.server.requests == [words]


def test_what_went_wrong_with_one_unit(host):
    host.answer({"unit": "a", "state": "up"}, {"unit": "b", "error": "no image"}, code=1)
    done = host.orlop("start", "a", "b")
    assert (done.returncode, done.stdout, done.stderr) == (1, "a: up\n", "orlop: b: no image\n")


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((), "orlop VERB --help"),
        (("pss",), 'did you mean "ps"'),
        (("xyzzy",), "orlop help"),
        (("--nope", "ps"), "--nope"),
        (("--connect", "tcp:1", "ps"), "only unix:PATH"),
        (("--timeout", "x", "ps"), "--timeout"),
        (("--timeout",), "--timeout"),
        (("logs",), "logs needs UNIT"),
        (("ps", "--nope"), "no option --nope"),
        (("logs", "-n", "x", "a"), "--lines"),
    ],
)
def test_usage_errors_exit_2(host, args, text):
    """G46."""
    done = host.orlop(*args)
    assert done.returncode == 2 and text in done.stderr + done.stdout


def test_help_needs_no_server(host):
    for args in (("help",), ("--help",), ("-h",)):
        done = host.orlop(*args)
        assert done.returncode == 0 and "poweroff" in done.stdout
    for verb in ("ps", "logs", "kill"):
        one, two = host.orlop(verb, "--help"), host.orlop("help", verb)
        assert one.returncode == 0 and one.stdout == two.stdout and "--json" in one.stdout
    assert host.orlop("--version").stdout.startswith("orlop ")


def test_a_busy_server_does_not_hang_us(host):
    """Its queue is full: connect() would wait for ever."""
    over = threading.Event()
    host.serve(lambda words, send, ident: over.wait(60))
    first = host.ns.popen(f"{BIN}/orlop", "--timeout", "60", "ps", stderr=subprocess.DEVNULL)
    retry(lambda: host.server.requests)  # it is being served, and nobody else is
    others = []
    with pytest.raises(BlockingIOError):
        while True:
            others.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK))
            others[-1].connect(host.ns.path("/run/orlop/control"))
    start = time.monotonic()
    done = host.orlop("--timeout", "1", "ps")
    assert 0.9 < time.monotonic() - start < 20
    assert done.returncode == 1 and "does not answer" in done.stderr, done
    for other in others:
        other.close()
    over.set()
    first.kill()
    first.wait()
