"""Pictures, documents and texts as content parts. What a model cannot see becomes a note, marked ``lost``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_responses.wire import NAME, Wire
from ccr.adapters.wire import json
from ccr.adapters.wire.data_url import write_data_url
from ccr.domain.conversation import FileRef, Inline, Url

if TYPE_CHECKING:
    from ccr.domain.conversation import Document, Image
    from ccr.domain.models import ModelProfile
    from ccr.domain.verbatim import Json

__all__ = ["document_part", "image_part", "note", "search_result"]

_PDF_NAME = "document.pdf"


def note(text: str) -> Wire:
    """Return a text."""
    return {"type": "input_text", "text": text}


def image_part(image: Image, profile: ModelProfile) -> Wire:
    """Return a picture."""
    source = image.source
    if not profile.images:
        return _lost("[image left out: this model cannot see images]")
    if isinstance(source, FileRef):
        if source.account != NAME:
            return _lost("[image left out: it is a file kept by another provider]")
        return {"type": "input_image", "detail": "auto", "file_id": source.id}
    url = source.url if isinstance(source, Url) else write_data_url(source)
    return {"type": "input_image", "detail": "auto", "image_url": url}


def document_part(document: Document, profile: ModelProfile) -> Wire:
    """Return a document: text as text, another as a file."""
    source = document.source
    title = document.title or "document"
    if isinstance(source, Inline) and source.encoding == "text":
        head = f"{title}:\n{document.context}\n" if document.context else f"{title}:\n"
        return note(head + source.data)
    foreign = isinstance(source, FileRef) and source.account != NAME
    if not profile.documents or foreign:
        where = f"; it is at {source.url}" if isinstance(source, Url) else ""
        return _lost(f"[document {title!r} left out: this model cannot read it{where}]")
    if isinstance(source, Inline):
        name = document.title or _PDF_NAME
        return {"type": "input_file", "filename": name, "file_data": write_data_url(source)}
    if isinstance(source, Url):
        return {"type": "input_file", "file_url": source.url}
    return {"type": "input_file", "file_id": source.id}


def search_result(data: Json) -> Wire:
    """Return a search result of the client's own (Anthropic ``search_result``): its texts, with their source."""
    found = json.object_of(data.data) or {}
    content = found.get("content")
    texts = [
        part["text"]
        for part in (content if isinstance(content, list) else ())
        if isinstance(part, Mapping) and isinstance(part.get("text"), str)
    ]
    return note("\n".join([f"{found.get('title', '')} ({found.get('source', '')})", *texts]))


def _lost(text: str) -> Wire:
    return {**note(text), "lost": True}
