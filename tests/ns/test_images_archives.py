# SPDX-License-Identifier: Apache-2.0
"""orlop-image: formats, integrity, limits and power cuts; numbered as in test_images_cases.py."""

import bz2
import concurrent.futures
import gzip
import json
import os
import random
import subprocess
import tarfile
import time

import pytest
from images_lib import (OCI, Image, Store, as_json, digest, file, folder, layer, make_config, outer)

DOCKER = "application/vnd.docker."


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def zstd(raw):
    return subprocess.run(["zstd", "-q", "-c"], input=raw, capture_output=True, check=True).stdout


# --- docker-save --------------------------------------------------------------------------------


def docker_save(path, images, before=(), more=()):
    """images: (config, tags, [(path, raw)]); the config is named by its digest."""
    members, listed = list(before), []
    for config, tags, layers in images:
        data = as_json(config)
        name = digest(data)[7:] + ".json"
        members += layers + [(name, data)]
        listed.append({"Config": name, "RepoTags": tags, "Layers": [n for n, _ in layers]})
    return outer(path, members + list(more) + [("manifest.json", as_json(listed))])


def link_to(name, target):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return name, info


def test_42_docker_save_legacy_with_linked_layers(store, tmp_path):
    raw = layer(file("f"))
    config = make_config([raw, raw])
    path = docker_save(tmp_path / "a.tar", [(config, ["hello:1"], [("aaa/layer.tar", raw)])],
                       more=[link_to("bbb/layer.tar", "../aaa/layer.tar")])
    members = dict(manifest=None)
    with tarfile.open(path) as tar:
        members = json.load(tar.extractfile("manifest.json"))
    members[0]["Layers"].append("bbb/layer.tar")
    with tarfile.open(path, "a") as tar:
        import io

        data = as_json(members)
        info = tarfile.TarInfo("manifest.json")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    store.ok("import", path)
    # the same layer twice is one: an overlay cannot have it twice
    assert len(store.trees("hello:1")) == 1


def test_42_links_that_leave_the_archive_lead_nowhere(store, tmp_path):
    raw = layer(file("f"))
    path = docker_save(tmp_path / "a.tar", [(make_config([raw]), ["hello:1"], [])],
                       more=[link_to("x/layer.tar", "../../../etc/passwd")])
    config = make_config([raw])
    data = as_json(config)
    name = digest(data)[7:] + ".json"
    path = outer(tmp_path / "b.tar", [(name, data), link_to("x/layer.tar", "../../../etc/passwd"),
                                      ("manifest.json", as_json([{"Config": name, "RepoTags": None,
                                                                  "Layers": ["x/layer.tar"]}]))])
    store.refused("import", path, saying=["x/layer.tar", "not in the archive"])


def test_43_new_docker_save_has_both_layouts(store, tmp_path):
    image = Image(layer(file("f")), ref="latest", pack=bytes, media=OCI + "layer.v1.tar")
    members = image.members()
    config = image.manifest["config"]["digest"][7:]
    save = [{"Config": "blobs/sha256/" + config, "RepoTags": ["hello:7", "host.example/library/other:1"],
             "Layers": ["blobs/sha256/" + image.layers[0]["digest"][7:]]}]
    store.ok("import", outer(tmp_path / "file.tar", members + [("manifest.json", as_json(save))]))
    assert store.image("hello:7")["Names"] == ["file:latest", "hello:7", "host.example/library/other:1",
                                               "other:1"]


def test_44_schema_2_in_an_oci_layout(store, tmp_path):
    image = Image(layer(file("f")), media=DOCKER + "image.rootfs.diff.tar.gzip")
    image.manifest["mediaType"] = DOCKER + "distribution.manifest.v2+json"
    image.manifest["config"] = image.blob(as_json(image.config), DOCKER + "container.image.v1+json")
    d = image.blob(as_json(image.manifest), DOCKER + "distribution.manifest.v2+json")
    image.index["manifests"] = [d | {"annotations": {"org.opencontainers.image.ref.name": "a:1"}}]
    store.ok("import", image.write(tmp_path / "a.tar"))
    assert "f" in store.merged("a:1")


# --- indexes ------------------------------------------------------------------------------------


def nested(image, entries, levels=1):
    """Puts entries into an index blob, `levels` deep; the top index names it test:1."""
    for _ in range(levels):
        entries = [image.blob(as_json({"schemaVersion": 2, "manifests": entries}), OCI + "index.v1+json")]
    image.index["manifests"] = [entries[0] | {"annotations": {"org.opencontainers.image.ref.name": "test:1"}}]
    return image


def platform(arch, variant=None, system="linux"):
    return {"platform": {"os": system, "architecture": arch} | ({"variant": variant} if variant else {})}


def test_45_nested_index(store, tmp_path):
    image = Image(layer(file("f")))
    nested(image, [image.descriptor(**platform("amd64"))], levels=2)
    store.ok("import", image.write(tmp_path / "a.tar"))
    assert "f" in store.merged("test:1")


def test_45_endless_nesting_is_refused(store, tmp_path):
    image = Image(layer(file("f")))
    nested(image, [image.descriptor()], levels=20)
    store.refused("import", image.write(tmp_path / "a.tar"), saying="indexes within indexes")


def test_46_this_machine_is_picked(store, tmp_path):
    image = Image(layer(file("right")))
    other = Image(layer(file("wrong")), config=make_config([layer(file("wrong"))], architecture="arm64"))
    image.blobs |= other.blobs
    wrong = other.descriptor()
    image.blobs |= other.blobs
    right = image.descriptor()
    attestation = {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    nested(image, [wrong | platform("arm64", "v8"), wrong | platform("unknown", system="unknown") | attestation,
                   wrong | platform("amd64", system="windows"), wrong | platform("amd64", "v3"),
                   right | platform("amd64", "v1"), wrong | platform("amd64", "v2")])
    store.ok("import", image.write(tmp_path / "a.tar"))
    assert "right" in store.merged("test:1")


def test_46_nothing_for_this_machine(store, tmp_path):
    image = Image(layer(file("f")))
    nested(image, [image.descriptor(**platform("arm64")), image.descriptor(**platform("s390x"))])
    store.refused("import", image.write(tmp_path / "a.tar"),
                  saying=["no image for linux/amd64", "linux/arm64", "linux/s390x"])


def test_46_wrong_config_architecture(store, tmp_path):
    raw = layer(file("f"))
    image = Image(raw, config=make_config([raw], architecture="riscv64"))
    store.refused("import", image.write(tmp_path / "a.tar"), saying=["linux/riscv64", "linux/amd64"])


# --- layers' coats ------------------------------------------------------------------------------

SKIPPABLE = b"\x50\x2a\x4d\x18" + (8).to_bytes(4, "little") + b"GNUlInUx"


@pytest.mark.parametrize("pack, media", [
    (zstd, "layer.v1.tar+zstd"), (gzip.compress, "layer.v1.tar+gzip"), (bytes, "layer.v1.tar"),
    (lambda raw: zstd(raw[:1000]) + zstd(raw[1000:]) + SKIPPABLE, "layer.v1.tar+zstd"),
    (lambda raw: gzip.compress(raw) + gzip.compress(b""), "layer.v1.tar+gzip"),
    # 48: the media type says one thing, the bytes another: the bytes are right
    (bytes, "layer.v1.tar+gzip"), (gzip.compress, "layer.v1.tar"), (zstd, "layer.v1.tar+gzip"),
], ids=["zstd", "gzip", "plain", "zstd-chunked", "estargz-footer", "48-plain-as-gzip", "48-gzip-as-plain",
        "48-zstd-as-gzip"])
def test_47_coats(store, tmp_path, pack, media):
    image = Image(layer(file("f", os.urandom(5000))), pack=pack, media=OCI + media)
    store.ok("import", image.write(tmp_path / "a.tar"))
    assert store.merged("test:1")["f"]["size"] == 5000


def test_48_other_coats_are_refused(store, tmp_path):
    image = Image(layer(file("f")), pack=bz2.compress)
    store.refused("import", image.write(tmp_path / "a.tar"), saying="layer 1 of 1")


def test_49_a_layer_that_may_be_left_out(store, tmp_path):
    raw = layer(file("f"))
    image = Image(raw, media=OCI + "layer.nondistributable.v1.tar+gzip")
    image.layers[0]["urls"] = ["https://host.example/layer"]
    path = image.write(tmp_path / "a.tar")
    store.ok("import", path)
    store.ok("rm", "test:1")
    name = image.layers[0]["digest"]
    del image.blobs[name]
    store.refused("import", image.write(tmp_path / "a.tar"),
                  saying=[name, "not in the archive", "https://host.example/layer"])


def test_50_schema_1(store, tmp_path):
    image = Image(layer(file("f")))
    image.manifest = {"schemaVersion": 1, "name": "x", "fsLayers": [], "config": {}}
    d = image.blob(as_json(image.manifest), OCI + "manifest.v1+json")
    image.index["manifests"] = [d]
    store.refused("import", image.write(tmp_path / "a.tar"), saying=["schema 1", "convert"])


@pytest.mark.parametrize("media", ["application/vnd.oci.empty.v1+json", "application/vnd.cncf.helm.config.v1+json"])
def test_51_artifacts_are_no_images(store, tmp_path, media):
    image = Image(layer(file("f")))
    image.manifest["config"] = image.blob(b"{}", media)
    store.refused("import", image.write(tmp_path / "a.tar"), saying=["not a container image", media])


def test_52_several_images_and_tags(store, tmp_path):
    one, two = layer(file("one")), layer(file("two"))
    path = docker_save(tmp_path / "a.tar", [
        (make_config([one]), ["one:1", "one:latest", "host.example:5000/x/one:2"], [("1/layer.tar", one)]),
        (make_config([two]), None, [("2/layer.tar", two)])])
    store.ok("import", path)
    assert len(store.image("one:1")["Names"]) == 3 and "one" in store.merged("one:latest")
    assert store.ok("list").count("<none>") == 1
    text = store.refused("import", path, "--name", "x:1", saying="2 images")
    assert "--name" in text


def test_52_a_single_image_without_a_name_gets_the_file_s(store, tmp_path):
    raw = layer(file("f"))
    store.ok("import", docker_save(tmp_path / "Web-App.tar", [(make_config([raw]), None, [("l.tar", raw)])]))
    assert store.image("web-app:latest")
    store.ok("import", tmp_path / "Web-App.tar", "--name", "registry.example/a/b:2")
    assert "registry.example/a/b:2" in store.image("web-app:latest")["Names"]


def test_53_members_in_any_order(store, tmp_path):
    image = Image(layer(file("f")), layer(file("g")))
    members = image.members()
    for seed in range(4):
        random.Random(seed).shuffle(members)
        store.ok("import", outer(tmp_path / "a.tar", members))
    assert {"f", "g"} <= set(store.merged("test:1"))


def test_54_an_image_without_layers(store, tmp_path):
    store.ok("import", Image().write(tmp_path / "a.tar"))
    assert store.trees("test:1") == []


# --- integrity ----------------------------------------------------------------------------------


def bend(image, old, new):
    """Other bytes under the same digest."""
    image.blobs = {n: new if d == old else d for n, d in image.blobs.items()}
    return image


@pytest.mark.parametrize("what", ["layer", "config", "manifest"])
def test_55_blob_digest_mismatch(store, tmp_path, what):
    image = Image(layer(file("f")))
    image.members()
    old = {"layer": image.packed[0], "config": as_json(image.config), "manifest": as_json(image.manifest)}[what]
    new = old[:-1] + bytes([old[-1] ^ 1])
    text = store.refused("import", bend(image, old, new).write(tmp_path / "a.tar"), saying="is damaged")
    assert digest(old) in text and digest(new) in text


def test_56_diff_id_mismatch(store, tmp_path):
    image = Image(layer(file("f")), config=make_config([layer(file("g"))]))
    store.refused("import", image.write(tmp_path / "a.tar"),
                  saying=[digest(layer(file("f"))), "the config says " + digest(layer(file("g")))])


@pytest.mark.parametrize("by", [-1, 1, 10 ** 12])
@pytest.mark.parametrize("what", ["layer", "config", "manifest"])
def test_57_size_lies(store, tmp_path, what, by):
    image = Image(layer(file("f")))
    top = image.descriptor()
    if what == "manifest":
        top["size"] += by
    else:
        (image.layers[0] if what == "layer" else image.manifest["config"])["size"] += by
        top = image.blob(as_json(image.manifest), OCI + "manifest.v1+json")
    image.index["manifests"] = [top]
    store.refused("import", image.write(tmp_path / "a.tar"), saying="it should have")


@pytest.mark.parametrize("pack", [gzip.compress, zstd, bytes], ids=["gzip", "zstd", "tar"])
@pytest.mark.parametrize("part", [0.3, 0.8])
def test_58_truncated_layers(store, tmp_path, pack, part):
    """The digests are right, so that only the reader can notice."""
    raw = layer(file("f", os.urandom(100_000)))
    image = Image(raw, pack=lambda r: pack(r)[:int(len(pack(r)) * part)])
    store.refused("import", image.write(tmp_path / "a.tar"), saying="layer 1 of 1")


def test_58_truncated_but_right_by_diff_id(store, tmp_path):
    raw = layer(file("f", os.urandom(100_000)))[:60_000]
    store.refused("import", Image(raw).write(tmp_path / "a.tar"), saying="layer 1 of 1")


def test_59_algorithms(store, tmp_path):
    raw = layer(file("f"))
    store.ok("import", Image(raw, kind="sha512").write(tmp_path / "a.tar"))
    assert len(store.image("test:1")["Id"]) == 128
    image = Image(raw)
    image.layers[0]["digest"] = "md5:" + "0" * 32
    store.refused("import", image.write(tmp_path / "b.tar"), saying=["md5", "not supported"])


@pytest.mark.parametrize("name", ["sha256:" + "0" * 63, "sha256:../../../../etc/passwd", "sha256:" + "G" * 64, ""])
def test_59_malformed_digests(store, tmp_path, name):
    image = Image(layer(file("f")))
    image.layers[0]["digest"] = name
    store.refused("import", image.write(tmp_path / "b.tar"), saying="")


def test_60_counts_must_agree(store, tmp_path):
    raw = layer(file("f"))
    image = Image(raw, config=make_config([raw, raw]))
    store.refused("import", image.write(tmp_path / "a.tar"), saying=["2 diff ids", "1 layer"])
    image = Image(raw, config=make_config([raw], history=[{}, {"empty_layer": True}, {}]))
    store.refused("import", image.write(tmp_path / "b.tar"), saying=["history", "2 layers"])
    image = Image(raw, config=make_config([raw], history=[{}, {"empty_layer": True}]))
    store.ok("import", image.write(tmp_path / "c.tar"))


def big_image(ref="test:1"):
    return Image(*[layer(*[file(f"{n}/{i}", os.urandom(2000)) for i in range(150)]) for n in range(3)], ref=ref)


def test_61_killed_at_any_moment(store, tmp_path):
    path = big_image().write(tmp_path / "a.tar")
    started = time.monotonic()
    store.ok("import", path)
    whole = time.monotonic() - started
    for n in range(12):
        subprocess.run(["rm", "-rf", store.path], check=True)
        os.makedirs(store.path)
        wait = whole * (n + 1) / 13
        store.run("import", path, wrap=["timeout", "-s", "KILL", f"{wait:.3f}"])
        store.ok("check")
        visible = [v for v in store.visible() if v.startswith("images/names/")]
        if visible:
            assert len(store.merged("test:1")) == 454
        store.ok("prune")
        assert store.leftovers() == []
        if not [v for v in store.visible() if v.startswith("images/")]:
            assert store.visible() == []
    store.ok("import", path)
    assert len(store.merged("test:1")) == 454


def test_62_two_imports_of_the_same_layers(store, tmp_path):
    path = big_image().write(tmp_path / "a.tar")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: store.run("import", path), range(4)))
    assert [d.returncode for d in done] == [0] * 4, [d.stderr for d in done]
    assert len(store.merged("test:1")) == 454 and store.leftovers() == []
    store.ok("check")


def test_63_disk_full(store, tmp_path):
    small = Image(layer(file("f")), ref="small:1").write(tmp_path / "small.tar")
    large = Image(layer(file("f", os.urandom(20_000_000))), ref="large:1", pack=bytes).write(tmp_path / "large.tar")
    program = os.path.abspath("build/bin/orlop-image")
    inner = (f"mount -t tmpfs none /var/lib && mkdir /var/lib/orlop && "
             f"mount -t tmpfs -o size=8m none /var/lib/orlop && {program} import {small} && "
             f"! {program} import {large} && {program} check && {program} list && ls /var/lib/orlop/tmp && "
             f"{program} import {small}")
    done = subprocess.run(["unshare", "-m", "sh", "-c", inner], capture_output=True, text=True, check=False,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    assert "No space left" in done.stderr and "small:1" in done.stdout and "large:1" not in done.stdout
    assert "\nempty\n" in done.stdout and "import-" not in done.stdout


def test_64_shared_layers_survive_a_prune(store, tmp_path):
    shared = layer(folder("d"), file("d/f"))
    for name in ("one", "two"):
        store.ok("import", Image(shared, layer(file(name)), ref=f"{name}:1").write(tmp_path / f"{name}.tar"))
    assert len([v for v in store.visible() if v.startswith("layers/")]) == 3
    store.ok("rm", "one:1")
    assert "1 layers" in store.ok("prune")
    assert {"d/f", "two"} <= set(store.merged("two:1"))
    store.ok("check")
    store.ok("rm", store.image("two:1")["Id"])
    store.ok("prune")
    assert store.visible() == []


# --- bombs --------------------------------------------------------------------------------------


def usage(path):
    return int(subprocess.run(["du", "-s", path], check=True, capture_output=True, text=True).stdout.split()[0])


def test_bomb_of_zeros(store, tmp_path):
    """80 MB of zeros in 80 kB of gzip, with a diff id that would be right."""
    size = 80_000_000
    zeros = bytes(size)
    image = Image(layer(file("zeros", zeros)), pack=lambda raw: gzip.compress(raw, 9))
    path = image.write(tmp_path / "a.tar")
    assert os.stat(path).st_size < size // 800
    store.ok("list")
    before = usage(store.path)
    store.refused("import", path, saying=["--max-ratio"])
    assert usage(store.path) <= before + 64
    store.ok("import", path, "--max-ratio", 2000)


def test_bomb_limits_are_options(store, tmp_path):
    path = Image(layer(*[file(f"f{n}", "x" * 100) for n in range(50)])).write(tmp_path / "a.tar")
    store.refused("import", path, "--max-entries", 49, saying="--max-entries")
    store.refused("import", path, "--max-bytes", 4999, saying="--max-bytes")
    store.ok("import", path, "--max-entries=50", "--max-bytes=200000")


def test_a_sparse_file_counts_as_large_as_it_says(store, tmp_path):
    info, _ = file("f")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "huge",
                        "GNU.sparse.realsize": str(1 << 50)}
    info.size = 512
    image = Image(layer((info, b"0\n".ljust(512, b"\0"))))
    store.refused("import", image.write(tmp_path / "a.tar"), saying="")


# --- the file itself ----------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"\0" * 10240, b"no archive", b"\x1f\x8bnonsense", os.urandom(5000)],
                         ids=["empty", "zeros", "text", "gzip", "noise"])
def test_files_that_are_no_archives(store, tmp_path, data):
    (tmp_path / "a.tar").write_bytes(data)
    store.refused("import", tmp_path / "a.tar", saying="a.tar")


def test_files_that_are_no_files(store, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    store.refused("import", tmp_path / "fifo", saying="not a regular file")
    store.refused("import", tmp_path, saying="not a regular file")
    store.refused("import", "/dev/zero", saying="not a regular file")
    store.refused("import", tmp_path / "nothing", saying="No such file")


def test_frames(store, tmp_path):
    """--frame-id: the answer goes to fd 3, framed."""
    import socket
    import struct

    path = Image(layer(file("f"))).write(tmp_path / "a.tar")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    script = f'exec 3<&{theirs.fileno()}; exec "$@"'
    for args, code in ((("import", path), 0), (("list",), 0), (("inspect", "no:1"), 1)):
        done = store.run(*args, "--frame-id", "7", wrap=["bash", "-c", script, "x"], pass_fds=[theirs.fileno()])
        assert done.stdout == "" and done.stderr == ""
        lines = []
        while not lines or "exit" not in lines[-1]:
            packet = ours.recv(70000)
            magic, size, ident = struct.unpack("=III", packet[:12])
            assert (magic, size, ident) == (0x316C726F, len(packet) - 12, 7)
            lines.append(json.loads(packet[12:]))
        assert lines[-1]["exit"] == code
        if args[0] == "list":
            assert lines[0]["names"] == ["test:1"]
        if code:
            assert 'no image "no:1"' in lines[-1]["error"]


def test_usage(store):
    assert store.run().returncode == 2
    assert store.run("what").returncode == 2
    assert store.run("import").returncode == 2
    assert store.run("list", "--wrong").returncode == 2
    assert store.run("import", "x", "--max-bytes", "many").returncode == 2
    assert "import" in store.ok("help")
