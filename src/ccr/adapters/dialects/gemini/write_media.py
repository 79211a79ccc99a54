"""Pictures and documents as parts. What a model cannot see becomes a note."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ccr.adapters.dialects.gemini.wire import NAME, Wire
from ccr.adapters.wire import json
from ccr.adapters.wire.data_url import read_data_url
from ccr.domain.conversation import Document, FileRef, Image, Inline, Url

if TYPE_CHECKING:
    from ccr.domain.conversation import Source
    from ccr.domain.models import ModelProfile
    from ccr.domain.verbatim import Json

__all__ = ["media_part", "search_result"]


def media_part(block: Image | Document, profile: ModelProfile) -> tuple[Wire, bool]:
    """Return a part, and whether it says all that the block does."""
    source, is_image = block.source, isinstance(block, Image)
    if isinstance(source, Inline) and source.encoding == "text":
        return {"text": _with_title(block, source.data)}, True
    kind = "image" if is_image else "document"
    if not (profile.images if is_image else profile.documents):
        return {"text": f"[{kind} left out: this model cannot read it{_where(source)}]"}, False
    if isinstance(source, FileRef) and source.account != NAME:
        return {"text": f"[{kind} left out: it is a file kept by another provider]"}, False
    return _part(source, "image/jpeg" if is_image else "application/pdf"), True


def _part(source: Source, default: str) -> Wire:
    if isinstance(source, Inline):
        # Some clients put a whole data URL where base64 text belongs (ccr-behaviour.md 5.2).
        found = read_data_url(source.data) or Inline(source.media_type or default, source.data)
        return {"inlineData": {"mimeType": found.media_type, "data": found.data}}
    if isinstance(source, FileRef):
        return {"fileData": {"fileUri": source.id}}
    guessed = mimetypes.guess_type(source.url.partition("?")[0])[0]
    return {"fileData": {"mimeType": source.media_type or guessed or default, "fileUri": source.url}}


def _with_title(block: Image | Document, text: str) -> str:
    if not isinstance(block, Document):
        return text
    head = f"{block.title or 'document'}:\n"
    return head + (f"{block.context}\n" if block.context else "") + text


def _where(source: Source) -> str:
    return f"; it is at {source.url}" if isinstance(source, Url) else ""


def search_result(data: Json) -> str:
    """Return a search result of the client's own (Anthropic ``search_result``) in words."""
    found = json.object_of(data.data) or {}
    content = found.get("content")
    texts = [
        part["text"]
        for part in (content if isinstance(content, list) else ())
        if isinstance(part, Mapping) and isinstance(part.get("text"), str)
    ]
    return "\n".join([f"{found.get('title', '')} ({found.get('source', '')})", *texts])
