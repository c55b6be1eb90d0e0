# SPDX-License-Identifier: Apache-2.0
"""`orlop exec` from the command line to the process in the container: input, output, terminal, signals, exit code."""

import os
import pty
import select
import signal
import subprocess
import time

import pytest
from host import TOP, retry

IMAGE = os.path.join(TOP, "build/images/hello.tar")
ORLOP = "/usr/lib/orlop/orlop"


@pytest.fixture
def box(host):
    if not os.path.exists(IMAGE):
        pytest.skip("build/images/hello.tar was not built (make image)")
    host.image(IMAGE)
    host.unit("idle.container", "[Container]\nImage=localhost/hello\nNetwork=none\nEntrypoint=/bin/busybox\nExec=sleep 100000\n"
              "StopTimeout=0\n[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
    host.unit("plain.service", "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n")
    host.boot()
    host.until("idle.container", "up", 60)
    return host


def command(box, *words):
    return ["nsenter", "-t", str(box.pid), "-a", ORLOP, *words]


def popen(box, *words, **more):
    return subprocess.Popen(command(box, *words), **more)


def test_output_input_and_exit_code(box):
    out = box.run(ORLOP, "exec", "idle", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (out.returncode, out.stdout, out.stderr) == (7, "out\n", "err\n")
    out = box.run(ORLOP, "exec", "-i", "idle", "cat", input="to and fro\n" * 20000)
    assert out.returncode == 0 and out.stdout == "to and fro\n" * 20000
    # without -i nothing is read
    assert box.run(ORLOP, "exec", "idle", "cat", input="x").stdout == ""
    out = box.run(ORLOP, "exec", "-u", "7:8", "-w", "/srv", "-e", "A=1", "-e", "B=2 3", "idle.container", "sh", "-c",
                  'echo $(busybox id -u):$(busybox id -g) $(busybox pwd) $A $B')  # fmt: skip
    assert out.stdout == "7:8 /srv 1 2 3\n"
    assert box.run(ORLOP, "exec", "idle", "sh", "-c", "kill -9 $$").returncode == 137
    assert box.run(ORLOP, "exec", "idle", "/none").returncode == 127
    # the command's own options are its own
    assert box.run(ORLOP, "exec", "idle", "busybox", "echo", "-e", "-i", "-t").stdout == "-i -t\n"


def test_what_cannot_be_entered(box):
    for unit, code, text in (("none", 4, "no unit"), ("plain.service", 2, "no container")):
        out = box.run(ORLOP, "exec", unit, "true")
        assert out.returncode == code and text in out.stderr, out
    assert box.ask("stop", "idle", timeout=30)[0] == 0
    out = box.run(ORLOP, "exec", "idle", "true")
    assert out.returncode == 3 and "does not run" in out.stderr
    assert box.ask("exec", "idle", "--", "true")[0] == 3


def test_fds_are_pipes_of_the_container(box):
    """The command holds nothing of the client's: neither its files nor its terminal."""
    listing = 'for f in /proc/self/fd/*; do busybox readlink $f; done; busybox stat -c %u:%g /proc/self/fd/1 -L'
    with open(box.path("out"), "wb") as out:
        subprocess.run(command(box, "exec", "idle", "sh", "-c", listing), stdout=out, stdin=subprocess.DEVNULL, check=True)
    with open(box.path("out"), encoding="utf-8") as out:
        lines = out.read().splitlines()
    assert all(line.startswith(("pipe:", "/dev/null", "/proc/")) for line in lines[:-1]), lines
    assert lines[-1] == "0:0"


def orlop_of(process):
    """nsenter forks for the pid namespace: the child is orlop."""

    def look():
        with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="utf-8") as f:
            children = f.read().split()
        assert len(children) == 1
        return int(children[0])

    return retry(look)


class Terminal:
    def __init__(self, box, *words):
        self.master, slave = pty.openpty()
        import fcntl
        import struct
        import termios

        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
        self.process = popen(box, *words, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        self.slave = slave
        self.text = b""

    def expect(self, what, seconds=20):
        end = time.monotonic() + seconds
        while what not in self.text:
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, (what, self.text)
            self.text += os.read(self.master, 65536)
        self.text = self.text.split(what, 1)[1]

    def type(self, text):
        os.write(self.master, text)

    def interrupt(self):
        self.type(b"\x03")
        self.expect(b"# ", 1)

    def resize(self, rows, columns):
        import fcntl
        import struct
        import termios

        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(orlop_of(self.process), signal.SIGWINCH)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


def test_terminal(box):
    t = Terminal(box, "exec", "-it", "idle", "sh")
    try:
        t.expect(b"# ")  # it drops what was typed before
        t.type(b"busybox tty; busybox stty size; echo $((6*7))\n")
        t.expect(b"/dev/pts/0")
        t.expect(b"33 77")
        t.expect(b"42")
        t.resize(10, 120)
        t.type(b"while :; do case `busybox stty size` in 10*120) break;; esac; done; echo re''sized\n")
        t.expect(b"resized")
        # it is the terminal of that session, the container's own (major 136), and the user's
        t.type(b"busybox stat -c 'is %t %u %a' /dev/pts/0\n")
        t.expect(b"is 88 0 620")
        # keys are signals to what runs there
        t.type(b"echo be''gun; busybox sleep 1000\n")
        t.expect(b"begun")
        retry(lambda: t.interrupt())  # one that comes before the sleep is the shell's
        t.type(b"exit 9\n")
        assert t.process.wait(20) == 9
    finally:
        t.close()


def test_terminal_of_a_hostile_container(box):
    """What the container puts in the place of names does not matter: /dev is its own, a terminal is made by fd."""
    assert box.run(ORLOP, "exec", "idle", "sh", "-c",
                   "busybox rm /dev/ptmx; busybox ln -s /proc/1/root/etc/passwd /dev/ptmx; busybox rm -f /dev/console;"
                   "busybox ln -s /proc/sys/kernel/core_pattern /dev/console; busybox mkdir /tmp; echo done").stdout == "done\n"  # fmt: skip
    t = Terminal(box, "exec", "-it", "-u", "5", "idle", "sh")
    try:
        t.expect(b"$ ")
        t.type(b"busybox stat -L -c 'is %t %u' /proc/self/fd/0 /proc/self/fd/1; exit\n")
        t.expect(b"is 88 5")
        t.expect(b"is 88 5")
        assert t.process.wait(20) == 0
    finally:
        t.close()


def test_signals_reach_the_command_and_leaving_ends_it(box):
    script = "trap 'echo got; exit 5' TERM; echo ready; while :; do busybox sleep 0.05; done"
    p = popen(box, "exec", "idle", "sh", "-c", script, stdout=subprocess.PIPE, text=True)
    assert p.stdout.readline() == "ready\n"
    os.kill(orlop_of(p), signal.SIGTERM)
    assert p.stdout.readline() == "got\n"
    assert p.wait(20) == 5
    p = popen(box, "exec", "idle", "sh", "-c", "echo ready; exec busybox sleep 4711", stdout=subprocess.PIPE, text=True)
    assert p.stdout.readline() == "ready\n"
    os.kill(orlop_of(p), signal.SIGKILL)
    p.wait()
    retry(lambda: check("4711" not in box.run(ORLOP, "exec", "idle", "ps").stdout))


def check(value):
    assert value


def test_a_reader_that_leaves_ends_it(box):
    """What the command writes and nobody reads any more is its own trouble, as in any pipe: nobody waits for it."""
    out = box.run("sh", "-c", f"{ORLOP} exec idle /bin/busybox yes | head -n 1")
    assert out.stdout == "y\n", out


def test_a_reader_that_is_slow_gets_it_all(box):
    """The command has ended when its output fills the pipe behind us: what was read of it is not thrown away."""
    out = box.run("sh", "-c", f"{ORLOP} exec idle /bin/busybox dd if=/dev/zero bs=1024 count=130 2>/dev/null | (sleep 3; wc -c)")
    assert out.stdout.strip() == "133120", out


# more than our pipe holds, and orlop with it; in pieces that fill no page
MUCH = {"ended": "busybox dd if=/dev/zero bs=1024 count=90", "runs": "while :; do busybox dd if=/dev/zero bs=1000 count=100; done"}


def test_a_reader_that_is_stuck_keeps_nobody(box):
    """Nobody reads, and orlop owes output, of a command that has ended or that goes on: a signal ends both."""
    tries = [("ended", number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)]
    for how, number in [*tries, ("runs", signal.SIGTERM)]:
        read, write = os.pipe()
        p = popen(box, "exec", "idle", "sh", "-c", f"{MUCH[how]} 2>/dev/null", stdout=write)
        try:
            orlop = orlop_of(p)

            def waits(how=how, orlop=orlop, write=write):
                """The pipe is full, and the command is gone or waits for us."""
                with open(f"/proc/{orlop}/status", encoding="utf-8") as f:
                    state = dict(line.split(":\t", 1) for line in f.read().splitlines())
                # what it blocks tells whether it has read the exit code
                assert not select.select([], [write], [], 0)[1] and (int(state["SigBlk"], 16) >> signal.SIGTERM - 1 & 1) == (how == "runs")

            retry(waits)
            assert p.poll() is None
            os.kill(orlop, number)
            # nsenter ends as orlop did
            assert p.wait(20) in ((-number,) if how == "ended" else (128 + number,)), (how, number)
        finally:
            p.kill()
            p.wait()
            os.close(read)
            os.close(write)


def test_many_at_once_and_a_restart_in_between(box):
    """An exec never lands anywhere but in the container: by pidfd, it fails if that process is gone."""
    # all but the user namespace, which a unit keeps, are new at each start
    seen, answers = set(), []
    for round_ in range(4):
        running = [popen(box, "exec", "idle", "sh", "-c", "busybox readlink /proc/self/ns/mnt; busybox readlink /proc/self/ns/pid; busybox hostname",
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(8)]  # fmt: skip
        if round_ % 2:
            box.ask("restart", "idle", timeout=30)
        for p in running:
            out, err = p.communicate(timeout=60)
            answers.append(p.returncode)
            if p.returncode == 0:
                mnt, pid, name = out.split()
                seen.add((mnt, pid))
                assert name == "systemd-idle"
            else:
                assert p.returncode in (3, 125, 137), (p.returncode, out, err)
    host = (os.readlink(f"/proc/{box.pid}/ns/mnt"), os.readlink(f"/proc/{box.pid}/ns/pid"))
    assert not any(m == host[0] or p == host[1] for m, p in seen)
    assert answers.count(0) >= 8


@pytest.mark.parametrize("userns", ["auto", "host"])
def test_root_of_a_container_commands_nobody(box, userns):
    """The control socket as a volume: whoever is root inside may look, and change nothing."""
    box.unit("spy.container", "[Container]\nImage=localhost/hello\nNetwork=none\nEntrypoint=/bin/busybox\nExec=sleep 100000\n"
             f"UserNS={userns}\nVolume=/run/orlop/control:/run/orlop/control\nVolume=/usr/lib/orlop:/o:ro\nStopTimeout=0\n")  # fmt: skip
    assert box.ask("reload", timeout=30)[0] == 0
    assert box.ask("start", "spy", timeout=30)[0] == 0
    out = box.run(ORLOP, "exec", "spy", "/o/orlop", "version")
    assert out.returncode == 0, out
    for words in (("stop", "plain.service"), ("exec", "idle", "true"), ("poweroff",), ("logs", "idle")):
        out = box.run(ORLOP, "exec", "spy", "/o/orlop", *words)
        assert out.returncode == 5 and "only root" in out.stderr, out
    box.until("plain.service", "up")


def test_pause(box):
    """A paused container does nothing, and is stopped all the same."""
    box.unit("busy.container", "[Container]\nImage=localhost/hello\nNetwork=none\nEntrypoint=/bin/sh\nStopTimeout=30\n"
             "HealthCmd=true\nHealthInterval=1s\nHealthTimeout=5s\nHealthRetries=1\nHealthOnFailure=kill\n"
             "Exec=-c 'trap \"exit 0\" TERM; while :; do echo x; sleep 0.05; done'\n")  # fmt: skip
    assert box.ask("reload", timeout=30)[0] == 0 and box.ask("start", "busy", timeout=30)[0] == 0
    first = box.status("busy")["pid"]

    def lines():
        code, answer = box.ask("logs", "busy", timeout=30)
        assert code == 0
        return len(answer)

    retry(lambda: check(lines() > 5))
    assert box.run(ORLOP, "pause", "busy").stdout == "busy.container: paused\n"
    assert box.status("busy")["paused"] is True

    def settled():
        n = lines()
        time.sleep(8)  # longer than the health check waits, if it did
        assert lines() == n

    retry(settled, 30)
    assert box.status("busy")["state"] == "up" and box.status("busy")["pid"] == first
    assert box.run(ORLOP, "unpause", "busy").returncode == 0
    n = lines()
    retry(lambda: check(lines() > n))
    assert box.run(ORLOP, "pause", "busy").returncode == 0
    began = time.monotonic()
    assert box.ask("stop", "busy", timeout=60)[0] == 0
    assert time.monotonic() - began < 25 and box.status("busy")["exit_code"] == 0
    assert box.run(ORLOP, "pause", "busy").returncode == 3
