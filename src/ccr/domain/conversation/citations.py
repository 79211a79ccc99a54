"""Where a text comes from."""

from __future__ import annotations

from ccr.domain.value import value
from ccr.domain.verbatim import Json

__all__ = ["Citation"]


@value
class Citation:
    """A reference to a source.

    ``kind`` is url, char, page, block or search_result; ``rest`` is the citation as its dialect wrote it, given back to
    that dialect (``dialect``) byte for byte.
    """

    kind: str
    cited_text: str = ""
    url: str = ""
    title: str = ""
    start: int | None = None
    end: int | None = None
    dialect: str = ""
    rest: Json | None = None
