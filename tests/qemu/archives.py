# SPDX-License-Identifier: Apache-2.0
"""Image archives made byte by byte, so that each can be wrong in one chosen way."""

import hashlib
import io
import json
import tarfile


def tar(members):
    """members: (name, bytes) for files, (name, "-> target") for symbolic links."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content.removeprefix("-> ")
                t.addfile(info)
            else:
                info.size = len(content)
                t.addfile(info, io.BytesIO(content))
    return out.getvalue()


def oci(name, layer, spoil=None):
    """An OCI archive of one layer. spoil changes the layer's bytes after its digest was taken."""
    blobs = {}

    def blob(data):
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        return {"digest": f"sha256:{digest}", "size": len(data)}

    media = "application/vnd.oci.image."
    layer_at = blob(layer)
    config = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/sh"]},
              "rootfs": {"type": "layers", "diff_ids": [layer_at["digest"]]}}
    manifest = {"schemaVersion": 2,
                "config": dict(blob(json.dumps(config).encode()), mediaType=media + "config.v1+json"),
                "layers": [dict(layer_at, mediaType=media + "layer.v1.tar")]}
    index = {"schemaVersion": 2, "manifests": [
        dict(blob(json.dumps(manifest).encode()), mediaType=media + "manifest.v1+json",
             annotations={"org.opencontainers.image.ref.name": name})]}
    if spoil:
        digest = layer_at["digest"].removeprefix("sha256:")
        blobs[digest] = spoil(blobs[digest])
    files = [("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), ("index.json", json.dumps(index).encode())]
    return tar(files + [(f"blobs/sha256/{d}", data) for d, data in blobs.items()])


def flip_byte(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0x10]) + data[middle + 1:]


PLAIN = tar([("etc/motd", b"hello\n" * 500)])
CLIMBS = tar([("etc/motd", b"hello\n"), ("../../etc/passwd", b"root::0:0::/:/bin/sh\n")])
LINKS_OUT = tar([("out", "-> /etc"), ("out/passwd", b"root::0:0::/:/bin/sh\n")])
