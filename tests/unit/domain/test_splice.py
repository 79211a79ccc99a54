"""Several upstream replies as one legal stream."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from ccr.domain.conversation import ServerToolCall, ServerToolResult, Text, ToolCall
from ccr.domain.errors import UpstreamUnavailableError
from ccr.domain.reply import Reply, StopReason
from ccr.domain.splice import Splice
from ccr.domain.stream import (
    BlockStart,
    MessageStop,
    StreamEvent,
    StreamFailed,
    StreamGrammar,
    UsageUpdate,
    fold,
    unfold,
)
from ccr.domain.usage import Usage
from ccr.domain.verbatim import Json
from tests.support.strategies import event_streams, replies

SEARCH = ToolCall("c1", "search", Json(b'{"query":"q"}'))
READ = ToolCall("c2", "Read", Json(b"{}"))
ASKED = ServerToolCall("s1", "web_search", Json(b'{"query":"q"}'))
GAVE = ServerToolResult("s1", "web_search_tool_result", Json(b"[]"))
BROKEN = StreamFailed(UpstreamUnavailableError("gone"))


def reply(*blocks: object, reason: StopReason = StopReason.TOOL_USE) -> Reply:
    return Reply("r", "m", blocks, reason, usage=Usage(10, cache_read=1, output=2))  # type: ignore[arg-type]  # blocks


def spliced(*rounds: Iterable[StreamEvent], pieces: int = 1) -> list[StreamEvent]:
    """Splice rounds, a search shown after each but the last."""
    splice, events, grammar = Splice("search"), list[StreamEvent](), StreamGrammar()
    for number, events_of_round in enumerate(rounds):
        if number:
            splice.turn()
        whole = list(events_of_round)
        for at in range(0, len(whole), pieces):
            events += splice.feed(whole[at : at + pieces])
        if splice.failed:
            break
        if number < len(rounds) - 1:
            splice.count(1)
            events += splice.insert(ASKED) + splice.insert(GAVE)
    if not splice.failed:
        events += splice.end()
    grammar.check(events)
    assert grammar.ended
    return events


def test_rounds_become_one_reply_and_their_usage_a_sum() -> None:
    first, last = reply(Text("a"), SEARCH), reply(Text("b"), reason=StopReason.END_TURN)
    whole = fold(spliced(unfold(first), unfold(last)))

    assert whole.blocks == (Text("a"), ASKED, GAVE, Text("b"))
    assert whole.reason is StopReason.END_TURN
    assert whole.usage == Usage(20, cache_read=2, output=4, searches=1)


def test_one_round_alone_is_the_same_reply() -> None:
    alone = reply(Text("a"), READ)

    assert fold(spliced(unfold(alone))) == alone


def test_what_a_round_said_is_known_with_its_hidden_calls() -> None:
    splice = Splice("search")
    splice.feed(unfold(reply(Text("a"), SEARCH, READ)))

    assert splice.blocks == (Text("a"), SEARCH, READ)
    assert splice.calls == (SEARCH,)
    assert splice.others
    assert isinstance(splice.stop, MessageStop)


def test_only_hidden_calls_are_nobody_elses() -> None:
    splice = Splice("search")
    splice.feed(unfold(reply(SEARCH)))

    assert not splice.others


def test_an_end_of_our_own_keeps_the_usage() -> None:
    splice = Splice("search")
    splice.feed(unfold(reply(SEARCH)))
    (end,) = splice.end(StopReason.END_TURN)

    assert end == MessageStop(StopReason.END_TURN, usage=Usage(10, cache_read=1, output=2))


def test_there_is_no_end_before_the_round_has_ended() -> None:
    with pytest.raises(RuntimeError):
        Splice("search").end()


def test_nothing_follows_a_failure_or_an_end() -> None:
    failed, ended = Splice("search"), Splice("search")
    failed.feed([BROKEN])
    ended.feed(unfold(reply(Text("a"))))

    assert failed.failed
    assert failed.feed(unfold(reply())) == ended.feed([BROKEN]) == []


def test_later_rounds_report_the_usage_so_far() -> None:
    splice = Splice("search")
    splice.feed(unfold(reply(SEARCH)))
    splice.turn()
    shown = splice.feed([*unfold(reply(Text("b")))[:1], UsageUpdate(Usage(output=7))])

    assert shown == [
        UsageUpdate(Usage(20, cache_read=2, output=4)),
        UsageUpdate(Usage(20, cache_read=2, output=9)),
    ]


def test_free_text_as_the_input_of_a_search_is_shown() -> None:
    splice = Splice("search")
    splice.feed(unfold(reply(SEARCH)))
    _, delta, _ = splice.insert(evolve(ASKED, input="{}"))

    assert getattr(delta, "text", "") == "{}"


@given(
    st.lists(event_streams(replies()), min_size=1, max_size=3),
    st.integers(1, 5),
    st.sampled_from(["search", "a"]),
    st.none() | st.integers(0, 30),
)
def test_any_rounds_cut_anywhere_are_one_legal_stream(
    rounds: Sequence[list[StreamEvent]], pieces: int, hidden: str, broken: int | None
) -> None:
    last = rounds[-1]
    if broken is not None:
        rounds = [*rounds[:-1], [*last[: min(broken, len(last) - 1)], BROKEN]]
    renamed = [[_renamed(event, hidden) for event in one] for one in rounds]
    whole, cut = spliced(*renamed, pieces=10_000), spliced(*renamed, pieces=pieces)

    assert cut == whole
    assert isinstance(whole[-1], StreamFailed if broken is not None else MessageStop)


def _renamed(event: StreamEvent, name: str) -> StreamEvent:
    if isinstance(event, BlockStart) and isinstance(event.block, ToolCall):
        return BlockStart(event.index, evolve(event.block, name=name))
    return event
