"""Input tokens: a bound for nothing, an exact count when somebody asks. Shared by count_tokens and routing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from ccr.application.catalog.memo import Bound, IdentityMemo, TurnMemo
from ccr.application.contained import Faults, contained
from ccr.application.ports.tokens import TokenCounter, TokenRange
from ccr.domain.conversation.texts import texts_of_system, texts_of_tools, texts_of_turn

if TYPE_CHECKING:
    from ccr.application.ports.dialect import ParsedCall
    from ccr.domain.conversation import Tool, Turn

__all__ = ["Counted", "Counting"]


@frozen
class Counted:
    """A count; with an ``error`` it is the upper estimate instead."""

    tokens: int
    error: str = ""


class Counting:
    """Bound first, then the counter, which has a memo and counts big blocks in a thread."""

    def __init__(
        self, counter: TokenCounter, faults: Faults | None = None, memory: Bound | None = None
    ) -> None:
        """``memory`` bounds the counts of turns and of tools, each."""
        self._counter = counter
        self._faults = faults or Faults()
        self._turns = TurnMemo[int](bound=memory or Bound())
        self._tools: IdentityMemo[tuple[Tool, ...], int] = IdentityMemo(bound=memory or Bound())

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
            tokens = await self._sum(parsed)
        if outcome.error is not None:
            return Counted((await self.range(parsed)).high, outcome.because)
        return Counted(tokens)

    async def exact(self, parsed: ParsedCall) -> int:
        """Count exactly; the upper estimate, and one warning, if the counter fails.

        Raises InvalidRequestError: who asks for a count of nonsense is told so.
        """
        parsed.conversation()
        with contained("counting", self._faults, once=True):
            return await self._sum(parsed)
        return (await self.range(parsed)).high

    async def _sum(self, parsed: ParsedCall) -> int:
        """Add up turns and tools, most of which have been counted before, and the system."""
        conversation, total = parsed.conversation(), 0
        unknown: list[Turn] = []
        for turn in conversation.turns:
            known = self._turns.get(turn)
            if known is None:
                unknown.append(turn)
            else:
                total += known
        tools = conversation.tools
        of_tools = self._tools.get(tools)
        offered = texts_of_tools(tools) if of_tools is None else []
        groups = [texts_of_system(conversation.system), offered, *map(texts_of_turn, unknown)]
        system, new_tools, *counts = await self._counter.count_each(groups)
        for turn, tokens in zip(unknown, counts, strict=True):
            self._turns.keep(turn, tokens)
        if of_tools is None:
            self._tools.keep(tools, new_tools, sum(map(len, offered)))
        return total + system + (of_tools or new_tools) + sum(counts)
