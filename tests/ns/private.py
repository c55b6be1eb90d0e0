# SPDX-License-Identifier: Apache-2.0
"""A private mount namespace in which orlop's absolute paths exist, for one test.

Programs run in it by `nsenter`; the machine's own /var/lib and /run are not touched, and the kernel takes
everything away when the last process of the namespace is gone.
"""

import os
import subprocess
import time

BIN = os.path.join(os.getcwd(), "build/bin")

SETUP = """
mount --make-rprivate /
mount -t tmpfs -o size=256m tmpfs /var/lib
mkdir -m 700 /var/lib/orlop
mount -t tmpfs -o size=64m tmpfs /run
mkdir -p /run/orlop
echo ready
exec sleep 3600
"""


class Private:
    def __init__(self, setup=""):
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "sh", "-ec", SETUP.replace("echo ready", setup + "\necho ready")],
            stdout=subprocess.PIPE,
            text=True,
        )
        if self.holder.stdout.readline() != "ready\n":
            raise RuntimeError("could not set up the private namespace")

    def argv(self, *words):
        return ["nsenter", f"--mount=/proc/{self.holder.pid}/ns/mnt", "--wd=/", "--", *words]

    def path(self, path):
        """The path as seen from outside."""
        return f"/proc/{self.holder.pid}/root{path}"

    def popen(self, *words, **options):
        return subprocess.Popen(self.argv(*words), **options)

    def run(self, *words, **options):
        options.setdefault("timeout", 60)
        return subprocess.run(self.argv(*words), capture_output=True, check=False, **options)

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


def retry(condition, seconds=20, step=0.01):
    """Waits until condition() is true; returns what it returned."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {condition}")
        time.sleep(step)
