from __future__ import annotations

from typing import Any

import msgspec
import pytest
from attrs import evolve

from ccr.adapters.dialects.openai_responses import ResponsesProvider
from ccr.adapters.dialects.openai_responses.seals import seal_of
from ccr.domain.conversation import (
    CacheMark,
    Conversation,
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
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
    ToolReference,
    ToolResult,
    Turn,
    Url,
)
from ccr.domain.models import ModelProfile, ReasoningStyle
from ccr.domain.provenance import Origin, Seal
from ccr.domain.stream import BlockStart, TextDelta
from ccr.domain.verbatim import Json
from tests.support.fake_responses import FakeResponses
from tests.support.loopback import Recorded
from tests.support.responses import conversation
from tests.support.scripts import by_turn
from tests.support.scripts import text as words

THINKS = ModelProfile(
    reasoning=ReasoningStyle.EFFORT,
    efforts=(Effort.LOW, Effort.MEDIUM, Effort.HIGH),
    sampling_with_reasoning=False,
    documents=True,
    web_search="openai",
)
PLAIN = ModelProfile()
USER = Turn(Role.USER, (Text("hi"),))
OWN = seal_of("rs_1", ["hm"], [], "gA==")
ITEM = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "hm"}],
    "encrypted_content": "gA==",
}
READ = FunctionTool("Read")
LONG = "mcp__a_server_with_a_very_long_name__and_a_tool_with_a_very_long_name_too"


def asked(*turns: Turn, **fields: Any) -> Conversation:
    return Conversation(**{"model": "gpt", "turns": turns or (USER,), **fields})


def sent(
    given: Conversation, profile: ModelProfile = THINKS, *, strict: bool = True
) -> tuple[dict[str, Any], list[str]]:
    encoded = ResponsesProvider().write_request(given, profile, is_anthropic=False)
    body = encoded.payload.encode()
    payload = msgspec.json.decode(body)
    if strict:
        fake = FakeResponses(
            by_turn(words("x")),
            key="",
            max_tokens=200_000,
            reasons=profile.reasoning is not ReasoningStyle.NONE,
        )
        fake.thoughts = {"gA==": "rs_1"}
        fake.demands_thoughts = False
        fake.check(Recorded("POST", "/v1/responses", {}, body, 0.0, payload))
    return payload, [str(loss) for loss in encoded.losses]


def items(*turns: Turn, profile: ModelProfile = THINKS, strict: bool = True, **fields: Any) -> list[Any]:
    found: list[Any] = sent(asked(*turns, **fields), profile, strict=strict)[0]["input"]
    return found


def answered(*blocks: Any) -> tuple[Turn, ...]:
    """Return a conversation in which the model did this, and every call was answered."""
    results = tuple(ToolResult(block.id, (Text("ok"),)) for block in blocks if isinstance(block, ToolCall))
    return (USER, Turn(Role.ASSISTANT, blocks), Turn(Role.USER, (*results, Text("go on"))))


# --------------------------------------------------------------------------------------------------- turns


def test_the_least_that_is_sent() -> None:
    assert sent(asked(), PLAIN) == (
        {
            "model": "gpt",
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
            "store": False,
        },
        [],
    )


def test_a_loop_of_tools() -> None:
    blocks = (Thinking("hm", OWN), Text("A"), Text("B"), Text(""), ToolCall("c", "Read", Json(b'{"a":1}')))

    assert items(*answered(*blocks)) == [
        {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        ITEM,
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "A"}, {"type": "output_text", "text": "B"}],
        },
        {"type": "function_call", "call_id": "c", "name": "Read", "arguments": '{"a":1}'},
        {"type": "function_call_output", "call_id": "c", "output": "ok"},
        {"role": "user", "content": [{"type": "input_text", "text": "go on"}]},
    ]


def test_reasoning_stays_before_what_it_led_to() -> None:
    second = evolve(ToolCall("d", "Read"))
    blocks = (Text("A"), Thinking("hm", OWN), Text("B"), Thinking("hm", OWN), ToolCall("c", "Read"), second)

    assert [item.get("type", "message") for item in items(*answered(*blocks))[1:-1]] == [
        "message",
        "reasoning",
        "message",
        "reasoning",
        "function_call",
        "function_call",
        "function_call_output",
        "function_call_output",
    ]


def test_reasoning_that_led_to_nothing_or_is_not_theirs_goes() -> None:
    cut = sent(asked(USER, Turn(Role.ASSISTANT, (Text("A"), Thinking("hm", OWN))), USER))
    foreign = sent(asked(*answered(Thinking("hm"), Text("A"))))
    other = Seal(Origin("openai_responses"), "of a later day", "x")
    odd = sent(asked(*answered(Thinking("hm", other), Text("A"))))

    for payload, losses in (cut, foreign, odd):
        assert [item.get("role") for item in payload["input"]] == ["user", "assistant", "user"]
        assert losses == ["thinking=dropped"]


def test_calls_and_results_are_paired() -> None:
    found = items(USER, Turn(Role.ASSISTANT, (ToolCall("c", "Read"),)), USER)

    assert found[2] == {
        "type": "function_call_output",
        "call_id": "c",
        "output": "[tool error] [interrupted]",
    }


def test_freeform_calls_have_items_of_their_own() -> None:
    found = items(*answered(ToolCall("c", "apply_patch", "*** Begin"), ToolCall("d", "Read")))

    assert found[1:5] == [
        {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": "*** Begin"},
        {"type": "function_call", "call_id": "d", "name": "Read", "arguments": "{}"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "ok"},
        {"type": "function_call_output", "call_id": "d", "output": "ok"},
    ]


def test_names_and_ids_that_are_too_long_are_shortened() -> None:
    call = ToolCall("x" * 80, LONG)
    found = items(*answered(call), tools=(FunctionTool(LONG),))

    assert len(found[1]["name"]) == 64
    assert len(found[1]["call_id"]) <= 64
    assert found[2]["call_id"] == found[1]["call_id"]


def test_names_are_restored_in_the_reply() -> None:
    tools: tuple[Tool, ...] = (FunctionTool(LONG), FreeformTool("a b"), READ)
    payload, _ = sent(asked(tools=tools))
    stage = ResponsesProvider().reply_stage(asked(tools=tools), THINKS)
    assert stage is not None
    events = [BlockStart(n, ToolCall("c", tool["name"])) for n, tool in enumerate(payload["tools"])]

    restored = stage.feed([*events, BlockStart(3, Text("")), TextDelta("x")])

    assert [
        event.block.name
        for event in restored[:3]
        if isinstance(event, BlockStart) and isinstance(event.block, ToolCall)
    ] == [LONG, "a b", "Read"]
    assert restored[3:] == [BlockStart(3, Text("")), TextDelta("x")]
    assert ResponsesProvider().reply_stage(asked(tools=(READ,)), THINKS) is None


def test_results_with_pictures_and_files() -> None:
    content = (
        Text("see"),
        Image(Inline("image/png", "AAAA")),
        Document(Inline("application/pdf", "BBBB"), "a.pdf"),
        ToolReference("Read"),
    )
    turns = (USER, Turn(Role.ASSISTANT, (ToolCall("c", "x"),)), Turn(Role.USER, (ToolResult("c", content),)))
    error = (*turns[:2], Turn(Role.USER, (ToolResult("c", content[1:2], is_error=True),)))

    assert items(*turns)[2]["output"] == [
        {"type": "input_text", "text": "see"},
        {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AAAA"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BBBB"},
        {"type": "input_text", "text": "Tool available: Read"},
    ]
    assert items(*error)[2]["output"][0] == {"type": "input_text", "text": "[tool error]"}


@pytest.mark.parametrize(
    "result, output",
    [
        (ToolResult("c"), "(no output)"),
        (ToolResult("c", (Text("a"), Text("b"))), "a\nb"),
        (ToolResult("c", (Text("bad"),), is_error=True), "[tool error] bad"),
    ],
)
def test_results_in_words(result: ToolResult, output: str) -> None:
    turns = (USER, Turn(Role.ASSISTANT, (ToolCall("c", "x"),)), Turn(Role.USER, (result,)))

    assert items(*turns)[2]["output"] == output


@pytest.mark.parametrize(
    "block, part, loss",
    [
        (Image(Url("https://a")), {"type": "input_image", "detail": "auto", "image_url": "https://a"}, None),
        (
            Image(FileRef("file-1", "openai_responses")),
            {"type": "input_image", "detail": "auto", "file_id": "file-1"},
            None,
        ),
        (
            Image(FileRef("file_1")),
            "[image left out: it is a file kept by another provider]",
            "image=as text",
        ),
        (Document(Inline("text/plain", "x", "text"), "t", "c"), "t:\nc\nx", None),
        (Document(Inline("text/plain", "x", "text")), "document:\nx", None),
        (
            Document(Inline("application/pdf", "AA")),
            {"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,AA"},
            None,
        ),
        (Document(Url("https://a")), {"type": "input_file", "file_url": "https://a"}, None),
        (Document(FileRef("file-1", "openai_responses")), {"type": "input_file", "file_id": "file-1"}, None),
        (
            Document(FileRef("file_1"), "t"),
            "[document 't' left out: this model cannot read it]",
            "document=as text",
        ),
        (
            Opaque(
                "anthropic",
                "search_result",
                Json(b'{"title":"T","source":"S","content":[{"type":"text","text":"x"},3]}'),
            ),
            "T (S)\nx",
            None,
        ),
        (Opaque("anthropic", "search_result", Json(b"{}")), " ()", None),
        (ToolReference("Read"), "Tool available: Read", None),
    ],
)
def test_what_a_user_sends(block: Any, part: object, loss: str | None) -> None:
    payload, losses = sent(asked(Turn(Role.USER, (block,))))
    wanted = {"type": "input_text", "text": part} if isinstance(part, str) else part

    assert payload["input"] == [{"role": "user", "content": [wanted]}]
    assert losses == ([loss] if loss else [])


def test_a_model_that_sees_nothing_is_told_so() -> None:
    blind = ModelProfile(images=False)
    url = Document(Url("https://a"), "t")
    payload, losses = sent(asked(Turn(Role.USER, (Image(Url("https://a")), url))), blind)

    assert [part["text"] for part in payload["input"][0]["content"]] == [
        "[image left out: this model cannot see images]",
        "[document 't' left out: this model cannot read it; it is at https://a]",
    ]
    assert losses == ["image=as text", "document=as text"]


def test_items_of_our_own_go_back_as_they_came() -> None:
    asked_for, result = (
        {"type": "local_shell_call", "id": "l"},
        {"type": "local_shell_call_output", "id": "l"},
    )
    audio = {"type": "input_audio", "input_audio": {}}

    def own(item: dict[str, Any]) -> Opaque:
        return Opaque("openai_responses", item["type"], Json(msgspec.json.encode(item)))

    found = items(
        USER,
        Turn(Role.ASSISTANT, (own(asked_for),)),
        Turn(Role.USER, (Text("x"), own(result), own(audio))),
        strict=False,
    )

    assert found[1:3] == [asked_for, result]
    assert found[3]["content"] == [{"type": "input_text", "text": "x"}, audio]


def test_what_has_no_place_is_lost_by_name() -> None:
    foreign = Opaque("anthropic", "container_upload", Json(b"{}"))
    ran = ServerToolResult("s", "code_execution_tool_result", Json(b"{}"), "anthropic")
    turns = (
        Turn(Role.USER, (Text("hi"), foreign)),
        Turn(Role.ASSISTANT, (Text("A"), ran, Image(Url("https://a")))),
        Turn(Role.SYSTEM, (Image(Url("https://a")),)),
        USER,
    )

    assert sent(asked(*turns))[1] == ["container_upload=dropped", "server_tool=dropped", "image=dropped"]


def test_searches_in_the_history() -> None:
    call = ServerToolCall("ws_1", "web_search", Json(b'{"query":"q"}'))
    results = Json(
        b'[{"type":"web_search_result","url":"https://a","title":"A","encrypted_content":"secret"}]'
    )
    own = ServerToolResult("ws_1", "web_search_tool_result", results, "openai_responses")
    theirs = evolve(own, dialect="anthropic")
    ours = evolve(own, dialect="")

    assert items(*answered(call, own, Text("A")))[1] == {
        "type": "web_search_call",
        "status": "completed",
        "action": {"type": "search", "query": "q", "sources": [{"type": "url", "url": "https://a"}]},
    }
    payload, losses = sent(asked(*answered(call, theirs, Text("A"))))
    assert payload["input"][1]["content"] == [
        {"type": "output_text", "text": '[web search: "q"]\n1. A - https://a'},
        {"type": "output_text", "text": "A"},
    ]
    assert losses == ["web_search=as text"]
    assert "secret" in items(*answered(evolve(call, input="{}"), ours, Text("A")))[1]["content"][0]["text"]
    assert items(*answered(own, Text("A")))[1]["action"]["query"] == ""


# -------------------------------------------------------------------------------------------------- system


def test_the_system() -> None:
    system = (Text("x-anthropic-billing-header: a"), Text("one", CacheMark()), Text("two"))
    between = Turn(Role.SYSTEM, (Text("now"), Text("then")))

    payload, losses = sent(asked(USER, between, system=system))
    assert payload["instructions"] == "one\n\ntwo"
    assert payload["input"][1] == {"role": "developer", "content": "now\n\nthen"}
    assert losses == []
    assert (
        "now" in items(USER, between, profile=evolve(THINKS, system_in_turns=False))[0]["content"][1]["text"]
    )
    assert len(items(USER, Turn(Role.SYSTEM, (Text(""),)))) == 1


def test_a_turn_alone() -> None:
    write = ResponsesProvider().write_turn

    assert msgspec.json.decode(b"[" + write(answered(ToolCall("c", "x", "free"))[1], THINKS) + b"]") == [
        {"type": "custom_tool_call", "call_id": "c", "name": "x", "input": "free"}
    ]
    assert write(Turn(Role.USER, ()), THINKS) == b""
    told = write(Turn(Role.SYSTEM, (Text("x"),)), evolve(THINKS, system_in_turns=False))
    assert msgspec.json.decode(told)["role"] == "user"


# --------------------------------------------------------------------------------------------------- tools


def test_tools() -> None:
    grammar = Json(b'{"type":"grammar","syntax":"lark","definition":"x"}')
    tools = (
        FunctionTool(
            "Read", "d", strict=True, schema=Json(b'{"type":"object","additionalProperties":false}')
        ),
        READ,
        FreeformTool("apply_patch", "p", grammar),
        FreeformTool("free"),
        FunctionTool("DeferredToolPlaceholder"),
        FunctionTool("hidden", deferred=True),
        FunctionTool("found", deferred=True),
    )
    turns = answered(ToolCall("c", "found"))
    payload, _ = sent(asked(*turns, tools=(*tools[:1], *tools[2:])))

    assert payload["tools"] == [
        {
            "type": "function",
            "name": "Read",
            "description": "d",
            "parameters": {"type": "object", "additionalProperties": False},
            "strict": True,
        },
        {
            "type": "custom",
            "name": "apply_patch",
            "description": "p",
            "format": {"type": "grammar", "syntax": "lark", "definition": "x"},
        },
        {"type": "custom", "name": "free", "description": ""},
        {
            "type": "function",
            "name": "found",
            "description": "",
            "parameters": {"type": "object", "properties": {}},
            "strict": False,
            "defer_loading": True,
        },
    ]


def test_deferred_tools_stay_deferred_where_they_can_be_searched_for() -> None:
    loader = HostedTool("tool_search", "tool_search", "openai_responses", Json(b'{"type":"tool_search"}'))
    payload, _ = sent(asked(tools=(loader, FunctionTool("hidden", deferred=True))), strict=False)

    assert [tool.get("defer_loading") for tool in payload["tools"]] == [None, True]


def test_a_tool_that_came_in_the_conversation_is_offered() -> None:
    definition = {"name": "New", "input_schema": {"type": "object"}}
    change = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": definition}}
    turn = Turn(Role.SYSTEM, (Opaque("anthropic", "tool_addition", Json(msgspec.json.encode(change))),))
    payload, losses = sent(asked(USER, turn, USER))

    assert [tool["name"] for tool in payload["tools"]] == ["New"]
    assert losses == []


def test_web_search() -> None:
    wish = SearchOptions(3, ("a.com",), ("b.com",), Json(b'{"type":"approximate","city":"Rome"}'))
    tool = HostedTool("web_search_20250305", "web_search", "anthropic", Json(b"{}"), wish)
    payload, losses = sent(asked(tools=(tool,)))

    assert payload["tools"] == [
        {
            "type": "web_search",
            "filters": {"allowed_domains": ["a.com"]},
            "user_location": {"type": "approximate", "city": "Rome"},
        }
    ]
    assert payload["include"] == ["reasoning.encrypted_content", "web_search_call.action.sources"]
    assert losses == ["web_search.blocked_domains=dropped", "web_search.max_uses=dropped"]
    assert sent(asked(tools=(evolve(tool, search=None),)))[0]["tools"] == [{"type": "web_search"}]
    assert sent(asked(tools=(tool,)), PLAIN)[1] == ["web_search=dropped"]
    other = HostedTool("code_execution", "code_execution", "anthropic", Json(b"{}"))
    assert sent(asked(tools=(other,)))[1] == ["hosted_tool=dropped"]


def test_hosted_tools_of_our_own_go_back_as_they_came() -> None:
    raw = {"type": "web_search", "search_context_size": "low"}
    tool = HostedTool("web_search", "web_search", "openai_responses", Json(msgspec.json.encode(raw)))

    assert sent(asked(tools=(tool,)))[0]["tools"] == [raw]


def test_tools_over_the_limit_are_left_out_but_never_the_one_that_is_named() -> None:
    profile = evolve(THINKS, max_tools=2)
    given = asked(tools=tuple(map(FunctionTool, "abc")), tool_choice=ToolChoice(ToolMode.NAMED, "c"))
    payload, losses = sent(given, profile)
    plain, _ = sent(evolve(given, tool_choice=None), profile)

    assert [tool["name"] for tool in payload["tools"]] == ["c", "a"]
    assert [tool["name"] for tool in plain["tools"]] == ["a", "b"]
    assert losses == ["tools=first 2"]


SEARCH = HostedTool("web_search_20250305", "web_search", "anthropic", Json(b"{}"))


@pytest.mark.parametrize(
    "choice, tools, said",
    [
        (ToolChoice(), (READ,), "auto"),
        (ToolChoice(ToolMode.NONE), (READ,), "none"),
        (ToolChoice(ToolMode.REQUIRED), (READ,), "required"),
        (ToolChoice(ToolMode.NAMED, "Read"), (READ,), {"type": "function", "name": "Read"}),
        (ToolChoice(ToolMode.NAMED, "x"), (FreeformTool("x"),), {"type": "custom", "name": "x"}),
        (ToolChoice(ToolMode.NAMED, "web_search"), (SEARCH,), "required"),
        (
            ToolChoice(ToolMode.NAMED, "web_search"),
            (SEARCH, READ),
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]},
        ),
        (ToolChoice(ToolMode.NAMED, "gone"), (READ,), "auto"),
        (None, (READ,), None),
        (ToolChoice(), (), None),
    ],
)
def test_choices(choice: ToolChoice | None, tools: tuple[Tool, ...], said: object) -> None:
    assert sent(asked(tools=tools, tool_choice=choice))[0].get("tool_choice") == said


def test_a_choice_of_another_hosted_tool() -> None:
    tool = HostedTool("file_search", "file_search", "openai_responses", Json(b'{"type":"file_search"}'))
    given = asked(tools=(tool, READ), tool_choice=ToolChoice(ToolMode.NAMED, "file_search"))

    assert sent(given, strict=False)[0]["tool_choice"]["tools"] == [{"type": "file_search"}]


@pytest.mark.parametrize(
    "profile, role",
    [
        (evolve(THINKS, tool_choice_required=False), "developer"),
        (evolve(THINKS, tool_choice_required=False, system_in_turns=False), "user"),
    ],
)
def test_a_choice_that_no_field_can_say_is_said(profile: ModelProfile, role: str) -> None:
    named, losses = sent(asked(tools=(READ,), tool_choice=ToolChoice(ToolMode.NAMED, "Read")), profile)
    any_, _ = sent(asked(tools=(READ,), tool_choice=ToolChoice(ToolMode.REQUIRED)), profile)

    assert named["tool_choice"] == any_["tool_choice"] == "auto"
    assert named["input"][-1]["role"] == role
    assert "you must call the tool Read." in named["input"][-1]["content"]
    assert "at least one of the tools" in any_["input"][-1]["content"]
    assert losses == ["tool_choice=as text"]


def test_parallel_calls() -> None:
    given = asked(tools=(READ,), tool_choice=ToolChoice(parallel=False))
    without = evolve(THINKS, parallel_tools=False)

    assert sent(given)[0]["parallel_tool_calls"] is False
    payload, losses = sent(given, without)
    assert "parallel_tool_calls" not in payload
    assert losses == ["parallel_tools=dropped"]
    assert sent(evolve(given, tool_choice=ToolChoice(parallel=True)), without)[1] == []


# ------------------------------------------------------------------------------------------------ settings


@pytest.mark.parametrize(
    "reasoning, profile, said",
    [
        (Reasoning(), THINKS, None),
        (Reasoning(ReasoningMode.ON), THINKS, {"summary": "auto"}),
        (Reasoning(ReasoningMode.ADAPTIVE, Effort.MAX), THINKS, {"effort": "high", "summary": "auto"}),
        (Reasoning(ReasoningMode.ON, budget=2000), THINKS, {"effort": "medium", "summary": "auto"}),
        (Reasoning(effort=Effort.MINIMAL, visible=False), THINKS, {"effort": "low"}),
        (Reasoning(ReasoningMode.ON, Effort.LOW), evolve(THINKS, efforts=()), {"summary": "auto"}),
        (Reasoning(ReasoningMode.OFF), THINKS, {"effort": "none"}),
        (Reasoning(ReasoningMode.OFF), evolve(THINKS, reasoning_off=False), {"effort": "low"}),
        (Reasoning(ReasoningMode.OFF), evolve(THINKS, reasoning_off=False, efforts=()), None),
        (Reasoning(ReasoningMode.ON, Effort.LOW), PLAIN, None),
    ],
)
def test_reasoning(reasoning: Reasoning, profile: ModelProfile, said: object) -> None:
    payload, _ = sent(asked(reasoning=reasoning), profile)

    assert payload.get("reasoning") == said
    thinks = profile.reasoning is not ReasoningStyle.NONE
    assert payload.get("include") == (["reasoning.encrypted_content"] if thinks else None)


def test_sampling_goes_only_where_it_is_taken() -> None:
    given = asked(sampling=Sampling(0.5, 0.9, 3, 4, 0.1, 0.2))
    off = evolve(given, reasoning=Reasoning(ReasoningMode.OFF))

    payload, losses = sent(given)
    assert "temperature" not in payload
    assert losses == [
        "sampling=dropped",
        "top_k=dropped",
        "seed=dropped",
        "presence_penalty=dropped",
        "frequency_penalty=dropped",
    ]
    assert (sent(given, PLAIN)[0]["temperature"], sent(given, PLAIN)[0]["top_p"]) == (0.5, 0.9)
    assert sent(off, strict=False)[0]["temperature"] == 0.5
    assert "temperature" not in sent(off, evolve(THINKS, reasoning_off=False))[0]
    assert sent(given, evolve(THINKS, sampling_with_reasoning=True), strict=False)[0]["top_p"] == 0.9


@pytest.mark.parametrize("asked_for, sent_out", [(None, None), (1, 16), (100, 100), (999, 500)])
def test_the_limit_of_the_output(asked_for: int | None, sent_out: int | None) -> None:
    payload, _ = sent(asked(max_tokens=asked_for), evolve(THINKS, max_output=500))

    assert payload.get("max_output_tokens") == sent_out
    assert sent(asked(max_tokens=999))[0]["max_output_tokens"] == 999


def test_other_settings() -> None:
    schema = OutputFormat(Json(b'{"type":"object"}'), "n", strict=True)
    payload, losses = sent(asked(output_format=schema, stream=True, stop=("x",), cache_key="k"))

    assert payload["text"] == {
        "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}
    }
    assert (payload["stream"], payload["prompt_cache_key"]) == (True, "k")
    assert losses == ["stop=dropped"]
    assert sent(asked(output_format=OutputFormat()))[0]["text"] == {"format": {"type": "json_object"}}
    lax = sent(asked(output_format=OutputFormat(Json(b"{}"))))[0]
    assert lax["text"]["format"] == {"type": "json_schema", "name": "output", "schema": {}}


def test_a_session_has_one_cache_and_its_user_stays_with_us() -> None:
    payload, _ = sent(asked(user="user_1_account__session_2", dialect="anthropic"))
    long, _ = sent(asked(cache_key="k" * 65))

    assert len(payload["prompt_cache_key"]) == len(long["prompt_cache_key"]) == 32
    assert "user_1" not in str(payload)


def test_what_the_vocabulary_has_no_word_for_goes_back_to_the_same_dialect() -> None:
    fields: dict[str, Any] = {
        "include": ["message.output_text.logprobs"],
        "truncation": "auto",
        "reasoning": {"effort": "xhigh", "summary": "detailed", "mode": "pro"},
        "text": {"verbosity": "low"},
        "tools": [{"type": "function", "name": "Read", "parameters": {"type": "object"}, "strict": False}],
        "tool_choice": {
            "type": "allowed_tools",
            "mode": "auto",
            "tools": [{"type": "function", "name": "Read"}],
        },
        "metadata": {"a": "b"},
        "service_tier": "flex",
        "safety_identifier": "s",
    }
    given = conversation({"role": "user", "content": "hi"}, **fields)
    payload, losses = sent(given)

    assert losses == []
    assert payload["include"] == ["reasoning.encrypted_content", "message.output_text.logprobs"]
    assert payload["reasoning"] == {"effort": "high", "summary": "detailed", "mode": "pro"}
    for name in ("truncation", "text", "tool_choice", "metadata", "service_tier", "safety_identifier"):
        assert payload[name] == fields[name]
    foreign, _ = sent(evolve(given, dialect="anthropic"))
    assert not {"truncation", "metadata", "service_tier", "safety_identifier"} & set(foreign)


def test_own_settings_in_corners() -> None:
    user = {"role": "user", "content": "hi"}
    given = conversation(
        user, user="u", tool_choice={"type": "file_search"}, include="x", reasoning={"mode": "pro"}
    )
    payload, _ = sent(given)
    off, _ = sent(conversation(user, reasoning={"effort": "none", "summary": "auto"}))
    odd, _ = sent(conversation(user, reasoning={"effort": "of a later day", "summary": "auto"}), strict=False)
    bare = evolve(THINKS, efforts=())
    unknown, _ = sent(conversation(user, reasoning={"effort": "low"}), bare)

    assert payload["user"] == "u"
    assert "tool_choice" not in payload
    assert "safety_identifier" not in payload
    assert payload["include"] == ["reasoning.encrypted_content"]
    assert payload["reasoning"] == {"mode": "pro"}
    assert off["reasoning"] == {"effort": "none"}
    assert odd["reasoning"] == {"effort": "of a later day", "summary": "auto"}
    assert "reasoning" not in unknown


def test_a_system_alone_is_the_input() -> None:
    """``input`` is required, and OpenAI's chat completions take a system message alone."""
    fields, _ = sent(Conversation("m", (), (Text("Be brief."),)))

    assert fields["input"] == [{"role": "developer", "content": "Be brief."}]
    assert "instructions" not in fields


def test_what_cannot_be_written_is_told_the_model() -> None:
    heard = Opaque("openai_chat", "input_audio", Json(b"{}"))
    fields, losses = sent(Conversation("m", (Turn(Role.USER, (heard,)),)))

    assert fields["input"][0]["content"][0]["text"] == "[input_audio left out: this model cannot be given it]"
    assert losses == ["input_audio=dropped"]


def test_what_only_an_assistant_says_is_a_loss_where_a_user_says_it() -> None:
    _, losses = sent(Conversation("m", (Turn(Role.USER, (ServerToolCall("s", "bash"), Text("x"))),)))

    assert losses == ["server_tool=dropped"]
