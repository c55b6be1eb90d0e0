# SPDX-License-Identifier: Apache-2.0
"""Every key of [Container], [Volume] and [Pod] that is about the runtime, from the unit file through PID 1, each by what it
does inside the container. What needs more than a line is in test_init_keys.py, test_init_pods.py, test_runtime_*.py; limits of
memory, processes, CPU and disks are in tests/qemu, where there are controllers for them.

The table KEYS says which test of this file or of another sees each key; a key that is added to the reader and not to the
table fails a test here."""

import json
import os
import subprocess

import pytest
from host import TOP, Host, retry

IMAGE = os.path.join(TOP, "build/images/hello.tar")
INSTALL = "\n[Install]\nWantedBy=multi-user.target\n"

# What is told: KEY lines of values. `done` is last.
SCRIPT = r"""#!/bin/sh
exec > /told/$1.new 2>&1
say() { echo "$@" | tr '\n' ' ' | sed 's/ *$//'; echo; }
say args "$2|$3|$#"
say env "$A|$B|$C|$D|$PASSWORD"
say host "$(hostname)"
say user "$(id -u):$(id -g):$(id -G)"
say caps "$(grep -E 'Cap(Eff|Bnd)' /proc/self/status | cut -f2)"
say nnp "$(grep NoNewPrivs /proc/self/status | cut -f2)"
say seccomp "$(grep '^Seccomp:' /proc/self/status | cut -f2)"
say cwd "$(pwd)"
say date "$(date -d @0 +%H)"
say hosts "$(grep printer /etc/hosts)"
say resolv "$(cat /etc/resolv.conf)"
say scratch "$(stat -c %a /scratch) $(df -k /scratch | tail -1 | awk '{ print $2 }')"
say shm "$(df -k /dev/shm | tail -1 | awk '{ print $2 }')"
say root "$(touch /x 2>&1 && echo writable)"
say tmp "$(touch /tmp/x 2>&1 && echo writable)"
say masked "$(cat /etc/passwd)"
say unmasked "$(grep -c ' /proc/timer_list ' /proc/mounts)"
say device "$(stat -c '%t:%T' /dev/other) $(head -c 1 /dev/other | wc -c)"
say sysctl "$(cat /proc/sys/kernel/shmmni)"
say nofile "$(ulimit -n)"
say oom "$(cat /proc/self/oom_score_adj)"
say secret "$(cat /run/secrets/key) $(cat /etc/deep/key) $(stat -c '%a %u:%g' /etc/deep/key)"
say volumes "$(cat /seeded/left 2>&1; stat -c %u:%g /seeded; grep ' /seeded ' /proc/mounts | cut -d' ' -f4)"
say first "$(cat /proc/1/comm) $$"
trap 'echo "$?" > /told/$0.stop; say got USR1 > /told/'$1'.signal; exit 0' USR1
trap 'say got TERM > /told/'$1'.signal; exit 0' TERM
mv /told/$1.new /told/$1
while :; do sleep 1; done
"""

ALL = """[Container]
Image=localhost/hello
ContainerName=called
Entrypoint=["/bin/busybox", "sh"]
Exec=/told/script all one "two words"
Environment=A=1 "B=two words"
EnvironmentFile=all.env
User=12
Group=34
GroupAdd=77
AddCapability=NET_RAW cap_kill
DropCapability=CHOWN SETUID
NoNewPrivileges=yes
SeccompProfile=unconfined
WorkingDir=/srv/www
Timezone=Etc/GMT-3
HostName=named
AddHost=printer:192.0.2.7
DNS=192.0.2.53
DNSSearch=example
DNSOption=ndots:1
Tmpfs=/scratch:size=64k,mode=0700,uid=12
ShmSize=1m
ReadOnly=true
Mask=/etc/passwd
Unmask=/proc/timer_list
AddDevice=/dev/zero:/dev/other:r
Sysctl=kernel.shmmni=77
Ulimit=nofile=100:200
Secret=key
Secret=key,type=mount,target=/etc/deep/key,uid=12,gid=34,mode=0400
Secret=key,type=env,target=PASSWORD
StopSignal=SIGUSR1
StopTimeout=20
Volume=told.volume:/told
Network=none
Label=a=b "c=d e"
Annotation=note=this
ExposeHostPort=99
CgroupsMode=split
AppArmor=unconfined
SecurityLabelDisable=true
SecurityLabelType=some_t
SecurityLabelLevel=s0
EnvironmentHost=false
[Service]
OOMScoreAdjust=300
"""

# The same container with nothing said: what the defaults are.
NONE = """[Container]
Image=localhost/hello
Entrypoint=/bin/busybox
Exec=sh /told/script none
Tmpfs=/scratch
Volume=told.volume:/told
Volume=seeded.volume:/seeded
DNS=192.0.2.1
Network=none
StopTimeout=20
"""

UNITS = {
    "told.volume": "[Volume]\n",
    "seeded.volume": "[Volume]\nVolumeName=mine\nLabel=x=y\nDriver=local\nUID=5\nGID=6\nCopy=true\n",
    "all.container": ALL,
    "none.container": NONE,
    "init.container": NONE.replace("script none", "script init") + "RunInit=true\nReadOnly=true\nReadOnlyTmpfs=false\nUlimit=host\n",
}


@pytest.fixture(scope="module")
def box():
    if not os.path.exists(IMAGE):
        pytest.skip("build/images/hello.tar was not built (make image)")
    host = Host()
    try:
        host.image(IMAGE)
        for name, text in UNITS.items():
            host.unit(name, text + (INSTALL if name.endswith(".container") else ""))
        host.unit("all.env", "# comment\nC=of the file\nA=of the file\n  D=\"kept\" \n")
        os.makedirs(host.path("store/secrets"))
        with open(host.path("store/secrets/key"), "w", encoding="utf-8") as f:
            f.write("hush")
        os.makedirs(host.path("store/volumes/systemd-told/data"))
        os.chmod(host.path("store/volumes/systemd-told/data"), 0o777)
        with open(host.path("store/volumes/systemd-told/data/script"), "w", encoding="utf-8") as f:
            f.write(SCRIPT)
        host.boot()
        yield host
    finally:
        host.close()


def told(box, name):
    path = box.path(f"store/volumes/systemd-told/data/{name}")

    def read():
        with open(path, encoding="utf-8") as f:
            return dict(line.rstrip("\n").partition(" ")[::2] for line in f)

    try:
        return retry(read, 60)
    except OSError as e:
        raise AssertionError((box.status(name + ".container"), box.log())) from e


def test_all(box):
    t = told(box, "all")
    assert t["args"] == "one|two words|3"
    assert t["env"] == '1|two words|of the file|"kept" |hush', t["env"]
    assert t["host"] == "named"
    assert t["user"] == "12:34:34 77"
    effective, bounding = (int(x, 16) for x in t["caps"].split())
    # another user than root has what is named; the set that root would have lacks what is dropped
    assert effective == 1 << 13 | 1 << 5 and bounding & (1 << 13 | 1 << 5 | 1 << 0 | 1 << 7) == 1 << 13 | 1 << 5
    assert t["nnp"] == "1" and t["seccomp"] == "0"
    assert t["cwd"] == "/srv/www" and t["date"] == "03"
    assert t["hosts"].split() == ["192.0.2.7", "printer"]
    assert t["resolv"] == "search example nameserver 192.0.2.53 options ndots:1"
    assert t["scratch"] == "700 64" and t["shm"] == "1024"
    assert "Read-only" in t["root"] and t["tmp"] == "writable"
    assert t["masked"] == "" and t["unmasked"] == "0"
    assert t["device"] == "1:5 1"
    assert t["sysctl"] == "77" and t["nofile"] == "100" and t["oom"] == "300"
    assert t["secret"] == "hush hush 400 12:34"
    assert t["first"].endswith(" 1")


def test_nothing_said(box):
    t = told(box, "none")
    assert t["args"] == "||1" and t["host"] == "systemd-none"
    assert t["user"].startswith("0:0:")
    assert int(t["caps"].split()[0], 16) == int(t["caps"].split()[1], 16) != 0
    assert t["nnp"] == "0" and t["seccomp"] == "2"
    assert t["resolv"].endswith("nameserver 192.0.2.1") and t["hosts"] == ""
    assert t["scratch"].startswith("1777 ") and t["shm"] == "65536"
    assert t["root"] == "writable" and t["masked"] != ""
    assert t["unmasked"] == "1"
    assert t["volumes"].split()[-2] == "5:6" and {"rw", "nosuid", "nodev"} <= set(t["volumes"].split()[-1].split(","))
    assert os.path.isdir(box.path("store/volumes/mine/data"))


def test_small_init_and_a_root_without_places_to_write(box):
    t = told(box, "init")
    assert not t["first"].endswith(" 1") and t["first"].split()[0] != "busybox"
    assert "Read-only" in t["root"] and t["tmp"] != "writable"


def test_stop_signal(box):
    for name, signal in (("all", "USR1"), ("none", "TERM")):
        told(box, name)
        assert box.ask("stop", f"{name}.container", timeout=60)[0] == 0
        assert told(box, name + ".signal") == {"got": signal}


def test_what_is_only_kept(box):
    (unit,) = (json.loads(line) for line in box.run("/usr/lib/orlop/orlop", "inspect", "--json", "all").stdout.splitlines())
    c = unit["definition"]["container"]
    assert c["labels"] == {"a": "b", "c": "d e"} and c["annotations"] == {"note": "this"}
    assert c["expose_host_port"] == ["99"] and c["name"] == "called"


# Which test sees what a key does. [Container], then [Volume], then [Pod]; ALL is test_all and test_nothing_said here.
HERE, RUNTIME, INIT = "test_init_every_key.py::test_all", "test_runtime_keys.py::test_", "test_init_keys.py::test_"
KEYS = {
    "Container": {
        "Image": HERE, "Mount": INIT + "image_as_a_mount", "ContainerName": "test_init_every_key.py::test_what_is_only_kept",
        "Exec": HERE, "Entrypoint": HERE, "Environment": HERE, "EnvironmentFile": HERE, "EnvironmentHost": HERE,
        "Volume": "test_runtime_volumes.py, test_runtime_keys.py::test_volume*", "Tmpfs": HERE,
        "PublishPort": "test_init_containers.py, test_net_*.py", "ExposeHostPort": "test_init_every_key.py::test_what_is_only_kept",
        "Network": "test_init_pods.py::test_network_of_another_container, test_*_netns.py, test_net_*.py", "NetworkAlias": "test_init_pods.py::test_alias_of_a_pod",
        "HostName": HERE, "IP": "test_net_pid1.py", "IP6": "test_net_*.py", "DNS": HERE, "DNSOption": HERE, "DNSSearch": HERE,
        "AddHost": HERE, "User": HERE, "Group": HERE, "GroupAdd": HERE, "UserNS": INIT + "nomap", "UIDMap": INIT + "id_maps",
        "GIDMap": INIT + "id_maps", "AddCapability": HERE, "DropCapability": HERE, "NoNewPrivileges": HERE, "ReadOnly": HERE,
        "ReadOnlyTmpfs": "test_init_every_key.py::test_small_init_and_a_root_without_places_to_write", "SeccompProfile": HERE,
        "AppArmor": HERE, "SecurityLabelDisable": HERE, "SecurityLabelType": HERE, "SecurityLabelLevel": HERE, "Mask": HERE,
        "Unmask": HERE, "AddDevice": HERE, "Sysctl": HERE, "Ulimit": HERE, "Memory": "tests/qemu/test_serve.py::test_limits_seen_from_inside",
        "PidsLimit": "tests/qemu/test_serve.py::test_limits_seen_from_inside", "ShmSize": HERE, "CgroupsMode": HERE,
        "StopSignal": "test_init_every_key.py::test_stop_signal", "StopTimeout": "test_init_pods.py::test_stop_timeout_of_a_pod",
        "RunInit": "test_init_every_key.py::test_small_init_and_a_root_without_places_to_write", "WorkingDir": HERE, "Timezone": HERE,
        "Label": "test_init_every_key.py::test_what_is_only_kept", "Annotation": "test_init_every_key.py::test_what_is_only_kept",
        "Secret": HERE, "Pod": "test_init_pods.py", "StartWithPod": "test_init_pods.py::test_exit_policy",
    },
    "Volume": {
        "VolumeName": "test_init_every_key.py::test_nothing_said", "Label": "test_init_every_key.py::test_nothing_said",
        "Driver": "test_init_every_key.py::test_nothing_said", "Device": RUNTIME + "volume_of_a_device", "Type": INIT + "volume_in_memory",
        "Options": RUNTIME + "volume_of_a_device", "Copy": INIT + "owner_of_a_new_volume_and_no_copy", "UID": "test_init_every_key.py::test_nothing_said",
        "GID": "test_init_every_key.py::test_nothing_said",
    },
    "Pod": {
        "PodName": "test_init_pods.py::test_alias_of_a_pod", "PublishPort": "test_init_pods.py", "Network": "test_init_pods.py::test_alias_of_a_pod, test_init_netns.py::test_pod",
        "NetworkAlias": "test_init_pods.py::test_alias_of_a_pod", "AddHost": "test_init_pods.py", "HostName": "test_init_pods.py",
        "DNS": INIT + "name_server_of_a_pod", "Volume": "test_init_pods.py", "ShmSize": "test_init_pods.py",
        "UserNS": "test_init_pods.py::test_user_namespace_of_a_pod", "Label": "units", "ExitPolicy": "test_init_pods.py::test_exit_policy",
        "StopTimeout": "test_init_pods.py::test_stop_timeout_of_a_pod",
    },
}  # fmt: skip

# Not the runtime's: readiness, health, logs, images' pulling, names of services, other programs' options.
OTHERS = ("Health", "Reload", "Log", "AutoUpdate", "Pull", "Retry", "Notify", "ServiceName", "PodmanArgs")


@pytest.mark.parametrize("section", KEYS)
def test_the_table_is_complete(section):
    orlop = os.path.join(TOP, "build/bin/orlop")
    known = subprocess.run([orlop, "help", "keys"], capture_output=True, text=True, check=True).stdout
    keys = keys_of(known, section)
    ours = {key for key in keys if not key.startswith(OTHERS)}
    assert ours == set(KEYS[section]), (ours ^ set(KEYS[section]))


def keys_of(text, section):
    found, here = set(), False
    for line in text.splitlines():
        if line.startswith("["):
            here = line.startswith(f"[{section}]")
        elif here and line.strip():
            what = line[27:40].strip()
            if what not in ("not yet", "refused"):
                found.add(line.split()[0])
    return found
