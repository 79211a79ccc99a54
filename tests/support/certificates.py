"""Certificates made for a test: an authority of our own, and what it signs."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

from attrs import frozen

from tests.support.parts import require_program

__all__ = ["Authority", "server_context"]

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@frozen
class Authority:
    """``file`` is what a client must trust."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "authority.pem"

    @classmethod
    def made(cls, folder: Path) -> Authority:
        """Make one; ends the test where there is no openssl."""
        require_program("openssl", "makes the certificates (Debian: apt-get install openssl)")
        made = cls(folder)
        made._openssl("req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=authority of a test", "-keyout", "authority.key",
                      "-out", made.file.name)  # fmt: skip
        return made

    def signed(self, host: str, *, days: int = 2) -> Path:
        """A certificate for a host with its key in one file; with ``days=-1`` it has expired."""
        name = f"{host}{days}"
        self._openssl("req", *_KEY, "-subj", f"/CN={host}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (self.folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{host}")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", self.file.name, "-CAkey", "authority.key", "-CAcreateserial",
                      "-days", str(days), "-extfile", f"{name}.ext", "-out", f"{name}.pem")  # fmt: skip
        return self._joined(name)

    def self_signed(self, host: str) -> Path:
        """A certificate that nobody vouches for."""
        self._openssl("req", "-x509", *_KEY, "-days", "2", "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}",
                      "-keyout", "self.key", "-out", "self.pem")  # fmt: skip
        return self._joined("self")

    def _joined(self, name: str) -> Path:
        both = self.folder / f"{name}.both"
        both.write_bytes(
            (self.folder / f"{name}.pem").read_bytes() + (self.folder / f"{name}.key").read_bytes()
        )
        return both

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)


def server_context(certificate: Path) -> ssl.SSLContext:
    """A server's side."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
