# SPDX-License-Identifier: Apache-2.0
"""A container as it looks from inside: orlop-run start, with the test in PID 1's part."""

import json
import os
import shutil
import stat

import pytest

from runtime_world import BASE, TOP, World

PROBE = os.path.join(TOP, "build/tests/ns/run_probe")

DEFAULT_CAPS = 0x800405FB  # Podman's eleven

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture(scope="module")
def world():
    w = World()
    w.image_with("probe", lambda top: shutil.copy(PROBE, top + "/probe"), Entrypoint=["/probe"])
    yield w
    w.close()


def probe(world, **fields):
    result = world.start(image="probe", **fields)
    assert result.failed is None, result
    assert result.exit["code"] == 0, result
    return json.loads(result.output)


def status(p, key):
    return next(line.split(None, 1)[1] for line in p["status"].splitlines() if line.startswith(key + ":"))


@pytest.fixture(scope="module")
def inside(world):
    return probe(world)


def test_reports_and_ends(world):
    r = world.sh("exit 7")
    assert r.cloned["fds"] == 7 and r.running and r.exit["code"] == 7
    assert r.done["helper"] == 0 and r.done["populated"] == 0


def test_is_pid_1_of_its_own_and_leads_a_session(inside):
    assert inside["pid"] == 1 and inside["sid"] == 1


def test_capabilities_are_the_default_eleven(inside):
    assert int(status(inside, "CapBnd"), 16) == DEFAULT_CAPS
    assert int(status(inside, "CapPrm"), 16) == DEFAULT_CAPS
    assert int(status(inside, "CapEff"), 16) == DEFAULT_CAPS
    assert int(status(inside, "CapInh"), 16) == 0
    assert int(status(inside, "CapAmb"), 16) == 0


def test_seccomp_is_in_force(inside):
    assert status(inside, "Seccomp") == "2"
    assert status(inside, "NoNewPrivs") == "0"


def test_user_namespace_is_its_own(inside):
    assert inside["uid_map"].split() == ["0", str(BASE), "65536"]


def test_only_three_fds_and_none_leads_to_the_host(inside):
    assert sorted(inside["fds"]) == ["0", "1", "2"]
    assert inside["fds"]["0"] == "/dev/null"
    assert inside["fds"]["1"].startswith("pipe:")


def test_no_host_mount_is_visible(inside):
    for line in inside["mountinfo"].splitlines():
        fs = line.split(" - ")[1].split()[0]
        assert fs in ("overlay", "proc", "sysfs", "cgroup2", "tmpfs", "devpts", "mqueue"), line


def test_cgroup_is_the_root_of_its_own(inside):
    assert "0::/\n" in inside["cgroup"]


def test_hostname_and_environment(world):
    p = probe(world, hostname="box", env=["A=1", "A=2", "B=x y"])
    assert p["hostname"] == "box"
    assert "A=2" in p["env"] and "A=1" not in p["env"] and "B=x y" in p["env"]
    assert "HOME=/root" in p["env"] and "HOSTNAME=box" in p["env"] and "container=orlop" in p["env"]


def test_output_can_be_opened_again(world):
    assert world.sh("echo by-path > /dev/stdout; id -u > /proc/self/fd/2").output == "by-path\n0\n"
    assert world.sh("echo by-path > /dev/stdout", user="1000").output == "by-path\n"


def test_files_have_the_ids_the_container_sees(world):
    r = world.sh("stat -c %u:%g /bin/busybox; touch /new; stat -c %u:%g /new; chown 1000:1000 /new;"
                 "stat -c %u:%g /new")
    assert r.output.split() == ["0:0", "0:0", "1000:1000"]


def test_root_is_disposable(world):
    assert world.sh("echo gone > /kept").exit["code"] == 0
    assert world.sh("test -e /kept").exit["code"] == 1


def test_volume_keeps_and_is_shared_by_ranges(world):
    mounts = [("volume", "data", "/srv/deep/data", "")]
    assert world.sh("echo kept > /srv/deep/data/f; chown 33:33 /srv/deep/data/f", mount=mounts).exit["code"] == 0
    r = world.sh("cat /srv/deep/data/f; stat -c %u:%g /srv/deep/data/f; echo more >> /srv/deep/data/f",
                 unit="other.container", mount=mounts, ids_base=BASE + 65536)
    assert r.output == "kept\n33:33\n"
    st = os.stat(world.path("/var/lib/orlop/volumes/data/data/f"))
    assert (st.st_uid, st.st_gid) == (33, 33)


def test_volume_read_only(world):
    r = world.sh("echo no > /d/f", mount=[("volume", "data", "/d", "ro")])
    assert r.exit["code"] != 0 and "Read-only file system" in r.output


def test_bind_of_a_host_directory_shows_its_ids(world):
    host = world.path("/var/lib/orlop/state/shared")
    os.makedirs(host, exist_ok=True)
    os.chown(host, 5, 6)
    r = world.sh("stat -c %u:%g /shared", mount=[("bind", "/var/lib/orlop/state/shared", "/shared", "")])
    assert r.output == "5:6\n"


def test_read_only_root(world):
    r = world.sh("touch /x", read_only=True)
    assert r.exit["code"] != 0 and "Read-only file system" in r.output


def test_restart_keeps_the_namespaces(world):
    script = "readlink /proc/self/ns/user /proc/self/ns/net"
    first, second = world.start(starts=2, exec=["/bin/sh", "-c", script])
    assert first.output == second.output
    assert len(os.listdir(world.path("/var/lib/orlop/tmp/run/t.container"))) == 1


def test_exec_failure_names_the_step(world):
    r = world.start(exec=["/no/such/program"])
    assert r.failed["step"] == "exec" and r.failed["code"] == 2
    assert "/no/such/program" in r.failed["text"]
    assert r.exit["code"] == 1


def test_unknown_image(world):
    r = world.start(image="nothing")
    assert r.failed["step"] == "image" and r.failed["code"] == 2 and r.done["helper"] == 1
    assert r.cloned is None


def test_attempts_to_get_out(inside):
    a = inside["attempts"]
    eperm, eacces, erofs, einval, enosys = 1, 13, 30, 22, 38
    assert {k: a[k] for k in ("mount_tmpfs", "mount_proc", "mount_cgroup1", "umount_mask", "umount_proc_sys",
                              "remount_proc_sys", "remount_root_ro", "unshare_user", "unshare_mnt")} == {
        k: eperm for k in ("mount_tmpfs", "mount_proc", "mount_cgroup1", "umount_mask", "umount_proc_sys",
                           "remount_proc_sys", "remount_root_ro", "unshare_user", "unshare_mnt")}
    assert a["mknod_disk"] == eperm and a["mknod_null"] == eperm
    assert a["write_core_pattern"] in (erofs, eacces) and a["write_sysrq"] in (erofs, eacces, 2)
    assert a["write_cgroup"] in (erofs, eacces) and a["write_sys"] in (erofs, eacces, 2)
    for k in ("sethostname", "bpf", "keyctl", "open_by_handle_at", "ptrace", "userfaultfd", "kexec", "reboot",
              "vsock", "vsock_high_bits", "tiocsti", "tiocsti_high_bits", "raw_socket"):
        assert a[k] == eperm, k
    assert a["io_uring"] == enosys and a["clone3"] == enosys and a["personality"] == enosys
    assert a["audit_socket"] == einval
    assert a["ping_socket"] == 0 and inside["port_start"].strip() == "0"
    assert a["create_in_root"] == 0 and a["chown_inside"] == 0 and a["chown_outside"] == einval
    assert inside["kcore"] in ("", None) and inside["keys"] in ("", None)


def test_masks_are_read_only_and_empty(world):
    r = world.sh("for f in keys timer_list interrupts; do wc -c < /proc/$f; done; ls /sys/firmware | wc -l;"
                 "ls /proc/acpi 2>/dev/null | wc -l")
    assert set(r.output.split()) == {"0"}


def test_devices(world):
    r = world.sh("cd /dev; stat -c '%n %t:%T %a %F' null zero full random urandom tty")
    assert r.output.splitlines()[0] == "null 1:3 666 character special file"
    assert len(r.output.splitlines()) == 6
    mode = os.stat("/dev/null").st_mode
    assert stat.S_ISCHR(mode)
