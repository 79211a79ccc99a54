from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ccr.adapters.dialects.openai_chat.messages import turn_messages
from ccr.adapters.dialects.openai_chat.parts import Losses
from ccr.adapters.wire import json
from ccr.adapters.wire.system_turns import fold_system
from ccr.domain.conversation import (
    CacheMark,
    ContentBlock,
    Document,
    FileRef,
    Image,
    Inline,
    Opaque,
    Role,
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
    ToolReference,
    ToolResult,
    Turn,
    Url,
)
from ccr.domain.models import ModelProfile
from ccr.domain.verbatim import Json

PLAIN = ModelProfile()
PNG = Image(Inline("image/png", "AAAA"))
PNG_PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
PDF = Document(Inline("application/pdf", "QUJD"), "a.pdf")
MARK = {"cache_control": {"type": "ephemeral"}}


def messages(
    role: Role, *blocks: ContentBlock, profile: ModelProfile = PLAIN
) -> tuple[list[dict[str, Any]], list[str]]:
    losses: Losses = {}
    made = turn_messages(Turn(role, blocks), profile, losses)
    return msgspec.json.decode(json.encode(made)), list(map(str, losses))


def user(*blocks: ContentBlock, profile: ModelProfile = PLAIN) -> tuple[list[dict[str, Any]], list[str]]:
    return messages(Role.USER, *blocks, profile=profile)


def assistant(*blocks: ContentBlock, profile: ModelProfile = PLAIN) -> tuple[list[dict[str, Any]], list[str]]:
    return messages(Role.ASSISTANT, *blocks, profile=profile)


def result(*content: Any, **fields: Any) -> dict[str, Any]:
    return user(ToolResult("t", content, **fields))[0][0]


# ----------------------------------------------------------------------------------------------------- user


def test_a_result_without_text_says_so() -> None:
    assert result() == {"role": "tool", "tool_call_id": "t", "content": "(no output)"}
    assert result(is_error=True)["content"] == "[tool error] (no output)"


def test_texts_of_a_result_are_joined() -> None:
    assert result(Text("A"), Text(""), Text("B"))["content"] == "A\nB"


def test_a_reference_becomes_text() -> None:
    assert result(ToolReference("Grep"))["content"] == "Tool available: Grep"


def test_pictures_of_results_are_lifted_into_the_next_message() -> None:
    made, losses = user(ToolResult("t1", (Text("A"), PNG)), ToolResult("t2", (PNG,)), Text("and?"))
    expected = [
        {"role": "tool", "tool_call_id": "t1", "content": "A\n[see the attachment in the next message]"},
        {"role": "tool", "tool_call_id": "t2", "content": "[see the attachment in the next message]"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "[attachment of tool result t1]"},
                PNG_PART,
                {"type": "text", "text": "[attachment of tool result t2]"},
                PNG_PART,
                {"type": "text", "text": "and?"},
            ],
        },
    ]
    assert (expected, []) == (made, losses)


def test_documents_of_results_where_they_are_understood() -> None:
    made, _ = user(ToolResult("t1", (PDF,)), profile=ModelProfile(documents=True))
    part = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}}
    assert part == made[1]["content"][1]


@pytest.mark.parametrize(
    "block, text, loss",
    [
        (PDF, "[document 'a.pdf' left out: this model cannot read it]", "document=as text"),
        (
            Document(Url("http://x/a")),
            "[document 'document' left out: this model cannot read it; it is at http://x/a]",
            "document=as text",
        ),
        (Image(FileRef("f")), "[image left out: it is a file kept by another provider]", "image=as text"),
    ],
)
def test_what_cannot_be_sent_becomes_a_note(block: ContentBlock, text: str, loss: str) -> None:
    assert ([{"role": "user", "content": text}], [loss]) == user(block)


def test_documents_of_text_are_text() -> None:
    made, losses = user(Document(Inline("text/plain", "body", "text"), "T", "context"))
    assert (made, losses) == ([{"role": "user", "content": "T:\ncontext\nbody"}], [])
    assert user(Document(Inline("text/plain", "body", "text")))[0][0]["content"] == "document:\nbody"


def test_models_that_cannot_see() -> None:
    made, losses = user(Text("look"), PNG, profile=ModelProfile(images=False))
    text = "look\n\n[image left out: this model cannot see images]"
    assert ([{"role": "user", "content": text}], ["image=as text"]) == (made, losses)


def test_pictures_at_an_address() -> None:
    made, _ = user(Image(Url("http://x/a.png")))
    assert made[0]["content"] == [{"type": "image_url", "image_url": {"url": "http://x/a.png"}}]


def test_search_results_become_text_with_their_source() -> None:
    data = (
        b'{"type":"search_result","source":"http://s","title":"T","content":[{"type":"text","text":"A"},5]}'
    )
    assert user(Opaque("anthropic", "search_result", Json(data)))[0][0]["content"] == "T (http://s)\nA"
    assert user(Opaque("anthropic", "search_result", Json(b"[]")))[0][0]["content"] == " ()"


def test_unknown_blocks_are_told_as_losses() -> None:
    note = "[tool_addition left out: this model cannot be given it]"
    told = [{"role": "user", "content": note}]
    assert user(Opaque("anthropic", "tool_addition", Json(b"{}"))) == (told, ["tool_addition=dropped"])


def test_what_only_an_assistant_says_is_a_loss_where_a_user_says_it() -> None:
    assert user(ServerToolCall("s", "bash")) == ([], ["server_tool=dropped"])


def test_cache_marks_where_they_are_understood() -> None:
    marked = ModelProfile(cache_marks=True)
    blocks = (ToolResult("t", (Text("A"),), cache=CacheMark()), Text("B", CacheMark("1h")), Text("C"))
    made, _ = user(*blocks, profile=marked)
    assert made[0]["content"] == [{"type": "text", "text": "A", **MARK}]
    expected = [
        {"type": "text", "text": "B", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": "C"},
    ]
    assert expected == made[1]["content"]
    assert [message["content"] for message in user(*blocks)[0]] == ["A", "B\n\nC"]


# ------------------------------------------------------------------------------------------------ assistant


def test_a_call_without_text() -> None:
    made, _ = assistant(ToolCall("t", "Read", ""))
    call = {"id": "t", "type": "function", "function": {"name": "Read", "arguments": "{}"}}
    assert [{"role": "assistant", "content": None, "tool_calls": [call]}] == made


def test_long_names_and_ids_are_shortened_alike_everywhere() -> None:
    name, call_id = "mcp__" + "x" * 80, "toolu_" + "y" * 80
    call = assistant(ToolCall(call_id, name))[0][0]["tool_calls"][0]
    answer = user(ToolResult(call_id, (ToolReference(name),)))[0][0]
    assert len(call["function"]["name"]) == 64
    assert call["id"] == answer["tool_call_id"]
    assert f"Tool available: {call['function']['name']}" == answer["content"]


def test_the_name_of_moonshots_own_search_stays() -> None:
    assert assistant(ToolCall("t", "$web_search"))[0][0]["tool_calls"][0]["function"]["name"] == "$web_search"


def test_a_turn_of_which_nothing_is_left_is_no_message() -> None:
    blocks = (Thinking("hm"), ServerToolCall("s", "web_search"), ServerToolResult("s", "k", Json(b"{}")))
    assert assistant(*blocks) == ([], ["thinking=dropped", "server_tool=dropped"])


def test_reasoning_is_given_back_in_its_field() -> None:
    profile = ModelProfile(reasoning_field="reasoning_content")
    made, losses = assistant(Thinking("a"), Thinking("b"), Text("A"), profile=profile)
    assert made == [{"role": "assistant", "content": "A", "reasoning_content": "a\nb"}]
    assert losses == []
    assert assistant(Thinking(""), Text("A"), profile=profile)[1] == ["thinking=dropped"]


def test_reasoning_that_is_required_and_missing() -> None:
    profile = ModelProfile(reasoning_field="reasoning_content", reasoning_required=True)
    call = ToolCall("t", "Read")
    assert assistant(call, profile=profile)[0][0]["reasoning_content"] == " "
    assert "reasoning_content" not in assistant(Text("A"), profile=profile)[0][0]


def test_cache_marks_of_the_assistant() -> None:
    made, _ = assistant(Text("A", CacheMark()), profile=ModelProfile(cache_marks=True))
    assert made[0]["content"] == [{"type": "text", "text": "A", **MARK}]


def test_mistrals_reasoning_stands_in_the_content() -> None:
    profile = ModelProfile(reasoning_parts=True, cache_marks=True)
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    made, losses = assistant(Thinking("hm"), Text("A"), profile=profile)
    assert made == [{"role": "assistant", "content": [thought, {"type": "text", "text": "A"}]}]
    assert losses == []
    alone, _ = assistant(Thinking("hm"), ToolCall("t", "f"), profile=profile)
    assert alone[0]["content"] == [thought]
    marked, _ = assistant(Thinking("hm"), Text("A", CacheMark()), profile=profile)
    assert marked[0]["content"] == [thought, {"type": "text", "text": "A", **MARK}]


def test_free_text_is_given_back_as_the_one_parameter_that_was_offered() -> None:
    call = assistant(ToolCall("t", "patch", '+"a"'))[0][0]["tool_calls"][0]
    assert json.decode(call["function"]["arguments"].encode()) == {"input": '+"a"'}


@pytest.mark.parametrize("given", ["toolu_01A09q90qw90lq917835lq9", "short", "nine-char", "ninechär9", ""])
def test_ids_of_an_exact_length_are_alike_in_calls_and_results(given: str) -> None:
    profile = ModelProfile(call_id_length=9)
    call = assistant(ToolCall(given, "f"), profile=profile)[0][0]["tool_calls"][0]
    answer = user(ToolResult(given, (PNG,)), profile=profile)[0]
    assert len(call["id"]) == 9
    assert call["id"].isalnum()
    assert call["id"].isascii()
    assert answer[0]["tool_call_id"] == call["id"]
    assert call["id"] in answer[1]["content"][0]["text"]


def test_an_id_of_the_right_length_stays() -> None:
    profile = ModelProfile(call_id_length=9)
    assert assistant(ToolCall("aB3dE6gH9", "f"), profile=profile)[0][0]["tool_calls"][0]["id"] == "aB3dE6gH9"


def test_parts_of_its_own_dialect_go_back_as_they_came() -> None:
    audio = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    made, losses = user(Opaque("openai_chat", "input_audio", Json(json.encode(audio))), Text("?"))
    assert made[0]["content"] == [audio, {"type": "text", "text": "?"}]
    assert losses == []
    assert user(Opaque("gemini", "video", Json(b"{}")))[1] == ["video=dropped"]


# --------------------------------------------------------------------------------------------------- system


def test_system_between_turns_stays_where_it_is() -> None:
    made, losses = messages(Role.SYSTEM, Text("A"), Text("B"), PNG)
    assert (made, losses) == ([{"role": "system", "content": "A\n\nB"}], ["image=dropped"])
    assert messages(Role.SYSTEM)[0] == []


def test_system_between_turns_as_a_reminder() -> None:
    made, _ = messages(Role.SYSTEM, Text("A"), profile=ModelProfile(system_in_turns=False))
    assert made == [{"role": "user", "content": "<system-reminder>\nA\n</system-reminder>"}]


def turn(role: Role, *texts: str) -> Turn:
    return Turn(role, tuple(Text(text) for text in texts))


S, U, A = Role.SYSTEM, Role.USER, Role.ASSISTANT
NOTE = "<system-reminder>\ns\n</system-reminder>"


@pytest.mark.parametrize(
    "turns, folded",
    [
        ([(U, "u"), (S, "s"), (A, "a")], [(U, "u", NOTE), (A, "a")]),
        ([(S, "s"), (U, "u")], [(U, NOTE, "u")]),
        ([(A, "a"), (S, "s"), (A, "a")], [(A, "a"), (U, NOTE), (A, "a")]),
        ([(A, "a"), (S, "s")], [(A, "a"), (U, NOTE)]),
        ([(U, "u")], [(U, "u")]),
    ],
)
def test_system_folded_into_the_users_turns(turns: list[Any], folded: list[Any]) -> None:
    assert tuple(turn(*entry) for entry in folded) == fold_system(turn(*entry) for entry in turns)
