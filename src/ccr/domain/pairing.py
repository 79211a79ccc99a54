"""Tool calls and their results, paired: what interrupted turns, compaction and reordering proxies leave behind.

Providers refuse a call without its result and a result without its call, for as long as it stands in the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ccr.domain.conversation.blocks import Text, ToolCall, ToolResult
from ccr.domain.conversation.conversation import Role, Turn
from ccr.domain.value import evolve

__all__ = ["INTERRUPTED", "pair_tools"]

INTERRUPTED = "[interrupted]"
"""What a call without a result is said to have given."""


def pair_tools(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Return turns in which every call has one result, in the user turn that follows it, and every result its call.

    Missing results are made up (an error, ``[interrupted]``), orphans and repetitions dropped. An id that an earlier call
    has gets a number: Anthropic wants them to be unique in the whole conversation, and some models count anew each turn.
    Turns in which nothing is wrong stay the same objects; if that is all of them, ``turns`` itself is returned.
    """
    if _is_sound(turns):
        return turns
    paired: list[Turn] = []
    changed = False
    taken: set[str] = set()
    for calls, group in _groups(turns):
        if _sound(calls, group, taken):
            paired.extend(group)
            taken.update(calls)
            continue
        changed = True
        names = _distinct(calls, taken)
        paired.extend(_repaired(calls, names, group))
        taken.update(names)
    return tuple(paired) if changed else turns


def _is_sound(turns: Iterable[Turn]) -> bool:
    """Whether nothing is wrong anywhere, as in nearly every conversation: one walk, at a fifth of what groups cost."""
    taken: set[str] = set()
    waiting: list[str] = []
    for turn in turns:
        results = [block.call_id for block in turn.blocks if type(block) is ToolResult]
        if turn.role is Role.ASSISTANT:
            if waiting or results:
                return False
            waiting = [block.id for block in turn.blocks if type(block) is ToolCall]
            if len(set(waiting)) != len(waiting) or not taken.isdisjoint(waiting):
                return False
            taken.update(waiting)
        elif results or waiting:
            if turn.role is not Role.USER or sorted(results) != sorted(waiting):
                return False
            waiting = []
    return not waiting


def _groups(turns: Iterable[Turn]) -> Iterator[tuple[list[str], list[Turn]]]:
    """Yield each assistant turn with what follows it up to the next one, and the ids of its calls. There is a turn."""
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
    yield calls, group


def _sound(calls: list[str], group: list[Turn], taken: set[str]) -> bool:
    where = [
        (index, block.call_id)
        for index, turn in enumerate(group)
        for block in turn.blocks
        if isinstance(block, ToolResult)
    ]
    if not calls:
        return not where
    in_place = all(index == 1 for index, _ in where) and len(group) > 1 and group[1].role is Role.USER
    is_new = len(set(calls)) == len(calls) and taken.isdisjoint(calls)
    return in_place and is_new and sorted(calls) == sorted(call for _, call in where)


def _distinct(calls: list[str], taken: set[str]) -> list[str]:
    """Return ids that no other call has: as they are if they are new, else with the first number that is free."""
    named: list[str] = []
    for call in calls:
        name, number = call, 2
        while name in taken or name in named:
            name, number = f"{call}_{number}", number + 1
        named.append(name)
    return named


def _repaired(calls: list[str], names: list[str], group: list[Turn]) -> Iterator[Turn]:
    """Yield the turns of a group. ``names`` are the ids that its calls are to have."""
    results: dict[str, list[ToolResult]] = {}
    for turn in group:
        for block in turn.blocks:
            if isinstance(block, ToolResult):
                results.setdefault(block.call_id, []).append(block)
    wanted = tuple(_result(results.get(call), name) for call, name in zip(calls, names, strict=True))
    rest = group
    if group[0].role is Role.ASSISTANT:
        # A result inside the assistant's own turn is as misplaced as any other.
        yield from _without_results([_renamed(group[0], names)] if names != calls else group[:1])
        rest = group[1:]
    if wanted:
        first = rest[0] if rest and rest[0].role is Role.USER else None
        others = tuple(block for block in first.blocks if not isinstance(block, ToolResult)) if first else ()
        yield Turn(Role.USER, wanted + others)
        rest = rest[1:] if first else rest
    yield from _without_results(rest)


def _result(found: list[ToolResult] | None, name: str) -> ToolResult:
    """Take the first of the results that are left."""
    if not found:
        return ToolResult(name, (Text(INTERRUPTED),), is_error=True, plain=True)
    result = found.pop(0)
    return result if result.call_id == name else evolve(result, call_id=name)


def _renamed(turn: Turn, names: list[str]) -> Turn:
    left = iter(names)
    blocks = tuple(
        evolve(block, id=next(left)) if isinstance(block, ToolCall) else block for block in turn.blocks
    )
    return evolve(turn, blocks=blocks, source=None)


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
