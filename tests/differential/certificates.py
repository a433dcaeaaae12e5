# SPDX-License-Identifier: Apache-2.0
"""An authority and certificates, made with `openssl` in a folder that goes with them."""
import os
import ssl
import subprocess
import tempfile
import threading


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class authority:
    """Gives out certificates; `file` is its own."""

    def __init__(self, name="Authority"):
        self._folder = tempfile.TemporaryDirectory(prefix="pipit_certificates_")
        self._count = 0
        self._lock = threading.Lock()
        self.key = self._path("authority-key.pem")
        self.file = self._path("authority.pem")
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key)
        _openssl("req", "-x509", "-new", "-key", self.key, "-subj", f"/CN={name}", "-days", "2",
                 "-out", self.file)

    def _path(self, name):
        return os.path.join(self._folder.name, name)

    def issue(self, subject="/CN=localhost", alternatives="DNS:localhost,IP:127.0.0.1",
              extensions_more="", number_to=None):
        """The files of a certificate and its key; its number is appended to `number_to`."""
        with self._lock:
            self._count += 1
            number = self._count
        if number_to is not None:
            number_to.append(number)
        certificate, key, request, extensions = (
            self._path(f"{number}{kind}") for kind in (".pem", "-key.pem", "-request.pem", ".ext"))
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
        _openssl("req", "-new", "-key", key, "-subj", subject, "-out", request)
        with open(extensions, "w", encoding="utf-8") as file:
            file.write("basicConstraints = CA:FALSE\n")
            if alternatives:
                file.write(f"subjectAltName = {alternatives}\n")
            file.write(extensions_more)
        _openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.key,
                 "-set_serial", str(number), "-days", "1", "-extfile", extensions, "-out", certificate)
        return certificate, key

    def context(self, own=None, highest=None):
        """What a client needs who trusts this authority."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.load_verify_locations(self.file)
        if own:
            made.load_cert_chain(*own)
        if highest:
            made.maximum_version = highest
        return made


def key_digest(certificate):
    """SHA-256 of a certificate's public key, in hex."""
    public = subprocess.run(["openssl", "x509", "-in", certificate, "-pubkey", "-noout"],
                            check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public,
                         check=True, capture_output=True).stdout
    return subprocess.run(["openssl", "dgst", "-sha256", "-hex"], input=der, check=True,
                          capture_output=True, text=False).stdout.decode().split()[-1]
