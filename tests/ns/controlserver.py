# SPDX-License-Identifier: Apache-2.0
"""A peer for the framing of the control protocol: it answers what a test tells it to. (The real server
is PID 1, which other tests run.)"""

import json
import os
import socket
import struct
import threading

HEAD = struct.Struct("=III")
MAGIC = 0x316C726F


def frame(ident, payload):
    if not isinstance(payload, bytes):
        payload = json.dumps(payload).encode() + b"\n"
    return HEAD.pack(MAGIC, len(payload), ident) + payload


class ControlServer:
    """Serves one connection after the other; handler(words, send, id) answers with send(bytes)."""

    def __init__(self, path, handler, stream=False):
        self.handler, self.stream = handler, stream
        self.requests, self.error = [], None
        self.socket = socket.socket(
            socket.AF_UNIX, socket.SOCK_STREAM if stream else socket.SOCK_SEQPACKET
        )
        # a path under /proc/PID/root may be longer than sun_path: bind by way of the folder
        folder = os.open(os.path.dirname(path), os.O_DIRECTORY | os.O_PATH)
        self.socket.bind(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
        os.close(folder)
        self.socket.listen(8)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client:
                try:
                    self.answer(client)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                except Exception as e:  # shown by the test, which waits for it in close()
                    self.error = e

    def answer(self, client):
        data = client.recv(70000)
        if not data:
            return  # it only filled the queue
        magic, length, ident = HEAD.unpack_from(data)
        assert magic == MAGIC and len(data) == HEAD.size + length
        payload = data[HEAD.size :]
        assert payload.endswith(b"\0")
        words = payload[:-1].decode().split("\0")
        self.requests.append(words)
        self.handler(words, client.sendall, ident)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)
        if self.error:
            raise self.error
