"""``data:`` URLs (RFC 2397), in which the OpenAI dialects carry pictures."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import unquote, unquote_to_bytes

from ccr.domain.conversation import Inline

__all__ = ["read_data_url", "write_data_url"]

_DEFAULT_TYPE = "text/plain"


def read_data_url(url: str) -> Inline | None:
    """Return what a ``data:`` URL holds, None if it is no such URL. Base64 text is not decoded."""
    if url[:5].lower() != "data:":
        return None
    head, comma, data = url[5:].partition(",")
    if not comma:
        return None
    media_type, *parameters = (part.strip() for part in head.split(";"))
    media_type = media_type.lower() or _DEFAULT_TYPE
    if parameters and parameters[-1].lower() == "base64":
        return Inline(media_type, unquote(data) if "%" in data else data)
    if media_type.startswith("text/"):
        return Inline(media_type, unquote(data), "text")
    return Inline(media_type, b64encode(unquote_to_bytes(data)).decode())


def write_data_url(source: Inline) -> str:
    """Return a base64 ``data:`` URL."""
    data = source.data if source.encoding == "base64" else b64encode(source.data.encode()).decode()
    # Some clients put a whole data URL where base64 text belongs (ccr-behaviour.md 5.2).
    if data.startswith("data:"):
        return data
    return f"data:{source.media_type};base64,{data}"
