"""Probes of numbers: usage, counts, and the end of the context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.application.operations.probing.materials import said
from ccr.application.operations.probing.talking import shown
from ccr.application.operations.probing.verdicts import Finding, Probe, failed, passed, skipped
from ccr.domain.errors import ContextOverflowError, UpstreamError

if TYPE_CHECKING:
    from ccr.application.operations.probing.asking import Asker
    from ccr.domain.usage import Usage

__all__ = ["MEASURING"]

_LEAST, _MOST = 0.5, 2.0
"""How far the provider's count may be from ours: vocabularies differ, by less than this."""

_WINDOW_SHARE = 1.3
_PARTS = ("input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning")


def _contradiction(usage: Usage) -> str:
    if usage.input_total is None or usage.output is None:
        return "the provider does not say how many tokens it took and gave"
    if any((getattr(usage, part) or 0) < 0 for part in _PARTS):
        return "the cached tokens are more than all of the input"
    if not usage.input_total or not usage.output:
        return f"the provider says {usage.input_total} tokens in, {usage.output} out"
    if (usage.reasoning or 0) > usage.output:
        return f"{usage.reasoning} tokens of thinking are more than all {usage.output} tokens of output"
    return ""


async def _usage(ask: Asker) -> Finding:
    asked = said("Reply with the single word PONG.")
    wrong = _contradiction((await ask(asked)).usage)
    if wrong:
        return failed(wrong)
    usage = (await ask(asked, stream=True)).usage
    wrong = _contradiction(usage)
    if wrong:
        return failed(f"in a stream {wrong}")
    cached = "not reported" if usage.cache_read is None else str(usage.cache_read)
    return passed(f"{usage.input_total} tokens in (cached: {cached}), {usage.output} out")


async def _count(ask: Asker) -> Finding:
    words = " ".join(f"The {number}th sheep jumps over the fence." for number in range(60))
    asked = said(f"{words} Reply with the single word PONG.")
    mine = await ask.count(asked)
    theirs = (await ask(asked)).usage.input_total
    if theirs is None:
        return skipped("the provider does not say how many tokens it took")
    told = f"we count {mine} tokens, the provider {theirs}"
    return passed(told) if _LEAST <= theirs / max(mine, 1) <= _MOST else failed(told)


async def _overflow(ask: Asker) -> Finding:
    """Asked only where it is cheap: a provider that takes too long a prompt after all may charge for it."""
    window = ask.profile.context_window
    if window is None:
        return skipped("its context window is not known")
    words = int(window * _WINDOW_SHARE)
    asked = said("word " * words)
    if len("word ") * words > ask.budget.left:
        return skipped(f"a prompt of more than {window} tokens is more than the budget allows")
    try:
        answered = await ask(asked)
    except ContextOverflowError as error:
        return passed(f"refused in words that are understood: {shown(error.message)}")
    except UpstreamError as error:
        return failed(f"refused in words that nobody knows: {shown(error.message)}")
    return failed(f"took {words} words into a window of {window} tokens: {shown(answered.text)}")


MEASURING = (
    Probe("usage", "tokens are reported and add up", _usage),
    Probe("count", "our count is near the provider's", _count),
    Probe("overflow", "too long a prompt is refused clearly", _overflow),
)
