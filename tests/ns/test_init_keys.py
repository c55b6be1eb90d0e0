# SPDX-License-Identifier: Apache-2.0
"""Keys of [Container], [Volume] and [Pod] from unit files through PID 1, each seen from inside the container. Keys that need
nothing of PID 1 are in test_runtime_keys.py, those of pods in test_init_pods.py."""

import os

import pytest
from host import TOP, Host, retry

IMAGE = os.path.join(TOP, "build/images/hello.tar")
INSTALL = "\n[Install]\nWantedBy=multi-user.target\n"

# A script that tells what it sees: each line of its output, then "end".
TELL = """[Container]
Image=localhost/hello
Entrypoint=/bin/busybox
Exec=sh -c '({}; echo end) > /told/%p.new 2>&1; mv /told/%p.new /told/%p; exec sleep 1000'
Volume=told.volume:/told
StopTimeout=0
{}
"""

UNITS = {
    "told.volume": "[Volume]\n",
    # AddHost=NAME:host-gateway, beside an ordinary one
    "gateway.container": TELL.format("grep -E \"me.host|other\" /etc/hosts; ip route | grep default",
                                     "AddHost=me.host;mine:host-gateway\nAddHost=other:192.0.2.1"),
    "onhost.container": TELL.format("grep me.host /etc/hosts", "Network=host\nAddHost=me.host:host-gateway"),
    "nowhere.container": TELL.format("true", "Network=none\nAddHost=me.host:host-gateway"),
    "keep.container": TELL.format("id -u; id -g; cut -c1-20 /proc/self/uid_map", "Network=none\nUserNS=keep-id:uid=1234,gid=99")
                      .replace("> /told/%p.new 2>&1; mv /told/%p.new /told/%p", "> /told/%p"),
    "size.container": TELL.format("cat /proc/self/uid_map /proc/self/gid_map", "Network=none\nUserNS=auto:size=4096"),
    "owned.volume": "[Volume]\nUID=21\nGID=22\nCopy=false\n",
    "owned.container": TELL.format("stat -c \"%%u:%%g\" /srv/www; ls /srv/www | wc -l", "Network=none\nVolume=owned.volume:/srv/www"),
    "map.container": TELL.format("cat /proc/self/uid_map /proc/self/gid_map",
                                 "Network=none\nUIDMap=0:1073741824:65536\nGIDMap=0:1073741824:65536"),
    # nomap: nobody in it is whoever runs the containers, root
    "nomap.container": TELL.format("cat /proc/self/uid_map /proc/self/gid_map; stat -c %%u /proc/sys; id -u", "Network=none\nUserNS=nomap"),
    # U: at every start the files of a volume are the user's, whoever has made them; also for a .volume of the host's
    "given.volume": "[Volume]\nUID=3\n",
    "given.container": "[Container]\nImage=localhost/hello\nEntrypoint=/bin/busybox\nNetwork=none\nStopTimeout=0\nUser=1234:99\n"
                       "Exec=sh -c 'stat -c \"%%u:%%g %%n\" /g /g/* /b /b/file /n > /g/new; mv /g/new /g/told; exec sleep 1000'\n"
                       "Volume=given.volume:/g:U\nVolume=bound2.volume:/b:U\nMount=type=volume,target=/n,chown=true\n",
    "bound2.volume": "[Volume]\nDevice=/run/orlop-bound2\nType=bind\n",
    # an image as a mount, by a .image unit too
    "hello.image": "[Image]\nImage=localhost/hello\n",
    "image.container": TELL.format("ls /a /b; touch /a/x; touch /b/x && ls /b/x; grep -cE \" /[ab] .*nosuid,nodev\" /proc/mounts",
                                   "Network=none\nMount=type=image,source=hello.image,destination=/a\n"
                                   "Mount=type=image,source=localhost/hello,target=/b,rw=true"),
    "noimage.container": TELL.format("true", "Network=none\nMount=type=image,source=localhost/none,target=/x"),
    # O: what is changed is thrown away
    "over.container": TELL.format("cat /o/file; echo changed > /o/file; cat /o/file", "Network=none\nVolume=/run/orlop-bound:/o:O"),
    "subpath.container": TELL.format("true", "Mount=type=volume,source=x,target=/x,subpath=y"),
    # .volume: a device that is not there, memory, a host directory
    "disk.volume": "[Volume]\nDevice=/dev/no-such-disk\nType=ext4\n",
    "disk.container": TELL.format("true", "Network=none\nVolume=disk.volume:/d"),
    "memory.volume": "[Volume]\nDevice=tmpfs\nType=tmpfs\nOptions=size=1m,mode=0750,uid=7\n",
    "memory.container": TELL.format("stat -c \"%%a %%u\" /m; df -k /m | tail -1; grep \" /m \" /proc/mounts",
                                    "Network=none\nVolume=memory.volume:/m:ro,noexec"),
    "bound.volume": "[Volume]\nDevice=/run/orlop-bound\nType=bind\n",
    "bound.container": TELL.format("cat /b/file; echo x > /b/new", "Network=none\nVolume=bound.volume:/b:ro"),
    "readonly.volume": "[Volume]\nDevice=/run/orlop-bound\nType=bind\nOptions=ro,noexec\n",
    "readonly.container": TELL.format("cat /b/file; touch /b/new; grep -o \" /b .*\" /proc/mounts", "Network=none\nVolume=readonly.volume:/b"),
    # a volume without a name is the container's, and goes with it; what the image has there is in it
    "anonymous.container": TELL.format("ls /srv/www | head -1; ls /srv/www/left; touch /srv/www/left",
                                       "Network=none\nVolume=/srv/www"),
    # copy-up: what the image has at the place of a new named volume
    "fresh.volume": "[Volume]\n",
    "fresh.container": TELL.format("ls /srv/www | head -1", "Network=none\nVolume=fresh.volume:/srv/www"),
    "empty.volume": "[Volume]\n",
    "empty.container": TELL.format("ls /srv/www | wc -l", "Network=none\nVolume=empty.volume:/srv/www:nocopy"),
    "named.pod": "[Pod]\nDNS=192.0.2.53\n",
    "member.container": TELL.format("cat /etc/resolv.conf", "Pod=named.pod"),
}  # fmt: skip


@pytest.fixture(scope="module")
def box():
    if not os.path.exists(IMAGE):
        pytest.skip("build/images/hello.tar was not built (make image)")
    host = Host()
    try:
        host.image(IMAGE)
        for name, text in UNITS.items():
            wanted = name.endswith(".container") and name not in ("nowhere.container", "disk.container", "noimage.container", "given.container", "over.container")
            host.unit(name, text + (INSTALL if wanted else ""))
        with open(host.path("programs/before"), "w", encoding="utf-8") as f:  # units that have it bound start at boot
            f.write("#!/bin/sh\nmkdir -p /run/orlop-bound /run/orlop-bound2/sub\n"
                    "echo of the host | tee /run/orlop-bound/file > /run/orlop-bound2/file\n")  # fmt: skip
        os.chmod(host.path("programs/before"), 0o755)
        host.boot()
        yield host
    finally:
        host.close()


def told(box, name):
    """The lines that a container told."""

    def read():
        with open(box.path(f"store/volumes/systemd-told/data/{name}"), encoding="utf-8") as f:
            lines = f.read().splitlines()
        assert lines and lines[-1] == "end", lines
        return lines[:-1]

    try:
        return retry(read, 60)
    except (OSError, AssertionError) as e:
        raise AssertionError((e, box.status(name + ".container"), box.log())) from e


def failed(box, unit):
    box.ask("start", unit, timeout=30)
    return box.until(unit, "failed", 30)


def test_host_gateway(box):
    lines = told(box, "gateway")
    assert lines[0].split() == ["192.0.2.1", "other"]
    gateway, *names = lines[1].split()
    assert names == ["me.host", "mine"] and f"default via {gateway} " in lines[2]
    # that is the host: its bridge has the address
    assert f" {gateway}/" in box.run("ip", "-4", "address", "show", "orlop0").stdout


def test_host_gateway_in_the_hosts_network(box):
    assert told(box, "onhost")[0].split() == ["127.0.0.1", "me.host"]


def test_host_gateway_without_a_network(box):
    status = failed(box, "nowhere.container")
    assert status["step"] == "plan" and "host-gateway" in status["text"]


def test_keep_id(box):
    volume = box.path("store/volumes/systemd-told/data")
    retry(lambda: os.chmod(volume, 0o777))
    box.ask("restart", "keep.container", timeout=30)
    lines = told(box, "keep")
    assert lines[:2] == ["1234", "99"] and lines[2].split()[0] == "0" and lines[2].split()[1] != "0"


def test_id_maps(box):
    assert [line.split() for line in told(box, "map")] == [["0", "1073741824", "65536"]] * 2


def test_size_of_the_range(box):
    lines = [line.split() for line in told(box, "size")]
    assert lines[0] == lines[1] and lines[0][0] == "0" and lines[0][2] == "4096"


def test_owner_of_a_new_volume_and_no_copy(box):
    assert told(box, "owned") == ["21:22", "0"]


def test_nomap(box):
    """A range of its own, in which the host's root is nobody."""
    uids, gids, owner, own = (line.split() for line in told(box, "nomap"))
    assert uids == gids and uids[0] == "0" and int(uids[1]) >= 524288 and uids[2] == "65536"
    assert owner == ["65534"] and own == ["0"]


def test_volume_for_the_user(box):
    """At every start, whoever has made its files meanwhile; .volume of the host's and anonymous ones too."""
    data = box.path("store/volumes/systemd-given/data")
    for turn in range(2):
        assert box.ask("restart" if turn else "start", "given.container", timeout=30)[0] == 0

        def read():
            with open(data + "/told", encoding="utf-8") as f:
                return f.read().splitlines()

        lines = retry(read, 60)
        assert {line.split()[0] for line in lines} == {"1234:99"} and {"/g", "/b", "/b/file", "/n"} <= {line.split()[1] for line in lines}
        assert ("1234:99 /g/foreign" in lines) == bool(turn), lines
        os.remove(data + "/told")
        with open(data + "/foreign", "w", encoding="utf-8"):
            pass
    assert os.stat(box.root("/run/orlop-bound2/sub")).st_uid == 1234


def test_image_as_a_mount(box):
    a, b = "\n".join(told(box, "image")).split("/b:", 1)
    assert "bin" in a and "bin" in b, (a, b)
    assert "/a/x: Read-only file system" in b and "/b/x" in b.splitlines() and b.splitlines()[-1] == "2", b


def test_image_as_a_mount_that_is_not_there(box):
    status = failed(box, "noimage.container")
    assert status["step"] == "image" and '"localhost/none" is not in the store' in status["text"] and '"/x"' in status["text"], status


def test_changes_that_are_thrown_away(box):
    assert box.ask("start", "over.container", timeout=30)[0] == 0
    assert told(box, "over") == ["of the host", "changed"]
    with open(box.root("/run/orlop-bound/file"), encoding="utf-8") as f:
        assert f.read() == "of the host\n"


@pytest.mark.parametrize("unit,word", [("subpath.container", "subpath")])
def test_refused_by_name(box, unit, word):
    status = box.status(unit)
    assert status["state"] in ("refused", "failed") and any(word in p for p in status["problems"]), status


def test_volume_whose_device_is_missing(box):
    status = failed(box, "disk.container")
    assert status["step"] == "device-volume" and "/dev/no-such-disk" in status["text"] and status["errno"] == "ENOENT", status


def test_volume_in_memory(box):
    lines = told(box, "memory")
    assert lines[0] == "750 7" and lines[1].split()[1] == "1024"
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(lines[2].split()[3].split(","))


def test_volume_of_a_host_directory(box):
    lines = told(box, "bound")
    assert lines[0] == "of the host" and "Read-only file system" in lines[1]
    # what the .volume says of it counts too
    lines = told(box, "readonly")
    assert lines[0] == "of the host" and "Read-only file system" in lines[1]
    assert {"ro", "noexec", "nosuid"} <= set(lines[2].split()[2].split(",")), lines


def test_anonymous_volume(box):
    first = told(box, "anonymous")
    assert first[0] and "No such file" in first[1]
    os.remove(box.path("store/volumes/systemd-told/data/anonymous"))
    assert box.ask("restart", "anonymous.container", timeout=30)[0] == 0
    assert told(box, "anonymous") == first


def test_new_volume_has_what_the_image_has(box):
    assert told(box, "fresh")[0]
    assert told(box, "empty") == ["0"]


def test_name_server_of_a_pod(box):
    assert "nameserver 192.0.2.53" in told(box, "member")
