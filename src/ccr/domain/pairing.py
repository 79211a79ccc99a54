"""Tool calls and their results, paired: what interrupted turns, compaction and reordering proxies leave behind.

Providers refuse a call without its result and a result without its call, for as long as it stands in the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import evolve

from ccr.domain.conversation.blocks import Text, ToolCall, ToolResult
from ccr.domain.conversation.conversation import Role, Turn

__all__ = ["INTERRUPTED", "pair_tools"]

INTERRUPTED = "[interrupted]"
"""What a call without a result is said to have given."""


def pair_tools(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Return turns in which every call has one result, in the user turn that follows it, and every result its call.

    Missing results are made up (an error, ``[interrupted]``), orphans and repetitions dropped. Turns in which nothing is
    wrong stay the same objects; if that is all of them, ``turns`` itself is returned.
    """
    paired: list[Turn] = []
    changed = False
    for calls, group in _groups(turns):
        if _sound(calls, group):
            paired.extend(group)
            continue
        changed = True
        paired.extend(_repaired(calls, group))
    return tuple(paired) if changed else turns


def _groups(turns: Iterable[Turn]) -> Iterator[tuple[list[str], list[Turn]]]:
    """Yield each assistant turn with what follows it up to the next one, and the ids of its calls."""
    calls: list[str] = []
    group: list[Turn] = []
    for turn in turns:
        if turn.role is Role.ASSISTANT:
            if group:
                yield calls, group
            group = [turn]
            calls = [block.id for block in turn.blocks if isinstance(block, ToolCall)]
        else:
            group.append(turn)
    if group:
        yield calls, group


def _sound(calls: list[str], group: list[Turn]) -> bool:
    where = [
        (index, block.call_id)
        for index, turn in enumerate(group)
        for block in turn.blocks
        if isinstance(block, ToolResult)
    ]
    if not calls:
        return not where
    in_place = all(index == 1 for index, _ in where) and len(group) > 1 and group[1].role is Role.USER
    return in_place and sorted(calls) == sorted(call for _, call in where)


def _repaired(calls: list[str], group: list[Turn]) -> Iterator[Turn]:
    results: dict[str, ToolResult] = {}
    for turn in group:
        for block in turn.blocks:
            if isinstance(block, ToolResult):
                results.setdefault(block.call_id, block)
    wanted = tuple(results.get(call) or _interrupted(call) for call in dict.fromkeys(calls))
    rest = group
    if group[0].role is Role.ASSISTANT:
        # A result inside the assistant's own turn is as misplaced as any other.
        yield from _without_results(group[:1])
        rest = group[1:]
    if wanted:
        first = rest[0] if rest and rest[0].role is Role.USER else None
        others = tuple(block for block in first.blocks if not isinstance(block, ToolResult)) if first else ()
        yield Turn(Role.USER, wanted + others)
        rest = rest[1:] if first else rest
    yield from _without_results(rest)


def _without_results(turns: list[Turn]) -> Iterator[Turn]:
    for turn in turns:
        kept = tuple(block for block in turn.blocks if not isinstance(block, ToolResult))
        if len(kept) == len(turn.blocks):
            yield turn
        elif kept:
            yield evolve(turn, blocks=kept, source=None)
        elif turn is turns[-1]:
            # The turn to be answered may not vanish.
            yield Turn(turn.role, (Text(INTERRUPTED),))


def _interrupted(call_id: str) -> ToolResult:
    return ToolResult(call_id, (Text(INTERRUPTED),), is_error=True, plain=True)
