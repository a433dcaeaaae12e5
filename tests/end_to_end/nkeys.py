# SPDX-License-Identifier: Apache-2.0
"""Keys and JWTs as NATS writes them, of the standard library alone: for tests, never for secrets.

Ed25519 as RFC 8032 says it, slow and simple; keys as base32 of a prefix, 32 bytes and a CRC.
"""
import base64
import binascii
import hashlib
import json
import os
import time

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, PRIME - 2, PRIME) % PRIME
PREFIXES = {"O": 14 << 3, "A": 0, "U": 20 << 3, "N": 13 << 3, "X": 23 << 3}


def _recover_x(y):
    square = (y * y - 1) * pow(D * y * y + 1, PRIME - 2, PRIME)
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if (x * x - square) % PRIME:
        x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    return PRIME - x if x % 2 else x


_Y = 4 * pow(5, PRIME - 2, PRIME) % PRIME
_X = _recover_x(_Y)
BASE = (_X, _Y, 1, _X * _Y % PRIME)


def _add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % PRIME, (p[1] + p[0]) * (q[1] + q[0]) % PRIME
    c, d = 2 * p[3] * q[3] * D % PRIME, 2 * p[2] * q[2] % PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME


def _multiply(number, point):
    result = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = _add(result, point)
        point = _add(point, point)
        number >>= 1
    return result


def _encoded(point):
    inverse = pow(point[2], PRIME - 2, PRIME)
    x, y = point[0] * inverse % PRIME, point[1] * inverse % PRIME
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _base32(data):
    checked = data + binascii.crc_hqx(data, 0).to_bytes(2, "little")
    return base64.b32encode(checked).decode().rstrip("=")


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class key:
    """A key pair of an operator (O), an account (A), a user (U) or a server (N); of a curve (X), only
    the seed means something."""

    def __init__(self, kind, secret=None):
        self.kind = kind
        self.use_secret(secret or os.urandom(32))

    def use_secret(self, secret):
        self.secret = secret
        hashed = hashlib.sha512(self.secret).digest()
        number = int.from_bytes(hashed[:32], "little")
        self._scalar = number & (1 << 254) - 8 | 1 << 254
        self._prefix = hashed[32:]
        self.bytes = _encoded(_multiply(self._scalar, BASE))
        self.public = _base32(bytes([PREFIXES[self.kind]]) + self.bytes)

    @property
    def seed(self):
        prefix = PREFIXES[self.kind]
        head = bytes([(18 << 3) | prefix >> 5, (prefix & 31) << 3])
        return _base32(head + self.secret)

    def sign(self, data):
        nonce = int.from_bytes(hashlib.sha512(self._prefix + data).digest(), "little") % ORDER
        point = _encoded(_multiply(nonce, BASE))
        hashed = hashlib.sha512(point + self.bytes + data).digest()
        challenge = int.from_bytes(hashed, "little")
        return point + ((nonce + challenge * self._scalar) % ORDER).to_bytes(32, "little")

    def signature_of(self, nonce):
        """As CONNECT carries it."""
        return base64url(self.sign(nonce.encode()))


HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}


def token(issuer, claims, header=None, signer=None):
    """A JWT of these claims; another header or signer than it should have makes an attack."""
    parts = [base64url(json.dumps(part, separators=(",", ":")).encode())
             for part in (header or HEADER, {"iss": issuer.public, **claims})]
    signed = ".".join(parts)
    return signed + "." + base64url((signer or issuer).sign(signed.encode()))


def claims_of(jwt):
    """What a token says, unverified."""
    payload = jwt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


UNLIMITED = {"subs": -1, "data": -1, "payload": -1}
ACCOUNT_UNLIMITED = {**UNLIMITED, "imports": -1, "exports": -1, "wildcards": True, "conn": -1,
                     "leaf": -1}
_ids = iter(range(1, 1 << 30))


def _claims(subject, name, kind, nats, **more):
    return {"jti": f"ID{next(_ids)}", "iat": int(time.time()), "sub": subject, "name": name,
            "nats": {**nats, "type": kind, "version": 2}, **more}


def operator_jwt(operator, **nats):
    return token(operator, _claims(operator.public, "O", "operator", nats))


def account_jwt(operator, account, name="A", limits=None, more=None, **nats):
    nats = {"limits": {**ACCOUNT_UNLIMITED, **(limits or {})}, **nats}
    return token(operator, _claims(account.public, name, "account", nats, **(more or {})))


def user_jwt(account, user, name="U", scoped_in=None, more=None, header=None, signer=None, **nats):
    """`scoped_in`: the account whose scoped signing key `account` is."""
    if scoped_in:
        nats = {"issuer_account": scoped_in.public, **nats}
    else:
        nats = {**UNLIMITED, **nats}
    return token(account, _claims(user.public, name, "user", nats, **(more or {})), header, signer)


def creds(jwt, user):
    return (f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n")
