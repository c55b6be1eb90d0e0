# SPDX-License-Identifier: Apache-2.0
"""`orlop run` and `orlop rm`: software tried and thrown away, through PID 1, with nothing left of it."""

import os
import shutil
import signal
import subprocess

import pytest
from host import TOP, retry, settled
from test_init_exec import ORLOP, Terminal, command, orlop_of, popen

IMAGE = os.path.join(TOP, "build/images/hello.tar")
WRITES = "printf '#!/bin/sh\\necho hi\\n' >/tmp-file; echo out; echo err >&2; exit 7"


@pytest.fixture
def box(host):
    if not os.path.exists(IMAGE):
        pytest.skip("build/images/hello.tar was not built (make image)")
    host.image(IMAGE)
    host.unit("idle.container", "[Container]\nImage=localhost/hello\nNetwork=none\nEntrypoint=/bin/busybox\nExec=sleep 100000\n"
              "StopTimeout=0\nVolume=kept:/kept\n[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
    host.boot()
    host.until("idle.container", "up", 60)
    # the first network namespace, the first filter: made once, and kept
    out = run(host, "--rm", "localhost/hello", "sh", "-c", "true")
    assert out.returncode == 0, out
    return host


def run(box, *words, **more):
    return box.run(ORLOP, "run", "--entrypoint=", *words, **more)


def tree(top):
    """Every path below a folder, with what a file holds if that is short."""
    found = set()
    for folder, dirs, files in os.walk(top):
        for name in dirs:
            found.add(os.path.join(folder, name)[len(top) :] + "/")
        for name in files:
            path = os.path.join(folder, name)
            try:
                with open(path, "rb") as f:
                    text = f.read(4096) if "/logs/" not in path else b""
            except OSError:
                text = b""
            found.add((path[len(top) :], text))
    return found


def traces(box):
    """All that a container could leave: files, cgroups, mounts, namespaces, links, packet filter, processes, fds."""
    store = {e for e in tree(box.path("store")) if not str(e).startswith(("layers", "/layers", "('/layers"))}
    runtime = tree(box.root("/run"))
    mounts = box.run("cat", "/proc/self/mountinfo").stdout
    return {
        "store": store,
        "run": runtime,
        "cgroups": sorted(d for d, _, _ in os.walk(box.cgroup)),
        "mounts": mounts.count("\n"),
        # name and address: whether a bridge has a carrier the kernel says when it has time
        "links": [line.split()[:1] + line.split()[2:3] for line in box.run("ip", "-br", "link").stdout.splitlines()],
        "nft": [line for line in box.run("nft", "-s", "list", "ruleset").stdout.splitlines() if "counter" not in line],
        "fds": sorted(os.readlink(f"/proc/{box.pid}/fd/{fd}").split(":")[0] for fd in os.listdir(f"/proc/{box.pid}/fd")),
        "processes": sorted(box.run("ps", "-eo", "comm=").stdout.split()),
        "units": [u["unit"] for u in box.ask("ps", "-a")[1]],
    }


def same(before, after):
    for key, value in before.items():
        if isinstance(value, set):
            assert not value ^ after[key], (key, value ^ after[key])
        else:
            assert value == after[key], key


def test_foreground(box):
    """Output, error, exit code and input go through; the same for what is not there."""
    out = run(box, "--rm", "localhost/hello", "sh", "-c", WRITES)
    assert (out.returncode, out.stdout, out.stderr) == (7, "out\n", "err\n")
    out = run(box, "--rm", "-i", "--network", "none", "localhost/hello", "cat", input="to and fro\n" * 20000)
    assert out.returncode == 0 and out.stdout == "to and fro\n" * 20000, out.stderr
    assert run(box, "--rm", "--network=none", "localhost/hello", "cat", input="x").stdout == ""
    assert run(box, "--rm", "--network=none", "localhost/hello", "sh", "-c", "kill -9 $$").returncode in (0, 137)
    out = run(box, "--rm", "--network=none", "localhost/hello", "/none")
    assert out.returncode == 127 and "/none" in out.stderr, out
    out = run(box, "--rm", "--network=none", "--entrypoint", "/etc/passwd", "localhost/hello")
    assert out.returncode == 126, out
    out = run(box, "--rm", "no/such/image")
    assert out.returncode == 125 and "no/such/image" in out.stderr, out


def test_nothing_is_left(box):
    before = settled(lambda: traces(box))
    assert run(box, "--rm", "--name", "tried", "-v", "own:/own", "localhost/hello", "sh", "-c", "echo x >/own/x; " + WRITES).returncode == 7
    out = box.run(ORLOP, "run", "-d", "--rm", "--name", "served", "-p", "18080:80", "localhost/hello")
    assert out.stdout == "served.container\n", out
    box.until("served.container", "up")
    assert "18080" in str(box.ask("ports")[1])
    assert box.run(ORLOP, "logs", "served").returncode == 0
    assert box.ask("stop", "served", timeout=30)[0] == 0
    # what failed at any place, too
    assert run(box, "--rm", "--network=none", "localhost/hello", "/none").returncode == 127
    assert run(box, "--rm", "no/such/image").returncode == 125
    assert run(box, "--rm", "-v", "relative/path:/x", "localhost/hello").returncode == 125
    assert run(box, "-d", "--rm", "--name", "short", "localhost/hello", "sh", "-c", "echo said at the end").returncode in (0, 1)
    assert run(box, "--name", "stays", "--network=none", "-v", "mine:/mine", "-v", "kept:/kept", "localhost/hello", "sh", "-c", "true").returncode == 0
    assert box.status("stays.container")["state"] == "down"
    out = box.run(ORLOP, "rm", "-v", "stays")
    assert out.returncode == 0 and out.stdout == "stays.container: removed\n", out
    many = [word for i in range(100) for word in ("-v", f"many{i}:/many{i}")]
    assert run(box, "--name", "stays", "--network=none", *many, "localhost/hello", "sh", "-c", "true").returncode == 0
    assert os.path.exists(box.path("store/volumes/many99/data"))
    assert box.run(ORLOP, "rm", "-v", "stays").returncode == 0
    # a volume is data: --rm leaves it, rm -v takes those that nobody else has
    assert os.path.exists(box.path("store/volumes/own/data/x"))
    assert os.path.exists(box.path("store/volumes/kept/data"))
    shutil.rmtree(box.path("store/volumes/own"))
    retry(lambda: same(before, traces(box)), 30)


def gone(box, unit):
    assert unit not in [u["unit"] for u in box.ask("ps", "-a")[1]]
    assert not os.path.exists(box.root(f"/run/orlop/units/{unit}"))


def test_terminal_size_and_keys(box):
    t = Terminal(box, "run", "--rm", "-it", "--network=none", "--name", "typed", "--entrypoint=", "localhost/hello", "sh")
    try:
        t.expect(b"# ")
        t.type(b"busybox tty; busybox stty size; echo $((6*7))\n")
        t.expect(b"/dev/pts/0")
        t.expect(b"33 77")
        t.expect(b"42")
        t.resize(10, 120)
        t.type(b"while :; do case `busybox stty size` in 10*120) break;; esac; done; echo re''sized\n")
        t.expect(b"resized")
        t.type(b"busybox stat -L -c 'is %t %u %a' /proc/self/fd/0; busybox readlink /proc/self/fd/* | busybox sort -u\n")
        t.expect(b"is 88 0 620")
        t.type(b"echo be''gun; busybox sleep 1000\n")
        t.expect(b"begun")
        retry(lambda: t.interrupt())
        t.type(b"exit 9\n")
        assert t.process.wait(20) == 9
    finally:
        t.close()
    gone(box, "typed.container")


def test_a_small_init_passes_signals_on(box):
    """And what was signalled decides the exit code; the terminal is its child's."""
    script = "trap 'echo got; exit 5' TERM; echo ready; while :; do busybox sleep 0.05; done"
    for more in ([], ["--init"]):
        p = popen(box, "run", "--rm", *more, "--network=none", "--entrypoint=", "localhost/hello", "sh", "-c", script,
                  stdout=subprocess.PIPE, text=True)  # fmt: skip
        assert p.stdout.readline() == "ready\n"
        os.kill(orlop_of(p), signal.SIGTERM)
        assert p.stdout.readline() == "got\n"
        assert p.wait(20) == 5
        p.stdout.close()


def test_who_leaves_ends_it(box):
    p = popen(box, "run", "--rm", "--name", "left", "--stop-timeout=0", "--network=none", "--entrypoint=", "localhost/hello",
              "sh", "-c", "echo ready; exec busybox sleep 4711", stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert p.stdout.readline() == "ready\n"
    os.kill(orlop_of(p), signal.SIGKILL)
    p.wait()
    p.stdout.close()
    retry(lambda: gone(box, "left.container"))
    assert "4711" not in box.run("ps", "-ef").stdout


def test_values_are_data(box):
    """What is special in unit files is not special here."""
    odd = "a b\t\"q\" 'q' \\ %n %% $HOME ${X} $$ \n=2;#"
    out = run(box, "--rm", "--network=none", "-e", f"ODD={odd}", "-e", "ALSO", "-e", "UNSET", "-l", f"x={odd}", "-w", "/srv/100%",
              "localhost/hello", "sh", "-c", 'printf "%s|%s|%s|%s|" "$ODD" "$1" "${UNSET-none}" "$ALSO"; busybox pwd', "x", odd,
              env=dict(os.environ, ALSO="from here"))  # fmt: skip
    assert out.returncode == 0 and out.stdout == f"{odd}|{odd}|none|from here|/srv/100%\n", out
    out = run(box, "--rm", "-v", "/srv:/srv\nUserNS=host", "localhost/hello", "sh")
    assert out.returncode == 2 and "control character" in out.stderr
    out = run(box, "--rm", "--network=none", "-u", "7:8", "--entrypoint", "/bin/busybox", "localhost/hello", "id")
    assert out.stdout.startswith("uid=7 gid=8"), out


def test_what_is_refused(box):
    """With the unit reader's own messages; nothing is left of it."""
    for words, code, text in (
        (["-v", "x:relative", "localhost/hello"], 125, "absolute path"),
        (["--cap-add", "SYS_TIME", "localhost/hello"], 125, "UserNS=host"),
        (["--name", "idle", "localhost/hello"], 125, "idle.container"),
        (["--name", "../x", "localhost/hello"], 125, "no name"),
        (["--name", "x" * 65, "localhost/hello"], 125, "no name"),
        (["-d", "-t", "localhost/hello"], 2, "-d has no"),
        (["--rm", "-d", "--restart=always", "localhost/hello"], 2, "contradict"),
        (["--network", "none.network", "localhost/hello"], 125, "none.network"),
        (["-e", "A=" + "x" * 63000, "localhost/hello"], 125, "too much"),
        (["--no-such", "localhost/hello"], 2, "no option"),
    ):
        out = run(box, *words)
        assert out.returncode == code and text in out.stderr, (words, out)
    names = os.listdir(box.root("/run/orlop/units"))
    assert names == ["idle.container"], names
    assert os.listdir(box.path("store/state/transient")) == []
    for unit, code, text in (("idle", 5, "/run/orlop/units/idle.container"), ("none", 4, "no unit"), ("default.target", 5, "host's own")):
        out = box.run(ORLOP, "rm", unit)
        assert out.returncode == code and text in out.stderr, out


def test_a_running_one_is_removed_by_force(box):
    assert run(box, "-d", "--name", "one", "--network=none", "--stop-timeout=0", "localhost/hello", "busybox", "sleep", "100000").returncode == 0
    assert run(box, "-d", "--name", "two", "--stop-timeout=0", "localhost/hello", "busybox", "sleep", "100000").returncode == 0
    out = box.run(ORLOP, "rm", "one", "two")
    assert out.returncode == 5 and "rm -f" in out.stderr
    box.until("one.container", "up")
    out = box.run(ORLOP, "rm", "-f", "one", "two")
    assert out.returncode == 0 and sorted(out.stdout.split("\n")) == ["", "one.container: removed", "two.container: removed"], out
    gone(box, "one.container")
    gone(box, "two.container")
    # the name is free again
    assert run(box, "--rm", "--name", "one", "--network=none", "localhost/hello", "sh", "-c", "true").returncode == 0


def test_edited_files_are_not_applied_by_the_way(box):
    """Somebody has edited a unit and not reloaded: run does not do it for them; what runs can be removed all the same."""
    assert run(box, "-d", "--rm", "--name", "was", "--network=none", "--stop-timeout=0", "localhost/hello", "busybox", "sleep", "100000").returncode == 0
    pid = box.status("idle.container")["pid"]
    with open(box.path("units/idle.container"), "a", encoding="utf-8") as f:
        f.write("[Container]\nEnvironment=NEW=1\n")
    out = run(box, "--rm", "--network=none", "localhost/hello", "sh", "-c", "true")
    assert out.returncode == 125 and "idle.container" in out.stderr and "reload" in out.stderr, out
    assert box.run(ORLOP, "rm", "-f", "was").returncode == 0
    gone(box, "was.container")
    assert box.status("idle.container")["pid"] == pid
    assert box.ask("reload", timeout=30)[0] == 0
    assert run(box, "--rm", "--network=none", "localhost/hello", "sh", "-c", "true").returncode == 0


def test_what_was_removed_is_no_change_any_more(box):
    """A dry run of a reload does not tell of it, a crash of PID 1 does not bring it back, its name can be used again."""
    assert run(box, "-d", "--name=gone", "localhost/hello", "sleep", "100000").returncode == 0
    assert box.ask("rm", "-f", "gone")[0] == 0
    def changes():
        return [(line["unit"], line["change"]) for line in box.ask("reload", "--dry-run")[1] if "change" in line]
    assert changes() == []
    box.run("kill", "-SEGV", "1")
    retry(lambda: box.ask("version"))
    assert "gone.container" not in [u["unit"] for u in box.ask("ps", "-a")[1]]
    assert changes() == []
    box.unit("gone.container", "[Container]\nImage=localhost/hello\n")
    assert changes() == [("gone.container", "added")]
    os.unlink(box.path("units/gone.container"))
    assert run(box, "-d", "--name=gone", "localhost/hello", "sleep", "100000").returncode == 0
    assert box.ask("rm", "-f", "gone")[0] == 0


def test_a_crash_of_pid_1_in_between(box):
    """Input and output do not go through PID 1; the exit code comes from its successor."""
    p = popen(box, "run", "--rm", "-i", "--name", "goes-on", "--network=none", "--entrypoint=", "localhost/hello",
              "sh", "-c", "echo ready; read line; echo $line; exit 6", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert p.stdout.readline() == "ready\n"
    os.kill(box.pid, signal.SIGSEGV)
    retry(lambda: same({"r": 1}, {"r": box.ask("status")[1][0]["revivals"]}))
    p.stdin.write("still here\n")
    p.stdin.flush()
    assert p.stdout.readline() == "still here\n"
    assert p.wait(30) == 6
    p.stdin.close()
    p.stdout.close()
    retry(lambda: gone(box, "goes-on.container"))


def test_power_is_cut(box):
    """What was being tried then is no trace of the next boot."""
    before = settled(lambda: traces(box))
    assert run(box, "-d", "--rm", "--name", "cut", "-p", "18080:80", "localhost/hello", "sh", "-c", "echo x; exec busybox sleep 1000").returncode == 0
    retry(lambda: os.listdir(box.path("store/logs/cut")))
    assert "cut.container" in open(box.path("store/state/leases"), encoding="utf-8").read()
    os.kill(box.pid, signal.SIGKILL)
    box.wait()
    retry(lambda: [os.rmdir(d) for d, _, _ in os.walk(box.cgroup, topdown=False)])
    box.boot()
    box.until("idle.container", "up", 60)
    retry(lambda: gone(box, "cut.container"))

    def look():
        after = traces(box)
        assert not {e for e in after["store"] - before["store"] if "cut" in str(e)}
        assert b"cut" not in open(box.path("store/state/leases"), "rb").read()
        assert not os.listdir(box.path("store/state/transient"))

    retry(look, 30)


def test_only_root(box):
    out = box.run("setpriv", "--reuid=1000", ORLOP, "run", "localhost/hello")
    assert out.returncode == 5 and "only root" in out.stderr
    assert box.run("setpriv", "--reuid=1000", ORLOP, "rm", "idle").returncode == 5
