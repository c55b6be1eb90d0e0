#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long 1,000, 10,000 and 50,000 units take to load, resolve and order, and in how much memory.

The units are containers with health checks, labels and volumes in chains of ten; `orlop check` does
with them what PID 1 does at boot. The best of three runs counts: the machine may have other work.
The files are in memory; their part is measured by reading them with nothing done to them.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time

UNIT = """[Unit]
Description=Application {i}
{after}
[Container]
Image=localhost/app:{i}
ContainerName=app{i}
Environment=A=1 "B=x y" C=%n
Volume=data{i}:/data:Z
Volume=/srv/{i}:/media:ro
PublishPort=127.0.0.1::8080
Label=traefik.enable=true
Label=traefik.http.routers.app{i}.rule=Host(`app{i}.example`)
HealthCmd=CMD-SHELL curl -f http://localhost || exit 1
HealthInterval=30s
Notify=healthy
AutoUpdate=registry

[Service]
Restart=always
TimeoutStartSec=900

[Install]
WantedBy=default.target
"""


def write(folder, count):
    for i in range(count):
        before = f"app{i - 1:05d}.container"
        after = f"After={before}\nRequires={before}\n" if i % 10 else ""
        with open(f"{folder}/app{i:05d}.container", "w", encoding="ascii") as f:
            f.write(UNIT.format(i=i, after=after))


def run(argv):
    """Wall, user and system seconds, peak KB of one run."""
    start = time.monotonic()
    pid = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(pid.pid, 0)
    if status:
        sys.exit(f"{argv}: status {status}")
    return time.monotonic() - start, usage.ru_utime, usage.ru_stime, usage.ru_maxrss


def main():
    per_unit = {}
    print("units: load, resolve and order (orlop check)")
    for count in (1000, 10000, 50000):
        with tempfile.TemporaryDirectory(prefix="orlop-bench-", dir="/dev/shm") as folder:
            write(folder, count)
            wall, user, system, peak = min(run(["build/bin/orlop", "check", folder]) for _ in range(3))
            read = run(["find", folder, "-name", "*.container", "-exec", "cat", "{}", "+"])
        per_unit[count] = (user + system) / count * 1e6
        print(f"  {count:6d} units: {wall:6.3f} s wall, {user:6.3f} s user + {system:6.3f} s system, "
              f"{peak / 1024:6.1f} MB, {per_unit[count]:5.1f} us a unit (cat of them: {read[0]:.3f} s)")
    print(f"  50,000 beside 1,000: {per_unit[50000] / per_unit[1000]:.2f} times the CPU a unit")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
