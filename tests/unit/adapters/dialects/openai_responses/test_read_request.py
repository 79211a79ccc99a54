from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ccr.adapters.dialects.openai_responses import ResponsesClient
from ccr.adapters.dialects.openai_responses.echo import Echo
from ccr.adapters.dialects.openai_responses.seals import read_seal, rebuilt, write_seal
from ccr.adapters.wire.call_seals import carried
from ccr.adapters.wire.envelope import wrap
from ccr.domain.conversation import (
    Citation,
    Document,
    Effort,
    FileRef,
    FreeformTool,
    FunctionTool,
    HostedTool,
    Image,
    Inline,
    Opaque,
    OutputFormat,
    Reasoning,
    ReasoningMode,
    Role,
    Sampling,
    SearchOptions,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolMode,
    ToolResult,
    Turn,
    Url,
)
from ccr.domain.conversation.texts import texts_of
from ccr.domain.errors import InvalidRequestError
from ccr.domain.provenance import Origin, Seal
from ccr.domain.verbatim import Json
from tests.support.responses import call, conversation, request

USER = {"role": "user", "content": "hi"}
CALL = {"type": "function_call", "call_id": "c", "name": "Read", "arguments": '{"a":1}'}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "ok"}


def turns(*items: object) -> tuple[Turn, ...]:
    return conversation(*items).turns


def refused(**fields: object) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as raised:
        ResponsesClient().read(request(None, **fields)).conversation()
    return raised.value


# --------------------------------------------------------------------------------------------------- turns


def test_a_string_is_one_turn() -> None:
    asked = ResponsesClient().read(request(input="hi", instructions="be kind")).conversation()

    assert asked.turns == (Turn(Role.USER, (Text("hi"),)),)
    assert asked.system == (Text("be kind"),)


def test_items_of_one_side_are_one_turn() -> None:
    found = turns(
        USER,
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gA=="},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A"}]},
        CALL,
        {**CALL, "call_id": "d", "arguments": ""},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "B"}]},
        OUTPUT,
        {**OUTPUT, "call_id": "d", "output": [{"type": "input_text", "text": "x"}]},
    )

    assert [turn.role for turn in found] == [Role.USER, Role.ASSISTANT, Role.USER]
    thinking, text, first, second = found[1].blocks
    assert isinstance(thinking, Thinking)
    assert thinking.seal is not None
    assert text == Text("A")
    assert first == ToolCall("c", "Read", Json(b'{"a":1}'))
    assert second == ToolCall("d", "Read", Json(b"{}"))
    # Results first: they answer what came last.
    assert found[2].blocks == (
        ToolResult("c", (Text("ok"),), plain=True),
        ToolResult("d", (Text("x"),)),
        Text("B"),
    )
    assert found[0].source is not None


def test_what_the_system_says_first_is_the_systems_and_later_its_own_turn() -> None:
    asked = conversation(
        {"role": "developer", "content": "one"},
        {"role": "system", "content": [{"type": "input_text", "text": "two"}]},
        USER,
        {"role": "developer", "content": "three"},
        {"role": "developer", "content": "four"},
        instructions="zero",
    )

    assert asked.system == (Text("zero"), Text("one"), Text("two"))
    assert [turn.role for turn in asked.turns] == [Role.USER, Role.SYSTEM, Role.SYSTEM]
    only = conversation({"role": "developer", "content": "one"})
    assert (only.system, only.turns) == ((Text("one"),), ())


def test_a_picture_from_the_system_stays_where_it_is() -> None:
    picture = {"type": "input_image", "image_url": "https://a"}
    asked = conversation({"role": "developer", "content": [picture]}, USER)

    assert asked.system == ()
    assert asked.turns[0] == Turn(Role.SYSTEM, (Image(Url("https://a")),))


def test_reasoning_of_our_own_comes_back_as_it_was() -> None:
    item = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "One"}, {"type": "summary_text", "text": "Two"}],
        "encrypted_content": "gA==",
    }
    (block,) = turns(item)[0].blocks

    assert isinstance(block, Thinking)
    assert block.seal is not None
    assert block.text == "One\n\nTwo"
    assert block.seal.origin == Origin("openai_responses")
    assert rebuilt(block.seal) == item


def test_reasoning_of_others_comes_back_with_their_seal() -> None:
    seal = Seal(Origin("gemini", "g", "m"), "signature", "s")
    own = {"type": "reasoning", "id": "rs_ccr_1", "summary": [], "encrypted_content": wrap(seal)}
    unsealed = {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": write_seal(None),
    }

    assert turns(own)[0].blocks == (Thinking("", seal),)
    assert turns(unsealed)[0].blocks == (Thinking("hm"),)
    assert turns({"type": "reasoning", "summary": []}, CALL)[0].blocks == (
        ToolCall("c", "Read", Json(b'{"a":1}')),
    )
    assert turns({"type": "reasoning", "summary": []}) == ()


def test_the_id_of_an_item_that_we_named_is_forgotten() -> None:
    seal = read_seal("rs_ccr_1", [], [], "gA==")

    assert seal is not None
    assert rebuilt(seal) == {"type": "reasoning", "summary": [], "encrypted_content": "gA=="}


def test_the_seal_of_a_call_is_the_calls_again() -> None:
    seal = Seal(Origin("gemini", "g", "m"), "signature", "s")
    carrier = {"type": "reasoning", "summary": [], "encrypted_content": wrap(carried("c", seal))}
    lost = {"type": "reasoning", "summary": [], "encrypted_content": wrap(carried("gone", seal))}

    assert turns(lost, carrier, CALL)[0].blocks == (ToolCall("c", "Read", Json(b'{"a":1}'), seal=seal),)


def test_freeform_calls_and_tools_in_namespaces() -> None:
    found = turns(
        {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": "*** Begin"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "done"},
        {**CALL, "namespace": "mcp__docs__", "name": "find", "call_id": "d"},
    )

    assert found[0].blocks == (ToolCall("c", "apply_patch", "*** Begin"),)
    assert found[1].blocks == (ToolResult("c", (Text("done"),), plain=True),)
    assert found[2].blocks == (ToolCall("d", "mcp__docs__find", Json(b'{"a":1}')),)


def test_arguments_that_a_model_broke_are_an_object_again() -> None:
    ((mended,), (kept,)) = (turns({**CALL, "arguments": text})[0].blocks for text in ('{"a":1,}', "half {"))

    assert isinstance(mended, ToolCall)
    assert isinstance(kept, ToolCall)
    assert mended.input == Json(b'{"a":1}')
    assert kept.input == Json(b'{"arguments":"half {"}')


def test_pictures_and_files() -> None:
    content = [
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
        {"type": "input_image", "file_id": "file-1"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BBBB"},
        {"type": "input_file", "file_data": "CCCC"},
        {"type": "input_file", "file_url": "https://a"},
        {"type": "input_file", "file_id": "file-2"},
        {"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,aGk="},
        {"type": "input_file", "file_data": "data:text/plain;base64,/w=="},
        {"type": "input_file", "file_data": "data:text/plain,hi"},
        {"type": "input_audio", "input_audio": {}},
    ]
    (turn,) = turns({"role": "user", "content": content})

    assert turn.blocks[:-1] == (
        Image(Inline("image/png", "AAAA")),
        Image(FileRef("file-1", "openai_responses")),
        Document(Inline("application/pdf", "BBBB"), "a.pdf"),
        Document(Inline("application/pdf", "CCCC")),
        Document(Url("https://a")),
        Document(FileRef("file-2", "openai_responses")),
        Document(Inline("text/plain", "hi", "text"), "a.txt"),
        Document(Inline("text/plain", "/w==")),
        Document(Inline("text/plain", "hi", "text")),
    )
    audio = turn.blocks[-1]
    assert isinstance(audio, Opaque)
    assert audio.kind == "input_audio"


def test_what_the_model_said_keeps_its_citations() -> None:
    cited = {"type": "url_citation", "url": "https://a", "title": "A", "start_index": 0, "end_index": 1}
    content = [
        {"type": "output_text", "text": "A", "annotations": [cited, 3]},
        {"type": "refusal", "refusal": "No"},
    ]
    (turn,) = turns({"role": "assistant", "content": content})

    text, refusal = turn.blocks
    assert isinstance(text, Text)
    assert [(one.url, one.start, one.end) for one in text.citations] == [("https://a", 0, 1)]
    assert isinstance(text.citations[0], Citation)
    assert refusal == Text("No")


@pytest.mark.parametrize(
    "item, role",
    [
        ({"type": "web_search_call", "id": "ws_1", "status": "completed"}, Role.ASSISTANT),
        ({"type": "local_shell_call", "id": "l", "call_id": "c"}, Role.ASSISTANT),
        ({"type": "local_shell_call_output", "id": "l", "output": "x"}, Role.USER),
        ({"type": "tool_search_output", "tools": []}, Role.ASSISTANT),
        ({"type": "mcp_approval_response", "approve": True}, Role.USER),
        ({"type": "compaction", "encrypted_content": 3}, Role.ASSISTANT),
    ],
)
def test_other_items_are_carried_whole(item: dict[str, Any], role: Role) -> None:
    (turn,) = turns(item)
    (block,) = turn.blocks

    assert turn.role is role
    assert isinstance(block, Opaque)
    assert (block.dialect, block.kind) == ("openai_responses", item["type"])
    assert msgspec.json.decode(block.data.data) == item


# ------------------------------------------------------------------------------------------------ settings


def test_settings() -> None:
    schema = {"type": "object"}
    asked = conversation(
        USER,
        temperature=0.5,
        top_p=0.9,
        max_output_tokens=100,
        reasoning={"effort": "high", "summary": "auto"},
        text={
            "verbosity": "low",
            "format": {"type": "json_schema", "name": "n", "schema": schema, "strict": True},
        },
        parallel_tool_calls=False,
        prompt_cache_key="k",
        metadata={"a": "b"},
        user="u",
        safety_identifier="s",
        service_tier="flex",
        stream=True,
        store=True,
        truncation="auto",
        include=["x"],
    )

    assert asked.sampling == Sampling(0.5, 0.9)
    assert asked.max_tokens == 100
    assert asked.reasoning == Reasoning(ReasoningMode.ON, Effort.HIGH, visible=True)
    assert asked.output_format == OutputFormat(Json(b'{"type":"object"}'), "n", strict=True)
    assert asked.tool_choice == ToolChoice(parallel=False)
    assert (asked.cache_key, asked.user, asked.service_tier, asked.stream) == ("k", "s", "flex", True)
    assert asked.metadata == Json(b'{"a":"b"}')
    assert asked.dialect == "openai_responses"
    extra = {name: msgspec.json.decode(data.data) for name, data in asked.extra}
    assert extra["truncation"] == "auto"
    assert extra["text"]["verbosity"] == "low"
    assert set(extra) == {"truncation", "include", "text", "reasoning", "user"}


def test_settings_that_are_null_are_none() -> None:
    asked = conversation(
        USER,
        temperature=None,
        reasoning=None,
        text=None,
        tools=None,
        tool_choice=None,
        metadata=None,
        background=None,
    )

    assert asked == conversation(USER)


@pytest.mark.parametrize(
    "said, meant",
    [
        ({"effort": "none"}, Reasoning(ReasoningMode.OFF, visible=False)),
        ({"effort": "minimal"}, Reasoning(ReasoningMode.ON, Effort.MINIMAL, visible=False)),
        (
            {"effort": "xhigh", "generate_summary": "auto"},
            Reasoning(ReasoningMode.ON, Effort.XHIGH, visible=True),
        ),
        ({"summary": "auto"}, Reasoning(visible=True)),
        ({"effort": "of a later day"}, Reasoning(visible=False)),
    ],
)
def test_reasoning(said: object, meant: Reasoning) -> None:
    assert conversation(USER, reasoning=said).reasoning == meant


@pytest.mark.parametrize(
    "said, meant",
    [
        ({"format": {"type": "json_object"}}, OutputFormat()),
        ({"format": {"type": "json_schema", "schema": {}}}, OutputFormat(Json(b"{}"))),
        ({"format": {"type": "text"}}, None),
        ({"verbosity": "low"}, None),
    ],
)
def test_formats(said: object, meant: OutputFormat | None) -> None:
    assert conversation(USER, text=said).output_format == meant


# --------------------------------------------------------------------------------------------------- tools


def test_tools() -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": "x"}
    search = {
        "type": "web_search_preview",
        "filters": {"allowed_domains": ["a.com"], "excluded_domains": ["b.com"]},
        "user_location": {"type": "approximate", "city": "Rome"},
    }
    tools = [
        {
            "type": "function",
            "name": "Read",
            "description": "d",
            "parameters": {"type": "object"},
            "strict": True,
        },
        {"type": "function", "name": "Bare", "parameters": None, "defer_loading": True},
        {"type": "custom", "name": "apply_patch", "description": "p", "format": grammar},
        {"type": "custom", "name": "free"},
        search,
        {"type": "web_search"},
        {"type": "local_shell"},
        {
            "type": "namespace",
            "name": "mcp__docs__",
            "description": "",
            "tools": [{"type": "function", "name": "find"}, {"type": "custom", "name": "say"}],
        },
        {"type": "namespace", "name": "empty"},
    ]
    found = conversation(USER, tools=tools).tools

    assert found[0] == FunctionTool("Read", "d", Json(b'{"type":"object"}'), strict=True)
    assert found[1] == FunctionTool("Bare", deferred=True)
    assert found[2] == FreeformTool("apply_patch", "p", Json(msgspec.json.encode(grammar)))
    assert found[3] == FreeformTool("free")
    assert found[4] == HostedTool(
        "web_search",
        "web_search",
        "openai_responses",
        Json(msgspec.json.encode(search)),
        SearchOptions(None, ("a.com",), ("b.com",), Json(b'{"type":"approximate","city":"Rome"}')),
    )
    assert found[5] == HostedTool(
        "web_search", "web_search", "openai_responses", Json(b'{"type":"web_search"}'), SearchOptions()
    )
    assert found[6] == HostedTool(
        "local_shell", "local_shell", "openai_responses", Json(b'{"type":"local_shell"}')
    )
    assert found[7:] == (FunctionTool("mcp__docs__find"), FreeformTool("mcp__docs__say"))


@pytest.mark.parametrize(
    "said, meant, more",
    [
        ("auto", ToolChoice(), False),
        ("required", ToolChoice(ToolMode.REQUIRED), False),
        ("none", ToolChoice(ToolMode.NONE), False),
        ({"type": "function", "name": "Read"}, ToolChoice(ToolMode.NAMED, "Read"), False),
        ({"type": "custom", "name": "Read"}, ToolChoice(ToolMode.NAMED, "Read"), False),
        ({"type": "allowed_tools", "mode": "required", "tools": []}, ToolChoice(ToolMode.REQUIRED), True),
        ({"type": "web_search_preview"}, ToolChoice(ToolMode.NAMED, "web_search"), True),
        ({"type": "file_search"}, ToolChoice(), True),
    ],
)
def test_choices(said: object, meant: ToolChoice, more: bool) -> None:
    asked = conversation(USER, tool_choice=said)

    assert asked.tool_choice == meant
    assert ("tool_choice" in dict(asked.extra)) is more


# -------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "fields, param",
    [
        ({"model": " "}, "model"),
        ({"model": 3}, "model"),
        ({"input": None}, "input"),
        ({"input": 3}, "input"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": {"id": "c"}}, "conversation"),
        ({"background": True}, "background"),
        ({"temperature": "x"}, "temperature"),
        ({"tool_choice": "always"}, "tool_choice"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.name"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.schema"),
        ({"tools": [{"name": "x"}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [{"type": "function", "name": "x", "parameters": 3}]}, "tools[0].parameters"),
        ({"tools": [{"type": "namespace"}]}, "tools[0].name"),
        (
            {"tools": [{"type": "namespace", "name": "n", "tools": [{"type": "custom"}]}]},
            "tools[0].tools[0].name",
        ),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0].type"),
        ({"input": [{"id": "x"}]}, "input[0].type"),
        ({"input": [{"type": ""}]}, "input[0].type"),
        ({"input": [{}]}, "input[0].type"),
        ({"input": [{"role": "tool", "content": "x"}]}, "input[0].role"),
        ({"input": [{"type": "message", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": 3}]}, "input[0].content"),
        ({"input": [USER, {"role": "user", "content": [{"type": "x"}]}]}, "input[1].content[0].type"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image"}]}]},
            "input[0].content[0].image_url",
        ),
        ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "input[0].content[0].file_data"),
        ({"input": [{"type": "function_call", "call_id": "c"}]}, "input[0].name"),
        ({"input": [{"type": "function_call", "name": "c"}]}, "input[0].call_id"),
        ({"input": [{"type": "function_call_output", "output": "c"}]}, "input[0].call_id"),
        ({"input": [{"type": "function_call_output", "call_id": "c"}]}, "input[0].output"),
        ({"input": [{"type": "function_call", "call_id": 3}]}, "input[0].call_id"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, object], param: str) -> None:
    assert refused(**fields).param == param


def test_state_that_we_do_not_keep_is_explained() -> None:
    assert "send the whole conversation, with store false" in refused(previous_response_id="r").message
    assert "store false" in refused(input=[{"type": "item_reference", "id": "x"}]).message


def test_a_body_that_is_none() -> None:
    for body in (b"", b"[]", b'{"input":"x"}', b'{"model":"m"}'):
        with pytest.raises(InvalidRequestError):
            ResponsesClient().read(call(body))


# ---------------------------------------------------------------------------------------------- the rest


def test_a_conversation_is_built_once_from_items_that_are_remembered() -> None:
    seen: list[bytes] = []

    def read(raw: bytes) -> Turn:
        seen.append(raw)
        return Turn(Role.USER, (Text("memo"),))

    client = ResponsesClient(read, lambda _raw: (FreeformTool("t"),))
    parsed = client.read(request(input=[USER], tools=[{"type": "x"}]))

    assert parsed.conversation() is parsed.conversation()
    assert parsed.conversation().turns == (client.read_turn(b"x"),)
    assert parsed.conversation().tools == (FreeformTool("t"),)
    assert len(seen) == 2
    assert texts_of(parsed.conversation()) == [b"memo", b"t  "]


def test_foreign_state_is_seen_by_its_mark() -> None:
    plain = ResponsesClient().read(request(input=[USER]))
    item = {"type": "reasoning", "summary": [], "encrypted_content": write_seal(None)}
    marked = ResponsesClient().read(request(input=[USER, item]))

    assert (plain.foreign, plain.plain) == (False, True)
    assert (marked.foreign, marked.plain) == (True, False)


def test_another_model_changes_nothing_else() -> None:
    parsed = ResponsesClient().read(call(b'{"input":"x", "model" : "a","b":1}'))

    assert parsed.retarget("c") == b'{"input":"x", "model" : "c","b":1}'


def test_small_settings_are_kept_for_the_reply() -> None:
    tools = [
        {"type": "custom", "name": "apply_patch"},
        {"type": "function", "name": "Read"},
        {"type": "namespace", "name": "mcp__d", "tools": [{"type": "custom", "name": "say"}]},
    ]
    echo = ResponsesClient().read(request(instructions="I", tools=tools, temperature=1, user=None)).echo

    assert isinstance(echo, Echo)
    assert set(echo.settings) == {"instructions", "tools", "temperature"}
    assert echo.freeform == {"apply_patch", "mcp__d__say"}
    assert echo.namespaces == {"mcp__d__say": ("mcp__d", "say")}


def test_large_settings_are_not() -> None:
    echo = (
        ResponsesClient().read(request(instructions="x" * 5000, tools=[{"type": "custom", "name": "t"}])).echo
    )

    assert isinstance(echo, Echo)
    assert set(echo.settings) == set()
    assert echo.freeform == {"t"}
    assert ResponsesClient().read(request(tools=None)).echo == Echo()


def test_tools_that_cannot_be_read_are_nobodys() -> None:
    tools = [{"type": "namespace"}]

    assert ResponsesClient().read(request(tools=tools)).echo == Echo({"tools": msgspec.json.encode(tools)})
