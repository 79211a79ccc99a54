"""Pictures and documents, and where their bytes are."""

from __future__ import annotations

from typing import TypeAlias

from ccr.domain.value import value

__all__ = ["FileRef", "Inline", "Source", "Url"]


@value
class Inline:
    """Bytes in the request, as base64 text (``encoding="base64"``) or as plain text (``"text"``)."""

    media_type: str
    data: str
    encoding: str = "base64"


@value
class Url:
    """Bytes at an address that the provider fetches."""

    url: str
    media_type: str | None = None


@value
class FileRef:
    """A file kept by a provider: bound to the account that uploaded it."""

    id: str
    account: str | None = None


Source: TypeAlias = Inline | Url | FileRef
