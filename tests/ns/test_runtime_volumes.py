# SPDX-License-Identifier: Apache-2.0
"""Volumes that are more than a mount: given to the container's user (U), overlaid (O), anonymous, images as mounts.
Each seen from inside, and on the disk of the host."""

import os
import subprocess

import pytest
from runtime_world import BASE, World

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def fill(top):
    os.makedirs(top + "/seed/sub", exist_ok=True)
    with open(top + "/seed/file", "w", encoding="utf-8") as out:
        out.write("from the image\n")
    os.chown(top + "/seed/file", 7, 8)
    os.chown(top + "/seed", 9, 9)
    os.chmod(top + "/seed", 0o750)


def fill_data(top):
    """What is mounted as an image: owners, a mode, a link to outside, a device, a setuid program."""
    os.makedirs(top + "/lib", exist_ok=True)
    with open(top + "/lib/model", "w", encoding="utf-8") as out:
        out.write("weights\n")
    os.chown(top + "/lib/model", 1000, 29)
    os.chmod(top, 0o751)
    with open(top + "/gone", "w", encoding="utf-8") as out:
        out.write("lower\n")
    os.symlink("/etc/passwd", top + "/out")
    with open(top + "/su", "w", encoding="utf-8") as out:
        out.write("#!/bin/sh\n")
    os.chmod(top + "/su", 0o4755)
    os.mknod(top + "/null", 0o20666, os.makedev(1, 3))


def fill_upper(top):
    """A layer over that: a file of it is gone, there is one more."""
    os.mknod(top + "/gone", 0o20000, os.makedev(0, 0))
    os.chmod(top, 0o751)
    with open(top + "/more", "w", encoding="utf-8") as out:
        out.write("upper\n")


@pytest.fixture(scope="module")
def world():
    w = World()
    w.image_with("volumes", fill, Cmd=["/bin/sh"])
    w.image("data", [w.layer("data", fill_data), w.layer("data2", fill_upper)])
    yield w
    w.close()


def sh(world, script, **fields):
    r = world.start(image=fields.pop("image", "volumes"), exec=["/bin/sh", "-c", script], **fields)
    assert r.failed is None, r
    return r


def volume(world, name):
    return world.path(f"/var/lib/orlop/volumes/{name}/data")


def owners(top):
    """{path below top: (uid, gid)}"""
    st = os.lstat(top)
    found = {".": (st.st_uid, st.st_gid)}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            st = os.lstat(os.path.join(folder, name))
            found[os.path.relpath(os.path.join(folder, name), top)] = (st.st_uid, st.st_gid)
    return found


# --- U


def make_tree(top):
    os.makedirs(top + "/a/b", exist_ok=True)
    for name in ("/file", "/a/b/deep"):
        with open(top + name, "w", encoding="utf-8") as out:
            out.write(name)
    os.symlink("/etc/shadow", top + "/link")
    os.symlink("..", top + "/a/up")
    os.mkfifo(top + "/a/pipe")
    os.chown(top + "/a/b/deep", 123456, 654321)  # ids that the container has no name for
    os.chmod(top + "/file", 0o4755)


def test_files_of_a_volume_become_the_users(world):
    script = "stat -c '%n %u:%g' /v /v/file /v/a /v/a/b /v/a/b/deep /v/link /v/a/pipe; echo mine > /v/a/b/new && echo written"
    sh(world, "true", mount=[("volume", "u", "/v", "")])
    make_tree(volume(world, "u"))
    for user, ids in (("app", (1000, 1000)), ("4:5", (4, 5)), (None, (0, 0))):
        r = sh(world, script, user=user, mount=[("volume", "u", "/v", "U")])
        lines = r.output.splitlines()
        assert len(lines) == 8 and lines[-1] == "written", r
        assert {line.split()[1] for line in lines[:-1]} == {f"{ids[0]}:{ids[1]}"}
        found = owners(volume(world, "u"))
        assert set(found.values()) == {ids} and len(found) == 9, found
    # a change of owner takes setuid away
    assert os.stat(volume(world, "u") + "/file").st_mode & 0o7777 == 0o755


def test_only_what_differs_is_changed(world):
    sh(world, "touch /v/x /v/y", user="app", mount=[("volume", "same", "/v", "U")])
    os.chown(volume(world, "same") + "/y", 3, 3)
    before = {name: os.stat(volume(world, "same") + name).st_ctime_ns for name in ("/x", "/y", "")}
    r = sh(world, "stat -c %u /v/x /v/y", user="app", mount=[("volume", "same", "/v", "U")])
    assert r.output.split() == ["1000", "1000"]
    after = {name: os.stat(volume(world, "same") + name).st_ctime_ns for name in ("/x", "/y", "")}
    assert after["/x"] == before["/x"] and after[""] == before[""] and after["/y"] != before["/y"]


def test_a_read_only_volume_and_a_new_one(world):
    """Its files are given away before it is read-only; what was copied into a new one goes with it."""
    r = sh(world, "stat -c '%u:%g %n' /seed /seed/file; touch /seed/x", user="app", mount=[("volume", "seeded", "/seed", "U,ro")])
    assert r.output.splitlines()[:2] == ["1000:1000 /seed", "1000:1000 /seed/file"] and "Read-only" in r.output


def test_links_lead_nowhere(world):
    """Neither a link to outside, at the top or deep in it, nor the volume's own name for a folder elsewhere."""
    outside = world.path("/run/sentinel")
    os.makedirs(outside + "/d", exist_ok=True)
    with open(outside + "/d/file", "w", encoding="utf-8") as out:
        out.write("of the host\n")
    sh(world, "true", mount=[("volume", "links", "/v", "")])
    top = volume(world, "links")
    os.makedirs(top + "/d")
    os.symlink("/run/sentinel", top + "/out")
    os.symlink("/run/sentinel/d/file", top + "/d/file")
    os.symlink("../../../../../../run/sentinel/d", top + "/d/climb")
    sh(world, "true", user="app", mount=[("volume", "links", "/v", "U")])
    assert set(owners(top).values()) == {(1000, 1000)}
    assert set(owners(outside).values()) == {(0, 0)}


def test_mounts_below_are_not_entered(world):
    """A folder of the host with another file system mounted in it, and a volume in a tmpfs."""
    at = world.path("/run/host-folder")
    os.makedirs(at + "/mnt", exist_ok=True)
    os.makedirs(at + "/own", exist_ok=True)
    subprocess.run(world.enter("mount", "-t", "tmpfs", "none", "/run/host-folder/mnt"), check=True)
    with open(at + "/mnt/file", "w", encoding="utf-8") as out:
        out.write("x")
    sh(world, "mkdir /v/inner", mount=[("volume", "within", "/v", "")])
    r = sh(world, "stat -c '%u %n' /h /h/own /h/mnt/file /t /t/v /t/v/inner", user="app",
           mount=[("bind", "/run/host-folder", "/h", "U"), ("tmpfs", "", "/t", "U"), ("volume", "within", "/t/v", "")])
    try:
        assert r.output.splitlines() == ["1000 /h", "1000 /h/own", "0 /h/mnt/file", "1000 /t", "0 /t/v", "0 /t/v/inner"], r
        assert os.stat(at + "/mnt/file").st_uid == 0 and os.stat(at + "/own").st_uid == 1000
    finally:
        subprocess.run(world.enter("umount", "/run/host-folder/mnt"), check=True)


def test_a_file_as_a_volume(world):
    with open(world.path("/run/one"), "w", encoding="utf-8") as out:
        out.write("one\n")
    r = sh(world, "stat -c %u:%g /etc/one; echo two > /etc/one", user="app", mount=[("bind", "/run/one", "/etc/one", "U")])
    assert r.output == "1000:1000\n" and r.exit["code"] == 0
    assert os.stat(world.path("/run/one")).st_uid == 1000


def test_file_systems_without_id_maps(world):
    """ramfs cannot be mapped: files show the host's ids, so they get that of the user."""
    subprocess.run(world.enter("sh", "-c", "mkdir -p /run/plain && mount -t ramfs none /run/plain && touch /run/plain/x"), check=True)
    try:
        r = sh(world, "stat -c %u:%g /p /p/x; touch /p/new && echo written", user="app", mount=[("bind", "/run/plain", "/p", "U")])
        assert r.output.split() == ["1000:1000", "1000:1000", "written"], r
        assert os.stat(world.path("/run/plain/x")).st_uid == BASE + 1000
    finally:
        subprocess.run(world.enter("umount", "/run/plain"), check=True)


def test_maps_in_pieces_and_the_hosts_ids(world):
    maps = {"uid_map": [f"0:{BASE}:1000", f"1000:{BASE + 500000}:10"], "gid_map": [f"0:{BASE + 7}:2000"]}
    for n, fields in enumerate((maps, {"userns": "host"})):
        r = sh(world, "stat -c %u:%g /v /a /t", user="app", **fields,
               mount=[("volume", f"maps{n}", "/v", "U"), ("anonymous", "", "/a", "U"), ("tmpfs", "", "/t", "U")])
        assert r.output.split() == ["1000:1000"] * 3, r
        assert set(owners(volume(world, f"maps{n}")).values()) == {(1000, 1000)}


def test_a_user_that_is_not_in_the_map(world):
    r = world.start(image="volumes", user="70000:0", mount=[("volume", "nobody", "/v", "U")])
    assert r.failed["step"] == "own" and "70000" in r.failed["text"], r
    r = world.start(image="volumes", user="stranger", mount=[("volume", "nobody", "/v", "U")])
    assert r.failed["step"] == "own" and "stranger" in r.failed["text"], r


def test_the_users_file_may_be_a_volume_and_may_not_be_procs(world):
    with open(world.path("/run/passwd"), "w", encoding="utf-8") as out:
        out.write("bound:x:77:78::/:/bin/sh\n")
    mount = [("bind", "/run/passwd", "/etc/passwd", ""), ("volume", "bound", "/v", "U")]
    assert sh(world, "stat -c %u:%g /v; id -u", user="bound", mount=mount).output.split() == ["77:78", "77"]
    world.image_with("liar", lambda top: (os.makedirs(top + "/etc", exist_ok=True), os.symlink("/proc/kmsg", top + "/etc/passwd")), Cmd=["true"])
    r = world.start(image="liar", user="x", mount=[("volume", "bound", "/v", "U")])
    assert r.failed["step"] == "own" and "/proc" in r.failed["text"], r


def test_deep_and_wide_trees(world):
    """Deeper than paths can be, and than files may be open; more names than one read brings."""
    sh(world, "i=0; mkdir /v/wide; while [ $i -lt 700 ]; do i=$((i+1)); echo > /v/wide/f$i; done; mkdir /v/wide/d1 /v/wide/d2",
       mount=[("volume", "deep", "/v", "")])
    fd = os.open(volume(world, "deep"), os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=fd)
        below = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    assert os.fstat(fd).st_uid == 0
    r = sh(world, "find /v/wide ! -user app | wc -l", user="app", mount=[("volume", "deep", "/v", "U")], ulimit=[("nofile", "30", "30")])
    assert r.output.split() == ["0"] and (os.fstat(fd).st_uid, os.fstat(fd).st_gid) == (1000, 1000)
    os.close(fd)
    subprocess.run(["rm", "-rf", volume(world, "deep") + "/d"], check=True)


def test_while_somebody_moves_its_folders_about(world):
    """Another container of the volume swaps folders for links and for one another all the time: what lies outside
    keeps its owner, and a start either works or says why not."""
    outside = world.path("/run/sentinel2")
    os.makedirs(outside, exist_ok=True)
    with open(outside + "/file", "w", encoding="utf-8") as out:
        out.write("of the host\n")
    sh(world, "mkdir -p /v/a/b/c/d /v/x; touch /v/a/b/c/d/f /v/x/f; ln -s /run/sentinel2 /v/link",
       mount=[("volume", "busy", "/v", "")])
    script = "while :; do mv /v/a/b /v/x/b; mv /v/link /v/a/b; mv /v/a/b /v/link; mv /v/x/b /v/a/b; done"
    mover = world.popen("mover.container", "volumes", exec=["/bin/sh", "-c", script], mount=[("volume", "busy", "/v", "")])
    assert "running" in "".join(iter(lambda: mover.stdout.readline(), None).__next__() for _ in range(2))
    try:
        works = 0
        for i in range(30):
            r = world.start(image="volumes", exec=["true"], user=f"{i + 1}:1", mount=[("volume", "busy", "/v", "U")])
            assert r.failed is None or r.failed["step"] == "own" and "moved" in r.failed["text"], r
            works += r.failed is None
        assert works, "never"
    finally:
        mover.communicate("x")
    assert set(owners(outside).values()) == {(0, 0)}


# --- O


def test_changes_to_an_overlaid_volume_are_thrown_away(world):
    sh(world, "echo kept > /v/file; chown 5:6 /v /v/file; chmod 711 /v", mount=[("volume", "over", "/v", "")])
    os.makedirs(world.path("/run/tree"), exist_ok=True)
    with open(world.path("/run/tree/file"), "w", encoding="utf-8") as out:
        out.write("of the host\n")
    mount = [("volume", "over", "/v", "O"), ("bind", "/run/tree", "/h", "O,noexec")]
    script = ("cat /v/file /h/file; stat -c '%u:%g %a' /v; stat -c '%u:%g' /v/file; echo changed > /v/file; rm /h/file; echo new > /h/new;"
              "cat /v/file; ls /h; cp /bin/busybox /h/b; /h/b true; grep ' /v ' /proc/mounts")
    for _ in range(2):
        lines = sh(world, script, mount=mount).output.splitlines()
        assert lines[:6] == ["kept", "of the host", "5:6 711", "5:6", "changed", "new"], lines
        assert "Permission denied" in lines[6] and lines[7].split()[2] == "overlay" and "nosuid" in lines[7] and "nodev" in lines[7]
    assert os.listdir(world.path("/run/tree")) == ["file"]
    with open(volume(world, "over") + "/file", encoding="utf-8") as f:
        assert f.read() == "kept\n"
    r = world.start(image="volumes", mount=[("bind", "/run/tree/file", "/h", "O")])
    assert r.failed["step"] == "lower" and "folders" in r.failed["text"], r


# --- anonymous


def test_an_anonymous_volume(world):
    """It has what the image has there, is made where the image has nothing, can be written to below a read-only root, and
    is gone afterwards."""
    script = ("cat /seed/file; stat -c '%u:%g %a' /seed; stat -c '%u:%g %a' /new; touch /seed/x /new/x && ls /seed /new;"
              "grep -c -E ' /(seed|new) .*nosuid,nodev' /proc/mounts; touch /x")
    for _ in range(2):
        r = sh(world, script, read_only=True, mount=[("anonymous", "", "/seed", ""), ("anonymous", "", "/new", "")])
        lines = r.output.splitlines()
        assert lines[:3] == ["from the image", "9:9 750", "0:0 755"], r
        assert lines[3:9] == ["/new:", "x", "", "/seed:", "file", "sub"] and lines[9:11] == ["x", "2"], lines
        assert "Read-only" in lines[-1]
    r = sh(world, "ls /seed; stat -c %u:%g /seed", user="app", mount=[("anonymous", "", "/seed", "nocopy,U")])
    assert r.output.split() == ["1000:1000"]
    assert [n for n in os.listdir(world.path("/var/lib/orlop/volumes")) if n.startswith("v")] == []


def test_volumes_of_the_image_below_a_read_only_root(world):
    """What is no place for a volume is passed over."""
    world.image("declares", [world.layer_of_busybox, world.layer("volumes", fill)],
                Volume=["/seed", "/var/db", "/proc/sys", "/", "../etc", "/etc/../bin"])  # fmt: skip
    script = "touch /seed/x /var/db/y && ls /seed /var/db; touch /etc/x"
    r = sh(world, script, image="declares", read_only=True)
    assert r.output.split()[:6] == ["/seed:", "file", "sub", "x", "/var/db:", "y"] and "Read-only" in r.output, r


# --- images as mounts


def test_an_image_is_mounted(world):
    script = ("cat /m/lib/model /m/more; stat -c '%u:%g' /m/lib/model; stat -c '%u:%g %a' /m; ls /m; ls -la /m/out; grep ' /m ' /proc/mounts;"
              "touch /m/x; rm /m/more; : < /m/null")
    lines = sh(world, script, mount=[("image", "data", "/m", "")]).output.splitlines()
    assert lines[:9] == ["weights", "upper", "1000:29", "0:0 751", "lib", "more", "null", "out", "su"], lines
    assert lines[9].endswith("/m/out -> /etc/passwd")
    device, _, kind, options = lines[10].split()[:4]
    assert kind == "overlay" and {"ro", "nosuid", "nodev"} <= set(options.split(",")), lines[10]
    assert "Read-only" in lines[11] and "Read-only" in lines[12] and "ermission" in lines[13], lines


def test_an_image_that_may_be_written_to_is_new_at_every_start(world):
    script = "stat -c '%a' /m; ls /m; rm /m/more; echo changed > /m/lib/model; touch /m/x; ls /m; cat /m/lib/model; stat -c %u:%g /m/lib/model /m/x"
    for _ in range(2):
        words = sh(world, script, mount=[("image", "data", "/m", "rw,noexec")]).output.split()
        assert words == ["751", "lib", "more", "null", "out", "su", "lib", "null", "out", "su", "x", "changed", "1000:29", "0:0"], words
    layer = world.path("/var/lib/orlop/layers/" + world.layer("data", lambda top: None) + "/fs/lib/model")
    with open(layer, encoding="utf-8") as f:
        assert f.read() == "weights\n"


def test_several_images_and_mounts_in_them(world):
    """The root's own image once more, which has layers that are mounted already; one with a single layer; a volume in one."""
    r = sh(world, "ls /again/seed /one /rw/lib; touch /rw/lib/vol/x && ls /rw/lib/vol; ls /one/lib",
           mount=[("image", "volumes", "/again", ""), ("image", "data", "/rw", "rw"), ("volume", "mounted", "/rw/lib/vol", ""),
                  ("image", "busybox", "/one", "")])
    words = r.output.split()
    assert words[:3] == ["/again/seed:", "file", "sub"] and "/one:" in words and "x" in words, r
    r = sh(world, "ls /h", userns="host", mount=[("image", "data", "/h", "")])
    assert r.output.split() == ["lib", "more", "null", "out", "su"]


def test_a_place_that_leads_elsewhere(world):
    world.image_with("leads", lambda top: (os.makedirs(top + "/etc/apart"), os.symlink("/proc/self", top + "/p"),
                                           os.symlink("/etc/apart", top + "/e")), Cmd=["true"])  # fmt: skip
    r = world.start(image="leads", mount=[("image", "data", "/p", "")])
    assert r.failed["step"] == "attach-union" and "/proc" in r.failed["text"], r
    assert sh(world, "ls /etc/apart", image="leads", mount=[("image", "data", "/e", "")]).output.split()[0] == "lib"
    assert not os.path.exists(world.path("/etc/apart"))


def test_an_image_that_is_not_there(world):
    r = world.start(image="volumes", mount=[("image", "localhost/none", "/m", "")])
    assert r.failed["step"] == "image" and r.failed["code"] == 2, r
    assert '"/m"' in r.failed["text"] and '"localhost/none" is not in the store' in r.failed["text"], r
    assert r.cloned is None


def test_nothing_is_left_of_overlays(world):
    sh(world, "true", mount=[("volume", "o", "/v", "O")])  # folders that the first one makes for all
    before = sorted(os.listdir(world.path("/var/lib/orlop/tmp/run"))), sorted(os.listdir(world.path("/run/orlop/root")))
    with open(f"/proc/{world.holder.pid}/mountinfo", encoding="utf-8") as f:
        mounts = f.read()
    sh(world, "touch /m/x /v/x", unit="gone.container", mount=[("image", "data", "/m", "rw"), ("volume", "o", "/v", "O")])
    with open(f"/proc/{world.holder.pid}/mountinfo", encoding="utf-8") as f:
        assert f.read() == mounts
    assert sorted(os.listdir(world.path("/run/orlop/root"))) == before[1]
    assert set(os.listdir(world.path("/var/lib/orlop/tmp/run"))) - set(before[0]) <= {"gone.container"}
