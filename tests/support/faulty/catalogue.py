"""The faults: what the provider does, and what a client must see of it.

``stream`` and ``whole`` say it for either kind of request: ``OK`` (the whole text and a normal end), ``EITHER`` (that, or an
error), or the statuses that a failure may have. Once a stream has been given its 200, a failure is one error event in its
place; ``CUT`` is a failure after content: an error event, or a status if nothing had been sent yet.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from attrs import frozen

from tests.support.faulty.scripts import SCRIPTS, TEXT, Script
from tests.support.faulty.wire import Asked, Wire

__all__ = ["CUT", "EITHER", "FAULTS", "OK", "Expectation", "Fault", "fault", "told"]

Act: TypeAlias = Callable[[Wire, Asked, Script, bool], Awaitable[None]]
Expectation: TypeAlias = str | tuple[int, ...]

OK = "ok"
EITHER = "either"
CUT = "cut"
ALL = tuple(SCRIPTS)


@frozen
class Fault:
    """One row of the catalogue. ``row``: its number in reliability.md (c), 0 = ours."""

    name: str
    act: Act
    stream: Expectation
    whole: Expectation
    dialects: tuple[str, ...] = ALL
    row: int = 0
    text: str = TEXT


FAULTS: dict[str, Fault] = {}


def fault(
    stream: Expectation,
    whole: Expectation | None = None,
    *,
    row: int = 0,
    dialects: tuple[str, ...] = ALL,
    text: str = TEXT,
    name: str = "",
) -> Callable[[Act], Act]:
    """Put a function into the catalogue under its own name."""

    def put(act: Act) -> Act:
        known = (name or act.__name__).strip("_").replace("_", "-")
        assert known not in FAULTS, known
        FAULTS[known] = Fault(known, act, stream, stream if whole is None else whole, dialects, row, text)
        return act

    return put


async def told(wire: Wire, script: Script, stream: bool) -> None:
    """Answer as it should be."""
    if stream:
        await wire.head()
        await wire.data(*script.events)
        await wire.end()
    else:
        await wire.whole(script.whole)
