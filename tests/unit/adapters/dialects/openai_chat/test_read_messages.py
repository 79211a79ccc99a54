from __future__ import annotations

import json
from typing import Any

import pytest

from ccr.adapters.dialects.openai_chat.read_messages import read_turn
from ccr.domain.conversation import (
    CacheMark,
    ContentBlock,
    Document,
    Image,
    Inline,
    Opaque,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
    Url,
)
from ccr.domain.errors import InvalidRequestError
from ccr.domain.provenance import Origin, Seal
from ccr.domain.verbatim import Json, Verbatim
from tests.support.chat_calls import conversation

SIGNED = "ccr1.WyJnZW1pbmkiLCJnIiwiZ20iLCIiLCJzaWciXQ==.abc"
SEAL = Seal(Origin("gemini", "g", "gm"), "sig", "abc")


def turn(**message: object) -> Turn:
    return read_turn(json.dumps(message).encode())


def blocks(**message: object) -> tuple[ContentBlock, ...]:
    return turn(**message).blocks


def user(*parts: dict[str, Any]) -> tuple[ContentBlock, ...]:
    return blocks(role="user", content=list(parts))


def call(identity: str = "t", name: str = "f", arguments: object = "{}") -> dict[str, Any]:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


# --------------------------------------------------------------------------------------------------- user


def test_a_message_keeps_its_own_bytes() -> None:
    raw = b'{"role": "user", "content": "hi"}'
    assert read_turn(raw) == Turn(Role.USER, (Text("hi"),))
    assert read_turn(raw).source == Verbatim("openai_chat", raw)


def test_a_message_with_a_seal_of_ours_keeps_them_not() -> None:
    assert turn(role="tool", tool_call_id=f"t~{SIGNED}", content="R").source is None


def test_parts_of_a_user() -> None:
    made = user(
        {"type": "text", "text": "look", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": ""},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
        {"type": "image_url", "image_url": "https://x.example/a.png"},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}},
        {"type": "file", "file": {"file_data": "QUJD"}},
    )
    pdf = Inline("application/pdf", "QUJD")
    assert made == (
        Text("look", CacheMark()),
        Image(Inline("image/png", "AAAA")),
        Image(Url("https://x.example/a.png")),
        Document(pdf, "a.pdf"),
        Document(pdf),
    )
    marked = {"type": "image_url", "image_url": {"url": "http://x"}, "cache_control": {"ttl": "1h"}}
    assert user(marked) == (Image(Url("http://x"), CacheMark("1h")),)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "file", "file": {"file_data": "data:no-comma"}},
    ],
)
def test_parts_without_a_word_are_carried_whole(part: dict[str, Any]) -> None:
    (made,) = user(part)
    assert isinstance(made, Opaque)
    assert (made.dialect, made.kind, json.loads(made.data.data)) == ("openai_chat", part["type"], part)


# ----------------------------------------------------------------------------------------------- assistant


def test_an_assistants_message() -> None:
    made = blocks(
        role="assistant",
        content=[{"type": "text", "text": "A"}, {"type": "refusal", "refusal": "B"}],
        reasoning_content="hm",
        tool_calls=[call(arguments='{"a": 1}'), call("u", arguments="")],
    )
    assert made == (
        Thinking("hm"),
        Text("A"),
        Text("B"),
        ToolCall("t", "f", Json(b'{"a": 1}')),
        ToolCall("u", "f"),
    )


def test_an_assistant_who_says_nothing() -> None:
    assert blocks(role="assistant") == blocks(role="assistant", content=None) == ()
    assert blocks(role="assistant", content="") == ()
    assert blocks(role="assistant", content=[{"type": "refusal"}, {"type": "thinking"}]) == ()


def test_a_refusal_is_text_unless_the_text_is_there() -> None:
    assert blocks(role="assistant", content=None, refusal="no") == (Text("no"),)
    assert blocks(role="assistant", content="no", refusal="no") == (Text("no"),)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_by_either_name(field: str) -> None:
    assert blocks(role="assistant", content="A", **{field: "hm"}) == (Thinking("hm"), Text("A"))
    assert blocks(role="assistant", content="A", **{field: {"odd": 1}}) == (Text("A"),)


def test_mistrals_thinking_parts() -> None:
    part = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    assert blocks(role="assistant", content=[part, {"type": "text", "text": "A"}]) == (
        Thinking("hm"),
        Text("A"),
    )


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ('{"a":', {"arguments": '{"a":'}),
        ("[1]", {"arguments": "[1]"}),
        ('```json\n{"a": 1,}\n```', {"a": 1}),
    ],
)
def test_broken_arguments_of_long_ago_do_not_end_the_conversation(
    arguments: str, expected: dict[str, Any]
) -> None:
    (made,) = blocks(role="assistant", tool_calls=[call(arguments=arguments)])
    assert isinstance(made, ToolCall)
    assert isinstance(made.input, Json)
    assert json.loads(made.input.data) == expected


def test_arguments_as_an_object() -> None:
    assert blocks(role="assistant", tool_calls=[call(arguments={"a": 1})]) == (
        ToolCall("t", "f", Json(b'{"a":1}')),
    )


def test_a_custom_call_is_text() -> None:
    custom = {"id": "t", "type": "custom", "custom": {"name": "patch", "input": "+a"}}
    assert blocks(role="assistant", tool_calls=[custom]) == (ToolCall("t", "patch", "+a"),)


def test_the_seal_of_a_call_comes_back_in_its_id() -> None:
    assert blocks(role="assistant", tool_calls=[call(f"t~{SIGNED}")]) == (ToolCall("t", "f", seal=SEAL),)
    assert blocks(role="tool", tool_call_id=f"t~{SIGNED}", content="R") == (
        ToolResult("t", (Text("R"),), plain=True),
    )


# ---------------------------------------------------------------------------------------------------- tool


def test_results() -> None:
    assert blocks(role="tool", tool_call_id="t", content=None) == (ToolResult("t", plain=True),)
    parts = [{"type": "text", "text": "A"}, {"type": "thinking", "thinking": "no part of a result"}]
    assert blocks(role="tool", tool_call_id="t", content=parts) == (ToolResult("t", (Text("A"),)),)


def test_results_and_what_the_user_says_next_are_one_turn() -> None:
    made = conversation(
        messages=[
            {"role": "user", "content": "go"},
            {"role": "assistant", "tool_calls": [call("a"), call("b")]},
            {"role": "tool", "tool_call_id": "a", "content": "A"},
            {"role": "tool", "tool_call_id": "b", "content": "B"},
            {"role": "user", "content": "and?"},
            {"role": "user", "content": "well?"},
        ]
    ).turns
    results = (ToolResult("a", (Text("A"),), plain=True), ToolResult("b", (Text("B"),), plain=True))
    assert [turn.role for turn in made] == [Role.USER, Role.ASSISTANT, Role.USER, Role.USER]
    assert made[2].blocks == (*results, Text("and?"))
    assert made[0].source is not None


def test_the_functions_of_old_get_ids_of_their_own() -> None:
    def once(said: str) -> list[dict[str, Any]]:
        return [
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": said},
        ]

    messages = [{"role": "user", "content": "go"}, *once("A"), *once("B")]
    made = conversation(messages=messages, functions=[{"name": "f"}]).turns
    ids = [getattr(turn.blocks[0], "id", None) or getattr(turn.blocks[0], "call_id", None) for turn in made]
    assert ids == [None, "call_legacy_f_1", "call_legacy_f_1", "call_legacy_f_2", "call_legacy_f_2"]


def test_a_result_of_a_function_that_nobody_called_stays_what_it_is() -> None:
    made = conversation(
        messages=[{"role": "user", "content": "go"}, {"role": "function", "name": "f", "content": "A"}]
    )
    assert made.turns[1].blocks == (ToolResult("call_legacy_f", (Text("A"),), plain=True),)
    mixed = [
        {"role": "assistant", "content": "x", "function_call": {"name": "f", "arguments": ""}},
        {"role": "user", "content": "y"},
    ]
    assert conversation(messages=mixed).turns[0].blocks == (Text("x"), ToolCall("call_legacy_f_1", "f"))


# -------------------------------------------------------------------------------------------------- system


def test_the_system_before_all_others_and_between_them() -> None:
    made = conversation(
        messages=[
            {"role": "system", "content": "A"},
            {"role": "developer", "content": [{"type": "text", "text": "B"}]},
            {"role": "user", "content": "hi"},
            {"role": "system", "content": "C"},
            {"role": "system", "content": ""},
        ]
    )
    assert made.system == (Text("A"), Text("B"))
    assert made.turns[1:] == (Turn(Role.SYSTEM, (Text("C"),)),)


# ----------------------------------------------------------------------------------------------- complaints


@pytest.mark.parametrize(
    "message, path",
    [
        ({"role": "nobody", "content": "x"}, "role"),
        ({"role": "user"}, "content"),
        ({"role": "user", "content": 5}, "content"),
        ({"role": "user", "content": ["x"]}, "content[0]"),
        ({"role": "user", "content": [{"text": "x"}]}, "content[0].type"),
        ({"role": "user", "content": [{"type": "text", "text": 5}]}, "content[0].text"),
        ({"role": "user", "content": [{"type": "image_url"}]}, "content[0].image_url"),
        ({"role": "user", "content": [{"type": "image_url", "image_url": {}}]}, "content[0].image_url.url"),
        ({"role": "user", "content": [{"type": "file"}]}, "content[0].file"),
        ({"role": "tool", "content": "x"}, "tool_call_id"),
        ({"role": "function", "content": "x"}, "name"),
        ({"role": "assistant", "tool_calls": [{"type": "function"}]}, "tool_calls[0].id"),
        ({"role": "assistant", "tool_calls": [{"id": "t"}]}, "tool_calls[0].function"),
        ({"role": "assistant", "tool_calls": [call(name="")]}, "tool_calls[0].function.name"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(message: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read_turn(json.dumps(message).encode())
    assert caught.value.param == path
    with pytest.raises(InvalidRequestError) as caught:
        conversation(messages=[{"role": "user", "content": "x"}, message])
    assert caught.value.param == f"messages[1].{path}"
