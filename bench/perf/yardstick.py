"""A fixed piece of work, so that budgets can be ratios: another build of CPython moves it and the gateway alike.

Never change it: every budget is relative to it.
"""

from __future__ import annotations

from typing import Any

import msgspec

YARDSTICK = "yardstick"
TURNS = 40


class Part(msgspec.Struct):
    place: int
    name: str
    text: str | None = None


DOCUMENT = msgspec.json.encode(
    {"parts": [{"place": n, "name": f"n{n}", "text": "word " * 40} for n in range(30)]}
)
DECODER = msgspec.json.Decoder(dict[str, list[Part]])
ENCODER = msgspec.json.Encoder()


def lap(count: int) -> int:
    """Do it so many times: calls, attributes, dictionaries, strings, bytes, and a document in and out."""
    size = 0
    for _ in range(count):
        for turn in range(TURNS):
            size += one(turn, {"turn": turn})
        parts = DECODER.decode(DOCUMENT)["parts"]
        for part in parts:
            part.name = part.name.upper()
        size += len(ENCODER.encode(parts))
    return size


def one(turn: int, given: dict[str, Any]) -> int:
    found = {**given, "name": f"item {turn}", "parts": [part for part in ("a", "b", "c") if part != "b"]}
    words = " ".join(str(value) for value in found.values())
    try:
        return len(words.encode().split(b" ")) + int(found["none"])
    except KeyError:
        return len(words.partition(" ")[2])
