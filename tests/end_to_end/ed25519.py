# SPDX-License-Identifier: Apache-2.0
"""Keys and tokens of NATS in plain Python, so that a test owes nothing to what it tests.

Slow, and not for secrets. Source: RFC 8032, section 5.1.
"""
import base64
import hashlib
import json

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BASE = (15112221349535400772501151409588531511454012693041857206046113283949847762202,
        46316835694926478169428394003475163141307993866256225615783033603165251855960)


def _add(one, other):
    """In extended coordinates."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _encoded(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


_BASE = (*BASE, 1, BASE[0] * BASE[1] % P)


class key_pair:
    """`prefix` is the first byte of an nkey's text: 0 for accounts, 20 << 3 for users."""

    def __init__(self, prefix, secret):
        self.prefix = prefix
        self.secret = secret
        digest = hashlib.sha512(secret).digest()
        scalar = int.from_bytes(digest[:32], "little")
        self.scalar = scalar & ~7 & ~(1 << 255) | 1 << 254
        self.rest = digest[32:]
        self.public_bytes = _encoded(_multiply(self.scalar, _BASE))

    def sign(self, message):
        r = int.from_bytes(hashlib.sha512(self.rest + message).digest(), "little") % L
        head = _encoded(_multiply(r, _BASE))
        k = int.from_bytes(hashlib.sha512(head + self.public_bytes + message).digest(), "little") % L
        return head + ((r + k * self.scalar) % L).to_bytes(32, "little")

    @property
    def public(self):
        return nkey_text(bytes([self.prefix]) + self.public_bytes)

    @property
    def seed(self):
        return nkey_text(bytes([144 | self.prefix >> 5, (self.prefix & 31) << 3]) + self.secret)

    def token(self, claims):
        """A JWT of these claims."""
        def part(value):
            return base64.urlsafe_b64encode(value).rstrip(b"=")
        signed = part(b'{"typ":"JWT","alg":"ed25519-nkey"}') + b"." + \
            part(json.dumps({"iss": self.public, **claims}).encode())
        return (signed + b"." + part(self.sign(signed))).decode()


def nkey_text(raw):
    crc = 0
    for byte in raw:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xffff
    return base64.b32encode(raw + crc.to_bytes(2, "little")).rstrip(b"=").decode()


def claims_of(token):
    """What a token says, unverified."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
