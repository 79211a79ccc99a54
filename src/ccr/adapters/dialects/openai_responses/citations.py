"""Annotations of a text, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_responses.wire import NAME, RAWS, Raw, Wire, opening
from ccr.adapters.wire import json
from ccr.domain.conversation import Citation

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["read_citation", "read_citations", "write_citation", "write_citations"]


def read_citations(raw: Raw) -> tuple[Citation, ...]:
    """Return the citations of an ``annotations``; none of anything that is no list."""
    if opening(raw) != b"[":
        return ()
    found = (read_citation(one) for one in RAWS.decode(raw))
    return tuple(citation for citation in found if citation is not None)


def read_citation(raw: Raw) -> Citation | None:
    """Return a citation, kept whole beside what is understood of it; None of what is no object."""
    fields = json.object_of(raw)
    if fields is None:
        return None
    kind = str(fields.get("type", ""))
    start, end = fields.get("start_index"), fields.get("end_index")
    return Citation(
        kind="url" if kind == "url_citation" else kind,
        url=_string(fields.get("url")),
        title=_string(fields.get("title") or fields.get("filename")),
        start=start if isinstance(start, int) else None,
        end=end if isinstance(end, int) else None,
        dialect=NAME,
        rest=json.json_of(raw),
    )


def write_citation(citation: Citation, length: int) -> Wire | Raw | None:
    """Return an annotation: our own as it came, another dialect's if it has an address; ``length`` of the text so far.

    Elsewhere a citation stands for the whole of its text block.
    """
    if citation.dialect == NAME and citation.rest is not None:
        return Raw(citation.rest.data)
    if not citation.url:
        return None
    within = citation.kind == "url" and citation.start is not None and citation.end is not None
    return {
        "type": "url_citation",
        "start_index": citation.start if within else 0,
        "end_index": citation.end if within else length,
        "title": citation.title,
        "url": citation.url,
    }


def write_citations(citations: Iterable[Citation], length: int) -> list[Wire | Raw]:
    """Return the annotations of a text."""
    return [made for one in citations if (made := write_citation(one, length)) is not None]


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
