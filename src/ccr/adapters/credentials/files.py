"""Secrets in files, as container platforms mount them."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from ccr.domain.secret import Secret

__all__ = ["FileSecrets"]

MAX_BYTES = 64 * 1024


@frozen
class FileSecrets:
    """``file:/path``: the text of the file without its last line end."""

    def resolve(self, reference: str) -> Secret:
        kind, _, name = reference.partition(":")
        if kind != "file" or not Path(name).is_absolute():
            raise LookupError(f"{reference[:200]!r} is not file:/absolute/path")
        try:
            with Path(name).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
            text = data.decode().rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            raise LookupError(f"the file {name} cannot be read") from None
        if not text or len(data) > MAX_BYTES:
            raise LookupError(f"the file {name} is empty or larger than {MAX_BYTES} bytes")
        return Secret(text)
