from __future__ import annotations

from typing import Any

import msgspec
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.dialects.openai_chat.read_stream import ChatStreamDecoder
from ccr.adapters.transformers.enhancetool import EnhanceTool
from ccr.adapters.wire.sse import SseFramer
from ccr.application.catalog.pipeline import IDENTITY, Pipeline
from ccr.application.ports.transformer import EventStage, repairs_of
from ccr.domain.conversation import Conversation, FreeformTool, FunctionTool, Text, ToolCall
from ccr.domain.errors import UpstreamProtocolError
from ccr.domain.repair import Fix, Repair
from ccr.domain.reply import StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    MessageStart,
    MessageStop,
    StreamEvent,
    StreamFailed,
    StreamGrammar,
    TextDelta,
    ToolInputDelta,
    UsageUpdate,
)
from ccr.domain.usage import Usage
from ccr.domain.verbatim import Json
from tests.support.destinations import destination

SCHEMA = b'{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["a"]}'
ASKED = Conversation("m", (), tools=(FunctionTool("Read", "", Json(SCHEMA)), FreeformTool("Patch")))
TEXT: list[StreamEvent] = [MessageStart("i", "m"), BlockStart(0, Text("")), TextDelta("t"), BlockStop(0)]
STOP: list[StreamEvent] = [BlockStop(1), MessageStop(StopReason.TOOL_USE)]
FAILED = StreamFailed(UpstreamProtocolError("cut"))


def stage() -> EventStage:
    made = EnhanceTool().stage_for(ASKED, destination())
    assert made is not None
    return made


def called(name: str = "Read") -> BlockStart:
    return BlockStart(1, ToolCall("id", name, ""))


def staged(*events: StreamEvent, by: EventStage | None = None) -> list[StreamEvent]:
    """Each event as its own batch; the text before passes at once."""
    by = by or stage()
    got = [out for event in (*TEXT, *events) for out in by.feed([event])]
    StreamGrammar().check(got)
    assert got[:4] == TEXT
    return got[4:]


@pytest.mark.parametrize(
    "pieces,whole,fixes",
    [
        (['{"a"', ": 1 }"], '{"a": 1 }', []),
        ([], "{}", []),
        (["{'a'", ":1,}"], '{"a":1}', [(Fix.SYNTAX, "")]),
        (['{"a":"1","b":null}'], '{"a":1}', [(Fix.COERCED, "a"), (Fix.DROPPED, "b")]),
        (['{"A":1}'], '{"a":1}', [(Fix.NAME, "a")]),
        (['"{\\"a\\":1}"'], '{"a":1}', [(Fix.UNWRAPPED, "")]),
        (['{"a":1,"b":"x"'], '{"a":1,"b":"x"}', [(Fix.BRACKETS, "")]),
        (['{"b":"x"}'], '{"b":"x"}', []),
        (['{"cut": "of'], '{"cut": "of', []),
    ],
)
def test_input_comes_whole_and_mended_where_that_is_certain(
    pieces: list[str], whole: str, fixes: list[tuple[Fix, str]]
) -> None:
    made = stage()

    assert [called(), ToolInputDelta(whole), *STOP] == staged(
        called(), *map(ToolInputDelta, pieces), *STOP, by=made
    )
    assert tuple(Repair("Read", fix, at) for fix, at in fixes) == repairs_of([made])


def test_a_name_is_spelt_as_it_was_offered() -> None:
    made = stage()

    assert [called("Read"), ToolInputDelta('{"a":1}'), *STOP] == staged(
        called("read"), ToolInputDelta('{"a":1}'), *STOP, by=made
    )
    assert repairs_of([made]) == (Repair("Read", Fix.TOOL_NAME),)


def test_a_tool_that_nobody_offered_is_mended_as_json_only() -> None:
    assert [called("New"), ToolInputDelta('{"x":1}'), *STOP] == staged(
        called("New"), ToolInputDelta("{x:1}"), *STOP
    )


def test_free_text_passes_as_it_comes() -> None:
    pieces = [ToolInputDelta("*** Begin"), ToolInputDelta(" Patch")]
    assert [called("Patch"), *pieces, *STOP] == staged(called("Patch"), *pieces, *STOP)


@pytest.mark.parametrize("reason", [StopReason.MAX_TOKENS, StopReason.CONTEXT_WINDOW])
def test_half_a_command_never_runs(reason: StopReason) -> None:
    made = stage()
    cut: list[StreamEvent] = [ToolInputDelta('{"a":1,"b":"rm x"'), BlockStop(1), MessageStop(reason)]

    assert [called(), *cut] == staged(called(), *cut, by=made)
    assert repairs_of([made]) == ()


def test_brackets_are_closed_when_the_model_went_on() -> None:
    more: list[StreamEvent] = [BlockStart(2, Text("")), BlockStop(2), MessageStop(StopReason.TOOL_USE)]
    usage = UsageUpdate(Usage(output=5))
    got = staged(called(), ToolInputDelta('{"a":1,"b":"x"'), BlockStop(1), usage, *more)

    assert [called(), usage, ToolInputDelta('{"a":1,"b":"x"}'), BlockStop(1), *more] == got


def test_input_of_a_failed_reply_is_not_lost() -> None:
    assert [called(), ToolInputDelta('{"a'), FAILED] == staged(called(), ToolInputDelta('{"a'), FAILED)
    ended: list[StreamEvent] = [ToolInputDelta('{"a":1,"b":"x"'), BlockStop(1), FAILED]
    assert [called(), *ended] == staged(called(), *ended)


def test_usage_passes_while_a_call_is_held() -> None:
    usage = UsageUpdate(Usage(output=5))
    assert [called(), usage, ToolInputDelta("{}"), *STOP] == staged(called(), usage, *STOP)


def test_an_endless_input_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccr.adapters.transformers.enhancetool._MOST_HELD", 5)
    got = staged(called(), ToolInputDelta('{"a":'), ToolInputDelta("1,"), ToolInputDelta("}"), *STOP)

    assert [called(), ToolInputDelta('{"a":1,'), ToolInputDelta("}"), *STOP] == got


def test_it_does_nothing_at_anthropic_itself() -> None:
    there = evolve(destination(), is_anthropic=True, dialect="anthropic")

    assert EnhanceTool().stage_for(ASKED, there) is None
    assert Pipeline.of([EnhanceTool()], there) == IDENTITY
    assert not Pipeline.of([EnhanceTool()], destination()).is_identity


FITTING = st.fixed_dictionaries(
    {"a": st.integers(-(2**53), 2**53)},
    optional={
        "b": st.text(max_size=20),
        "other": st.none() | st.floats(allow_nan=False) | st.lists(st.text(max_size=3)),
    },
)


@given(FITTING, st.booleans(), st.data())
def test_what_fits_goes_out_byte_for_byte(value: dict[str, Any], indent: bool, data: st.DataObject) -> None:
    raw = msgspec.json.encode(value)
    text = (msgspec.json.format(raw, indent=3) if indent else raw).decode()
    at = data.draw(st.integers(0, len(text)))
    made = stage()
    got = staged(called(), ToolInputDelta(text[:at]), ToolInputDelta(text[at:]), *STOP, by=made)

    assert "".join(event.text for event in got if isinstance(event, ToolInputDelta)) == text
    assert repairs_of([made]) == ()


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("arguments,text", [("{'a': 1}", '{"a":1}'), ("nonsense", "nonsense")])
def test_a_lenient_decoder_leaves_broken_input_to_it(streamed: bool, arguments: str, text: str) -> None:
    call = {"index": 0, "id": "c", "function": {"name": "Read", "arguments": arguments}}
    end = {"id": "i", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    whole = {"tool_calls": [call]}
    if streamed:
        chunks = [{"id": "i", "model": "m", "choices": [{"index": 0, "delta": whole}]}, end]
        data = b"".join(b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks)
    else:
        choice = {"index": 0, "message": {"content": None, **whole}, "finish_reason": "tool_calls"}
        data = msgspec.json.encode({"id": "i", "model": "m", "choices": [choice]})

    def decoded(*, lenient: bool) -> list[StreamEvent]:
        decoder = ChatStreamDecoder(SseFramer())
        if lenient:
            decoder.be_lenient()
        return [*decoder.feed(data), *decoder.close()]

    assert isinstance(decoded(lenient=False)[-1], StreamFailed)
    made = stage()
    got = list(made.feed(decoded(lenient=True)))
    StreamGrammar().check(got)
    assert "".join(event.text for event in got if isinstance(event, ToolInputDelta)) == text
    assert got[-1] == MessageStop(StopReason.TOOL_USE)
    assert bool(repairs_of([made])) == (text != arguments)
