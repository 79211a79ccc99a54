"""Input tokens: a bound for nothing, an exact count when somebody asks. Shared by count_tokens and routing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from ccr.application.contained import Faults, contained
from ccr.application.ports.tokens import TokenCounter, TokenRange

if TYPE_CHECKING:
    from ccr.application.ports.dialect import ParsedCall

__all__ = ["Counted", "Counting"]


@frozen
class Counted:
    """A count; with an ``error`` it is the upper estimate instead."""

    tokens: int
    error: str = ""


class Counting:
    """Bound first, then the counter, which has a memo and counts big blocks in a thread."""

    def __init__(self, counter: TokenCounter, faults: Faults | None = None) -> None:
        self._counter = counter
        self._faults = faults or Faults()

    async def range(self, parsed: ParsedCall) -> TokenRange:
        """Bound the input tokens by the size of the text; costs nothing."""
        size = parsed.facts.text_size
        with contained("counting", self._faults, once=True):
            return self._counter.estimate(size)
        return TokenRange(0, size)

    async def count(self, parsed: ParsedCall) -> Counted:
        """Count exactly. Never fails: without a count there is the upper estimate and the reason."""
        tokens = 0
        with contained("counting", self._faults, once=True) as outcome:
            tokens = await self._counter.count(parsed.texts())
        if outcome.error is not None:
            return Counted((await self.range(parsed)).high, outcome.because)
        return Counted(tokens)

    async def exact(self, parsed: ParsedCall) -> int:
        """Count exactly; the upper estimate, and one warning, if the counter fails.

        Raises InvalidRequestError: who asks for a count of nonsense is told so.
        """
        texts = parsed.texts()
        with contained("counting", self._faults, once=True):
            return await self._counter.count(texts)
        return (await self.range(parsed)).high
