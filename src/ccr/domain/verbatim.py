"""What a dialect said, kept as the bytes it said it in."""

from __future__ import annotations

from ccr.domain.value import value

__all__ = ["EMPTY_OBJECT", "Json", "Verbatim"]


@value
class Json:
    """Uninterpreted JSON text (UTF-8): tool schemas, tool inputs, whatever nobody looks at."""

    data: bytes


EMPTY_OBJECT = Json(b"{}")


@value
class Verbatim:
    """A piece of a message as one dialect wrote it: carried and compared, never parsed.

    It is given back to the dialect that wrote it and to nobody else.
    """

    dialect: str
    data: bytes
