# SPDX-License-Identifier: Apache-2.0
"""orlop-image: crafted layers, numbered as the list of attacks and oddities they are taken from.

Where nothing else is said, the image as overlayfs shows it must equal what umoci unpacks.
"""

import gzip
import io
import os
import tarfile

import pytest
from images_lib import (Image, Store, entry, file, folder, hardlink, layer, listing, symlink)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def without_times(tree, paths):
    for path in paths:
        if path in tree:
            del tree[path]["mtime"]
    return tree


def case(number, *layers, now=()):
    """now: directories that are not in the layer; umoci gives them the time of the day."""
    return pytest.param(layers, now, id=number)


ROOT = folder("./")
D = folder("d")

SAME_AS_UMOCI = [
    case("2-absolute-path", [file("/abs", "x"), folder("/d"), file("/d/f")]),
    case("4-symlink-then-through", [folder("etc"), symlink("d", "/etc"), file("d/f")], now=["etc"]),
    case("4-symlink-below-then-through", [ROOT, folder("etc"), symlink("d", "/etc")], [file("d/f")],
         now=["etc"]),
    case("4-next-layer-replaces", [folder("etc"), symlink("d", "/etc"), file("d/f")],
         [folder("d"), file("d/g")], now=["etc"]),
    case("6-dotdot-link-at-root", [symlink("d", ".."), file("d/x")]),
    case("6-dotdot-link", [folder("a"), folder("b"), symlink("a/up", "../b"), file("a/up/x")], now=["b"]),
    case("7-hardlink-in-image", [folder("etc"), file("etc/passwd", "root"), hardlink("p", "/etc/passwd"),
                                 hardlink("q", "etc/passwd")]),
    case("8-hardlink-to-symlink", [file("f"), symlink("l", "f"), hardlink("h", "l")]),
    case("10-dot-and-slash", [folder("./"), folder("./d/"), file("./d/./f")]),
    case("11-odd-names", [file("new\nline"), file("n" * 255), file("b\udcff\udcfe", "bytes"),
                          file("\u00fc\u4e16\u754c", "utf-8"), folder("tab\there"), file("tab\there/'\"\\")]),
    case("13-whiteout-file", [D, file("d/f"), file("d/g")], [D, file("d/.wh.f")]),
    case("14-whiteout-tree", [D, folder("d/e"), file("d/e/f"), file("g")], [file(".wh.d")]),
    case("15-whiteout-then-add", [D, file("d/f", "old")], [D, file("d/.wh.f"), file("d/f", "new")]),
    case("15-add-then-whiteout", [D, file("d/f", "old")], [D, file("d/f", "new"), file("d/.wh.f")]),
    case("15-whiteout-then-dir", [D, file("d/old")], [file(".wh.d"), D, file("d/new")]),
    case("15-dir-then-whiteout", [D, file("d/old")], [D, file("d/new"), file(".wh.d")], now=["d"]),
    case("15-whiteout-then-file-in-it", [D, file("d/old")], [file(".wh.d"), file("d/new")], now=["d"]),
    case("16-opaque-first", [D, file("d/old")], [D, file("d/.wh..wh..opq"), file("d/new")]),
    case("16-opaque-last", [D, file("d/old")], [D, file("d/new"), file("d/.wh..wh..opq")]),
    case("16-opaque-before-its-dir", [D, file("d/old")], [file("d/.wh..wh..opq"), D, file("d/new")]),
    case("16-opaque-root", [file("a"), D, file("d/b"), folder("e")],
         [ROOT, D, file("d/new"), file(".wh..wh..opq")], now=["d"]),
    case("16-opaque-tree", [D, folder("d/e"), file("d/e/f")],
         [D, file("d/.wh..wh..opq"), folder("d/e"), file("d/e/g")]),
    case("17-opaque-new-dir", [file("a")], [D, file("d/.wh..wh..opq"), file("d/x")]),
    case("18-whiteout-of-nothing", [D], [D, file("d/.wh.never"), file(".wh.neither")]),
    case("22-whiteout-through-link", [folder("r"), file("r/f"), file("r/g"), symlink("l", "r")],
         [file("l/.wh.f")], now=["r"]),
    case("23-dir-to-file", [D, file("d/f")], [file("d", "now a file")]),
    case("24-file-to-dir", [file("d")], [D, file("d/f")]),
    case("25-dir-to-symlink", [D, file("d/f"), folder("e")], [symlink("d", "e")]),
    case("26-symlink-to-dir", [folder("e"), file("e/f"), symlink("d", "e")], [D, file("d/g")]),
    case("27-same-dir-again", [D, file("d/f")], [folder("d", mode=0o700, uid=5, gid=6, mtime=77)]),
    case("27-same-dir-again-in-layer", [D, file("d/f"), folder("d", mode=0o711, uid=5, mtime=99)]),
    case("28-duplicate-last-wins", [file("f", "first"), file("f", "second", mode=0o600)]),
    case("28-duplicate-file-then-dir", [file("f"), folder("f"), file("f/g")]),
    case("28-duplicate-dir-then-file", [folder("f"), file("f/g"), file("f", "x")]),
    case("28-duplicate-symlink-then-file", [file("t", "kept"), symlink("f", "t"), file("f", "x")]),
    case("29-hardlink-to-lower", [ROOT, D, file("d/f", "lower", mode=0o4711, uid=3)],
         [hardlink("h", "d/f")], now=["d"]),
    case("29-hardlink-to-lower-symlink", [ROOT, D, symlink("d/l", "nowhere")], [hardlink("h", "d/l")],
         now=["d", "d/l", "h"]),
    case("31-links-are-one-file", [file("a", "1"), hardlink("b", "a"), hardlink("c", "b"), file("d", "1")]),
    case("32-large-ids-base256", [file("f", uid=1 << 24, gid=(1 << 31) + 5), file("g", uid=1 << 21)]),
    case("33-long-names", [folder("l" * 120), file("l" * 120 + "/" + "m" * 120),
                           file("l" * 120 + "/" + "n" * 250),
                           symlink("s", "t" * 200), hardlink("h", "l" * 120 + "/" + "m" * 120)]),
    case("34-times", [file("ns", pax={"mtime": "1234567890.123456789"}), file("old", pax={"mtime": "-86400"}),
                      file("older", pax={"mtime": "-1.25"}), file("far", pax={"mtime": "9000000000.5"})]),
    case("35-set-ids-kept", [file("u", mode=0o4755, uid=1000), file("g", mode=0o2755, gid=1000),
                             folder("t", mode=0o1777), folder("s", mode=0o2775, gid=50),
                             file("s/in", mode=0o6755, uid=7, gid=8)]),
    case("37-missing-parents", [file("a/b/c", "x")], now=["a", "a/b"]),
    case("37-missing-parents-like-below", [folder("a", mode=0o700, uid=7), folder("a/b", mode=0o1755, gid=9)],
         [file("a/b/c", "x")], now=["a/b"]),
    case("38-parent-times", [D, folder("d/e", mtime=5), file("d/e/f"), folder("r", mode=0o555, mtime=6),
                             file("r/x")]),
    case("41-empty-layer", [D], [], [file("f")]),
    case("60-no-mtime-before-1970", [file("f", mtime=0)]),
]


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """All of them in one store, by one import."""
    top = tmp_path_factory.mktemp("cases")
    big = Store(top / "store")
    images = {}
    for param in SAME_AS_UMOCI:
        image = Image(*[layer(*entries) for entries in param.values[0]], ref=f"case:{param.id}")
        image.write(top / f"{param.id}.tar")
        images[param.id] = image
    big.ok("import", *[top / f"{number}.tar" for number in images])
    assert big.leftovers() == []
    big.ok("check")
    return big, images


@pytest.mark.parametrize("layers, now", SAME_AS_UMOCI)
def test_equals_umoci(imported, tmp_path, request, layers, now):
    big, images = imported
    number = request.node.callspec.id
    ours, theirs = big.merged(f"case:{number}"), images[number].umoci(tmp_path)
    assert theirs is not None, "umoci refuses it"
    if not any(e[0].name in (".", "./") for entries in layers for e in entries):
        now = [*now, ""]
    assert without_times(ours, now) == without_times(theirs, now)


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_33_long_names_in_both_formats(store, tmp_path, form):
    long = "/".join(["x" * 100] * 6)
    image = Image(layer(file(long), symlink("s", "y" * 300), file("u", uid=1 << 22), form=form))
    store.ok("import", image.write(tmp_path / "a.tar"))
    found = store.merged("test:1")
    assert long in found and found["s"]["link"] == "y" * 300 and found["u"]["uid"] == 1 << 22


# --- refused, and why ---------------------------------------------------------------------------

SPARE = 4097 * "n"
REFUSED = [
    ("1-dotdot", [file("../x")], '".."'),
    ("3-dotdot-inside", [file("a/../../x")], '".."'),
    ("5-loop", [symlink("a", "b"), symlink("b", "a"), file("a/x")], "symbolic links"),
    ("5-self-loop", [symlink("a", "a"), file("a/x")], "symbolic links"),
    ("7-hardlink-climbs", [hardlink("h", "../../x")], '".."'),
    ("7-hardlink-to-nothing", [hardlink("h", "etc/shadow")], "neither before it in this layer"),
    ("7-hardlink-to-dir", [folder("d"), hardlink("h", "d")], "a directory"),
    ("9-hardlink-to-removed", [file(".wh.f"), hardlink("h", "f")], "removes its target"),
    ("10-dotdot-alone", [folder("..")], '".."'),
    ("10-root-is-a-link", [symlink(".", "/etc"), file("passwd")], "the root is not a directory"),
    ("10-root-is-a-file", [file("./", "x")], None),
    ("11-name-of-256", [file("n" * 256)], "a name of 256 bytes"),
    ("12-below-a-fifo", [entry("p", tarfile.FIFOTYPE), file("p/x")], "Not a directory"),
    ("12-below-a-file", [file("p"), file("p/x")], "Not a directory"),
    ("19-whiteout-of-dotdot", [folder("a"), file("a/.wh...")], "whiteout"),
    ("19-whiteout-of-dot", [folder("a"), file("a/.wh..")], "whiteout"),
    ("19-whiteout-of-nothing", [folder("a"), file("a/.wh.")], "whiteout"),
    ("19-below-a-whiteout", [file("a/.wh./x")], "whiteout"),
    ("30-hardlink-before-target", [hardlink("h", "f"), file("f")], "neither before it in this layer"),
    ("32-id-minus-one", [file("f", pax={"uid": str((1 << 32) - 1)})], "cannot be stored"),
    ("too-deep", [file("d/" * 300 + "f")], "directories deep"),
    ("too-long", [file("/".join(["n" * 200] * 30))], "the path"),
]


@pytest.mark.parametrize("entries, saying", [pytest.param(e, s, id=n) for n, e, s in REFUSED])
def test_refused(store, tmp_path, entries, saying):
    path = Image(layer(*entries)).write(tmp_path / "a.tar")
    store.refused("import", path, saying=saying or "")


def test_10_empty_name(store, tmp_path):
    raw = bytearray(layer(file("f"), form=tarfile.USTAR_FORMAT))
    raw[0:1] = b"\0"
    total = sum(raw[:148]) + 8 * 32 + sum(raw[156:512])
    raw[148:156] = b"%06o\0 " % total
    store.refused("import", Image(bytes(raw)).write(tmp_path / "a.tar"), saying="")


# --- the rest, each with its own expectation ----------------------------------------------------


def test_5_long_chain_that_ends(store, tmp_path):
    links = [symlink(f"l{i}", f"l{i + 1}") for i in range(30)]
    path = Image(layer(folder("l30"), *links, file("l0/x"))).write(tmp_path / "a.tar")
    store.ok("import", path)
    assert "l30/x" in store.merged("test:1")


def test_4_absolute_link_never_reaches_the_host(store, tmp_path):
    marker = tmp_path / "host"
    marker.mkdir()
    (marker / "f").write_text("mine")
    out = str(marker)
    path = Image(layer(symlink("d", out), file("d/f", "evil"), hardlink("h", "d/f")),
                 layer(file("d/.wh.f"))).write(tmp_path / "a.tar")
    store.ok("import", path)
    assert (marker / "f").read_text() == "mine" and os.listdir(out) == ["f"]


def test_20_aufs_bookkeeping_is_ignored(store, tmp_path):
    image = Image(layer(folder("d"), file("d/.wh..wh.aufs"), folder(".wh..wh.plnk"),
                        file(".wh..wh.plnk/1.2"), file(".wh..wh.orph"), file("f")))
    store.ok("import", image.write(tmp_path / "a.tar"))
    assert sorted(store.merged("test:1")) == ["", "d", "f"]


def test_21_a_device_in_a_tar_is_no_whiteout(store, tmp_path):
    image = Image(layer(file("f", "stays"), file("g")),
                  layer(entry("f", tarfile.CHRTYPE, devmajor=0, devminor=0),
                        folder("d", pax={"SCHILY.xattr.trusted.overlay.opaque": "y"}),
                        file("r", pax={"SCHILY.xattr.trusted.overlay.redirect": "/etc",
                                       "SCHILY.xattr.security.selinux": "x",
                                       "SCHILY.xattr.user.kept": "1"})))
    text = store.ok("import", image.write(tmp_path / "a.tar"))
    assert 'skipped "f": a device node' in text
    assert store.merged("test:1")["f"]["size"] == 5
    tree = store.trees("test:1")[1]
    assert os.listxattr(tree + "/d") == [] and os.listxattr(tree + "/r") == ["user.kept"]


def test_29_hard_link_to_lower_is_one_file_with_it(store, tmp_path):
    """(A third name from a third layer leaves the first behind: overlayfs copies up one name.)"""
    image = Image(layer(folder("./"), folder("d", mode=0o750), file("d/f", "lower")),
                  layer(hardlink("h", "d/f")))
    store.ok("import", image.write(tmp_path / "a.tar"))
    found = store.merged("test:1")
    assert found["h"]["same"] == found["d/f"]["same"]
    assert found["d"]["mode"] == "0o750"


def test_29_a_layer_that_needs_others_is_not_shared_wrongly(store, tmp_path):
    """Two images whose second layers are equal, but link to different files below."""
    link = layer(hardlink("h", "f"))
    for name in ("one", "two"):
        image = Image(layer(folder("./"), file("f", name)), link, ref=f"{name}:1")
        store.ok("import", image.write(tmp_path / f"{name}.tar"))
    for name, size in (("one", 3), ("two", 3)):
        tree = store.merged(f"{name}:1")
        assert tree["h"]["sha256"] == tree["f"]["sha256"] and tree["h"]["size"] == size
    assert store.trees("one:1")[1] != store.trees("two:1")[1]


def test_37_a_layer_that_leaves_out_a_parent_is_shared_where_that_is_right(store, tmp_path):
    add = layer(file("d/new"))
    bases = {"plain": folder("d"), "same": folder("d", mtime=5), "tight": folder("d", mode=0o700)}
    for name, base in bases.items():
        image = Image(layer(base, file("d/" + name)), add, ref=f"{name}:1")
        store.ok("import", image.write(tmp_path / f"{name}.tar"))
    tops = {name: store.trees(f"{name}:1")[1] for name in bases}
    assert tops["plain"] == tops["same"] != tops["tight"]
    assert store.merged("tight:1")["d"]["mode"] == "0o700"
    assert store.merged("plain:1")["d"]["mode"] == "0o755"


CAP_V2 = bytes.fromhex("0100000200040000000000000000000000000000")
CAP_V3 = bytes.fromhex("010000030004000000000000000000000000000000000100")
ACL = bytes.fromhex("0200000001000700ffffffff02000500e8030000040005" "00ffffffff10000500ffffffff20000500ffffffff")


def xattr_layer(values):
    """pax values are bytes here, which Python's tarfile does not write: the header is made by hand."""
    body = b""
    for name, value in values.items():
        rest = b" SCHILY.xattr." + name.encode() + b"=" + value + b"\n"
        size = len(rest) + 1
        while len(str(size)) + len(rest) != size:
            size = len(str(size)) + len(rest)
        body += str(size).encode() + rest
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        head = tarfile.TarInfo("pax")
        head.type = tarfile.XHDTYPE
        head.size = len(body)
        tar.addfile(head, io.BytesIO(body))
        info = tarfile.TarInfo("f")
        info.size, info.mode, info.uid = 1, 0o755, 1000
        tar.addfile(info, io.BytesIO(b"x"))
    return out.getvalue()


def test_36_attributes(store, tmp_path):
    values = {"security.capability": CAP_V2, "user.nul": b"a\0b", "user.equals": b"k=v=",
              "user.na=me": b"1", "system.posix_acl_access": ACL, "trusted.secret": b"x",
              "security.ima": b"x", "user.empty": b""}
    store.ok("import", Image(xattr_layer(values)).write(tmp_path / "a.tar"))
    tree = store.trees("test:1")[0] + "/f"
    found = {n: os.getxattr(tree, n) for n in os.listxattr(tree)}
    assert found.pop("system.posix_acl_access") == ACL
    assert found.pop("user.na=me", found.pop("user.na", None)) is not None
    assert found == {k: values[k] for k in ("security.capability", "user.nul", "user.equals", "user.empty")}


def test_36_capability_v3(store, tmp_path):
    store.ok("import", Image(xattr_layer({"security.capability": CAP_V3})).write(tmp_path / "a.tar"))
    tree = store.trees("test:1")[0] + "/f"
    assert os.getxattr(tree, "security.capability")[:1] == CAP_V3[:1]


def gnu_tar(folder_, *options):
    import subprocess

    return subprocess.run(["tar", "-C", str(folder_), "-c", *options, "."], check=True,
                          capture_output=True).stdout


@pytest.mark.parametrize("options", [("--format=gnu",), ("--format=pax", "--sparse-version=0.0"),
                                     ("--format=pax", "--sparse-version=0.1"),
                                     ("--format=pax", "--sparse-version=1.0")])
def test_39_sparse_files(store, tmp_path, options):
    source = tmp_path / "source"
    source.mkdir()
    with open(source / "holes", "wb") as out:
        for at in range(0, 40):
            out.seek(at * 300_000)
            out.write(b"data%d" % at)
        out.truncate(20_000_000)
    tar = gnu_tar(source, "--sparse", *options)
    assert len(tar) < 1_000_000
    store.ok("import", Image(tar).write(tmp_path / "a.tar"))
    tree = store.trees("test:1")[0] + "/holes"
    assert listing(source)["holes"]["sha256"] == listing(os.path.dirname(tree))["holes"]["sha256"]
    assert os.stat(tree).st_blocks * 512 < 2_000_000


def test_40_fifos_are_made_and_devices_skipped(store, tmp_path):
    image = Image(layer(entry("p", tarfile.FIFOTYPE, mode=0o622, uid=4), entry("b", tarfile.BLKTYPE, devmajor=8),
                        entry("c", tarfile.CHRTYPE, devmajor=1, devminor=3), file("f")))
    text = store.ok("import", image.write(tmp_path / "a.tar"))
    assert text.count("skipped") == 2
    found = store.merged("test:1")
    assert sorted(found) == ["", "f", "p"]
    assert (found["p"]["type"], found["p"]["mode"], found["p"]["uid"]) == ("p", "0o622", 4)


@pytest.mark.parametrize("raw", [b"", bytes(1024), bytes(10240)], ids=["empty", "end", "zeros"])
def test_41_layers_of_nothing(store, tmp_path, raw):
    store.ok("import", Image(layer(file("f")), raw).write(tmp_path / "a.tar"))
    assert "f" in store.merged("test:1")


def test_41_concatenated_gzip_members(store, tmp_path):
    image = Image(layer(file("f", os.urandom(50_000))),
                  pack=lambda raw: gzip.compress(raw[:20_000]) + gzip.compress(raw[20_000:]))
    store.ok("import", image.write(tmp_path / "a.tar"))
    assert store.merged("test:1")["f"]["size"] == 50_000


def test_41_garbage_after_the_tar(store, tmp_path):
    raw = layer(file("f")) + os.urandom(300_000)
    store.ok("import", Image(raw).write(tmp_path / "a.tar"))
    assert sorted(store.merged("test:1")) == ["", "f"]
