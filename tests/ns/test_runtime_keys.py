# SPDX-License-Identifier: Apache-2.0
"""What a unit can say about a container, each seen from inside."""

import json
import os
import re
import shutil
import subprocess

import pytest

from runtime_world import BASE, RUN, TOP, Container, World, retry

PROBE = os.path.join(TOP, "build/tests/ns/run_probe")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def fill(top):
    shutil.copy(PROBE, top + "/probe")
    os.makedirs(top + "/seed/sub", exist_ok=True)
    with open(top + "/seed/file", "w", encoding="utf-8") as out:
        out.write("from the image\n")
    os.symlink("file", top + "/seed/link")
    os.mkfifo(top + "/seed/pipe")
    os.chown(top + "/seed/file", 7, 8)
    os.chmod(top + "/seed/file", 0o640)
    os.chown(top + "/seed", 9, 9)
    os.chmod(top + "/seed", 0o750)


@pytest.fixture(scope="module")
def world():
    w = World()
    w.image_with("keys", fill, Entrypoint=["/probe"])
    yield w
    w.close()


def probe(world, **fields):
    result = world.start(image="keys", **fields)
    assert result.failed is None and result.exit["code"] == 0, result
    return json.loads(result.output)


def sh(world, script, **fields):
    r = world.start(image="keys", entrypoint_set=True, exec=["/bin/sh", "-c", script], **fields)
    assert r.failed is None, r
    return r


def status(p, key):
    return next(line.split(None, 1)[1] for line in p["status"].splitlines() if line.startswith(key + ":"))


# --- who


def test_user_by_name_has_its_ids_groups_and_home(world):
    p = probe(world, user="app")
    assert (p["uid"], p["gid"], p["groups"]) == (1000, 1000, [29])
    assert "HOME=/home/app" in p["env"]
    assert int(status(p, "CapEff"), 16) == 0 and int(status(p, "CapPrm"), 16) == 0


def test_user_with_group_and_more_groups(world):
    p = probe(world, user="4711:audio", group_add=["app", "77"])
    assert (p["uid"], p["gid"], p["groups"]) == (4711, 29, [77, 1000])


@pytest.mark.parametrize("user", ["1000x", "-1", "4294967295", "0x0", "1000:", "nobody", "app:nogroup", "70000"])
def test_bad_user_is_refused(world, user):
    r = world.start(image="keys", user=user)
    assert r.failed["step"] in ("user", "ids") and r.running is None


def test_another_user_keeps_only_the_named_capabilities(world):
    p = probe(world, user="app", cap_add=["CAP_NET_RAW"])
    assert int(status(p, "CapEff"), 16) == 1 << 13 and int(status(p, "CapAmb"), 16) == 1 << 13


def test_added_and_dropped_capabilities(world):
    p = probe(world, cap_drop=["all"], cap_add=["CAP_CHOWN", "NET_ADMIN"])
    assert int(status(p, "CapBnd"), 16) == int(status(p, "CapEff"), 16) == 1 | 1 << 12


def test_no_new_privileges(world):
    assert status(probe(world, no_new_privs=True), "NoNewPrivs") == "1"


def test_userns_host(world):
    p = probe(world, userns="host")
    assert p["uid_map"].split() == ["0", "0", "4294967295"]
    a = p["attempts"]
    for k in ("mount_tmpfs", "umount_mask", "remount_proc_sys", "unshare_user"):
        assert a[k] == 1, k
    assert a["write_core_pattern"] == 30 and a["create_in_root"] == 0


def test_id_maps(world):
    maps = {"uid_map": [f"0:{BASE}:1000", f"1000:{BASE + 500000}:10"], "gid_map": [f"0:{BASE + 7}:2000"]}
    r = sh(world, "cat /proc/self/uid_map /proc/self/gid_map; touch /x; stat -c %u:%g /x /bin/busybox;"
           " chown 1003:1999 /x && stat -c %u:%g /x", **maps)
    words = r.output.split()
    assert words[:9] == ["0", str(BASE), "1000", "1000", str(BASE + 500000), "10", "0", str(BASE + 7), "2000"]
    assert words[9:] == ["0:0", "0:0", "1003:1999"]


# --- resources


def test_ulimits_and_oom_score(world):
    r = sh(world, "ulimit -n; ulimit -H -n; cat /proc/self/oom_score_adj", oom_score_set=True,
           oom_score_adjust=500, ulimit=[("nofile", "100", "200")])
    assert r.output.split() == ["100", "200", "500"]


def test_unknown_ulimit(world):
    r = world.start(image="keys", ulimit=[("files", "1", "1")])
    assert r.failed["step"] == "rlimit"


def test_missing_controller_is_told(world):
    if os.path.exists(world.path(f"/sys/fs/cgroup/{world.cgroup}/memory.max")):
        pytest.skip("this machine has the memory controller in cgroup v2")
    r = world.start(image="keys", memory_max=1 << 28)
    assert r.failed["step"] == "limit" and "memory.max" in r.failed["text"]


def test_limit_of_a_disk_that_cannot_be_is_told(world):
    os.mknod(world.path("/run/somedisk"), 0o60600, os.makedev(7, 0))

    def refused(path):
        r = world.start(image="keys", io_max=[("IOReadBandwidthMax", path, "rbps=1000")])
        assert r.failed["step"] == "io-max" and r.running is None, r
        return r.failed["text"]

    assert refused("/no/such/disk") == "IOReadBandwidthMax=/no/such/disk: No such file or directory"
    for path in ("/proc", "/dev/null"):
        assert refused(path) == f"IOReadBandwidthMax={path}: it is on no disk: name the disk itself"
    if not os.path.exists(world.path(f"/sys/fs/cgroup/{world.cgroup}/io.max")):
        assert refused("/run/somedisk") == "IOReadBandwidthMax=/run/somedisk: this kernel limits no disks: it has no io.max"


def test_sysctls(world):
    r = sh(world, "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni /proc/sys/fs/mqueue/msg_max",
           sysctl=[("net.ipv4.ip_forward", "1"), ("kernel.shmmni", "77"), ("fs.mqueue.msg_max", "11")])
    assert r.output.split() == ["1", "77", "11"]


@pytest.mark.parametrize("name", ["kernel.core_pattern", "kernel.panic", "net.ipv4/../../kernel/panic",
                                  "net/../kernel/panic", "net.ipv4...x", "vm.swappiness", "../x", "", "net"])
def test_sysctl_of_the_host_is_refused(world, name):
    r = world.start(image="keys", sysctl=[(name, "1")])
    assert r.failed["step"] == "plan" and r.cloned is None


def test_sysctl_of_the_net_with_host_network_is_refused(world):
    r = world.start(image="keys", sysctl=[("net.ipv4.ip_forward", "1")], network=[("host", "", "", "", "")])
    assert r.failed["step"] == "plan"


def test_host_network(world):
    def links(text):
        return sorted(re.findall(r"^\d+: ([^:@]+)", text, re.M))

    r = sh(world, "ip link", network=[("host", "", "", "", "")])
    host = subprocess.run(["ip", "link"], capture_output=True, text=True, check=True)
    assert r.cloned["fds"] == 3 and links(r.output) == links(host.stdout)


# --- mounts


def test_new_volume_gets_what_the_image_has_there_once(world):
    mount = [("volume", "seeded", "/seed", "")]
    script = "stat -c '%n %u:%g %a %F' /seed /seed/*; cat /seed/link; rm /seed/file"
    first = sh(world, script, mount=mount).output.splitlines()
    assert first == ["/seed 9:9 750 directory", "/seed/file 7:8 640 regular file", "/seed/link 0:0 777 symbolic link",
                     "/seed/pipe 0:0 644 fifo", "/seed/sub 0:0 755 directory", "from the image"]
    assert sh(world, "ls /seed", mount=mount).output.split() == ["link", "pipe", "sub"]
    assert os.listdir(world.path("/var/lib/orlop/volumes/seeded")) == ["data"]


def test_volume_without_copy(world):
    assert sh(world, "ls /seed", mount=[("volume", "bare", "/seed", "nocopy")]).output == ""


def test_volume_flags(world):
    info = probe(world, mount=[("volume", "f", "/f", "noexec"), ("volume", "g", "/g", "suid,dev,exec")])["mountinfo"]
    flags = {line.split()[4]: line.split()[5].split(",") for line in info.splitlines()}
    assert {"rw", "nosuid", "nodev", "noexec"} <= set(flags["/f"])
    assert not {"nosuid", "nodev", "noexec"} & set(flags["/g"])


def test_nested_mounts_in_any_order(world):
    r = sh(world, "touch /v/a/in && ls /v /v/a", mount=[("volume", "inner", "/v/a", ""), ("volume", "outer", "/v", "")])
    assert r.output.split() == ["/v:", "a", "/v/a:", "in"]
    assert os.listdir(world.path("/var/lib/orlop/volumes/inner/data")) == ["in"]


def test_bind_of_a_file(world):
    with open(world.path("/run/one-file"), "w", encoding="utf-8") as out:
        out.write("one\n")
    r = sh(world, "cat /etc/deep/one; echo two > /etc/deep/one", mount=[("bind", "/run/one-file", "/etc/deep/one", "ro")])
    assert r.output.startswith("one\n") and r.exit["code"] != 0


def test_missing_bind_source_and_device_are_told(world):
    r = world.start(image="keys", mount=[("bind", "/no/such", "/x", "")])
    assert r.failed["step"] == "volume" and "/no/such" in r.failed["text"] and r.failed["code"] == 2
    r = world.start(image="keys", mount=[("device", "/dev/no-such-disk", "/x", "", "ext4", "")])
    assert r.failed["step"] == "device-volume" and "/dev/no-such-disk" in r.failed["text"]


def test_tmpfs(world):
    r = sh(world, "stat -c '%a %u:%g' /seed; ls /seed; df -k /seed | tail -1; mount | grep ' /seed '",
           mount=[("tmpfs", "", "/seed", "size=64k,uid=3,gid=4,mode=0700")])
    lines = r.output.splitlines()
    assert lines[0] == "700 3:4" and lines[1:5] == ["file", "link", "pipe", "sub"]
    assert lines[5].split()[1] == "64" and "noexec" in lines[6] and "nosuid" in lines[6] and "nodev" in lines[6]
    r = sh(world, "stat -c '%a %u:%g' /t; ls /t", mount=[("tmpfs", "", "/t", "uid=3,gid=4,mode=0700,notmpcopyup")])
    assert r.output == "700 3:4\n"
    # nothing said: as the image has it, or for everybody where it has nothing
    r = sh(world, "stat -c '%a %u:%g' /seed /t; touch /t/x && echo written", user="app", mount=[("tmpfs", "", "/seed", ""), ("tmpfs", "", "/t", "")])
    assert r.output.splitlines() == ["750 9:9", "1777 0:0", "written"]


def test_read_only_root_has_places_to_write(world):
    r = sh(world, "touch /tmp/a /run/b /var/tmp/c; touch /d", read_only=True, read_only_tmpfs=True)
    assert r.exit["code"] != 0 and r.output.count("Read-only") == 1


def test_shm_size(world):
    assert sh(world, "df -k /dev/shm | tail -1", shm_size=1 << 20).output.split()[1] == "1024"


def test_mask_and_unmask(world):
    r = sh(world, "cat /etc/passwd; ls /seed; wc -c < /proc/timer_list", mask=["/etc/passwd", "/seed"],
           unmask=["/proc/timer_*"])
    assert r.output.split()[-1] != "0" or os.path.getsize("/proc/timer_list") == 0
    assert "root" not in r.output and "sub" not in r.output


def test_unmask_all(world):
    info = probe(world, unmask=["ALL"])["mountinfo"]
    points = [line.split()[4] for line in info.splitlines()]
    assert not [p for p in points if p.startswith("/proc/") or p == "/sys/firmware"]


# --- devices


def test_device(world):
    r = sh(world, "stat -c '%n %t:%T %a %u:%g %F' /dev/hidden /dev/a/zero; head -c 1 /dev/a/zero | wc -c",
           device=[("/dev/zero", "/dev/a/zero", "r", ""), ("/dev/random", "/dev/hidden", "rwm", ""),
                   ("/dev/no-such", "/dev/x", "rwm", "yes")])
    lines = r.output.splitlines()
    assert lines[0].startswith("/dev/hidden 1:8 666 0:0") and lines[1].startswith("/dev/a/zero 1:5")
    assert lines[2] == "1"


def test_missing_device(world):
    r = world.start(image="keys", device=[("/dev/no-such", "/dev/x", "rwm", "")])
    assert r.failed["step"] == "device-filter" and "/dev/no-such" in r.failed["text"]


def test_device_filter_holds_for_root_of_the_host_with_mknod(world):
    """Even where nodes can be made and the file system has devices: /dev of a UserNS=host container."""
    script = ("mknod /dev/kmsg2 c 1 11 && head -c 1 /dev/kmsg2; mknod /dev/disk b 254 0 && head -c 1 /dev/disk;"
              "mknod /dev/z c 1 5 && head -c 1 /dev/z | wc -c")
    r = sh(world, script, userns="host", cap_add=["CAP_MKNOD"])
    assert r.output.count("Operation not permitted") == 2 and r.output.splitlines()[-1] == "1"


def test_device_access_bits(world):
    script = "mknod /dev/k c 1 11 && (: < /dev/k) && echo read; (: > /dev/k) && echo written"
    if not os.path.exists("/dev/kmsg"):
        pytest.skip("no /dev/kmsg")
    r = sh(world, script, userns="host", cap_add=["CAP_MKNOD", "CAP_SYSLOG"], device=[("/dev/kmsg", "/dev/q", "r", "")])
    assert "read" in r.output and "written" not in r.output


# --- files


def test_hosts_and_resolver(world):
    r = sh(world, "cat /etc/hosts /etc/resolv.conf /etc/hostname", hostname="me",
           add_host=["db;database:192.0.2.9"], dns=["192.0.2.1"], dns_search=["example"], dns_option=["ndots:1"])
    assert r.output == ("127.0.0.1 localhost\n::1 localhost\n127.0.1.1 me\n192.0.2.9 db database\n"
                        "search example\nnameserver 192.0.2.1\noptions ndots:1\nme\n")


def profile(world, name, **content):
    with open(world.path(f"/run/{name}.json"), "w", encoding="utf-8") as out:
        json.dump(content, out)
    return f"/run/{name}.json"


def rule(*names, action="SCMP_ACT_ERRNO", **more):
    return {"names": list(names), "action": action, **more}


def test_seccomp_profile_of_docker(world):
    path = profile(
        world, "deny", defaultAction="SCMP_ACT_ALLOW", archMap=[
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]}],
        syscalls=[
            rule("mkdir", "mkdirat", "no_such_call", errnoRet=95),
            rule("chroot", includes={"caps": ["CAP_SYS_PTRACE"]}), rule("symlink", "symlinkat", excludes={"caps": ["CAP_CHOWN"]}),
            rule("link", "linkat", includes={"arches": ["s390x"]}), rule("unlink", "unlinkat", includes={"minKernel": "4.8"}),
            rule("kill", args=[{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}]),
        ])
    script = ("mkdir /x; chroot / true && echo chroot; ln -s a /l && echo link; ln /etc/passwd /p && echo hard;"
              "rm /etc/group; kill -USR1 $$; kill -0 $$ && echo alive")
    r = world.sh(script, seccomp=path)
    assert "mkdir: can't create directory '/x': Not supported" in r.output or "Operation not supported" in r.output
    assert {"chroot", "link", "hard", "alive"} <= set(r.output.splitlines()), r.output
    assert r.output.count("Operation not permitted") == 2  # rm, kill
    # what an edit changes is another filter
    profile(world, "deny", defaultAction="SCMP_ACT_ALLOW")
    assert "Not supported" not in world.sh("mkdir /x && echo made", seccomp=path).output


@pytest.mark.parametrize("text,why", [
    ("{", "line 1"), ("[]", "no JSON object"), ('{"defaultAction": "SCMP_ACT_NOTIFY"}', "SCMP_ACT_NOTIFY"), ("{}", "action"),
    ('{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_KILL","args":'
     '[{"index":7,"value":1,"op":"SCMP_CMP_EQ"}]}]}', "index"),
    ("[" * 5000, "depth"), ('{"defaultAction":"SCMP_ACT_ALLOW","x":"' + "a" * (1 << 20) + '"}', "at most"),
], ids=("cut", "list", "notify", "empty", "index", "deep", "long"))  # fmt: skip
def test_bad_seccomp_profile_is_refused(world, text, why):
    with open(world.path("/run/bad.json"), "w", encoding="utf-8") as out:
        out.write(text)
    r = world.sh("true", seccomp="/run/bad.json")
    assert r.failed["step"] == "filter" and "bad.json" in r.failed["text"] and why in r.failed["text"], r
    assert r.cloned is None


def test_missing_seccomp_profile(world):
    assert world.sh("true", seccomp="/run/none.json").failed["code"] == 2
    assert world.sh("true", seccomp="/dev/zero").failed["code"] == 22


def test_resolver_of_the_host_is_bound_read_only(world):
    r = sh(world, "cat /etc/resolv.conf; echo x > /etc/resolv.conf", network=[("host", "", "", "", "")])
    assert r.output.startswith("nameserver 192.0.2.53\n") and r.exit["code"] != 0


def test_secrets(world):
    os.makedirs(world.path("/var/lib/orlop/secrets"), exist_ok=True)
    with open(world.path("/var/lib/orlop/secrets/key"), "w", encoding="utf-8") as out:
        out.write("hush")
    r = sh(world, "cat /run/secrets/key /etc/app/key; stat -c '%a %u:%g' /run/secrets/key /etc/app/key;"
           "mount | grep -c ramfs; echo x > /run/secrets/key",
           secret=[("key", "mount", "", "", "", ""), ("key", "mount", "/etc/app/key", "5", "6", "0400")])
    assert r.output.startswith("hushhush444 0:0\n400 5:6\n2\n") and r.exit["code"] != 0
    assert world.start(image="keys", secret=[("none", "mount", "", "", "", "")]).failed["step"] == "secret"


def test_environment_from_files_and_secrets(world):
    with open(world.path("/run/env"), "w", encoding="utf-8") as out:
        out.write("# comment\nA=file\n  B=\"kept\" \nC=file\n")
    os.makedirs(world.path("/var/lib/orlop/secrets"), exist_ok=True)
    with open(world.path("/var/lib/orlop/secrets/word"), "w", encoding="utf-8") as out:
        out.write("hush")
    env = probe(world, env_file=["/run/env"], env=["C=unit"],
                secret=[("word", "env", "PASSWORD", "", "", ""), ("word", "env", "", "", "", "")])["env"]
    assert {"A=file", 'B="kept" ', "C=unit", "PASSWORD=hush", "word=hush"} <= set(env)
    r = world.start(image="keys", env_file=["/none"])
    assert r.failed["step"] == "environment" and "/none" in r.failed["text"]


def test_plan_of_a_unit_file(world):
    with open(world.path("/run/shown.container"), "w", encoding="utf-8") as out:
        out.write("[Container]\nImage=localhost/keys:latest\nExec=a b\nVolume=data:/data:ro\nNetwork=none\n")
    r = subprocess.run(world.enter(RUN, "plan", "/run/shown.container"), capture_output=True, text=True, check=False)
    assert r.returncode == 0, r.stderr
    assert 'volume type=volume source=data at=/data options=ro' in r.stdout and "argv /probe a b" in r.stdout
    r = subprocess.run(world.enter(RUN, "plan", "nothing"), capture_output=True, text=True, check=False)
    assert r.returncode == 1 and '"nothing"' in r.stderr


def test_timezone(world):
    assert world.start(image="keys", timezone="No/Where").failed["step"] == "timezone"
    top = world.path("/var/lib/orlop/layers/" + world.layer("zones", lambda top: None) + "/fs/usr/share/zoneinfo/Etc")
    os.makedirs(top, exist_ok=True)
    with open(top + "/Test", "w", encoding="utf-8") as out:
        out.write("zone")
    world.image("zoned", [world.layer_of_busybox, world.layer("zones", lambda top: None)], Cmd=["cat", "/etc/localtime"])
    assert world.start(image="zoned", timezone="Etc/Test").output == "zone"


def test_working_directory_is_made(world):
    assert probe(world, workdir="/new/place")["cwd"] == "/new/place"


def test_stop_signal_is_reported(world):
    world.image("quits", [world.layer_of_busybox], Cmd=["true"], StopSignal="SIGQUIT")
    assert world.start(image="quits").cloned["stop_signal"] == 3
    assert world.start(image="quits", stop_signal=2).cloned["stop_signal"] == 2


# --- volumes with a file system of their own


@pytest.fixture
def disk(world):
    """A block device with ext4."""
    path = world.dir + "/disk.img"
    with open(path, "wb") as out:
        out.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", path], check=True)
    device = subprocess.run(["losetup", "-f", "--show", path], capture_output=True, text=True, check=True).stdout.strip()
    yield device
    subprocess.run(["losetup", "-d", device], check=True)
    os.remove(path)


def test_volume_of_a_device(world, disk):
    def mount(options="", data=""):
        return {"mount": [("device", disk, "/disk", options, "ext4", data)]}

    r = sh(world, "stat -f -c %T /disk; stat -c %u:%g /disk; echo kept > /disk/file; chown 5:6 /disk/file; grep ' /disk ' /proc/mounts",
           **mount(data="noatime,commit=7"))
    lines = r.output.splitlines()
    assert lines[:2] == ["ext2/ext3", "0:0"], r
    options = lines[2].split()[3].split(",")
    assert {"rw", "nosuid", "nodev", "noatime", "commit=7"} <= set(options), options
    r = sh(world, "cat /disk/file; stat -c %u:%g /disk/file; cp /bin/busybox /disk/b; grep ' /disk ' /proc/mounts", **mount("ro,noexec"))
    lines = r.output.splitlines()
    assert lines[:2] == ["kept", "5:6"] and "Read-only" in lines[2] and {"ro", "noexec"} <= set(lines[3].split()[3].split(","))
    r = world.start(image="keys", **mount(data="no_such_option"))
    assert r.failed["step"] == "device-volume" and "no_such_option" in r.failed["text"], r


def test_volume_in_memory(world):
    r = sh(world, "stat -c '%a %u:%g' /m; df -k /m | tail -1; touch /m/x",
           mount=[("device", "tmpfs", "/m", "noexec", "tmpfs", "size=1m,mode=0750,uid=7,gid=8")])
    lines = r.output.splitlines()
    assert lines[0] == "750 7:8" and lines[1].split()[1] == "1024" and r.exit["code"] == 0


def test_volume_of_a_directory_as_docker_says_it(world):
    os.makedirs(world.path("/run/docker/in"), exist_ok=True)
    with open(world.path("/run/docker/file"), "w", encoding="utf-8") as out:
        out.write("of the host\n")
    r = sh(world, "cat /d/file; touch /d/x; grep ' /d ' /proc/mounts",
           mount=[("device", "/run/docker", "/d", "noexec", "none", "bind,ro")])  # fmt: skip
    lines = r.output.splitlines()
    assert lines[0] == "of the host" and "Read-only" in lines[1] and {"ro", "noexec", "nosuid"} <= set(lines[2].split()[3].split(",")), r


def test_owner_of_a_new_volume(world):
    mount = [("volume", "owned", "/seed", "uid=21,gid=22")]
    assert sh(world, "stat -c %u:%g /seed /seed/file; chown 3:3 /seed", mount=mount).output.split() == ["21:22", "7:8"]
    assert sh(world, "stat -c %u:%g /seed", mount=mount).output.split() == ["3:3"]  # at its first use only
    assert sh(world, "stat -c %u:%g /n; ls /n", mount=[("volume", "owned2", "/n", "uid=21,nocopy")]).output.split() == ["21:0"]


# --- the host's address


def test_host_gateway(world):
    host = sh(world, "grep mine /etc/hosts", network=[("host", "", "", "", "")], add_host=["mine;this:host-gateway"])
    assert host.output == "127.0.0.1 mine this\n"
    r = world.start(image="keys", add_host=["mine:host-gateway"])
    assert r.failed["step"] == "plan" and "mine:host-gateway" in r.failed["text"]


# --- who sees a mount that is made while the container runs


def tags_of(world, option):
    info = probe(world, mount=[("bind", "/run/spread", "/p", option)])["mountinfo"]
    fields = next(line.split(" - ")[0].split() for line in info.splitlines() if line.split()[4] == "/p")
    return [field.split(":")[0] + ":" for field in fields[6:]]


def test_propagation(world):
    """Of a mount that was private, as all of a host's are."""
    os.makedirs(world.path("/run/spread"), exist_ok=True)
    subprocess.run(world.enter("mount", "--bind", "/run/spread", "/run/spread"), check=True)
    try:
        for option, words in (("shared", ["shared:", "master:"]), ("slave", ["master:"]), ("private", []), ("", [])):
            assert tags_of(world, option) == words, option
    finally:
        subprocess.run(world.enter("umount", "/run/spread"), check=True)
    r = world.start(image="keys", mount=[("bind", "/no/such", "/x", "rslave")])
    assert r.failed["step"] == "spread" and "/no/such" in r.failed["text"], r


PROPAGATION = [("", False), ("private", False), ("rprivate", False), ("slave", True), ("rslave", True), ("shared", True), ("rshared", True)]


@pytest.mark.parametrize("option,seen", PROPAGATION)
@pytest.mark.parametrize("below", ["", "/in it"])
def test_what_the_host_mounts_later(world, option, seen, below):
    """In the directory itself, or in a mount that was in it before; and what it unmounts goes, too."""
    top = "/run/later"
    os.makedirs(world.path(top + below), exist_ok=True)
    mounted = [top + "/new"]
    if below:
        subprocess.run(world.enter("mount", "-t", "tmpfs", "none", top + below), check=True)
        mounted = [top + below, top + below + "/new"]
    new = mounted[-1]
    os.makedirs(world.path(new), exist_ok=True)
    try:
        with Container(world, image="keys", exec=["1"], entrypoint_set=True, entrypoint=["/bin/sleep", "1000"],
                       mount=[("bind", top, "/p", option)]) as c:  # fmt: skip
            subprocess.run(world.enter("sh", "-c", 'mount -t tmpfs none "$1" && touch "$1/file"', "sh", new), check=True)
            inside = new.replace(top, "/p") + "/file"
            # the kernel has told everybody by the time that mount() is over
            assert (c.run("ls", inside).returncode == 0) == seen
            subprocess.run(world.enter("umount", new), check=True)
            mounted.pop() if not below else mounted.remove(new)
            assert c.run("ls", inside).returncode != 0
    finally:
        for point in reversed(mounted):
            subprocess.run(world.enter("umount", "-q", point), check=False)


@pytest.mark.parametrize("fields", [{}, {"userns": "host", "cap_add": ["SYS_ADMIN"]}], ids=["auto", "host"])
def test_what_a_container_mounts_stays_in_it(world, fields):
    """Whatever it may do and whatever is asked for: the host never sees a container's mount."""
    os.makedirs(world.path("/run/inward/d"), exist_ok=True)

    def mounts():
        with open(f"/proc/{world.holder.pid}/mountinfo", encoding="utf-8") as f:
            return [line.split()[3:5] for line in f]

    assert world.sh("true", **fields).exit["code"] == 0  # what the first start mounts for all is there
    before = mounts()
    script = "mount -t tmpfs none /p/d && touch /p/d/file && ls /p/d; sleep 1000"
    with Container(world, image="keys", entrypoint_set=True, exec=["/bin/sh", "-c", script], **fields,
                   mount=[("bind", "/run/inward", "/p", "rshared")]) as c:  # fmt: skip
        if fields:
            assert retry(lambda: c.run("ls", "/p/d/file").returncode == 0)
        assert not os.path.exists(world.path("/run/inward/d/file"))
        assert mounts() == before
