# SPDX-License-Identifier: Apache-2.0
"""`orlop stats`, `orlop top` and `orlop inspect`: what a container is and uses, as PID 1's host sees it."""

import json
import os

import pytest
from host import TOP, retry
from images_lib import Image, file, folder, layer, symlink
from test_init_exec import ORLOP

IMAGE = os.path.join(TOP, "build/images/hello.tar")


@pytest.fixture
def box(host):
    if not os.path.exists(IMAGE):
        pytest.skip("build/images/hello.tar was not built (make image)")
    host.image(IMAGE)
    busy = "busybox sleep 4711 & while :; do :; done"
    host.unit("busy.container", "[Container]\nImage=localhost/hello\nUser=7:8\nEntrypoint=/bin/sh\n"
              f"Exec=-c '{busy}'\nEnvironment=A=\"b c\"\nStopTimeout=1\n[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
    host.unit("idle.container", "[Container]\nImage=localhost/hello\nNetwork=host\nEntrypoint=/bin/busybox\nExec=sleep 100000\n"
              "StopTimeout=0\n[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
    host.unit("plain.service", "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n")
    host.boot()
    host.until("busy.container", "up", 60)
    host.until("idle.container", "up", 60)
    return host


def lines(out):
    assert out.returncode == 0, out
    return [json.loads(line) for line in out.stdout.splitlines()]


def test_stats(box):
    def used():  # on a busy machine it takes its time
        busy, idle = lines(box.run(ORLOP, "stats", "--json"))
        assert (busy["unit"], idle["unit"]) == ("busy.container", "idle.container")
        assert busy["cpu_percent"] > 5 * idle["cpu_percent"] and busy["cpu_percent"] > 5, (busy, idle)
        assert busy["cpu_usec"] > 100000
        return busy, idle

    busy, idle = retry(used)
    # it has a network of its own; what the host's is used for is nobody's
    assert "net_in_bytes" not in idle and busy["net_in_bytes"] >= 0

    def grows():
        # nobody listens there: the answer says so
        box.run("bash", "-c", f"exec 3<>/dev/tcp/{box.status('busy.container')['address']}/9")
        now = lines(box.run(ORLOP, "stats", "--json", "-n0", "busy"))[0]
        assert now["net_in_bytes"] > busy["net_in_bytes"] and now["net_out_bytes"] > busy["net_out_bytes"]

    retry(grows)
    table = box.run(ORLOP, "stats", "--no-stream", "busy", "plain.service").stdout.splitlines()
    assert table[0].split()[:3] == ["UNIT", "CPU", "MEMORY"] and len(table) == 3 and "%" in table[1], table
    assert box.run(ORLOP, "stats", "none").returncode == 4
    assert box.ask("stop", "idle", timeout=30)[0] == 0
    assert box.run(ORLOP, "stats", "idle").returncode == 3


def test_top(box):
    def both():  # the unit is up when its shell runs, which is before that starts something
        found = lines(box.run(ORLOP, "top", "--json", "busy"))
        (sleep,) = [p for p in found if p["command"] == "busybox sleep 4711"]
        (shell,) = [p for p in found if p["command"].startswith("/bin/sh -c")]
        return shell, sleep

    shell, sleep = retry(both)
    assert shell["pid"] == 1 and shell["host_pid"] == box.status("busy.container")["pid"]
    assert sleep["pid"] > 1 and sleep["host_pid"] > 1
    assert shell["uid"] == 7 and shell["host_uid"] > 500000 and shell["threads"] == 1 and shell["memory_bytes"] > 0
    # also what has gone into another pid namespace or lies about its name
    assert "4711" in box.run(ORLOP, "top", "busy").stdout
    for unit, code in (("none", 4), ("plain.service", 2)):
        assert box.run(ORLOP, "top", unit).returncode == code


def test_names_of_processes_are_only_text(box):
    script = "exec busybox sleep 4711 #\x1b]0;evil\x07\n{\"exit\":0}"
    out = box.run(ORLOP, "exec", "-u", "0", "busy", "sh", "-c", "busybox sh -c 'busybox sleep 815; :' \"$1\" & :", "x", script)
    assert out.returncode == 0, out

    def look():
        out = box.run(ORLOP, "top", "busy")
        assert out.returncode == 0 and "evil" in out.stdout and "\x1b" not in out.stdout and "\x07" not in out.stdout, out
        assert len([p for p in lines(box.run(ORLOP, "top", "--json", "busy")) if "evil" in p["command"]]) == 1

    retry(look)


def test_inspect(box):
    (unit,) = lines(box.run(ORLOP, "inspect", "--json", "busy"))
    assert unit["unit"] == "busy.container" and unit["state"] == "up" and unit["pid"] == box.status("busy.container")["pid"]
    assert unit["image"] == "localhost/hello" and unit["definition"]["container"]["stop_timeout"] == 1, unit
    assert json.loads(box.run(ORLOP, "inspect", "busy").stdout)["definition"] == unit["definition"]
    (image,) = lines(box.run(ORLOP, "inspect", "--json", "localhost/hello"))
    assert image["Names"] == ["localhost/hello:latest"] and image["Size"] > 0 and image["Layer"], image
    out = box.run(ORLOP, "inspect", "no-such-thing")
    assert out.returncode == 1 and "no-such-thing" in out.stderr
    assert box.run("setpriv", "--reuid=1000", ORLOP, "inspect", "busy").returncode == 5


def test_image_prune_keeps_what_units_name(box):
    """Whether they run or not; all else goes with -a, and only what has no name without."""
    store = box.path("store")
    other = box.run("/usr/lib/orlop/orlop-image", "import", "--name", "localhost/other", "/usr/share/orlop/images/hello.tar")
    assert other.returncode == 0, other
    assert box.run(ORLOP, "image", "prune").returncode == 0
    assert sorted(os.listdir(store + "/images/names")) == ["localhost+hello:latest", "localhost+other:latest"]
    assert box.ask("stop", "busy", "idle", timeout=30)[0] == 0
    out = box.run(ORLOP, "image", "prune", "-a")
    assert out.returncode == 0 and "0 images, 0 layers" in out.stdout, out
    # an image that is only mounted counts, too
    box.unit("busy.container", "[Container]\nImage=localhost/nothing\nMount=type=image,source=localhost/hello,target=/x\n")
    box.unit("idle.container", "[Container]\nImage=localhost/nothing\n")
    assert box.ask("reload", timeout=30)[0] == 0
    out = box.run(ORLOP, "image", "prune", "-a")
    assert out.returncode == 0 and "0 images, 0 layers" in out.stdout, out
    box.unit("busy.container", "[Container]\nImage=localhost/nothing\n")
    assert box.ask("reload", timeout=30)[0] == 0
    out = box.run(ORLOP, "image", "prune", "-a")
    assert out.returncode == 0 and "1 images, " in out.stdout, out
    assert os.listdir(store + "/images/names") == [] and os.listdir(store + "/layers") == []
    assert box.run("setpriv", "--reuid=1000", ORLOP, "image", "prune").returncode == 5
    assert box.run(ORLOP, "image", "rm").returncode == 2


def test_image_prune_keeps_what_runs(box):
    """A name may lead to a newer image than the one a container was made of, which it needs until it is started anew."""
    store = box.path("store")
    old = set(os.listdir(store + "/layers"))
    with open("/bin/busybox", "rb") as f:
        newer = Image(layer(folder("bin", mode=0o755), file("bin/busybox", f.read(), mode=0o755), symlink("bin/sh", "busybox"),
                            symlink("bin/cat", "busybox")), ref="localhost/hello:latest")  # fmt: skip
    newer.config["config"]["Env"] = ["PATH=/bin", "NEWER=yes"]
    newer.write(box.path("share/images/newer.tar"))
    done = box.run("/usr/lib/orlop/orlop-image", "import", "/usr/share/orlop/images/newer.tar")
    assert done.returncode == 0, done
    new = set(os.listdir(store + "/layers")) - old
    assert len(new) == 1
    assert box.ask("stop", "idle", timeout=30)[0] == 0
    for words in (("prune",), ("prune", "-a")):
        out = box.run(ORLOP, "image", *words)
        assert out.returncode == 0 and "0 images, 0 layers" in out.stdout, out
        assert set(os.listdir(store + "/layers")) == old | new
        # what nobody has opened yet is there too
        assert "<html" in box.run(ORLOP, "exec", "busy", "/bin/cat", "/srv/www/cgi-bin/index.cgi").stdout
        assert box.run(ORLOP, "exec", "busy", "/bin/sh", "-c", "echo $NEWER").stdout == "\n"
    assert box.ask("restart", "busy", timeout=30)[0] == 0
    assert box.run(ORLOP, "exec", "busy", "/bin/cat", "/srv/www/cgi-bin/index.cgi").returncode != 0
    assert box.run(ORLOP, "exec", "busy", "/bin/sh", "-c", "echo $NEWER").stdout == "yes\n"
    out = box.run(ORLOP, "image", "prune")
    assert out.returncode == 0 and "1 images, " in out.stdout, out
    assert set(os.listdir(store + "/layers")) == new
