# SPDX-License-Identifier: Apache-2.0
"""PID 1 crashes and goes on."""

import os
import signal
import subprocess
import time

from host import TOP, retry, settled

SLEEP = "[Service]\nExecStart=/bin/sleep 1000\nRestart=always\n[Install]\nWantedBy=multi-user.target\n"


def crash(host, sig=signal.SIGSEGV):
    os.kill(host.pid, sig)


def generation(host):
    return host.log().count("PID 1 revived")


def crash_and_wait(host, sig=signal.SIGSEGV):
    before = generation(host)
    crash(host, sig)
    def again():
        assert generation(host) > before, host.log()
        assert host.ask("version")[0] == 0
    retry(again)


def test_services_keep_their_pids(host):
    """A2."""
    for name in "abc":
        host.unit(f"{name}.service", SLEEP)
    host.boot()
    pids = {name: host.until(f"{name}.service", "up")["pid"] for name in "abc"}
    for sig in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE):
        crash_and_wait(host, sig)
        assert {name: host.status(f"{name}.service")["pid"] for name in "abc"} == pids
    # and it still supervises
    host.ask("kill", "a.service")
    def again():
        status = host.status("a.service")
        assert status["state"] == "up" and status["pid"] != pids["a"]
    retry(again)
    assert host.ask("stop", "b.service")[0] == 0


def test_fds_do_not_leak(host):
    host.unit("a.service", SLEEP)
    host.boot()
    host.until("a.service", "up")
    crash_and_wait(host)
    before = settled(host.fds)
    for _ in range(20):
        crash_and_wait(host)
    retry(lambda: _equal(host.fds(), before))


def _equal(a, b):
    assert a == b, (a, b)


def test_exit_during_the_crash_is_seen(host):
    host.unit("a.service", SLEEP)
    host.boot()
    first = host.until("a.service", "up")
    os.kill(host.pid, signal.SIGSTOP)
    host.run("sh", "-c", f"kill -9 {first['pid']}")  # the shell's own: procps is not everywhere
    crash(host)
    os.kill(host.pid, signal.SIGCONT)
    def again():
        status = host.status("a.service")
        assert status["state"] == "up" and status["pid"] != first["pid"], host.log()
    retry(again)
    assert host.status("a.service")["restarts"] == 1


def test_backoff_goes_on(host):
    host.unit("b.service", "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=2\n"
              "[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
    host.boot()
    before = host.until("b.service", "backoff")["restarts"]
    crash_and_wait(host)
    def more():
        assert host.status("b.service")["restarts"] > before
    retry(more)


def test_random_moments(host):
    """Crashes at random moments of starts, stops and exits: in the end everything is as it was asked for."""
    for i in range(10):
        host.unit(f"s{i}.service", SLEEP)
    host.unit("steady.service", SLEEP)
    host.boot()
    steady = host.until("steady.service", "up")["pid"]
    for i in range(10):
        host.until(f"s{i}.service", "up")
    for turn in range(30):
        client = host.client(timeout=30)
        client.send(("restart", "stop", "start", "kill")[turn % 4], *[f"s{i}.service" for i in range(10)])
        time.sleep(0.001 * (turn * 7 % 13))
        crash(host)
        retry(lambda: host.ask("version"))
        client.close()
        assert host.status("steady.service")["pid"] == steady, host.log()
    host.ask("start", *[f"s{i}.service" for i in range(10)], timeout=30)
    for i in range(10):
        host.until(f"s{i}.service", "up")
    cgroups = os.listdir(host.root("/sys/fs/cgroup/orlop"))
    assert {f"s{i}" for i in range(10)} | {"steady"} <= set(cgroups)


DEAF = ("[Service]\nExecStart=/bin/sh -c 'trap \"\" TERM; touch /tmp/deaf; while :; do sleep 0.1; done'\nTimeoutStopSec=3\n"
        "[Install]\nWantedBy=multi-user.target\n")  # fmt: skip


def test_who_waits_is_answered(host):
    """G49: An answer that is under way, and whoever follows events, outlive PID 1's crashes."""
    host.unit("deaf.service", DEAF)
    host.unit("a.service", SLEEP)
    host.boot()
    host.until("deaf.service", "up")
    retry(lambda: os.stat(host.root("/tmp/deaf")))
    follower, waiter = host.client(timeout=30), host.client(timeout=30)
    follower.send("events")
    asked = waiter.send("stop", "deaf.service", "a.service")
    host.until("deaf.service", "stopping")
    for _ in range(5):
        crash_and_wait(host)
    answers = []
    while not answers or "exit" not in answers[-1]:
        ident, line = waiter.read()
        assert ident == asked
        answers.append(line)
    assert answers[-1]["exit"] == 0
    assert {line["unit"]: line["state"] for line in answers[:-1]} == {"deaf.service": "down", "a.service": "down"}
    # the same connection goes on, and its tokens are nobody else's
    code, lines = waiter.ask("start", "a.service")
    assert code == 0 and lines[0]["state"] == "up"
    seen = []
    while not seen or (seen[-1]["unit"], seen[-1]["to"]) != ("a.service", "up"):
        seen.append(follower.read()[1])
    assert [line["seq"] for line in seen] == list(range(seen[0]["seq"], seen[0]["seq"] + len(seen))), seen
    assert ("deaf.service", "down") in [(line["unit"], line["to"]) for line in seen]


def test_who_only_listens_is_let_go(host):
    host.boot()
    client = host.client(timeout=30)
    assert client.ask("version")[0] == 0
    crash_and_wait(host)
    try:
        assert client.sock.recv(100) == b""
    except ConnectionResetError:
        pass


def fault(host):
    """Not a signal that somebody sends."""
    subprocess.run([os.path.join(TOP, "build/tests/ns/fault"), str(host.pid)], check=True)


def test_one_fault_is_survived_a_second_one_within_a_minute_is_not(host):
    """A2: the first is told with its place and revived from, the second syncs and reboots: for a namespace's PID 1 that
    is its end by SIGHUP (reboot(2))."""
    host.unit("a.service", SLEEP)
    host.boot()
    pid = host.until("a.service", "up")["pid"]
    fault(host)
    def again():
        assert generation(host) == 1, host.log()
        assert host.status("a.service")["pid"] == pid
    retry(again)
    # what a person sends is not counted
    crash_and_wait(host)
    assert host.status("a.service")["pid"] == pid
    fault(host)
    assert host.wait(30) == -signal.SIGHUP, host.log()


def test_a_stop_during_the_backoff_stays(host):
    """B16: whoever is stopped while waiting for its restart stays down, over a crash of PID 1 too. The next boot starts
    it as its file says, unless it was disabled."""
    for name in ("stopped", "disabled", "clock"):
        host.unit(f"{name}.service", "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=1\n"
                  "[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
    host.boot()
    for name in ("stopped", "disabled"):
        host.until(f"{name}.service", "backoff")
        assert host.ask("stop", f"{name}.service")[0] == 0
    assert host.ask("disable", "disabled.service")[0] == 0
    crash_and_wait(host)
    def restarts(name):
        return host.status(f"{name}.service")["restarts"]
    def enough(name, n):
        assert restarts(name) >= n
    last = restarts("clock")
    retry(lambda: enough("clock", last + 3))  # three times as long as the delay of the others
    assert {host.status(f"{name}.service")["state"] for name in ("stopped", "disabled")} == {"down"}
    assert host.ask("poweroff")[0] == 0
    host.wait(30)
    host.boot()
    retry(lambda: enough("clock", 3))
    retry(lambda: enough("stopped", 1))
    assert host.status("disabled.service")["state"] == "down" and restarts("disabled") == 0


SLOW_NET = """#!/bin/sh
[ "$1" = up ] || exec /usr/lib/orlop/real-net "$@"
echo "+ $$" >>/run/net
until [ -e /run/go ]; do sleep 0.05; done
/usr/lib/orlop/real-net "$@"
code=$?
echo "- $$" >>/run/net
exit $code
"""


def test_a_network_that_is_being_set_up(host):
    """A2: PID 1 crashes at boot while orlop-net is at work and a unit waits for it: it is run again, for both, and never
    beside itself."""
    os.rename(host.path("programs/orlop-net"), host.path("programs/real-net"))
    with open(host.path("programs/orlop-net"), "w", encoding="utf-8") as f:
        f.write(SLOW_NET)
    os.chmod(host.path("programs/orlop-net"), 0o755)
    host.unit("dem.network", "[Network]\nNetworkDeleteOnStop=true\n")
    host.unit("a.service", SLEEP)
    host.boot()
    def runs():
        with open(host.root("/run/net"), encoding="utf-8") as f:
            return f.read().split("\n")[:-1]
    retry(runs)
    asked = host.client(timeout=40)
    asked.send("start", "dem.network")
    host.until("dem.network", "starting")
    assert host.ask("status")[1][0]["network"] == "runs"
    first = runs()
    assert len(first) == 1
    crash_and_wait(host)
    with open(host.root("/run/go"), "w", encoding="utf-8"):
        pass
    host.until("a.service", "up", 60)
    host.until("dem.network", "up", 60)
    ours = [line for line in runs() if line[2:] != first[0][2:]]
    assert ours[:2] == ["+" + ours[0][1:], "-" + ours[0][1:]], runs()
    assert generation(host) == 1


def test_what_was_answered_is_known_after_a_crash(host):
    """PID 1 is held up behind the system call that sends an answer, and crashes there."""
    for name in "ab":
        host.unit(f"{name}.service", SLEEP.replace("[Install]\nWantedBy=multi-user.target\n", ""))
    host.boot()
    strace = subprocess.Popen(
        ["strace", "-o", "/dev/null", "-e", "trace=sendto", "-e", "inject=sendto:delay_exit=2000000", "-p", str(host.pid)],
        stderr=subprocess.PIPE, text=True)  # fmt: skip
    try:
        assert "attached" in strace.stderr.readline()
        before = generation(host)
        client = host.client(timeout=30)
        assert client.ask("start", "a.service", "b.service")[0] == 0
        crash(host)
        client.close()
    finally:
        strace.kill()
        strace.wait()
        strace.stderr.close()
    retry(lambda: _equal(generation(host), before + 1))
    for name in "ab":
        host.until(f"{name}.service", "up")
