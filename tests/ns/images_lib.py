# SPDX-License-Identifier: Apache-2.0
"""Crafted image archives, a private store, and listings of what is in it.

The store is a directory of the test; orlop-image sees it as /var/lib/orlop in a mount namespace of its
own. A layer here is a list of entries for Python's tarfile; an image is a list of layers.
"""

import ctypes
import gzip
import hashlib
import io
import json
import os
import stat
import subprocess
import sys
import tarfile

PROGRAM = os.path.abspath("build/bin/orlop-image")

AS_STORE = (
    "mount -t tmpfs none /var/lib && mkdir /var/lib/orlop && "
    'mount --bind "$0" /var/lib/orlop && exec "$@"'
)


class Store:
    def __init__(self, path):
        self.path = str(path)
        os.makedirs(self.path, exist_ok=True)

    def run(self, *args, wrap=(), **more):
        """orlop-image ARGS..., with this store. wrap: a command to run it under."""
        return subprocess.run(
            ["unshare", "-m", "sh", "-c", AS_STORE, self.path, *wrap, PROGRAM, *map(str, args)],
            capture_output=True, text=True, timeout=120, check=False, **more)

    def ok(self, *args, **more):
        done = self.run(*args, **more)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refused(self, *args, saying=(), **more):
        """It fails, says why, and nothing becomes visible; what is half made does not stay either."""
        before = self.visible()
        done = self.run(*args, **more)
        assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
        for word in [saying] if isinstance(saying, str) else saying:
            assert word in done.stderr, done.stderr
        assert self.visible() == before
        assert self.leftovers() == []
        return done.stderr

    def visible(self):
        found = []
        for top in ("images", "images/names", "images/archives", "layers"):
            folder = os.path.join(self.path, top)
            if os.path.isdir(folder):
                found += [f"{top}/{n}" for n in os.listdir(folder) if n != ".lock"]
        return sorted(set(found) - {"images/names", "images/archives"})

    def leftovers(self):
        return [n for n in os.listdir(os.path.join(self.path, "tmp")) if n != "empty"]

    def image(self, ref):
        return json.loads(self.ok("inspect", ref, "--json"))

    def trees(self, ref):
        """The layers' directories, lowest first."""
        name = os.path.join(self.path, "images/names", ref.replace("/", "+"), "image.ini")
        with open(name, encoding="utf-8") as ini:
            layers = [line[6:].strip() for line in ini if line.startswith("Layer=")]
        return [os.path.join(self.path, "layers", h, "fs") for h in layers]

    def merged(self, ref):
        """The listing of the image as overlayfs shows it."""
        return _lister(":".join(reversed(self.trees(ref))) + ":" + _empty_below(self.path))


_LISTER = []


def _lister(lower):
    """Asks a process that has a mount namespace of its own; it lives as long as the tests."""
    if not _LISTER:
        _LISTER.append(subprocess.Popen(["unshare", "-m", "/usr/bin/python3", "-B", os.path.abspath(__file__)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    helper = _LISTER[0]
    helper.stdin.write(lower + "\n")
    helper.stdin.flush()
    found = json.loads(helper.stdout.readline())
    assert isinstance(found, dict), found
    return found


def _serve_listings():
    libc = ctypes.CDLL(None, use_errno=True)
    for line in sys.stdin:
        lower = line.rstrip("\n")
        if libc.mount(b"none", b"/mnt", b"overlay", 0, f"lowerdir={lower}".encode()) < 0:
            print(json.dumps(f"overlay of {lower}: {os.strerror(ctypes.get_errno())}"), flush=True)
            continue
        print(json.dumps(listing("/mnt")), flush=True)
        libc.umount2(b"/mnt", 2)


def _empty_below(path):
    """overlayfs wants two layers at least."""
    empty = os.path.join(path, "below")
    os.makedirs(empty, exist_ok=True)
    return empty


def listing(root):
    """path -> what is there, as umoci's mtree sees it. Hard links are told by the first of their names."""
    found, inodes = {}, {}
    walk = [""]
    while walk:
        rel = walk.pop()
        path = os.path.join(root, rel) if rel else root
        st = os.lstat(path)
        item = {"mode": oct(stat.S_IMODE(st.st_mode)), "uid": st.st_uid, "gid": st.st_gid,
                "mtime": st.st_mtime_ns, "type": stat.filemode(st.st_mode)[0]}
        if stat.S_ISLNK(st.st_mode):
            item["link"] = os.readlink(path)
            del item["mode"]
        if stat.S_ISREG(st.st_mode):
            with open(path, "rb") as data:
                item["sha256"] = hashlib.sha256(data.read()).hexdigest()
            item["size"] = st.st_size
            item["same"] = inodes.setdefault((st.st_dev, st.st_ino), rel)
        if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
            item["device"] = [os.major(st.st_rdev), os.minor(st.st_rdev)]
        names = [n for n in os.listxattr(path, follow_symlinks=False)
                 if not n.startswith("trusted.overlay.")]
        item["xattrs"] = {n: os.getxattr(path, n, follow_symlinks=False).hex() for n in sorted(names)}
        found[os.fsencode(rel).decode("utf-8", "surrogateescape")] = item
        if stat.S_ISDIR(st.st_mode):
            walk += [os.path.join(rel, n) for n in sorted(os.listdir(path), reverse=True)]
    return found


# --- crafted archives ---------------------------------------------------------------------------


def entry(name, kind=tarfile.REGTYPE, data=b"", link="", pax=None, **fields):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    info.mtime = 1_000_000_000
    info.linkname = link
    info.size = len(data)
    info.pax_headers = pax or {}
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


def file(name, data="x", **fields):
    return entry(name, data=data if isinstance(data, bytes) else data.encode(), **fields)


def folder(name, **fields):
    return entry(name, tarfile.DIRTYPE, **fields)


def symlink(name, to, **fields):
    return entry(name, tarfile.SYMTYPE, link=to, **fields)


def hardlink(name, to, **fields):
    return entry(name, tarfile.LNKTYPE, link=to, **fields)


def layer(*entries, form=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, encoding="utf-8",
                      errors="surrogateescape") as tar:
        for info, data in entries:
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def digest(data, kind="sha256"):
    return f"{kind}:{hashlib.new(kind, data).hexdigest()}"


def as_json(value):
    return json.dumps(value).encode()


def outer(path, members):
    """Writes a tar of (name, bytes), in that order."""
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            if isinstance(data, tarfile.TarInfo):
                tar.addfile(data)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return str(path)


OCI = "application/vnd.oci.image."


def make_config(layers, **more):
    return {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/x"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(l) for l in layers]}} | more


class Image:
    """An OCI image in pieces, each of which a test may bend before write()."""

    def __init__(self, *layers, ref="test:1", pack=gzip.compress, config=None,
                 media=OCI + "layer.v1.tar+gzip", kind="sha256"):
        self.blobs = {}
        self.ref = ref
        self.kind = kind
        self.packed = [pack(l) for l in layers]
        self.config = config if config is not None else make_config(layers)
        self.layers = [self.blob(p, media) for p in self.packed]
        self.manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
                         "config": None, "layers": self.layers}
        self.index = {"schemaVersion": 2}

    def blob(self, data, media, **more):
        name = digest(data, self.kind)
        self.blobs[name] = data
        return {"mediaType": media, "digest": name, "size": len(data)} | more

    def descriptor(self, **more):
        if self.manifest["config"] is None:
            data = self.config if isinstance(self.config, bytes) else as_json(self.config)
            self.manifest["config"] = self.blob(data, OCI + "config.v1+json")
        return self.blob(as_json(self.manifest), OCI + "manifest.v1+json", **more)

    def members(self):
        if "manifests" not in self.index:
            notes = {"annotations": {"org.opencontainers.image.ref.name": self.ref}} if self.ref else {}
            self.index["manifests"] = [self.descriptor(**notes)]
        blobs = [("blobs/" + name.replace(":", "/"), data) for name, data in self.blobs.items()]
        return [("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'),
                ("index.json", as_json(self.index))] + blobs

    def write(self, path):
        return outer(path, self.members())

    def umoci(self, folder_):
        """The tree as umoci unpacks it, or None if it refuses."""
        folder_ = str(folder_)
        for name, data in self.members():
            path = os.path.join(folder_, "layout", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if name == "index.json":
                index = json.loads(data)
                index["manifests"][0]["annotations"] = {"org.opencontainers.image.ref.name": "t"}
                data = as_json(index)
            with open(path, "wb") as out:
                out.write(data)
        done = subprocess.run(["umoci", "unpack", "--keep-dirlinks=false", "--image",
                               folder_ + "/layout:t", folder_ + "/bundle"],
                              capture_output=True, text=True, timeout=60, check=False)
        return listing(folder_ + "/bundle/rootfs") if done.returncode == 0 else None


if __name__ == "__main__":
    _serve_listings()
