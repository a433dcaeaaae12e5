# SPDX-License-Identifier: Apache-2.0
"""A small model of the server's parser.

It answers what the player and the generator must know before they send: is the server between two
operations, how many PINGs has it seen, and does the answer depend on where a read ends? It need
not be exact about errors: whoever waits for a PONG also accepts the end of the connection.
"""
import copy

BLANK = b" \t"
OPERATIONS = (b"CONNECT", b"PUB", b"HPUB", b"SUB", b"UNSUB", b"PING", b"PONG", b"INFO", b"+OK",
              b"-ERR", b"MSG", b"HMSG")
WITHOUT_BLANK = (b"CONNECT", b"INFO")  # Their argument may follow at once.


def _size(text):
    if not 1 <= len(text) <= 9 or not text.isdigit():
        return -1
    return int(text)


class parser_model:
    """Fed with what one connection sends."""

    def __init__(self, control_line_max=4096, payload_max=1048576):
        self.control_line_max = control_line_max
        self.payload_max = payload_max
        self.buffer = b""
        self.pings = 0
        self.closed = False  # An error that ends the connection, as far as the model sees.
        self.unsure = False  # It may end only with the next byte.
        self.fragile = False  # A read that ends inside would change the answer.
        self.operations = []  # (name, argument) of everything complete.
        self.keeps_pings = False  # PINGs that the server sends here are compared.
        self.consumed = 0  # Bytes that belong to complete operations, of all that was fed.

    @property
    def between_operations(self):
        return not self.buffer

    def copy(self):
        other = copy.copy(self)
        other.operations = list(self.operations)
        return other

    def feed(self, data):
        self.buffer += data
        while self.buffer and not self.closed:
            used = self._step(self.buffer)
            if used == 0:
                return
            self.buffer = self.buffer[used:]
            self.consumed += used

    def _step(self, data):
        """The length of the first operation; 0 when it is incomplete."""
        name, at = self._name(data)
        if name is None:
            return 0
        if name in (b"PING", b"PONG", b"+OK"):
            end = data.find(b"\n", at)
            if end < 0:
                return 0
            self.pings += name == b"PING"
            self.operations.append((name, data[at:end]))
            return end + 1
        start = at
        while start < len(data) and data[start] in BLANK:
            start += 1
        if start == len(data):
            return 0
        if start == at and name not in WITHOUT_BLANK:
            return self._fail(data)
        return self._argument(data, name, start)

    def _name(self, data):
        upper = data[:7].upper()
        for name in OPERATIONS:
            if upper.startswith(name):
                return name, len(name)
        if len(data) < 7 and any(name.startswith(upper) for name in OPERATIONS):
            return None, 0
        self._fail(data)
        return None, 0

    def _fail(self, _):
        self.closed = True
        return 0

    def _argument(self, data, name, start):
        # Whatever comes first belongs to the argument, even a line feed.
        end = data.find(b"\n", start + 1) if data[start:start + 1] == b"\n" \
            else data.find(b"\n", start)
        if end < 0:
            if len(data) - start > self.control_line_max:
                self.closed = True
            return 0
        argument = data[start:end]
        if argument.endswith(b"\r") and len(argument) > 1:
            argument = argument[:-1]
        if b"\r" in argument or data[start:start + 1] == b"\n" or name in (b"MSG", b"HMSG"):
            self.fragile = True
        if name in (b"MSG", b"HMSG"):
            self.unsure = True
            return self._fail(data)
        if len(argument) > self.control_line_max:
            return self._fail(data)
        if name in (b"PUB", b"HPUB"):
            return self._payload(data, name, argument, end + 1)
        self.operations.append((name, argument))
        if name == b"-ERR":
            return self._fail(data)
        return end + 1

    def _payload(self, data, name, argument, at):
        parts = [part for part in argument.replace(b"\t", b" ").split(b" ") if part]
        if len(parts) not in ((2, 3) if name == b"PUB" else (3, 4)):
            return self._fail(data)
        size = _size(parts[-1])
        if size < 0 or size > self.payload_max:
            return self._fail(data)
        if name == b"HPUB" and not 0 <= _size(parts[-2]) <= size:
            return self._fail(data)
        tail = data[at + size:at + size + 2]
        if tail != b"\r\n"[:len(tail)]:
            return self._fail(data)
        if len(tail) < 2:
            return 0
        self.operations.append((name, argument))
        return at + size + 2
