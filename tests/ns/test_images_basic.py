# SPDX-License-Identifier: Apache-2.0
"""orlop-image: real archives by skopeo and umoci, and the three that must never get in."""

import os
import subprocess

import pytest
from images_lib import Image, Store, file, folder, layer, listing, outer, symlink

BUSYBOX = "/bin/busybox"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def run(*args, **more):
    return subprocess.run(list(map(str, args)), check=True, capture_output=True, text=True, **more)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """An image of two layers by umoci, as a layout, an oci-archive and a docker-archive; and unpacked."""
    top = tmp_path_factory.mktemp("real")
    lay, bundle = top / "layout", top / "bundle"
    image = f"{lay}:base"
    run("umoci", "init", "--layout", lay)
    run("umoci", "new", "--image", image)
    for step in (first_layer, second_layer):
        run("umoci", "unpack", "--image", image, bundle)
        step(str(bundle / "rootfs"))
        run("umoci", "repack", "--image", image, bundle)
        run("rm", "-rf", bundle)
    run("umoci", "config", "--image", image, "--config.entrypoint", "/bin/sh", "--config.cmd", "-c",
        "--config.cmd", "echo hi; exit", "--config.env", "A=b", "--config.user", "1000:1000",
        "--config.exposedports", "80/tcp", "--config.volume", "/data", "--config.workingdir", "/srv",
        "--config.label", "k=v w", "--config.stopsignal", "SIGINT")
    run("umoci", "unpack", "--image", image, bundle)
    run("skopeo", "copy", f"oci:{image}", f"oci-archive:{top}/oci.tar:hello:1.0")
    run("skopeo", "copy", f"oci:{image}", f"docker-archive:{top}/docker.tar:localhost/hello:2.0")
    run("tar", "-cf", top / "umoci.tar", "-C", lay, ".")
    run("gzip", "-k", top / "oci.tar")
    return top


def first_layer(root):
    for name in ("bin", "etc/d", "srv", "tmp", "data"):
        os.makedirs(f"{root}/{name}")
    run("cp", BUSYBOX, f"{root}/bin/busybox")
    for name in ("sh", "ls", "httpd"):
        os.symlink("busybox", f"{root}/bin/{name}")
    os.link(f"{root}/bin/busybox", f"{root}/bin/box")
    os.chmod(f"{root}/tmp", 0o1777)
    os.chmod(f"{root}/bin/busybox", 0o4755)
    os.chown(f"{root}/data", 1000, 1001)
    os.setxattr(f"{root}/data", "user.kept", b"1\x00=2")
    os.mkfifo(f"{root}/etc/fifo", 0o640)
    for name in ("etc/passwd", "etc/gone", "etc/d/1", "etc/type"):
        with open(f"{root}/{name}", "w", encoding="utf-8") as out:
            out.write(name)
    os.utime(f"{root}/etc/d/1", ns=(1, 1_234_567_890_123_456_789))


def second_layer(root):
    run("rm", "-r", f"{root}/etc/d", f"{root}/etc/gone", f"{root}/etc/type")
    os.makedirs(f"{root}/etc/d")
    os.makedirs(f"{root}/etc/type/now/dir")
    with open(f"{root}/etc/d/2", "w", encoding="utf-8") as out:
        out.write("2")
    os.chmod(f"{root}/etc/d", 0o555)


@pytest.mark.parametrize("name, ref", [("oci.tar", "hello:1.0"), ("docker.tar", "localhost/hello:2.0"),
                                       ("umoci.tar", "umoci:base"), ("oci.tar.gz", "hello:1.0")])
def test_real_archives_are_what_umoci_unpacks(store, real, name, ref):
    store.ok("import", real / name)
    assert store.merged(ref) == listing(str(real / "bundle/rootfs"))
    image = store.image(ref)
    assert image["Entrypoint"] == ["/bin/sh"]
    assert image["Cmd"] == ["-c", "echo hi; exit"]
    assert (image["User"], image["WorkingDir"], image["StopSignal"]) == ("1000:1000", "/srv", "SIGINT")
    assert image["Volume"] == ["/data"] and image["ExposedPort"] == ["80/tcp"]
    assert "A=b" in image["Env"] and image["Label"] == ["k=v w"]
    assert store.leftovers() == []


def test_the_same_image_twice_is_one(store, real):
    first = store.ok("import", real / "oci.tar")
    again = store.ok("import", real / "docker.tar")
    assert first.count("unpacked") == 2 and again.count("in the store already") == 2
    assert len([v for v in store.visible() if v.startswith("layers/")]) == 2
    names = store.image("hello:2.0")["Names"]
    assert sorted(names) == ["hello:1.0", "localhost/hello:2.0"]


def test_has_knows_an_archive_without_unpacking(store, real):
    assert store.run("has", real / "oci.tar").returncode == 1
    store.ok("import", real / "oci.tar")
    store.ok("has", real / "oci.tar")
    assert store.run("has", real / "oci.tar", "--name", "other:1").returncode == 1
    assert store.run("has", real / "umoci.tar").returncode == 1
    store.ok("rm", "hello:1.0")
    assert store.run("has", real / "oci.tar").returncode == 1
    assert store.run("has", real / "nothing.tar").stderr.count("No such file") == 1


def test_preload_imports_what_is_missing(store, real, tmp_path):
    folder_ = tmp_path / "preload"
    folder_.mkdir()
    os.link(real / "oci.tar", folder_ / "oci.tar")
    (folder_ / "bad.tar").write_bytes(b"nonsense")
    done = store.run("preload", folder_)
    assert done.returncode == 1 and "bad.tar" in done.stderr
    assert store.image("hello:1.0")
    os.unlink(folder_ / "bad.tar")
    assert store.ok("preload", folder_) == ""
    assert store.ok("preload", tmp_path / "nowhere") == ""


# --- what must never get in ---------------------------------------------------------------------


def test_a_flipped_byte_anywhere_is_found(store, real, tmp_path):
    good = (real / "oci.tar").read_bytes()
    bad = tmp_path / "bad.tar"
    # in every blob: the middle of each member that is no tar header
    for at in range(700, len(good), len(good) // 23):
        broken = bytearray(good)
        broken[at] ^= 1
        if not good[at] and not any(good[at - 512:at + 512]):
            continue  # padding
        bad.write_bytes(broken)
        text = store.refused("import", bad)
        assert text.startswith("error:"), text


def test_a_flipped_byte_in_a_layer_is_named(store, tmp_path):
    image = Image(layer(file("a", "content")))
    name = image.layers[0]["digest"]
    members = [(n, d[:20] + bytes([d[20] ^ 4]) + d[21:] if n.endswith(name[7:]) else d)
               for n, d in image.members()]
    path = outer(tmp_path / "a.tar", members)
    store.refused("import", path, saying=[name, "damaged", "its content is sha256:"])


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_archive_is_refused(store, real, tmp_path, part):
    good = (real / "oci.tar").read_bytes().rstrip(b"\0")
    bad = tmp_path / "short.tar"
    bad.write_bytes(good[:int(len(good) * part)])
    store.refused("import", bad, saying="")


def test_paths_that_leave_the_layer_are_refused(store, tmp_path):
    path = Image(layer(file("../../etc/passwd", "evil"))).write(tmp_path / "a.tar")
    store.refused("import", path, saying=["../../etc/passwd", '".."'])


def test_absolute_symlinks_stay_in_the_image(store, tmp_path):
    canary = tmp_path / "canary"
    canary.mkdir()
    path = Image(layer(symlink("out", str(canary)), file("out/f", "x"), symlink("etc", "/"),
                       folder("etc"), file("abs", "y"))).write(tmp_path / "a.tar")
    store.ok("import", path)
    assert os.listdir(canary) == []
    found = store.merged("test:1")
    assert found["out"]["link"] == str(canary)
    assert str(canary)[1:] + "/f" in found


def test_a_layer_may_lack_the_padding_of_its_last_file(store, tmp_path):
    """`umoci insert` 0.4.7 ends a layer with the last byte of the last file."""
    whole = layer(file("a", "first"), file("b", "x" * 700))
    cut = whole[:512 + 512 + 512 + 700]
    path = Image(cut).write(tmp_path / "unpadded.tar")
    store.ok("import", path)


def test_a_layer_that_ends_inside_a_file_is_refused(store, tmp_path):
    whole = layer(file("a", "first"), file("b", "x" * 700))
    store.refused("import", Image(whole[:512 + 512 + 512 + 650]).write(tmp_path / "cut.tar"), saying="runcated")


# --- the sandbox --------------------------------------------------------------------------------


def readers_of(program):
    """pid -> status of the children of every running import."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as text:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in text if ":\t" in line)
            if os.readlink(f"/proc/{pid}/exe") == program and status["Uid"].split()[0] != "0":
                status["root"] = os.readlink(f"/proc/{pid}/root")
                status["fds"] = {n: os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd")}
                with open(f"/proc/{pid}/limits", encoding="utf-8") as text:
                    status["limits"] = text.read()
                found[pid] = status
        except (OSError, ValueError, KeyError):
            continue  # it is gone
    return found


def test_the_readers_are_confined(store, tmp_path):
    """While a large layer is read, its readers are looked at from outside."""
    import threading

    path = Image(layer(file("f", os.urandom(60_000_000))), pack=bytes).write(tmp_path / "a.tar")
    seen = {}
    for _ in range(5):
        work = threading.Thread(target=store.ok, args=("import", path))
        work.start()
        while work.is_alive():
            seen |= readers_of(os.path.abspath("build/bin/orlop-image"))
        if len(seen) >= 3:
            break
        store.ok("rm", "test:1")
        store.ok("prune")
    assert len(seen) >= 3
    settled = [s for s in seen.values() if s["Seccomp"] == "2"]
    assert settled
    for status in settled:
        assert set(status["Uid"].split() + status["Gid"].split()) == {"65534"}
        assert status["Groups"].strip() == "" and status["NoNewPrivs"] == "1"
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
        assert status["root"].endswith("/tmp/empty")
        assert set(status["fds"]) <= {"0", "1", "2"}, status["fds"]
        assert all(to.startswith("pipe:") or to.endswith("a.tar") or "memfd:document" in to
                   for to in status["fds"].values()), status["fds"]
        assert any(row.split()[:4] == ["Max", "open", "files", "0"] for row in status["limits"].splitlines())
