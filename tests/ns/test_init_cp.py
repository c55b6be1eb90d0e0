# SPDX-License-Identifier: Apache-2.0
"""`orlop cp`: files out of a container and into it, with a container that does not want it to end well."""

import hashlib
import os
import subprocess

import pytest
from host import TOP, retry
from test_init_exec import ORLOP, popen

IMAGE = os.path.join(TOP, "build/images/hello.tar")
# what stands at a path changes without end: a file, links to what is the container's, links that would lead out of it
SWAP = """
busybox mkdir -p /race/real; echo inside >/race/real/f; echo inside >/race/plain; busybox ln -s /host-secret /race/link
while :; do
busybox ln -sfn /../../../../../.. /race/d; busybox ln -sf /race/plain /race/f; busybox ln -sfn /race/real /race/d
busybox ln -sf /proc/self/fd/4/../../cgroup.procs /race/f; busybox ln -sf /proc/self/exe /race/f
busybox ln -sf /proc/1/root/host-secret /race/f; busybox rm -f /race/f
done
"""


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).digest()


def text(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


@pytest.fixture
def box(host):
    if not os.path.exists(IMAGE):
        pytest.skip("build/images/hello.tar was not built (make image)")
    host.image(IMAGE)
    host.unit("box.container", "[Container]\nImage=localhost/hello\nNetwork=none\nUser=7\nEntrypoint=/bin/busybox\nExec=sleep 100000\n"
              "StopTimeout=0\n[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
    host.boot()
    host.until("box.container", "up", 60)
    with open(host.root("/host-secret"), "w", encoding="utf-8") as f:
        f.write("secret of the host\n")
    return host


def inside(box, script):
    out = box.run(ORLOP, "exec", "-u", "0", "box", "sh", "-c", script)
    assert out.returncode == 0, out
    return out.stdout


def test_there_and_back(box):
    with open(box.root("/tmp/there"), "wb") as f:
        f.write(os.urandom(3_000_000))
    os.chmod(box.root("/tmp/there"), 0o750)
    inside(box, "busybox mkdir -p /srv")
    out = box.run(ORLOP, "cp", "/tmp/there", "box:/srv")
    assert out.returncode == 0, out
    assert inside(box, "busybox stat -c '%a %u %s' /srv/there") == "750 0 3000000\n"
    assert box.run(ORLOP, "cp", "box:/srv/there", "/tmp/back").returncode == 0
    assert digest(box.root("/tmp/back")) == digest(box.root("/tmp/there"))
    # shorter over longer, by a link inside, from and to the pipes of a shell
    inside(box, "busybox ln -s /srv/there /srv/link")
    assert box.run(ORLOP, "cp", "-", "box:/srv/link", input="short").returncode == 0
    out = box.run(ORLOP, "cp", "box:/srv/there", "-")
    assert (out.returncode, out.stdout) == (0, "short")
    os.mkdir(box.root("/tmp/dir"))
    assert box.run(ORLOP, "cp", "box:/srv/there", "/tmp/dir").returncode == 0
    assert os.listdir(box.root("/tmp/dir")) == ["there"]


def test_what_is_refused(box):
    inside(box, "busybox mkdir -p /srv; busybox mkfifo /fifo; busybox ln -s /proc/self/exe /exe; busybox ln -s /proc/self/fd/4 /cg;"
           "busybox ln -s /loop /loop; busybox ln -s /../../../../host-secret /out; busybox ln -s /proc/1/root/../host-secret /up")  # fmt: skip
    for path in ("/fifo", "/exe", "/cg", "/cg/../cgroup.procs", "/loop", "/out", "/up", "/dev/zero", "/srv", "/none", "/proc/self/fd/3/x"):
        out = box.run(ORLOP, "cp", f"box:{path}", "/tmp/not-made")
        assert out.returncode == 1 and out.stderr, (path, out)
        assert not os.path.exists(box.root("/tmp/not-made"))
    for path in ("/fifo", "/exe", "/cg", "/dev/zero", "/loop", "/proc/self/fd/3", "/proc/sysrq-trigger"):
        assert box.run(ORLOP, "cp", "-", f"box:{path}", input="x").returncode == 1, path
    # what leads out of a root leads to that root: it is the container's file that comes to be
    assert box.run(ORLOP, "cp", "-", "box:/out", input="x").returncode == 0
    assert text(box.root("/host-secret")) == "secret of the host\n"
    for words, code in ((("a", "b"), 2), (("box:/a", "box:/b"), 2), (("none:/a", "-"), 4)):
        assert box.run(ORLOP, "cp", *words).returncode == code
    assert box.run("setpriv", "--reuid=1000", ORLOP, "cp", "box:/etc/passwd", "-").returncode == 5


def test_links_that_are_swapped_lead_nowhere(box):
    """While the container swaps what the path goes through, nothing but its own files is read or written."""
    programs = sorted(os.listdir(box.path("programs")))
    before = [digest(box.path("programs/" + name)) for name in programs]
    racer = popen(box, "exec", "-u", "0", "box", "sh", "-c", SWAP, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    retry(lambda: inside(box, "busybox test -L /race/link"))
    seen = set()
    try:
        for _ in range(200 if os.environ.get("FULL") else 20):
            for path in ("/race/f", "/race/d/host-secret", "/race/link", "/race/d/f"):
                out = box.run(ORLOP, "cp", f"box:{path}", "-")
                seen.add(out.stdout)
                assert out.returncode in (0, 1) and out.stdout in ("", "inside\n", "written\n"), out
                box.run(ORLOP, "cp", "-", f"box:{path}", input="written\n")
    finally:
        racer.kill()
        racer.wait()
    assert seen - {""}, "it never hit a file: nothing was shown"
    assert text(box.root("/host-secret")) == "secret of the host\n"
    assert before == [digest(box.path("programs/" + name)) for name in programs]


def test_nothing_of_the_image_is_loaded(box):
    """No library, no locale, no name service, no program of the image is opened by it (CVE-2019-14271)."""
    trace = box.path("trace")
    strace = subprocess.Popen(["strace", "-f", "-e", "trace=open,openat,openat2,execve,execveat", "-o", trace, "-p", str(box.pid)],
                              stderr=subprocess.PIPE, text=True)  # fmt: skip
    try:
        assert "attached" in strace.stderr.readline()
        assert box.run(ORLOP, "cp", "box:/bin/sh", "/tmp/sh").returncode == 0
    finally:
        strace.terminate()
        strace.wait()
        strace.stderr.close()
    with open(trace, encoding="utf-8", errors="replace") as f:
        lines = f.read().splitlines()
    (opened,) = [line for line in lines if '"/bin/sh"' in line and "openat2(" in line]
    assert "RESOLVE_IN_ROOT" in opened and "RESOLVE_NO_MAGICLINKS" in opened
    assert not [line for line in lines if any(word in line for word in (".so", "nss", "gconv", "locale"))], lines
    # the process that opened it executes nothing: it began as a copy of orlop-run
    copier = opened.split()[0]
    assert not [line for line in lines if line.split()[0] == copier and "exec" in line.split()[1]]
