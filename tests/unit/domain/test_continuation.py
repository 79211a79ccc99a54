"""A reply that was cut and what goes on from it are one legal message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from ccr.domain.continuation import Joint, Standing, continued
from ccr.domain.conversation import (
    Conversation,
    Opaque,
    Role,
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
    Turn,
)
from ccr.domain.conversation.citations import Citation
from ccr.domain.errors import UpstreamUnavailableError
from ccr.domain.provenance import Origin, Seal
from ccr.domain.reply import Reply, StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    CitationDelta,
    MessageStart,
    MessageStop,
    StreamEvent,
    StreamFailed,
    StreamGrammar,
    TextDelta,
    ThinkingDelta,
    ToolInputDelta,
    UsageUpdate,
    fold,
    unfold,
)
from ccr.domain.usage import Basis, Usage
from ccr.domain.verbatim import Json
from tests.support.strategies import event_streams

GONE = UpstreamUnavailableError("gone")
CUT = StreamFailed(GONE)
START = MessageStart("r", "m", Usage(10, output=1))
READ = ToolCall("c1", "Read", Json(b'{"path":"a"}'))
WRITE = ToolCall("c2", "Write", Json(b'{"path":"b"}'))
ASKED = ServerToolCall("s1", "web_search", Json(b'{"query":"q"}'))
GAVE = ServerToolResult("s1", "web_search_tool_result", Json(b"[]"))
SEALED = Thinking("Hm.", Seal(Origin("d"), "signature", "x"))
WORDS = "Once there was a king who had three daughters, and the youngest"


def is_whole(name: str, given: str) -> bool:
    return name == "free" or given.endswith("}")


def reply(*blocks: object, reason: StopReason = StopReason.END_TURN) -> list[StreamEvent]:
    """Return a reply as events."""
    return unfold(Reply("r", "m", blocks, reason, usage=Usage(10, output=2)))  # type: ignore[arg-type]  # blocks


def parts(*blocks: object) -> list[StreamEvent]:
    """Return a reply without its end."""
    return reply(*blocks)[:-1]


class Client:
    """Takes what a joint shows, and checks that it is legal."""

    def __init__(self) -> None:
        self.joint = Joint(is_whole)
        self.events: list[StreamEvent] = []
        self._grammar = StreamGrammar()

    def feed(self, *events: StreamEvent) -> list[StreamEvent]:
        return self._took(self.joint.feed(events))

    def finish(self) -> list[StreamEvent]:
        return self._took(self.joint.finish())

    def cut(self, *events: StreamEvent) -> Standing:
        """Feed, and cut."""
        self.feed(*events, CUT)
        assert self.joint.failed is GONE
        return self.joint.standing

    def go_on(self, *events: StreamEvent) -> Reply:
        """Feed a whole reply behind the cut; return what the client has."""
        assert self.joint.standing is Standing.GO_ON
        self.joint.turn()
        self.feed(*events)
        assert self.joint.ended
        return fold(self.events)

    def _took(self, events: list[StreamEvent]) -> list[StreamEvent]:
        self._grammar.check(events)
        self.events += events
        return events


def spliced(before: Sequence[StreamEvent], after: Iterable[StreamEvent]) -> tuple[object, ...]:
    """Return the blocks that a client has."""
    client = Client()
    client.cut(*before)
    return client.go_on(*after).blocks


# --------------------------------------------------------------------------------------------------- whole


@given(event_streams(), st.integers(1, 5))
def test_a_reply_that_is_not_cut_keeps_its_meaning(events: list[StreamEvent], size: int) -> None:
    client = Client()
    for at in range(0, len(events), size):
        client.feed(*events[at : at + size])

    assert fold(client.events) == fold(events)
    assert client.joint.ended
    assert client.feed(START) == []


def test_text_and_thinking_are_shown_as_they_come() -> None:
    client = Client()

    assert client.feed(START, BlockStart(0, Thinking(""))) == [START, BlockStart(0, Thinking(""))]
    assert client.feed(ThinkingDelta("Hm")) == [ThinkingDelta("Hm")]
    assert client.feed(BlockStop(0), BlockStart(1, Text(""))) == [BlockStop(0), BlockStart(1, Text(""))]
    assert client.feed(TextDelta("a")) == [TextDelta("a")]


def test_a_call_is_shown_when_it_is_whole() -> None:
    client = Client()
    client.feed(START)
    opened = BlockStart(0, evolve(READ, input=""))

    assert client.feed(opened, ToolInputDelta('{"path"'), ToolInputDelta(':"a"}')) == []
    assert client.feed(BlockStop(0)) == [
        opened,
        ToolInputDelta('{"path"'),
        ToolInputDelta(':"a"}'),
        BlockStop(0),
    ]


def test_usage_is_shown_while_a_call_is_held() -> None:
    client = Client()
    client.feed(START, BlockStart(0, evolve(READ, input="")))

    assert client.feed(UsageUpdate(Usage(output=5))) == [UsageUpdate(Usage(10, output=5))]


def test_a_call_that_is_broken_waits_for_the_end_that_says_it_was_meant_so() -> None:
    client = Client()
    broken = ToolCall("c1", "Read", Json(b'{"path'))
    events = reply(Text("a"), broken, WRITE, Text("b"), reason=StopReason.MAX_TOKENS)

    assert fold([*client.feed(*parts(Text("a"), broken, WRITE, Text("b"))), events[-1]]).blocks == (
        Text("a"),
    )
    client.feed(events[-1])
    assert fold(client.events) == fold(events)


@pytest.mark.parametrize(
    "call",
    [ToolCall("c1", "free", Json(b"no JSON")), ToolCall("c1", "Read"), ToolCall("c1", "Read", "{}")],
)
def test_calls_of_free_text_and_without_input_are_whole(call: ToolCall) -> None:
    client = Client()
    client.feed(START, BlockStart(0, call), BlockStop(0))

    assert BlockStop(0) in client.events


def test_an_input_that_comes_with_its_block_is_judged() -> None:
    client = Client()
    client.feed(START, BlockStart(0, evolve(READ, input="{")), BlockStop(0))

    assert client.events == [START]


# ------------------------------------------------------------------------------------------------ standing


@pytest.mark.parametrize(
    "events, standing",
    [
        (parts(), Standing.GO_ON),
        (parts(Text("a")), Standing.GO_ON),
        (parts(Text("a"))[:-1], Standing.GO_ON),
        (parts(Text("a"), SEALED), Standing.GO_ON),
        (parts(Text("a"), SEALED)[:-1], Standing.FAIL),
        (parts(Text("a"), READ)[:-1], Standing.GO_ON),
        (parts(Text("a"), READ), Standing.FINISH),
        (parts(READ, WRITE)[:-1], Standing.FINISH),
        (parts(READ, Text("b"))[:-1], Standing.FINISH),
        (parts(READ, SEALED)[:-1], Standing.FINISH),
        (parts(ASKED)[:-1], Standing.GO_ON),
        (parts(ASKED), Standing.FAIL),
        (parts(ASKED, READ), Standing.FAIL),
        (parts(ASKED, GAVE), Standing.GO_ON),
        (parts(Opaque("d", "k", Json(b"{}"))), Standing.GO_ON),
        (parts(ToolCall("c1", "Read", Json(b"{"))), Standing.GO_ON),
    ],
)
def test_what_may_become_of_a_reply_that_was_cut(events: list[StreamEvent], standing: Standing) -> None:
    assert Client().cut(*events) is standing


def test_after_a_cut_nothing_is_taken() -> None:
    client = Client()
    client.cut(*parts(Text("a")))

    assert client.feed(*reply(Text("b"))) == []


def test_it_ends_with_the_calls_that_are_whole() -> None:
    client = Client()
    client.cut(*parts(Text("a"), READ, Text("b"), WRITE)[:-1])

    assert client.finish() == [MessageStop(StopReason.TOOL_USE, usage=Usage(10, output=2, basis=Basis.FLOOR))]
    assert fold(client.events).blocks == (Text("a"), READ, Text("b"))
    assert client.joint.ended
    assert client.joint.failed is None


# ----------------------------------------------------------------------------------------------- going on


@pytest.mark.parametrize(
    "before, after, blocks",
    [
        # In the middle of a text: it goes on in its block.
        (parts(Text("a b"))[:-1], reply(Text(" c")), (Text("a b c"),)),
        (parts(Text("a b"))[:-1], reply(Text("a b c")), (Text("a b c"),)),
        (parts(Text("a b"))[:-1], reply(Text("a b")), (Text("a b"),)),
        (parts(Text("a b"))[:-1], reply(), (Text("a b"),)),
        (parts(Text("a b"))[:-1], reply(Text(" c"), Text("d")), (Text("a b c"), Text("d"))),
        (parts(Text("a"), Text("b"))[:-1], reply(Text("c"), READ), (Text("a"), Text("bc"), READ)),
        (parts(Text("a"))[:-1], reply(READ), (Text("a"), READ)),
        (parts(Text("a"))[:-1], reply(SEALED, Text("b"), SEALED), (Text("ab"), SEALED)),
        (parts(Text(""))[:-1], reply(Text(" b")), (Text(" b"),)),
        (parts(Text("\n"))[:-1], reply(Text("\nb")), (Text("\n\nb"),)),
        (parts(Text("a"))[:-1], reply(ASKED, GAVE, Text("a b")), (Text("a"), ASKED, GAVE, Text("a b"))),
        # Between two blocks: the next one begins, and what is only repeated is none.
        (parts(Text("a b")), reply(Text("c")), (Text("a b"), Text("c"))),
        (parts(Text("a b")), reply(Text("a b c")), (Text("a b"), Text(" c"))),
        (parts(Text("a b")), reply(Text("a b"), READ), (Text("a b"), READ)),
        (parts(Text("a b"), SEALED), reply(SEALED, Text("a bc")), (Text("a b"), SEALED, SEALED, Text("c"))),
        (parts(SEALED), reply(SEALED, Text("a")), (SEALED, SEALED, Text("a"))),
        (parts(), reply(Text("a")), (Text("a"),)),
        (parts(ASKED, GAVE), reply(Text("a")), (ASKED, GAVE, Text("a"))),
        # What was not whole was never there.
        (parts(Text("a"), READ)[:-1], reply(Text("a"), WRITE), (Text("a"), WRITE)),
        (parts(READ)[:-2], reply(READ), (READ,)),
        (parts(ToolCall("c0", "Read", Json(b"{")), WRITE), reply(WRITE), (WRITE,)),
    ],
)
def test_the_client_has_one_message(
    before: list[StreamEvent], after: list[StreamEvent], blocks: tuple[object, ...]
) -> None:
    assert spliced(before, after) == blocks


def test_usage_is_the_sum_and_the_least_that_it_can_have_been() -> None:
    client = Client()
    client.cut(START, BlockStart(0, Text("")), TextDelta("a"))
    whole = client.go_on(*reply(Text("b")))

    assert whole.usage == Usage(20, output=3, basis=Basis.FLOOR)
    assert UsageUpdate(whole.usage) in client.events


def test_it_may_be_cut_again() -> None:
    client = Client()
    client.cut(*parts(Text(WORDS))[:-1])
    client.joint.turn()
    # In the middle of the repetition: nothing of it is new.
    assert client.cut(START, BlockStart(0, Text("")), TextDelta("Once there")) is Standing.GO_ON
    assert client.joint.said == (Text(WORDS),)
    client.joint.turn()
    assert client.cut(START, BlockStart(0, Thinking("")), ThinkingDelta("Hm")) is Standing.GO_ON
    client.joint.turn()
    client.cut(START, BlockStart(0, Text("")), TextDelta(" one"))

    assert client.go_on(*reply(Text(" was fair."))).blocks == (Text(WORDS + " one was fair."),)


def test_a_citation_is_of_text_that_was_sent() -> None:
    citation = Citation("url", url="http://a.test", title="A")
    told: list[StreamEvent] = [
        START,
        BlockStart(0, Text("")),
        TextDelta("a"),
        CitationDelta(citation),
        BlockStop(0),
    ]
    opened = Text("xa", citations=(citation,))

    assert spliced(parts(Text("x"))[:-1], [*told, reply()[-1]]) == (opened,)
    assert spliced(parts(Text("a")), [*told, reply()[-1]]) == (Text("a"), Text("", citations=(citation,)))


# --------------------------------------------------------------------------------------------------- asking

HELLO = Conversation("m", (Turn(Role.USER, (Text("Hello"),)),))


def asked(*before: StreamEvent) -> Conversation:
    client = Client()
    client.cut(*before)
    return continued(HELLO, client.joint.said)


@pytest.mark.parametrize("events", [parts(), parts(SEALED), parts(Text(" \n"))[:-1], parts(READ)[:-1]])
def test_without_anything_worth_telling_the_request_is_made_again(events: list[StreamEvent]) -> None:
    assert asked(*events) is HELLO


def test_whoever_goes_on_is_told_what_the_client_has_and_begins_with_its_last_words() -> None:
    said = asked(*parts(Text(" "), SEALED, Text("a"), Text(WORDS + "\n"))[:-1])

    assert said.turns[:1] == HELLO.turns
    assert said.turns[1] == Turn(Role.ASSISTANT, (SEALED, Text("a"), Text(WORDS + "\n")))
    (ask,) = said.turns[2].blocks
    assert said.turns[2].role is Role.USER
    assert isinstance(ask, Text)
    assert f"<tail>{WORDS}</tail>" in ask.text


def test_thinking_at_the_end_is_not_told() -> None:
    assert asked(*parts(Text("a"), SEALED, SEALED)).turns[1].blocks == (Text("a"),)


def test_without_words_at_the_end_there_is_no_tail() -> None:
    (ask,) = asked(*parts(Text("a"), ASKED, GAVE)).turns[2].blocks

    assert isinstance(ask, Text)
    assert "cut off" in ask.text
    assert "tail" not in ask.text


@pytest.mark.parametrize(
    "pieces, text", [(["\ud83d", "\ude00!"], "\U0001f600!"), (["\ud83d", "!"], "\ufffd!"), (["é"], "é")]
)
def test_halves_of_a_character_are_put_together(pieces: list[str], text: str) -> None:
    said = asked(START, BlockStart(0, Text("")), *map(TextDelta, pieces))

    assert said.turns[1].blocks == (Text(text),)


def test_half_a_character_in_an_input_does_no_harm() -> None:
    client = Client()
    client.feed(START, BlockStart(0, ToolCall("c1", "free")), ToolInputDelta("\ud83d"), BlockStop(0))

    assert client.cut() is Standing.FINISH
    assert client.joint.said == (ToolCall("c1", "free", Json(b"?")),)
