# SPDX-License-Identifier: Apache-2.0
"""Images and neighbours that try to get out: each case an attack that must fail, leaving the host as it was."""

import hashlib
import os
import shutil
import subprocess
import threading
import time

import pytest

from runtime_world import BASE, RUN, TOP, World, fill_busybox

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture(scope="module")
def world():
    w = World()
    sentinel = w.path("/var/lib/orlop/state/sentinel")
    os.makedirs(sentinel, exist_ok=True)
    with open(sentinel + "/file", "w", encoding="utf-8") as out:
        out.write("untouched\n")
    yield w
    w.close()


def sentinel_untouched(world):
    top = world.path("/var/lib/orlop/state/sentinel")
    with open(top + "/file", encoding="utf-8") as text:
        return os.listdir(top) == ["file"] and text.read() == "untouched\n"


def hostile(world, name, fill, **config):
    """An image whose own busybox root was filled, then spoilt."""

    def both(top):
        fill_busybox(top)
        fill(top)

    return world.image(name, [world.layer(name, both)], **{"Cmd": ["/bin/true"], **config})


# --- links where the kernel's own file systems go


@pytest.mark.parametrize("path", ["proc", "dev", "sys"])
@pytest.mark.parametrize("target", ["/../../var/lib/orlop/state/sentinel", "/tmp", "proc", "/proc/self/root"])
def test_link_in_place_of_a_kernel_mount(world, path, target):
    name = hashlib.sha256(f"{path}{target}".encode()).hexdigest()[:12]
    hostile(world, name, lambda top: os.symlink(target, f"{top}/{path}"))
    r = world.start(image=name)
    assert r.failed["step"] == "mount" and r.running is None
    assert sentinel_untouched(world)


def test_file_in_place_of_a_kernel_mount(world):
    hostile(world, "procfile", lambda top: open(top + "/proc", "w", encoding="utf-8").close())
    assert world.start(image="procfile").failed["step"] == "mount"


def test_masks_do_not_trust_the_images_dev(world):
    """/dev of the image never matters: it is covered, and masks come from elsewhere."""

    def fill(top):
        os.makedirs(top + "/dev")
        os.symlink("/proc/sys/kernel/core_pattern", top + "/dev/null")

    hostile(world, "devnull", fill)
    r = world.start(image="devnull", exec=["/bin/sh", "-c", "wc -c < /proc/keys; echo x > /proc/sys/kernel/core_pattern;"
                                           "stat -c %F /dev/null"])
    lines = r.output.splitlines()
    assert lines[0] == "0" and lines[-1] == "character special file" and "Read-only" in r.output


# --- links where files and volumes go


@pytest.mark.parametrize("where", ["hosts", "hostname", "resolv.conf"])
def test_link_in_place_of_a_file_of_etc(world, where):
    name = "etc-" + where.replace(".", "")

    def fill(top):
        os.symlink("/../../../../var/lib/orlop/state/sentinel/file", f"{top}/etc/{where}")

    hostile(world, name, fill)
    net = [("host", "", "", "", "")] if where == "resolv.conf" else [("none", "", "", "", "")]
    r = world.start(image=name, exec=["/bin/sh", "-c", f"stat -c %F /etc/{where}"], network=net)
    assert r.output == "regular file\n"
    assert sentinel_untouched(world)


def test_etc_itself_a_link_to_the_host(world):
    def fill(top):
        shutil.rmtree(top + "/etc")
        os.symlink("/../../var/lib/orlop/state/sentinel", top + "/etc")

    hostile(world, "etclink", fill)
    r = world.start(image="etclink", exec=["/bin/sh", "-c", "ls /var/lib/orlop/state/sentinel"])
    assert sentinel_untouched(world)
    assert r.failed is not None or "hostname" in r.output  # made inside


@pytest.mark.parametrize("target", ["/proc", "/proc/self", "/sys/fs/cgroup", "/proc/sys/kernel"])
def test_volume_through_a_link_into_proc_or_sys(world, target):
    name = "vol" + target.replace("/", "-")
    hostile(world, name, lambda top: os.symlink(target, top + "/data"))
    r = world.start(image=name, mount=[("volume", "linked", "/data", "")])
    assert r.failed["step"] == "volume" and r.running is None


@pytest.mark.parametrize("target", ["/proc", "//proc/.", "/proc/", "/sys/kernel", "/./proc", "/a/../proc"])
def test_volume_over_proc_or_sys(world, target):
    assert world.start(mount=[("volume", "over", target, "")]).failed["step"] == "plan"


def test_volume_through_a_link_to_the_root(world):
    hostile(world, "volroot", lambda top: os.symlink("/", top + "/data"))
    r = world.start(image="volroot", mount=[("volume", "v", "/data", "")])
    assert r.failed["step"] == "volume"


def test_volume_through_a_link_out_of_the_root_stays_inside(world):
    def fill(top):
        os.symlink("/../../../var/lib/orlop/state/sentinel", top + "/data")

    hostile(world, "volout", fill)
    r = world.start(image="volout", exec=["/bin/sh", "-c", "touch /data/new"], mount=[("volume", "vo", "/data/", "")])
    r = r if r.failed is None else world.start(image="volout", exec=["/bin/sh", "-c", "touch /data/new"],
                                               mount=[("volume", "vo", "/data", "")])
    assert sentinel_untouched(world)
    assert r.failed is not None or os.path.exists(world.path("/var/lib/orlop/volumes/vo/data/new"))


def test_link_loops_end(world):
    def fill(top):
        os.symlink("b", top + "/a")
        os.symlink("a", top + "/b")

    hostile(world, "loop", fill)
    r = world.start(image="loop", mount=[("volume", "v", "/a/x", "")])
    assert r.failed["step"] == "volume" and r.failed["code"] == 40


# --- passwd and group


def test_hostile_passwd(world):
    def fifo(top):
        os.remove(top + "/etc/passwd")
        os.mkfifo(top + "/etc/passwd")

    def sparse(top):
        os.truncate(top + "/etc/passwd", 1 << 30)

    def shadow(top):
        os.remove(top + "/etc/passwd")
        os.symlink("/../../../etc/shadow", top + "/etc/passwd")

    def magic(top):
        os.remove(top + "/etc/passwd")
        os.symlink("/proc/1/root/etc/passwd", top + "/etc/passwd")

    def zero(top):
        os.remove(top + "/etc/passwd")
        os.symlink("/dev/zero", top + "/etc/passwd")

    for name, fill, code in (("fifo", fifo, 22), ("sparse", sparse, 27), ("zero", zero, 22), ("magic", magic, 40)):
        hostile(world, "passwd-" + name, fill)
        began = time.monotonic()
        r = world.start(image="passwd-" + name, user="root")
        assert r.failed["step"] == "user" and r.failed["code"] == code, name
        assert time.monotonic() - began < 20
    hostile(world, "passwd-shadow", shadow)
    r = world.start(image="passwd-shadow", user="nobody")
    assert r.failed["step"] == "user" and r.failed["code"] == 2


def test_numeric_name_does_not_become_root(world):
    def fill(top):
        with open(top + "/etc/passwd", "w", encoding="utf-8") as out:
            out.write("1000:x:0:0::/:/bin/sh\n")

    hostile(world, "numeric", fill)
    assert world.start(image="numeric", user="1000", exec=["id", "-u"]).output == "1000\n"


# --- the runtime itself


@pytest.mark.parametrize("n", range(3, 21))
def test_working_directory_through_a_leaked_fd(world, n):
    r = world.start(workdir=f"/proc/self/fd/{n}")
    assert r.failed["step"] == "workdir" and r.running is None


@pytest.mark.parametrize("path", ["/proc/self/cwd", "/proc/1/root", "/proc/self/root/tmp", "/proc/thread-self/cwd"])
def test_working_directory_through_other_magic_links(world, path):
    assert world.start(workdir=path).failed["step"] == "workdir"


def checksum():
    with open(RUN, "rb") as program:
        return hashlib.sha256(program.read()).hexdigest()


@pytest.mark.parametrize("userns", ["auto", "host"])
def test_runtime_as_its_own_interpreter(world, userns):
    def fill(top):
        with open(top + "/entry", "w", encoding="utf-8") as out:
            out.write("#!/proc/self/exe start\n")
        os.chmod(top + "/entry", 0o755)

    hostile(world, "selfexe", fill)
    before = checksum()
    r = world.start(image="selfexe", exec=["/entry"], userns=userns)
    assert r.exit["code"] != 0 and checksum() == before


def test_nothing_of_the_runtime_is_visible(world):
    r = world.sh("readlink /proc/1/exe; ls /proc/1/fd; cat /proc/1/environ | tr '\\0' '\\n'; cat /proc/1/mountinfo")
    assert r.output.startswith("/bin/busybox\n")
    for word in ("orlop-run", "var/tmp", "vda", "ext4"):
        assert word not in r.output, word


def test_nothing_is_loaded_from_the_image(world):
    marker = world.path("/var/lib/orlop/state/loaded")

    def fill(top):
        os.makedirs(top + "/lib/x86_64-linux-gnu", exist_ok=True)
        for name in ("libnss_files.so.2", "libc.so.6"):
            shutil.copy("/bin/true", f"{top}/lib/x86_64-linux-gnu/{name}")
        with open(top + "/etc/nsswitch.conf", "w", encoding="utf-8") as out:
            out.write("passwd: files evil\n")

    hostile(world, "nss", fill)
    assert world.start(image="nss", user="app").exit["code"] == 0
    assert not os.path.exists(marker)
    out = subprocess.run(["readelf", "-d", RUN], capture_output=True, text=True, check=True).stdout
    assert "NEEDED" not in out


def test_setuid_in_the_root_works_within_the_container_only(world):
    def fill(top):
        shutil.copy("/bin/busybox", top + "/suid")
        os.chmod(top + "/suid", 0o4755)
        os.symlink("/suid", top + "/bin/su-id")

    hostile(world, "suid", fill)
    r = world.start(image="suid", user="1000", exec=["/bin/sh", "-c", "/suid id -u; stat -c %u /suid"])
    assert r.output.splitlines()[-1] == "0"


def test_overlay_attributes_of_a_container_mean_nothing(world):
    r = world.sh("mkdir /d && setfattr -n trusted.overlay.opaque -v y /d; setfattr -n trusted.overlay.redirect -v /.. /d;"
                 "mknod /d/gone c 0 0; echo end")
    assert r.output.count("not permitted") + r.output.count("not found") >= 2 and r.output.endswith("end\n")


# --- races


def test_volume_target_swapped_for_a_link_while_starting(world):
    """Two containers share a volume; one swaps a folder in it for a link, the other mounts below it."""
    world.sh("mkdir -p /v/dir; ln -s /../../../../var/lib/orlop/state/sentinel /v/link",
             mount=[("volume", "race", "/v", "")])
    data = world.path("/var/lib/orlop/volumes/race/data")
    stop = threading.Event()

    def swap():
        while not stop.is_set():
            exchange(data + "/dir", data + "/link")

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        seen = {}
        for _ in range(500 if os.environ.get("FULL") else 60):
            r = world.start(exec=["/bin/sh", "-c", "touch /v/dir/in/x"],
                            mount=[("volume", "race", "/v", ""), ("volume", "inner", "/v/dir/in", "")])
            key = r.failed["step"] if r.failed else "ran"
            seen[key] = seen.get(key, 0) + 1
    finally:
        stop.set()
        swapper.join()
    assert sentinel_untouched(world)
    assert set(seen) <= {"ran", "volume"}, seen


def test_removing_a_root_follows_no_link(world):
    """What a container leaves is removed: its links to the host, and folders named as the sweeper's own, are only names."""
    script = ("ln -s /../../../../../../var/lib/orlop/state/sentinel /a; mkdir -p /d/e; ln -s ../../../../../../../state/sentinel /d/e/f;"
              "ln -s /var/lib/orlop/state/sentinel /d/e/abs; i=0; p=/deep; while [ $i -lt 300 ]; do p=$p/x; i=$((i+1)); done; mkdir -p $p;"
              "chmod 0 /d/e; mkfifo /pipe; touch '/ odd'; echo done")
    for _ in range(3):
        assert world.sh(script).output == "done\n"
    subprocess.run(world.enter(RUN, "clean", "t.container"), check=True)
    assert os.listdir(world.path("/var/lib/orlop/tmp/run/t.container")) == []
    assert os.listdir(world.path("/var/lib/orlop/tmp/trash")) == []
    assert sentinel_untouched(world)


@pytest.mark.parametrize("path", ["bus", "fs", "irq", "sys", "sys/kernel/core_pattern", "sysrq-trigger"])
def test_what_would_reach_the_host_by_proc_is_read_only(world, path):
    """As root with all capabilities of its namespaces, and by a remount too."""
    script = (f"test -e /proc/{path} || exit 9; grep ' /proc/{path.split('/')[0]} ' /proc/mounts | tail -1 | cut -d' ' -f4; p=/proc/{path}; [ -d $p ] && p=$p/x; echo 1 > $p && echo written;"
              f"mount -o remount,rw,bind /proc/{path} && echo remounted; umount /proc/{path} && echo unmounted; echo 1 > $p && echo written")
    r = world.sh(script, cap_add=["CAP_SYS_ADMIN"], seccomp="unconfined")
    assert r.exit["code"] in (1, 9) and not {"written", "remounted", "unmounted"} & set(r.output.split()), r
    assert r.exit["code"] == 9 or r.output.startswith("ro,"), r


# Podman's lists, which ours contain
PODMAN_MASKS = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/fs/selinux", "/sys/devices/virtual/powercap"]  # fmt: skip


@pytest.mark.parametrize("path", PODMAN_MASKS)
def test_masked_paths_show_nothing(world, path):
    r = world.sh(f"if [ -d {path} ]; then ls -A {path} | wc -l; elif [ -e {path} ]; then wc -c < {path}; else echo 0; fi;"
                 f"touch {path}/x 2>/dev/null && echo made; umount {path} 2>/dev/null && echo shown; true")
    assert r.output == "0\n"


def exchange(a, b):
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    libc.renameat2(-100, a.encode(), -100, b.encode(), 2)


# --- names


@pytest.mark.parametrize("image", ["../../etc", "a/../b", "UPPER", "a b", "", "/", ".", "x:", "a@sha256:zz", "%n", "a\nb"])
def test_hostile_image_names(world, image):
    r = world.start(image=image)
    assert r.failed["step"] == "image" and r.cloned is None


@pytest.mark.parametrize("volume", ["..", "../x", "a/b", "", ".x", "a\nb"])
def test_hostile_volume_names(world, volume):
    before = sorted(os.listdir(world.path("/var/lib/orlop/volumes")))
    r = world.start(mount=[("volume", volume, "/v", "")])
    assert r.failed["step"] == "plan"
    assert sorted(os.listdir(world.path("/var/lib/orlop/volumes"))) == before


def test_two_ranges_do_not_see_each_others_root(world):
    """Files of one container's disposable root are the store's, and the store is closed."""
    r = world.sh("ls /var/lib/orlop 2>&1; ls /run/orlop 2>&1", ids_base=BASE + 65536)
    assert r.output.count("No such file") == 2
    assert oct(os.stat(world.path("/var/lib/orlop")).st_mode & 0o777) == "0o700"
    assert os.path.isdir(TOP)
