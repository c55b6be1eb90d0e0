# SPDX-License-Identifier: Apache-2.0
"""A private mount namespace in which orlop's paths exist, with a store made of busybox.

World() makes it and close() takes all of it away. Commands run in it by nsenter; its files are reached
through `world.path("/var/lib/orlop/...")`.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RUN = os.path.join(TOP, "build/bin/orlop-run")
DRIVER = os.path.join(TOP, "build/tests/ns/run_driver")
BASE = 1 << 30  # first host id of the tests' range: nobody else's
COUNT = 65536

SETUP = r"""
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs /run
mount -t tmpfs -o mode=0755 tmpfs /var/lib
mkdir -p /run/orlop/hosts /var/lib/orlop /run/upper /run/work
mount -t overlay -o lowerdir=/usr/lib,upperdir=/run/upper,workdir=/run/work overlay /usr/lib
mkdir -p /usr/lib/orlop
mount --bind "$3" /usr/lib/orlop
if [ "$4" = machine ] && [ "$(stat -f -c %T "$1")" = ext2/ext3 ]; then
    mount --bind "$1" /var/lib/orlop
else
    truncate -s 1G "$1/store.img"
    mkfs.ext4 -q -F "$1/store.img"
    mount -o loop "$1/store.img" /var/lib/orlop
fi
chmod 0700 /var/lib/orlop
[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p "/sys/fs/cgroup/$2"
echo "nameserver 192.0.2.53" > /run/orlop/resolv.conf
echo ready
exec sleep infinity
"""

DEFAULTS = {
    "userns": "auto",
    "ids-base": BASE,
    "ids-count": COUNT,
    "network": [("none", "", "", "", "")],
}


def spec(unit, image, **fields):
    """Words of a container spec: field_name=value; lists and lists of tuples are repeated records."""
    all_fields = {"unit": unit, "service": unit.split(".")[0], "name": unit.split(".")[0], "image": image}
    all_fields.update(DEFAULTS)
    all_fields.update({k.replace("_", "-"): v for k, v in fields.items()})
    words = []
    for key, value in all_fields.items():
        if value is None or value is False:
            continue
        if value is True:
            words.append(key)
            continue
        for item in value if isinstance(value, list) else [value]:
            if key == "mount":
                item += ("",) * (6 - len(item))
            words.append(key)
            words.extend(map(str, item) if isinstance(item, tuple) else [str(item)])
    return b"".join(w.encode() + b"\0" for w in words)


class Result:
    """What the driver said of one start."""

    def __init__(self, events):
        self.events = events
        by_name = {e["event"]: e for e in events}
        self.cloned = by_name.get("cloned")
        self.failed = by_name.get("failed")
        self.running = by_name.get("running")
        self.exit = by_name.get("exit")
        self.done = by_name.get("done")
        self.output = self.done["output"] if self.done else ""

    def __repr__(self):
        return "\n".join(json.dumps(e) for e in self.events)


class World:
    def __init__(self, disk="machine"):
        """disk="own": the store is on a file system with a journal, made for it, as on a host's data disk. The machine's
        may have none, and then ext4 looks at each inode that was deleted within the last seconds before it makes one."""
        self.dir = tempfile.mkdtemp(prefix="orlop-world-", dir="/var/tmp")
        self.cgroup = f"orlop-test-{os.getpid()}"
        self.count = 0
        self.holder = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", SETUP, "sh", self.dir, self.cgroup, os.path.join(TOP, "build/bin"),
             disk],
            stdout=subprocess.PIPE,
            text=True,
        )
        if self.holder.stdout.readline() != "ready\n":
            self.close()
            raise RuntimeError("the world could not be made")
        for name in ("images/names", "layers", "volumes", "tmp", "state"):
            os.makedirs(self.path("/var/lib/orlop/" + name), exist_ok=True)
        self.layer_of_busybox = self.layer("busybox", fill_busybox)
        self.image("busybox", [self.layer_of_busybox], Cmd=["/bin/sh"])

    def close(self):
        self.holder.kill()
        self.holder.wait()
        with tempfile.TemporaryDirectory() as at:
            subprocess.run(
                ["unshare", "-m", "sh", "-c", 'mount -t cgroup2 x "$1" && rmdir "$1/$2"', "sh", at, self.cgroup],
                check=False,
            )
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, path):
        return f"/proc/{self.holder.pid}/root{path}"

    def enter(self, *argv):
        return ["nsenter", "-t", str(self.holder.pid), "-m", "--", *argv]

    # --- store

    def layer(self, name, fill):
        """Makes a layer; fill(dir) puts files into it. Returns its id."""
        ident = hashlib.sha256(name.encode()).hexdigest()
        top = self.path(f"/var/lib/orlop/layers/{ident}/fs")
        os.makedirs(top, exist_ok=True)
        fill(top)
        return ident

    def image(self, name, layers, tag="latest", **config):
        ident = hashlib.sha256(("image " + name).encode()).hexdigest()
        top = self.path(f"/var/lib/orlop/images/{ident}")
        os.makedirs(top, exist_ok=True)
        with open(top + "/image.ini", "w", encoding="utf-8") as out:
            out.write(f"[Image]\nId={ident}\n")
            for layer in layers:
                out.write(f"Layer={layer}\n")
            for key, value in config.items():
                for item in value if isinstance(value, list) else [value]:
                    out.write(f"{key}={escape(item)}\n")
        link = self.path(f"/var/lib/orlop/images/names/localhost+{name}:{tag}")
        if not os.path.lexists(link):
            os.symlink(f"../{ident}", link)
        return name

    def image_with(self, name, fill, **config):
        """An image of busybox and one more layer."""
        return self.image(name, [self.layer_of_busybox, self.layer(name, fill)], **config)

    # --- starts

    def start(self, unit="t.container", image="busybox", starts=1, stdin=subprocess.DEVNULL, **fields):
        """Starts a container, waits for its end. With starts > 1 a list of results."""
        process = self.popen(unit, image, starts, stdin, **fields)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        results, events = [], []
        for line in out.splitlines():
            events.append(json.loads(line))
            if events[-1]["event"] == "done":
                results.append(Result(events))
                events = []
        return results if starts > 1 else results[0]

    def popen(self, unit="t.container", image="busybox", starts=1, stdin=subprocess.PIPE, **fields):
        self.count += 1
        path = f"/run/spec-{self.count}"
        with open(self.path(path), "wb") as out:
            out.write(spec(unit, image, **fields))
        return subprocess.Popen(
            self.enter(DRIVER, RUN, f"/sys/fs/cgroup/{self.cgroup}", unit, path, str(starts)),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def sh(self, script, **fields):
        """Runs a shell script in a busybox container; its result."""
        return self.start(exec=["/bin/sh", "-c", script], **fields)

    def plan(self, unit="t.container", image="busybox", **fields):
        path = f"/run/plan-{unit}"
        with open(self.path(path), "wb") as out:
            out.write(spec(unit, image, **fields))
        return subprocess.run(self.enter(RUN, "plan", path), capture_output=True, text=True, check=False)


class Container:
    """One that runs until the end of the block."""

    def __init__(self, world, **fields):
        self.world = world
        self.unit = fields.get("unit", "t.container")
        self.process = world.popen(**fields)
        self.pid, self.output = None, []
        while True:
            line = self.process.stdout.readline()
            assert line, self.process.stderr.read()
            event = json.loads(line)
            assert event["event"] in ("cloned", "running"), line
            if event["event"] == "cloned":
                self.pid = event["pid"]
            else:
                break

    def __enter__(self):
        self.pidfd = os.pidfd_open(self.pid)
        self.cgroup = os.open(self.world.path(f"/sys/fs/cgroup/{self.world.cgroup}/{self.unit}"), os.O_RDONLY)
        return self

    def __exit__(self, *_):
        os.close(self.pidfd)
        os.close(self.cgroup)
        self.process.communicate("x")

    def popen(self, *argv, options=(), below=(), **more):
        """below: a program, with its arguments, that runs orlop-run."""
        inner = self.world.enter(*below, RUN, "exec", *options, self.unit, *argv)
        script = f'exec "$@" 3<&{self.pidfd} 4<&{self.cgroup}'
        return subprocess.Popen(["bash", "-c", script, "sh", *inner], pass_fds=(self.pidfd, self.cgroup),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, **more)

    def run(self, *argv, options=()):
        p = self.popen(*argv, options=options)
        out, err = p.communicate(timeout=60)
        return subprocess.CompletedProcess(argv, p.returncode, out, err)


def escape(s):
    return s.encode("unicode_escape").decode() if any(c in s for c in "\n\t\\") else s


def fill_busybox(top):
    for name in ("bin", "etc", "tmp", "root", "usr/bin", "var"):
        os.makedirs(os.path.join(top, name), exist_ok=True)
    os.chmod(os.path.join(top, "tmp"), 0o1777)
    shutil.copy("/bin/busybox", os.path.join(top, "bin/busybox"))
    applets = subprocess.run(["/bin/busybox", "--list"], capture_output=True, text=True, check=True)
    for name in applets.stdout.split():
        link = os.path.join(top, "bin", name)
        if not os.path.lexists(link):
            os.symlink("busybox", link)
    with open(os.path.join(top, "etc/passwd"), "w", encoding="utf-8") as out:
        out.write("root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n")
    with open(os.path.join(top, "etc/group"), "w", encoding="utf-8") as out:
        out.write("root:x:0:\naudio:x:29:app\napp:x:1000:\n")


def retry(check, seconds=30.0):
    """Calls check() until it is true; its value."""
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.02)


def mounts_at(path):
    """How many mounts this process sees at or below a path."""
    with open("/proc/self/mountinfo", encoding="utf-8") as info:
        return sum(line.split()[4].startswith(path) for line in info)


