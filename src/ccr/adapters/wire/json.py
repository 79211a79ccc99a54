"""The one JSON codec of the data path (msgspec).

msgspec's errors are ``ValueError`` (malformed) except for the nesting limit, which is a ``RecursionError``: every
function here raises ``ValueError`` for both. ``Raw`` values are views into the text they were read from: copy them
(:func:`json_of`) before they outlive it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec
from msgspec import Raw

from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ccr.application.ports.payload import JsonCodec

__all__ = [
    "CODEC",
    "Raw",
    "decode",
    "decode_tolerant",
    "encode",
    "encode_wire",
    "is_object",
    "json_of",
    "mend",
    "object_of",
    "top_level",
]

T = TypeVar("T")

_PLAIN: msgspec.json.Decoder[object] = msgspec.json.Decoder(object)
_TOP = msgspec.json.Decoder(dict[str, Raw])
_ENCODER = msgspec.json.Encoder()

# An escape at a time, so that an escaped backslash before a `u` is never taken for one. Group 1 is a lone surrogate.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def decode(data: bytes | Raw) -> object:
    """Return plain values. Raises ValueError on anything that is not JSON or is nested too deep."""
    try:
        return _PLAIN.decode(data)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def top_level(data: bytes | Raw) -> dict[str, Raw]:
    """Return the fields of an object, undecoded; of a repeated key the last. Raises ValueError."""
    try:
        return _TOP.decode(data)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def mend(data: bytes) -> bytes:
    """Replace lone surrogate escapes and bytes that are not UTF-8 by U+FFFD."""
    text = data.decode("utf-8", "replace").encode()
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], text)


def decode_tolerant(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """Decode a provider's payload; one that is refused is mended and tried once more. Raises ValueError.

    Models do write half a surrogate pair at the end of a delta: no reason to fail a reply. What stays ``Raw`` is UTF-8
    afterwards, too: the decoder skips it without a look.
    """
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            data = mend(data)
    try:
        try:
            return decoder.decode(data)
        except ValueError:
            return decoder.decode(mend(data))
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def encode(value: object) -> bytes:
    """Return JSON text; ``Json`` values inside plain dicts, lists and tuples are written as they are."""
    return _ENCODER.encode(_raw(value))


encode_wire: Callable[[object], bytes] = _ENCODER.encode
"""Return JSON text of plain values, msgspec structs and ``Raw``: no ``Json`` is looked for. The method itself, for every event of
every stream passes here.
"""


def _raw(value: object) -> object:
    # msgspec would write an attrs class as an object of its own accord, so its hook never sees a Json.
    kind = type(value)
    if kind is Json:
        return Raw(cast("Json", value).data)
    if kind is dict:
        return {key: _raw(inner) for key, inner in cast("dict[str, object]", value).items()}
    if kind is list or kind is tuple:
        return [_raw(inner) for inner in cast("list[object]", value)]
    return value


def json_of(raw: Raw | bytes) -> Json:
    """Return a copy of raw JSON text as a domain value."""
    return Json(bytes(raw))


def is_object(data: bytes | str) -> bool:
    """Whether this is one complete JSON object."""
    try:
        return isinstance(_PLAIN.decode(data), dict)
    except (ValueError, RecursionError):
        return False


def object_of(raw: bytes | Raw) -> Mapping[str, object] | None:
    """Return a JSON object as plain values, None if it is anything else."""
    try:
        found = _PLAIN.decode(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


class _Codec:
    """:class:`ccr.application.ports.payload.JsonCodec`."""

    def decode(self, data: bytes) -> object:
        return decode(data)

    def encode(self, value: object) -> bytes:
        return encode(value)


CODEC: JsonCodec = _Codec()
