# SPDX-License-Identifier: Apache-2.0
"""orlop-run exec: one more process in a container that runs, and what its neighbours there can do to it."""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

from runtime_world import BASE, RUN, TOP, Container, World, retry

PROBE = os.path.join(TOP, "build/tests/ns/run_probe")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture(scope="module")
def world():
    w = World()
    w.image_with("exec", lambda top: shutil.copy(PROBE, top + "/probe"), Cmd=["sleep", "1000"], Env=["A=image"])
    yield w
    w.close()


def probe(c, **more):
    r = c.run("/probe", **more)
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def status(p, key):
    return next(line.split(None, 1)[1] for line in p["status"].splitlines() if line.startswith(key + ":"))


def test_it_is_confined_as_the_first_process(world):
    with Container(world, image="exec", env=["B=unit"], hostname="box") as c:
        p = probe(c)
        ns = c.run("readlink", "-f", *(f"/proc/self/ns/{n}" for n in ("mnt", "pid", "net", "ipc", "uts", "user", "cgroup")))
        first = c.run("readlink", "-f", *(f"/proc/1/ns/{n}" for n in ("mnt", "pid", "net", "ipc", "uts", "user", "cgroup")))
    assert ns.stdout == first.stdout or first.stdout == ""  # a process may be closed to its siblings
    for key in ("CapBnd", "CapPrm", "CapEff"):
        assert int(status(p, key), 16) == 0x800405FB
    assert int(status(p, "CapInh"), 16) == 0 and int(status(p, "CapAmb"), 16) == 0
    assert status(p, "Seccomp") == "2"
    assert sorted(p["fds"]) == ["0", "1", "2"] and p["fds"]["0"] == "/dev/null"
    assert "0::/\n" in p["cgroup"] and p["hostname"] == "box" and p["pid"] > 1
    assert {"A=image", "B=unit", "HOME=/root"} <= set(p["env"])
    assert p["uid_map"].split() == ["0", str(BASE), "65536"]
    assert p["attempts"]["mount_tmpfs"] == 1 and p["attempts"]["unshare_user"] == 1


def test_user_directory_and_environment(world):
    with Container(world, image="exec", user="app", workdir="/tmp", env=["B=unit"]) as c:
        p = probe(c)
        assert (p["uid"], p["gid"], p["groups"], p["cwd"]) == (1000, 1000, [29], "/tmp")
        assert int(status(p, "CapEff"), 16) == 0
        p = probe(c, options=["-u", "7:8", "-w", "/etc", "-e", "B=over", "-e", "C=new"])
        assert (p["uid"], p["gid"], p["cwd"]) == (7, 8, "/etc") and {"B=over", "C=new"} <= set(p["env"])


def test_exit_codes(world):
    with Container(world, image="exec") as c:
        assert c.run("sh", "-c", "exit 9").returncode == 9
        assert c.run("sh", "-c", "kill -9 $$").returncode == 137
        assert c.run("/none").returncode == 127
        assert c.run("/etc/passwd").returncode == 126
        for user in ("nobody", "1000x", "-1", "4294967295", "0x0", "1000:", ":", "app:nogroup", ""):
            assert c.run("true", options=["-u", user]).returncode == 125, user
        assert c.run("true", options=["-w", "/proc/self/fd/3"]).returncode == 125
        assert c.run("sh", "-c", "echo out; echo err >&2").stdout == "out\n"


def test_ended_container(world):
    with Container(world, image="exec") as c:
        os.kill(c.pid, signal.SIGKILL)
        assert retry(lambda: c.run("true").returncode == 125)
    r = subprocess.run(world.enter(RUN, "exec", "none.container", "true"), capture_output=True, text=True, check=False)
    assert r.returncode == 125


def test_killing_it_kills_the_command(world):
    with Container(world, image="exec") as c:
        for user in ("0", "app"):
            p = c.popen("sleep", "4711", options=["-u", user])
            # (not orlop-run's own child on its way there, which has the same words)
            assert retry(lambda: any("4711" in line and "orlop-run" not in line for line in c.run("ps").stdout.splitlines()))
            p.kill()
            p.communicate()
            assert retry(lambda: "4711" not in c.run("ps").stdout)


def test_killing_it_while_the_command_is_on_its_way_kills_it(world):
    """Killed after it has made the process, before that has asked the kernel to die with it."""
    aide = os.path.join(TOP, "build/tests/ns/orphan_at_setsid")
    with Container(world, image="exec") as c:
        for user in ("0", "app"):
            p = c.popen("sleep", "4711", options=["-u", user], below=[aide])
            pid = p.stdout.readline().strip()
            assert pid and p.wait(20) == 0, p.stderr.read()
            assert retry(lambda: not os.path.exists(f"/proc/{pid}")), c.run("ps").stdout
            assert "4711" not in c.run("ps").stdout


SPY = r"""
while :; do
    for p in /proc/[0-9]*; do
        case $p in /proc/1|/proc/self|/proc/$$) continue ;; esac
        { true > $p/exe; } 2>/dev/null && echo "wrote $p/exe"
        { head -c 1 $p/mem; } >/dev/null 2>&1 && echo "read $p/mem"
        ls $p/fd/3 >/dev/null 2>&1 && echo "saw $p/fd/3 $(readlink $p/exe)"
        case $(readlink $p/exe 2>/dev/null) in *orlop*) echo "named $p" ;; esac
    done
done
"""


@pytest.mark.parametrize("fields", [{}, {"cap_add": ["CAP_SYS_PTRACE"]}])
def test_neighbours_see_nothing_of_the_runtime(world, fields):
    with open(RUN, "rb") as program:
        before = hashlib.sha256(program.read()).hexdigest()
    with Container(world, image="exec", entrypoint_set=True, exec=["/bin/sh", "-c", SPY], **fields) as c:
        for _ in range(200 if os.environ.get("FULL") else 60):
            assert c.run("true").returncode == 0
        time.sleep(0.1)
        out, _ = c.process.communicate("x")
        c.process.communicate = lambda *_: None
    text = json.loads(out.splitlines()[-1])["output"]
    assert "wrote" not in text and "named" not in text and "saw" not in text, text[:500]
    with open(RUN, "rb") as program:
        assert hashlib.sha256(program.read()).hexdigest() == before


@pytest.mark.parametrize("userns", ["auto", "host"])
def test_runtime_as_interpreter_of_what_is_run(world, userns):
    """`#!/proc/self/exe`: the runtime runs inside, and can be opened there; never for writing."""

    def fill(top):
        with open(top + "/entry", "w", encoding="utf-8") as out:
            out.write("#!/proc/self/exe exec\n")
        os.chmod(top + "/entry", 0o755)

    world.image_with("interpreter", fill, Cmd=["/bin/sh", "-c", "while :; do for p in /proc/[2-9]*; do "
                                               "{ true >> $p/exe; } 2>/dev/null && echo wrote; done; done"])
    with open(RUN, "rb") as program:
        before = hashlib.sha256(program.read()).hexdigest()
    with Container(world, image="interpreter", userns=userns) as c:
        for _ in range(40):
            assert c.run("/entry").returncode == 2  # its usage: the runtime it was
        out, _ = c.process.communicate("x")
        c.process.communicate = lambda *_: None
    with open(RUN, "rb") as program:
        assert hashlib.sha256(program.read()).hexdigest() == before


@pytest.mark.parametrize("n", [4096, 4097, 400000])
def test_top_says_when_there_are_more(tmp_path, n):
    """A list of processes as a cgroup has it, of the same one n times: nothing is left out without a word."""
    (tmp_path / "below").mkdir()
    (tmp_path / "cgroup.procs").write_text(f"{os.getpid()}\n" * (n - 1), encoding="utf-8")
    (tmp_path / "below/cgroup.procs").write_text(f"{os.getpid()}\n", encoding="utf-8")
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    fds = [os.pidfd_open(os.getpid()), os.open(tmp_path, os.O_RDONLY), there.fileno()]
    script = 'exec "$@" 3<&{} 4<&{} 5<&{}'.format(*fds)
    with here:
        p = subprocess.Popen(["bash", "-c", script, "sh", RUN, "top", "-F", "7", "-U", "x.container"], pass_fds=fds)
        there.close()
        lines = []
        while packet := here.recv(1 << 17):
            lines.append(json.loads(packet[12:]))
        assert p.wait(60) == (0 if n == 4096 else 1)
    for fd in fds[:2]:
        os.close(fd)
    *processes, end = lines
    if n == 4096:
        assert end == {"exit": 0} and len(processes) == 4096, end
    else:
        shown = 4096 if n == 4097 else 0
        assert end["exit"] == 1 and f"{shown} processes are shown, and there are more" in end["error"] and len(processes) == shown, end
