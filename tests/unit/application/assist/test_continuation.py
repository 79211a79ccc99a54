"""Replies cut in the middle go on: at every byte, in two dialects, whatever the next reply repeats."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any

import pytest

from ccr.domain.record import RequestRecord
from ccr.domain.usage import Basis
from tests.support.assembly import CONFIG, assembled
from tests.support.cut_replies import Block, CutOnce, Piece, Sequel, anthropic, chat, joined
from tests.support.faulty.check import Seen, read_stream

pytestmark = pytest.mark.anyio

FIRST = Block("text", "First I look — at\n  the café file, ")
THOUGHT = Block("thinking", "What is in it?")
SECOND = Block("text", "then I read on to its end. ")
READ = Block("tool", '{"path":"a/b.md"}', "call_1")
WRITE = Block("tool", '{"path":"c"}', "call_2")
LAST = Block("text", "And that is all.")

REPLIES = {
    "text": (FIRST,),
    "thinking": (THOUGHT, FIRST),
    "between": (FIRST, THOUGHT, SECOND),
    "tools": (FIRST, READ, WRITE),
    "all": (FIRST, THOUGHT, SECOND, READ, LAST),
}
WRITERS: dict[str, Callable[..., list[Piece]]] = {"anthropic": anthropic, "chat": chat}
DOORS = {"anthropic": "v1/messages", "chat": "v1/chat/completions"}


def config(kind: str, **failover: Any) -> dict[str, Any]:
    named = [
        {
            "name": name,
            "api_base_url": f"http://{name}.test/{DOORS[kind]}",
            "api_key": "sk-0",
            "models": ["m"],
        }
        for name in ("a", "b")
    ]
    settings = {"continueStreams": True, "breakerFailures": 0, "retryBudgetPercent": 100, "retries": 0}
    route = {"default": ["a,m", "b,m"]}
    return {**CONFIG, "Providers": named, "Router": route, "Failover": {**settings, **failover}}


def opens_at(pieces: Sequence[Piece], cut: int) -> set[str]:
    """Return which kind of block is open for a reader; within the end of an event it may be either."""
    end, before = 0, ""
    for piece in pieces:
        end += len(piece.data)
        if cut < end - 2:
            return {before}
        if cut < end:
            return {before, piece.opens}
        before = piece.opens
    return {""}


def check(
    blocks: Sequence[Block], body: bytes, record: RequestRecord, opened: set[str], reports: int
) -> None:
    seen = Seen(200)
    read_stream(seen, body)
    assert not seen.problems
    purposes = [attempt.purpose for attempt in record.attempts]
    went_on = "continuation" in purposes
    assert (b"\n\n: ccr continued 1\n\n" in body) is went_on
    if seen.ended == "error":
        assert "thinking" in opened
        assert not went_on
        return
    assert opened != {"thinking"} or purposes == ["", ""]
    calls = re.findall(rb'"type":"tool_use","id":"(call_\d)"', body)
    wanted = [block.id.encode() for block in blocks if block.kind == "tool"]
    assert calls == wanted[: len(calls)]
    text = "".join(block.text for block in blocks if block.kind == "text")
    if any(attempt.error for attempt in record.attempts) and not went_on and calls:
        # It ended with the calls that it had.
        assert b'"stop_reason":"tool_use"' in body
        assert seen.text in {text, text.removesuffix(LAST.text)}
    else:
        assert (seen.text, calls) == (text, wanted)
    if went_on:
        assert purposes == ["", "continuation"]
        assert record.attempts[0].doubtful
        assert record.usage.basis is Basis.FLOOR
        assert record.usage.input_uncached == reports * 10 + 20


async def cut_and_check(kind: str, name: str, repeats: str, cuts: Iterable[int]) -> None:
    blocks = REPLIES[name]
    pieces = WRITERS[kind](blocks)
    provider = CutOnce(joined(pieces), Sequel(blocks, repeats))
    reports = 1 if kind == "anthropic" else 0  # this one says at once what it was given to read
    async with assembled(*[provider] * 2 * len(provider.whole), config=config(kind)) as bench:
        for cut in cuts:
            provider.at(cut)
            answer, body = await bench.ask()

            assert answer.status == 200, (cut, body)
            try:
                check(blocks, body, bench.record, opens_at(pieces, cut), reports)
            except AssertionError as error:
                behind = provider.whole[max(0, cut - 60) : cut]
                raise AssertionError(f"cut at byte {cut}, behind {behind!r}") from error


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("name", REPLIES)
@pytest.mark.parametrize("repeats", ["anchor", "line", "all", "nothing"])
async def test_a_reply_cut_between_and_inside_events_is_whole(kind: str, name: str, repeats: str) -> None:
    ends = list(accumulate(len(piece.data) for piece in WRITERS[kind](REPLIES[name])))

    await cut_and_check(kind, name, repeats, [*ends[:-1], ends[0] - 9])
