#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A container's start beside Debian's crun and runc: the same busybox root, /bin/true, in one run.

orlop mounts an overlay and has a user namespace; crun and runc have neither (their advantage). All have
new pid, mount, ipc, uts, cgroup and network namespaces, the same masks and capabilities; "+ seccomp" is the filter
that podman gives them by default (package golang-github-containers-common). Medians of interleaved rounds, as ratios to orlop; then what each step of a start takes, and many
starts at once. PID 1 has an orlop-run that has begun and waits for its job (init/spare.h), with namespaces after a start that
needed new ones; "no orlop-run waits" is what the second of two starts at the same moment takes. ROUNDS=100 by default.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/ns"))

from runtime_world import BASE, DRIVER, RUN, World, fill_busybox, spec  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "100"))
CHUNK = 10
# Between two starts, microseconds: as a restart does not follow at once (RestartSec= is 100 ms if nobody says
# otherwise), so that PID 1 has its next orlop-run ready. The peers get the same.
PAUSE = "20000"
SPAWN = os.path.join(TOP, "build/tests/bench/bench_spawn")
CAPS = ("CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT").split()


PODMAN_PROFILE = "/usr/share/containers/seccomp.json"


def counts(entry):
    """Whether a rule of a profile in Docker's form is for our capabilities and machine."""
    inside, outside = entry.get("includes") or {}, entry.get("excludes") or {}
    held = {"CAP_" + c for c in CAPS}
    return (
        set(inside.get("caps") or []) <= held
        and ("arches" not in inside or "amd64" in inside["arches"])
        and not held & set(outside.get("caps") or [])
        and "amd64" not in (outside.get("arches") or [])
    )


def default_filter():
    """What podman gives crun and runc by default, made as podman does; None where Debian's file is not installed."""
    if not os.path.exists(PODMAN_PROFILE):
        return None
    with open(PODMAN_PROFILE, encoding="utf-8") as source:
        profile = json.load(source)
    keep = ("names", "action", "errnoRet", "args")
    return {
        "defaultAction": profile["defaultAction"],
        **({"defaultErrnoRet": profile["defaultErrnoRet"]} if "defaultErrnoRet" in profile else {}),
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        "syscalls": [{k: e[k] for k in keep if e.get(k) is not None} for e in profile["syscalls"] if counts(e)],
    }


def bundle(world, name, seccomp):
    """An OCI bundle with what orlop's default start has."""
    top = world.path(f"/var/lib/orlop/{name}")
    os.makedirs(top + "/rootfs")
    fill_busybox(top + "/rootfs")
    caps = ["CAP_" + c for c in CAPS]
    mount = lambda at, kind, options, source=None: {  # noqa: E731
        "destination": at, "type": kind, "source": source or kind, "options": options}
    config = {
        "ociVersion": "1.0.0",
        "process": {
            "terminal": False, "user": {"uid": 0, "gid": 0}, "args": ["/bin/true"], "cwd": "/",
            "env": ["PATH=/bin"], "noNewPrivileges": False,
            "capabilities": {k: caps for k in ("bounding", "effective", "permitted")},
        },
        "root": {"path": "rootfs", "readonly": False},
        "hostname": "bench",
        "mounts": [
            mount("/proc", "proc", ["nosuid", "noexec", "nodev"]),
            mount("/dev", "tmpfs", ["nosuid", "mode=755", "size=65536k"]),
            mount("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
            mount("/dev/shm", "tmpfs", ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
            mount("/dev/mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
            mount("/sys", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
            mount("/sys/fs/cgroup", "cgroup", ["nosuid", "noexec", "nodev", "ro"]),
        ],
        "linux": {
            "namespaces": [{"type": t} for t in ("pid", "mount", "ipc", "uts", "network", "cgroup")],
            "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                            "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
                            "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    }
    if seccomp:
        config["linux"]["seccomp"] = default_filter()
    with open(top + "/config.json", "w", encoding="utf-8") as out:
        json.dump(config, out)
    return f"/var/lib/orlop/{name}"


class Bench:
    def __init__(self, world):
        self.world = world
        # images have these; crun and runc make them in their root, which stays, at their first start
        world.image_with("bench", lambda top: [os.mkdir(top + d) for d in ("/proc", "/sys", "/dev")], Cmd=["/bin/true"])
        self.n = 0
        with open(world.path("/run/bench"), "wb") as out:
            out.write(spec("bench.container", "bench", exec=["/bin/true"]))

    def orlop(self, *more, environment=None):
        """[(start, total)] in microseconds of CHUNK starts."""
        out = subprocess.run(
            self.world.enter(DRIVER, RUN, f"/sys/fs/cgroup/{self.world.cgroup}", "bench.container", "/run/bench",
                             str(CHUNK + 1), *more, PAUSE),
            capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})}).stdout
        events = [json.loads(line) for line in out.splitlines()]
        running = [e["us"] for e in events if e["event"] == "running"]
        ended = [e["us"] for e in events if e["event"] == "exit"]
        assert len(running) == len(ended) == CHUNK + 1, out
        return list(zip(running, ended))[1:], events  # the first has no namespaces to keep

    def peer(self, runtime, where):
        self.n += 1
        extra = ["--cgroup-manager=cgroupfs"] if runtime == "crun" else []
        out = subprocess.run(
            self.world.enter(SPAWN, str(CHUNK), PAUSE, runtime, *extra, "run", "--bundle", where, f"bench{self.n}"),
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if out.returncode:
            raise RuntimeError(f"{runtime}: {out.stderr}")
        return [int(line) for line in out.stdout.split()]


def load():
    with open("/proc/loadavg", encoding="utf-8") as text:
        return text.read().split()[0]


def compare(bench, plain, filtered):
    peers = [r for r in ("crun", "runc") if shutil.which(r)]
    ours = {"orlop, new namespaces": [], "orlop, pinned namespaces (restart)": [], "orlop, new, no orlop-run waits": []}
    starts = {k: [] for k in ours}
    theirs = {f"{p} run{s}": [] for p in peers for s in ("", " + seccomp")}
    for _ in range(max(1, ROUNDS // CHUNK)):
        for name, more in zip(ours, (("fresh",), (), ("fresh", "cold"))):
            timings, _ = bench.orlop(*more)
            ours[name] += [t for _, t in timings]
            starts[name] += [s for s, _ in timings]
        for p in peers:
            theirs[f"{p} run"] += bench.peer(p, plain)
            theirs[f"{p} run + seccomp"] += bench.peer(p, filtered)
    base = statistics.median(ours["orlop, new namespaces"])
    again = statistics.median(ours["orlop, pinned namespaces (restart)"])
    print(f"start to end of /bin/true, median of {len(ours['orlop, new namespaces'])}, load {load()}")
    print(f"  {'':36}{'to exec':>10}{'total':>10}{'p95':>10}{'x orlop':>9}{'x restart':>10}")
    for name, values in {**ours, **theirs}.items():
        start = f"{statistics.median(starts[name]) / 1000:.2f}" if name in starts else ""
        middle = statistics.median(values)
        p95 = sorted(values)[int(len(values) * 0.95)]
        print(f"  {name:36}{start:>10}{middle / 1000:>10.2f}{p95 / 1000:>10.2f}{middle / base:>9.2f}{middle / again:>10.2f}")
    return base, again, theirs


def steps(bench):
    """Where the time goes: the median of each step, summed over its occurrences in one start."""
    totals = {}
    for _ in range(3):
        _, events = bench.orlop("fresh", environment={"ORLOP_STEP_TIMES": "1"})
        for e in events:
            once = {}
            for name, ns in re.findall(r"^step (\S+) (\d+)$", e.get("output", ""), re.M):
                once[name] = once.get(name, 0) + int(ns)
            for name, ns in once.items():
                totals.setdefault(name, []).append(ns)
    print("\nmicroseconds of each step (all its occurrences), median:")
    rows = sorted(((statistics.median(v) / 1000, k) for k, v in totals.items()), reverse=True)
    for us, name in rows:
        if us >= 5:
            print(f"  {name:16}{us:>9.0f}")


def many(bench, count):
    """All at once: seconds until the last has ended, beside one after the other."""
    world = bench.world
    for i in range(count):
        with open(world.path(f"/run/many-{i}"), "wb") as out:
            out.write(spec(f"m{i}.container", "bench", exec=["/bin/true"], ids_base=BASE + 65536 * i))
    began = time.monotonic()
    running = [
        subprocess.Popen(world.enter(DRIVER, RUN, f"/sys/fs/cgroup/{world.cgroup}", f"m{i}.container", f"/run/many-{i}"),
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        for i in range(count)
    ]
    bad = 0
    for p in running:
        out, _ = p.communicate()
        bad += '"code":0' not in out.replace(" ", "")
    return time.monotonic() - began, bad


def main():
    if os.geteuid() != 0:
        print("needs root")
        return 0
    world = World(disk="own")
    try:
        bench = Bench(world)
        if not default_filter():
            print(f"no {PODMAN_PROFILE}: peers have no filter to be compared with")
            return 1
        base, again, theirs = compare(bench, bundle(world, "plain", False), bundle(world, "filtered", True))
        steps(bench)
        one, _ = many(bench, 1)
        for count in (20, 200):
            seconds, bad = many(bench, count)
            print(f"{count:>4} starts at once: {seconds:.2f} s, {seconds / one:.1f} times one alone, {bad} failed")
        targets = [("crun run + seccomp", base, 4), ("crun run", base, 2), ("runc run + seccomp", base, 8),
                   ("crun run + seccomp", again, 6)]
        print()
        for name, ours, want in targets:
            if name in theirs:
                got = statistics.median(theirs[name]) / ours
                print(f"  {'ok  ' if got >= want else 'MISS'} {name}: {got:.1f} times {'a start' if ours == base else 'a restart'}"
                      f" (target {want})")
    finally:
        world.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
