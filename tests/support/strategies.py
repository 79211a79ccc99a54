"""Hypothesis strategies for replies and their streams, and the properties that every stream decoder has (house.md 3.6).

A decoder is tested as ``make() -> StreamDecoder``: a function that returns a fresh one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from attrs import evolve
from hypothesis import strategies as st

from ccr.application.ports.dialect import StreamDecoder
from ccr.domain.conversation import ContentBlock, Text, Thinking, ToolCall
from ccr.domain.provenance import Origin, Seal
from ccr.domain.reply import Reply, StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    MessageStart,
    MessageStop,
    StreamEvent,
    StreamFailed,
    StreamGrammar,
    TextDelta,
    ThinkingDelta,
    ToolInputDelta,
    UsageUpdate,
    unfold,
)
from ccr.domain.usage import Usage
from ccr.domain.verbatim import Json

__all__ = [
    "MakeDecoder",
    "assert_chunking_free",
    "assert_junk_is_legal",
    "assert_truncation_fails",
    "chunkings",
    "decoded",
    "event_streams",
    "meaning",
    "replies",
    "tool_inputs",
    "usages",
]

MakeDecoder: TypeAlias = Callable[[], StreamDecoder]

_WORDS = st.text(alphabet=st.characters(codec="utf-8"), max_size=12)
_NAMES = st.text(alphabet="abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=10)
_TOKENS = st.none() | st.integers(0, 100_000)


# ------------------------------------------------------------------------------------------ strategies


def chunkings(stream: bytes) -> st.SearchStrategy[list[bytes]]:
    """Return ways in which a network may cut ``stream``, one byte at a time and all at once included."""

    def cut(places: list[int]) -> list[bytes]:
        edges = [0, *sorted(places), len(stream)]
        return [stream[start:end] for start, end in itertools.pairwise(edges)]

    singles = [stream[at : at + 1] for at in range(len(stream))]
    return st.just(singles) | st.lists(st.integers(0, len(stream)), max_size=12).map(cut)


def tool_inputs() -> st.SearchStrategy[Json]:
    """Return JSON objects as text."""
    from ccr.adapters.wire import json

    return st.dictionaries(_NAMES, _WORDS | st.integers(-9, 9) | st.none() | st.booleans(), max_size=3).map(
        lambda values: Json(json.encode(values))
    )


def usages() -> st.SearchStrategy[Usage]:
    """Return usages that a provider may report."""
    return st.builds(
        Usage,
        input_uncached=st.integers(0, 100_000),
        cache_read=_TOKENS,
        output=st.integers(0, 100_000),
    )


@st.composite
def replies(
    draw: st.DrawFn, *, dialect: str = "anthropic", sealed: bool = True, thinking: bool = True
) -> Reply:
    """Return replies of text, thinking and tool calls; ``sealed``: thinking carries a seal of ``dialect``."""
    seals = st.builds(Seal, st.just(Origin(dialect)), st.just("signature"), st.text("ABC+/=", min_size=1))
    kinds: list[st.SearchStrategy[ContentBlock]] = [
        st.builds(Text, _WORDS),
        st.builds(ToolCall, id=_NAMES.map("toolu_{}".format), name=_NAMES, input=tool_inputs()),
    ]
    if thinking:
        kinds.append(st.builds(Thinking, _WORDS, (st.none() | seals) if sealed else st.none()))
    blocks = tuple(draw(st.lists(st.one_of(kinds), max_size=5)))
    calls = any(isinstance(block, ToolCall) for block in blocks)
    reason = (
        StopReason.TOOL_USE if calls else draw(st.sampled_from([StopReason.END_TURN, StopReason.MAX_TOKENS]))
    )
    return Reply(
        id=draw(_NAMES.map("msg_{}".format)),
        model=draw(_NAMES),
        blocks=blocks,
        reason=reason,
        usage=draw(usages()),
    )


@st.composite
def event_streams(draw: st.DrawFn, source: st.SearchStrategy[Reply] | None = None) -> list[StreamEvent]:
    """Return legal streams; deltas come in pieces of any size."""
    events: list[StreamEvent] = []
    for event in unfold(draw(source if source is not None else replies())):
        if isinstance(event, TextDelta | ThinkingDelta | ToolInputDelta) and len(event.text) > 1:
            at = draw(st.integers(1, len(event.text) - 1))
            events += [evolve(event, text=event.text[:at]), evolve(event, text=event.text[at:])]
        else:
            events.append(event)
    return events


# ------------------------------------------------------------------------------------------ properties


def decoded(make: MakeDecoder, pieces: Iterable[bytes]) -> list[StreamEvent]:
    """Return all events of a stream; they are legal by the grammar and end in MessageStop or StreamFailed."""
    decoder, grammar, events = make(), StreamGrammar(), list[StreamEvent]()
    for piece in pieces:
        got = decoder.feed(piece)
        grammar.check(got)
        events += got
    got = decoder.close()
    grammar.check(got)
    events += got
    assert grammar.ended, f"a stream without an end: {events}"
    assert decoder.feed(b"data: {}\n\n") == []
    assert decoder.close() == []
    return events


def meaning(events: Sequence[StreamEvent]) -> list[object]:
    """Return events in a form that compares by meaning: deltas joined, usage gathered, errors by class and text."""
    told: list[object] = []
    usage = Usage()
    for event in events:
        if isinstance(event, MessageStart | UsageUpdate | MessageStop):
            usage = usage.merged(event.usage)
        match event:
            case TextDelta(text=text) | ThinkingDelta(text=text) | ToolInputDelta(text=text):
                last = told[-1] if told else None
                if isinstance(last, tuple) and last[0] is type(event):
                    told[-1] = (type(event), last[1] + text)
                elif text:
                    told.append((type(event), text))
            case MessageStart():
                told.append(evolve(event, usage=Usage()))
            case MessageStop():
                told += [evolve(event, usage=Usage()), usage]
            case StreamFailed(error=error):
                told.append((type(error), error.message))
            case UsageUpdate():
                pass
            case BlockStart() | BlockStop() | _:
                told.append(event)
    return told


def assert_chunking_free(make: MakeDecoder, stream: bytes, pieces: Sequence[bytes]) -> None:
    """Check that any chunking gives the same events."""
    assert b"".join(pieces) == stream
    whole, cut = decoded(make, [stream]), decoded(make, pieces)

    assert [_exact(event) for event in cut] == [_exact(event) for event in whole]


def assert_junk_is_legal(make: MakeDecoder, stream: bytes, junk: bytes, at: int) -> None:
    """Check that junk anywhere gives a legal stream that does not depend on the chunking."""
    spoilt = stream[:at] + junk + stream[at:]
    whole = decoded(make, [spoilt])
    cut = decoded(make, [spoilt[index : index + 1] for index in range(len(spoilt))])

    assert [_exact(event) for event in cut] == [_exact(event) for event in whole]


def assert_truncation_fails(make: MakeDecoder, stream: bytes, at: int) -> None:
    """Check that a stream cut before its end fails; ``at`` must lie before the event that ends it."""
    events = decoded(make, [stream[:at]])

    assert isinstance(events[-1], StreamFailed), f"a cut at {at} was taken for an end: {events}"


def _exact(event: StreamEvent) -> object:
    if isinstance(event, StreamFailed):
        return (type(event.error), event.error.message)
    return event
