# SPDX-License-Identifier: Apache-2.0
"""A WebSocket as bare as a socket can be, that also does what nobody should."""
import base64
import hashlib
import json
import os
import socket
import ssl
import struct
import time
import zlib

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def masked(payload, key):
    return bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


def frame(payload, opcode=BINARY, final=True, mask=True, compressed=False):
    """One frame, as a client sends it."""
    first = opcode | (0x80 if final else 0) | (0x40 if compressed else 0)
    bit = 0x80 if mask else 0
    size = len(payload)
    if size < 126:
        header = struct.pack("!BB", first, bit | size)
    elif size < 65536:
        header = struct.pack("!BBH", first, bit | 126, size)
    else:
        header = struct.pack("!BBQ", first, bit | 127, size)
    if not mask:
        return header + payload
    key = os.urandom(4)
    return header + key + masked(payload, key)


def compressed(payload):
    """As permessage-deflate has it, without a context kept."""
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def uncompressed(payload):
    return zlib.decompressobj(wbits=-15).decompress(payload + b"\x00\x00\xff\xff")


class web_socket:
    """Asks for a WebSocket; `status` is the answer's number. What `headers` gives as None is left
    out of the request."""

    def __init__(self, port, path="/", headers=None, method="GET", tls=None, host="127.0.0.1",
                 after_request=b""):
        self.socket = socket.create_connection((host, port), 10)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.socket.settimeout(10)
        self.key = base64.b64encode(os.urandom(16)).decode()
        fields = {"Host": f"{host}:{port}", "Upgrade": "websocket", "Connection": "Upgrade",
                  "Sec-WebSocket-Key": self.key, "Sec-WebSocket-Version": "13", **(headers or {})}
        lines = [f"{method} {path} HTTP/1.1"]
        for name, value in fields.items():
            for each in value if isinstance(value, list) else [value]:
                if each is not None:
                    lines.append(f"{name}: {each}")
        self.buffer = b""
        self.frames = []      # (opcode, payload), fragments put together.
        self.frame_sizes = [] # Of each frame as it came.
        self.compressed = 0   # Messages that were.
        self.text = b""       # What the data frames carried.
        self.ended = False
        self.fragments = None
        self.pings = 0
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + after_request)
        self._read_answer()

    def _read_answer(self):
        while b"\r\n\r\n" not in self.buffer and self._receive():
            pass
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split(" ")[1]) if len(lines[0].split(" ")) > 1 else 0
        self.answer = {name.lower(): value for name, _, value in
                       (line.partition(": ") for line in lines[1:])}
        if self.status == 101:
            digest = hashlib.sha1(self.key.encode() + GUID).digest()
            assert self.answer["sec-websocket-accept"] == base64.b64encode(digest).decode()

    def body(self):
        """Of an answer that is not the beginning of a WebSocket."""
        while self._receive():
            pass
        return self.buffer.decode()

    def _receive(self):
        try:
            data = self.socket.recv(65536)
        except (ConnectionError, ssl.SSLError, TimeoutError):
            data = b""
        self.ended = self.ended or not data
        self.buffer += data
        return bool(data)

    def _take_frame(self):
        if len(self.buffer) < 2:
            return False
        first, size, begin = self.buffer[0], self.buffer[1], 2
        assert not size & 0x80, "a server's frame is masked"
        if size == 126:
            begin = 4
            size = struct.unpack("!H", self.buffer[2:4].ljust(2, b"\0"))[0]
        elif size == 127:
            begin = 10
            size = struct.unpack("!Q", self.buffer[2:10].ljust(8, b"\0"))[0]
        if len(self.buffer) < begin + size:
            return False
        payload, self.buffer = self.buffer[begin:begin + size], self.buffer[begin + size:]
        opcode, final = first & 15, bool(first & 0x80)
        self.frame_sizes.append(size)
        if opcode >= 8:
            self.frames.append((opcode, payload))
            return True
        if opcode:
            self.fragments = (bool(first & 0x40), b"")
        is_compressed, before = self.fragments
        self.fragments = (is_compressed, before + payload)
        if final:
            whole = self.fragments[1]
            self.compressed += is_compressed
            whole = uncompressed(whole) if is_compressed else whole
            self.frames.append((opcode or BINARY, whole))
            self.text += whole
        return True

    def send_raw(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            self.ended = True

    def send(self, text, **options):
        self.send_raw(frame(text if isinstance(text, bytes) else text.encode(), **options))

    def wait_for(self, condition, seconds=10.0, what="something"):
        deadline = time.monotonic() + seconds
        while not condition(self):
            if self._take_frame():
                continue
            if self.ended or time.monotonic() > deadline:
                raise AssertionError(f"{what} did not come: {self.text[-300:]!r}, "
                                     f"{self.frames[-2:]!r}")
            self._receive()

    def wait_for_text(self, text):
        self.wait_for(lambda it: text in it.text, what=repr(text))

    @property
    def info(self):
        self.wait_for_text(b"\r\n")
        return json.loads(self.text.split(b"\r\n")[0][5:])

    def connect(self, **options):
        """Logs in; false when the server does not want that."""
        members = {"verbose": False, "pedantic": False, "protocol": 1, "headers": True, **options}
        self.send("CONNECT " + json.dumps(members) + "\r\n")
        return self.barrier()

    def barrier(self):
        self.pings += 1
        self.send("PING\r\n")
        try:
            self.wait_for(lambda it: it.text.count(b"PONG\r\n") >= it.pings)
        except AssertionError:
            return False
        return True

    def wait_for_end(self, seconds=10.0):
        """The status and the reason of the close that came before the end; None without one."""
        deadline = time.monotonic() + seconds
        while not self.ended and time.monotonic() < deadline:
            if not self._take_frame():
                self._receive()
        while self._take_frame():
            pass
        assert self.ended, "the connection did not end"
        for opcode, payload in self.frames:
            if opcode == CLOSE:
                return (struct.unpack("!H", payload[:2])[0] if payload else None,
                        payload[2:].decode())
        return None

    def close(self):
        self.socket.close()


def close_payload(status, reason=""):
    return struct.pack("!H", status) + reason.encode()
