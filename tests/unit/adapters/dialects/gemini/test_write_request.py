from __future__ import annotations

from typing import Any

import msgspec
import pytest
from attrs import evolve
from google.genai import types

from ccr.adapters.dialects.gemini import GeminiProvider
from ccr.adapters.dialects.gemini.seals import DUMMY
from ccr.domain.conversation import (
    CacheMark,
    ContentBlock,
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
    ResultPart,
    Role,
    Sampling,
    SearchOptions,
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolMode,
    ToolReference,
    ToolResult,
    Turn,
    Url,
)
from ccr.domain.models import ModelProfile, ReasoningStyle, SchemaStyle
from ccr.domain.provenance import Origin, Seal
from ccr.domain.stream import BlockStart, StreamEvent, TextDelta
from ccr.domain.verbatim import Json, Verbatim
from tests.support.fake_gemini import FakeGemini
from tests.support.gemini import NEW, OLD, losses, written
from tests.support.loopback import Recorded
from tests.support.scripts import by_turn
from tests.support.scripts import text as words

HOME = Origin("gemini", "google", "g")
SCHEMA = Json(b'{"type":"object","properties":{"a":{"$ref":"#/$defs/x"}},"$defs":{"x":{"type":"string"}}}')
F = FunctionTool("f", "does f", SCHEMA)
SEARCH = HostedTool("web_search_20250305", "web_search", "anthropic", Json(b"{}"), SearchOptions())
PDF = Inline("application/pdf", "AAAA")
PNG = Inline("image/png", "BBBB")


def asked(*turns: Turn, **fields: Any) -> Conversation:
    return Conversation("m", turns or (Turn(Role.USER, (Text("hi"),)),), **fields)


def said(*blocks: ContentBlock, role: Role = Role.USER) -> list[Any]:
    """Parts of one turn as they are sent; an answer has a user's turn before and after it."""
    turns = [Turn(role, blocks)]
    if role is Role.ASSISTANT:
        turns = [Turn(Role.USER, (Text("q"),)), *turns, Turn(Role.USER, (Text("on"),))]
    contents = written(asked(*turns))["contents"]
    parts: list[Any] = contents[1 if role is Role.ASSISTANT else 0]["parts"]
    return parts


def loop(*content: ResultPart, seal: Seal | None = None, call_id: str = "c1", **result: Any) -> Conversation:
    return asked(
        Turn(Role.USER, (Text("go"),)),
        Turn(Role.ASSISTANT, (ToolCall(call_id, "f", Json(b'{"a":"b"}'), seal=seal),)),
        Turn(Role.USER, (ToolResult(call_id, content, **result),)),
        tools=(F,),
    )


def response(conversation: Conversation, profile: ModelProfile = NEW) -> Any:
    return written(conversation, profile)["contents"][2]["parts"][0]["functionResponse"]


def assert_accepted(conversation: Conversation, profile: ModelProfile = NEW) -> None:
    """A strict upstream takes it, and so do the types of the official SDK."""
    sent = written(conversation, profile)
    sent.pop("model")
    sent.pop("stream", None)
    fake = FakeGemini(by_turn(words("x")), key="")
    fake.demands_thoughts = False
    fake.signatures = {"SIGN", "AB+/"}
    recorded = Recorded("POST", "/v1beta/models/m:generateContent", {}, b"", 0.0, json=dict(sent))
    fake.check(recorded)
    for content in sent["contents"]:
        types.Content.model_validate_json(msgspec.json.encode(content))
    for tool in sent.get("tools", ()):
        types.Tool.model_validate(tool)
    types.ToolConfig.model_validate(sent.get("toolConfig", {}))
    types.GenerationConfig.model_validate(sent.get("generationConfig", {}))


# ------------------------------------------------------------------------------------------ contents


def test_system_and_texts_without_marks_and_billing() -> None:
    sent = written(
        asked(
            Turn(Role.USER, (Text("a", CacheMark("1h")), Text(""))),
            system=(Text("x-anthropic-billing-header: 1"), Text("be kind", CacheMark()), Text("")),
            stream=True,
            cache_key="k",
        )
    )
    assert sent == {
        "model": "m",
        "systemInstruction": {"parts": [{"text": "be kind"}]},
        "contents": [{"role": "user", "parts": [{"text": "a"}]}],
        "stream": True,
    }


def test_roles_alternate_begin_and_end_with_the_user() -> None:
    conversation = asked(
        Turn(Role.ASSISTANT, (Text("a"),)),
        Turn(Role.ASSISTANT, (Text("b"),)),
        Turn(Role.USER, (Text("c"),)),
        Turn(Role.ASSISTANT, (Thinking("x"),)),
        Turn(Role.USER, (Text("d"),)),
        Turn(Role.ASSISTANT, (Text("e"),)),
    )
    contents = written(conversation)["contents"]
    assert [(one["role"], [part["text"] for part in one["parts"]]) for one in contents] == [
        ("user", ["[the conversation goes on]"]),
        ("model", ["a", "b"]),
        ("user", ["c", "d"]),
        ("model", ["e"]),
        ("user", ["Go on."]),
    ]
    assert "prefill=followed by a user turn" in losses(conversation)
    assert_accepted(conversation)


def test_a_conversation_of_nothing_still_says_something() -> None:
    assert written(Conversation("m", ()))["contents"][0]["role"] == "user"


def test_what_the_system_says_between_is_a_reminder() -> None:
    sent = written(asked(Turn(Role.USER, (Text("a"),)), Turn(Role.SYSTEM, (Text("b"),))))
    assert sent["contents"][0]["parts"] == [
        {"text": "a"},
        {"text": "<system-reminder>\nb\n</system-reminder>"},
    ]
    alone = GeminiProvider().write_turn(Turn(Role.SYSTEM, (Text("b"),)), NEW)
    assert b"<system-reminder>" in alone


def test_pictures_documents_and_addresses() -> None:
    assert said(
        Image(PNG),
        Image(Inline("image/gif", "data:image/webp;base64,QUJD")),
        Image(Url("https://x.test/a.gif?x=1")),
        Image(Url("https://x.test/a", "image/heic")),
        Image(FileRef("gs://b/c", "gemini")),
        Document(PDF),
        Document(Url("https://x.test/doc")),
        Document(Inline("text/plain", "words", "text"), "Title", "why"),
        Image(Inline("text/plain", "svg", "text")),
    ) == [
        {"inlineData": {"mimeType": "image/png", "data": "BBBB"}},
        {"inlineData": {"mimeType": "image/webp", "data": "QUJD"}},
        {"fileData": {"mimeType": "image/gif", "fileUri": "https://x.test/a.gif?x=1"}},
        {"fileData": {"mimeType": "image/heic", "fileUri": "https://x.test/a"}},
        {"fileData": {"fileUri": "gs://b/c"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}},
        {"fileData": {"mimeType": "application/pdf", "fileUri": "https://x.test/doc"}},
        {"text": "Title:\nwhy\nwords"},
        {"text": "svg"},
    ]


def test_what_a_model_cannot_see_is_a_note_and_a_loss() -> None:
    conversation = asked(
        Turn(
            Role.USER,
            (
                Image(PNG),
                Document(Url("https://x.test/d")),
                Image(FileRef("f1")),
                Document(Inline("text/plain", "t", "text")),
            ),
        )
    )
    blind = ModelProfile(images=False)
    texts = [part["text"] for part in written(conversation, blind)["contents"][0]["parts"]]
    assert texts == [
        "[image left out: this model cannot read it]",
        "[document left out: this model cannot read it; it is at https://x.test/d]",
        "[image left out: this model cannot read it]",
        "document:\nt",
    ]
    assert losses(conversation, blind) == ["image=as text", "document=as text"]
    assert losses(conversation) == ["image=as text"]


def test_what_gemini_has_no_word_for() -> None:
    blocks = (
        ToolReference("f"),
        Opaque("anthropic", "search_result", Json(b'{"title":"T","source":"S","content":[{"text":"x"},7]}')),
        Opaque("gemini", "executableCode", Json(b'{"executableCode":{"code":"1","language":"PYTHON"}}')),
        Opaque("anthropic", "container_upload", Json(b"{}")),
        ServerToolCall("s", "bash"),
        ServerToolResult("s", "bash_result", Json(b"{}")),
    )
    conversation = asked(Turn(Role.USER, (*blocks, Text("x"))))
    assert said(*blocks, Text("x")) == [
        {"text": "Tool available: f"},
        {"text": "T (S)\nx"},
        {"executableCode": {"code": "1", "language": "PYTHON"}},
        {"text": "[container_upload left out: this model cannot be given it]"},
        {"text": "x"},
    ]
    assert losses(conversation) == ["container_upload=dropped", "server_tool=dropped"]


# ------------------------------------------------------------------------------------ calls and seals


def test_a_response_carries_the_name_and_id_of_its_call() -> None:
    assert response(loop(Text("18"), Text("degrees"))) == {
        "id": "c1",
        "name": "f",
        "response": {"output": "18\ndegrees"},
    }
    assert response(loop(Text("no"), is_error=True))["response"] == {"error": "no"}
    assert response(loop())["response"] == {"output": ""}
    assert_accepted(loop(Text("18")))


def test_the_name_is_no_part_of_a_turn_written_alone() -> None:
    turn = Turn(Role.USER, (ToolResult("c1", (Text("x"),)),))
    alone = GeminiProvider().write_turn(turn, NEW)
    assert b'"name":"c1"' in alone
    assert b'"name":"f"' not in alone
    assert GeminiProvider().write_turn(Turn(Role.ASSISTANT, ()), NEW) == b""


def test_an_id_that_we_made_stays_with_us() -> None:
    contents = written(loop(Text("x"), call_id="ccr_call_1_0"))["contents"]
    assert "id" not in contents[1]["parts"][0]["functionCall"]
    assert contents[2]["parts"][0]["functionResponse"] == {"name": "f", "response": {"output": "x"}}


def test_the_same_id_used_again_means_the_later_call() -> None:
    turns = [
        turn
        for name in ("f", "g")
        for turn in (
            Turn(Role.ASSISTANT, (ToolCall("c", name),)),
            Turn(Role.USER, (ToolResult("c", (Text("x"),)),)),
        )
    ]
    contents = written(asked(Turn(Role.USER, (Text("q"),)), *turns))["contents"]
    names = [
        part["functionResponse"]["name"]
        for one in contents
        for part in one["parts"]
        if "functionResponse" in part
    ]
    assert names == ["f", "g"]


def test_pictures_in_results_stand_inside_or_after_all_results() -> None:
    inside = response(loop(Text("see"), Image(PNG), Document(PDF)))
    assert inside["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": "BBBB"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}},
    ]
    two = asked(
        Turn(Role.USER, (Text("go"),)),
        Turn(Role.ASSISTANT, (ToolCall("a", "f"), ToolCall("b", "g"))),
        Turn(
            Role.USER,
            (Text("then"), ToolResult("a", (Image(PNG),)), ToolResult("b", (Image(Url("https://x.test")),))),
        ),
    )
    kinds = [next(iter(part)) for part in written(two, OLD)["contents"][2]["parts"]]
    assert sorted(kinds[:2]) == ["functionResponse", "functionResponse"]
    assert sorted(kinds[2:]) == ["fileData", "inlineData", "text"]
    assert_accepted(two, NEW)
    assert_accepted(loop(Image(PNG)))


def test_orphans_and_interrupted_calls_are_mended() -> None:
    conversation = asked(
        Turn(Role.USER, (ToolResult("zzz", (Text("x"),)), Text("q"))),
        Turn(Role.ASSISTANT, (ToolCall("a", "f"),)),
        Turn(Role.USER, (Text("stop"),)),
    )
    assert written(conversation)["contents"][2]["parts"][0]["functionResponse"]["name"] == "f"
    assert_accepted(conversation)


def test_only_the_first_call_of_an_answer_is_given_the_dummy_and_older_models_none() -> None:
    conversation = asked(
        Turn(Role.USER, (Text("go"),)),
        Turn(Role.ASSISTANT, (Text("x"), ToolCall("a", "f"), ToolCall("b", "g", Json(b"")))),
        Turn(Role.USER, (ToolResult("a"), ToolResult("b"))),
        Turn(Role.ASSISTANT, (ToolCall("c", "f"),)),
        Turn(Role.USER, (ToolResult("c"),)),
    )

    def seals(profile: ModelProfile) -> list[Any]:
        contents = written(conversation, profile)["contents"]
        return [
            part.get("thoughtSignature")
            for one in contents
            for part in one["parts"]
            if "functionCall" in part
        ]

    assert seals(NEW) == [DUMMY, None, DUMMY]
    assert seals(OLD) == [None, None, None]
    assert_accepted(conversation)


def test_a_seal_of_our_own_goes_home_on_its_call() -> None:
    sealed = loop(Text("x"), seal=Seal(HOME, "call", "SIGN"))
    assert written(sealed)["contents"][1]["parts"][0]["thoughtSignature"] == "SIGN"
    foreign = loop(Text("x"), seal=Seal(Origin("openai_chat"), "call", "SIGN"))
    assert written(foreign)["contents"][1]["parts"][0]["thoughtSignature"] == DUMMY
    assert_accepted(sealed)


def test_signatures_of_texts_thoughts_and_pictures() -> None:
    assert said(
        Text("a"),
        Thinking("", Seal(HOME, "text", "S1")),
        Thinking("t", Seal(HOME, "thought", "S2")),
        Image(PNG),
        Thinking("", Seal(HOME, "image", "S3")),
        role=Role.ASSISTANT,
    ) == [
        {"text": "a"},
        {"text": "", "thoughtSignature": "S1"},
        {"text": "t", "thought": True, "thoughtSignature": "S2"},
        {"inlineData": {"mimeType": "image/png", "data": "BBBB"}, "thoughtSignature": "S3"},
    ]
    assert said(Thinking("", Seal(HOME, "image", "S3")), role=Role.ASSISTANT) == [
        {"text": "", "thoughtSignature": "S3"}
    ]


def test_thinking_of_others_is_lost_and_geminis_own_is_not_missed() -> None:
    turn = Turn(Role.ASSISTANT, (Thinking("hm", Seal(Origin("anthropic"), "signature", "s")), Text("a")))
    others = asked(Turn(Role.USER, (Text("q"),)), turn, Turn(Role.USER, (Text("on"),)))
    assert losses(others) == ["thinking=dropped"]
    own = Turn(Role.ASSISTANT, (Thinking("hm"), ToolCall("c", "f")), Verbatim("gemini", b"{}"))
    mine = asked(Turn(Role.USER, (Text("q"),)), own, Turn(Role.USER, (ToolResult("c"),)))
    assert losses(mine) == []
    signed = Turn(Role.ASSISTANT, (Thinking("hm"), ToolCall("c", "f", seal=Seal(HOME, "call", "SIGN"))))
    kept_by_others = asked(Turn(Role.USER, (Text("q"),)), signed, Turn(Role.USER, (ToolResult("c"),)))
    assert losses(kept_by_others) == []


def test_searches_of_others_become_text_and_geminis_own_go() -> None:
    found = Json(
        b'[{"type":"web_search_result","url":"https://a.test","title":"A","encrypted_content":"gist"}]'
    )

    def turn(dialect: str) -> list[Any]:
        return said(
            ServerToolCall("s", "web_search", Json(b'{"query":"q"}')),
            ServerToolResult("s", "web_search_tool_result", found, dialect),
            ServerToolResult("t", "web_search_tool_result", found, dialect),
            Text("so"),
            role=Role.ASSISTANT,
        )

    assert turn("gemini@google") == [{"text": "so"}]
    assert turn("")[0]["text"].startswith('[web search: "q"]\n1. A - https://a.test\ngist')
    assert "gist" not in turn("anthropic")[0]["text"]
    assert turn("anthropic")[1]["text"].startswith("[web search]")


def test_names_are_made_legal_and_given_back() -> None:
    names = ["1st", "a.b/c", "x" * 65, "fine", "_ok", ""]
    conversation = asked(tools=(*(FunctionTool(name) for name in names), SEARCH))
    sent = [one["name"] for one in written(conversation)["tools"][0]["functionDeclarations"]]
    assert len(set(sent)) == len(sent)
    assert sent[3:5] == ["fine", "_ok"]
    stage = GeminiProvider().reply_stage(conversation, NEW)
    assert stage is not None
    events: list[StreamEvent] = [BlockStart(0, ToolCall("c", name)) for name in sent]
    events += [BlockStart(1, Text("")), TextDelta("x")]
    back = [
        event.block.name
        for event in stage.feed(events)
        if isinstance(event, BlockStart) and isinstance(event.block, ToolCall)
    ]
    assert back == names
    assert GeminiProvider().reply_stage(asked(tools=(F,)), NEW) is None
    assert_accepted(conversation)


def test_a_turn_of_this_dialect_is_given_back_as_it_came() -> None:
    raw = b'{"parts":[{"text":"a","videoMetadata":{"fps":1}},{"text":""},{}]}'
    turn = Turn(Role.USER, (Text("a"),), Verbatim("gemini", raw))
    assert written(asked(turn))["contents"][0]["parts"] == [{"text": "a", "videoMetadata": {"fps": 1}}]
    marked = evolve(
        turn, source=Verbatim("gemini", b'{"parts":[{"text":"b","thoughtSignature":"Y2NyMS5x"}]}')
    )
    assert written(asked(marked))["contents"][0]["parts"] == [{"text": "a"}]
    odd = evolve(turn, source=Verbatim("gemini", b'{"role":"user"}'))
    assert written(asked(odd))["contents"][0]["parts"] == [{"text": "a"}]


# --------------------------------------------------------------------------------------------- tools


def test_schemas_by_what_the_model_takes() -> None:
    def declared(profile: ModelProfile, tool: FunctionTool = F) -> Any:
        return written(asked(tools=(tool,)), profile)["tools"][0]["functionDeclarations"][0]

    openapi = evolve(NEW, schema=SchemaStyle.OPENAPI)
    subset = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert declared(openapi) == {"name": "f", "description": "does f", "parameters": subset}
    assert declared(NEW)["parametersJsonSchema"] == msgspec.json.decode(SCHEMA.data)
    assert declared(evolve(NEW, schema=SchemaStyle.INLINE))["parametersJsonSchema"] == subset
    assert "$defs" not in declared(evolve(NEW, schema_drop=("$defs",)))["parametersJsonSchema"]
    assert declared(NEW, evolve(F, schema=Json(b"7")))["parametersJsonSchema"] == {"type": "object"}
    extra = evolve(F, extra=(("behavior", Json(b'"BLOCKING"')),), dialect="gemini")
    assert declared(NEW, extra)["behavior"] == "BLOCKING"
    assert losses(asked(tools=(evolve(F, strict=True),))) == ["strict=dropped"]
    assert declared(openapi, evolve(F, schema=Json(b"7")))["parameters"] == {"type": "object"}
    assert_accepted(asked(tools=(F,)), openapi)


def test_the_work_on_schemas_may_be_remembered() -> None:
    def remembered(schema: bytes) -> bytes:
        assert schema == SCHEMA.data
        return b'{"type":"object","title":"known"}'

    openapi = evolve(NEW, schema=SchemaStyle.OPENAPI)
    encoded = GeminiProvider(remembered).write_request(asked(tools=(F,)), openapi, is_anthropic=False)
    assert b'"parameters":{"type":"object","title":"known"}' in encoded.payload.encode()


def test_a_freeform_tool_is_a_function_of_one_text() -> None:
    conversation = asked(
        Turn(Role.USER, (Text("q"),)),
        Turn(Role.ASSISTANT, (ToolCall("c", "patch", "*** Begin"),)),
        Turn(Role.USER, (ToolResult("c"),)),
        tools=(FreeformTool("patch", "patches"),),
    )
    sent = written(conversation)
    assert sent["tools"][0]["functionDeclarations"][0]["parameters"]["required"] == ["input"]
    assert sent["contents"][1]["parts"][0]["functionCall"]["args"] == {"input": "*** Begin"}
    assert_accepted(conversation)


def test_deferred_tools_and_the_placeholder() -> None:
    tools = (F, FunctionTool("later", deferred=True), FunctionTool("DeferredToolPlaceholder"))
    sent = written(asked(tools=tools))
    assert [one["name"] for one in sent["tools"][0]["functionDeclarations"]] == ["f"]


@pytest.mark.parametrize(
    "choice,expected,lost",
    [
        (ToolChoice(), {"mode": "AUTO"}, []),
        (ToolChoice(ToolMode.NONE), {"mode": "NONE"}, []),
        (ToolChoice(ToolMode.REQUIRED), {"mode": "ANY"}, []),
        (ToolChoice(ToolMode.NAMED, "f"), {"mode": "ANY", "allowedFunctionNames": ["f"]}, []),
        (ToolChoice(ToolMode.NAMED, "gone"), {"mode": "AUTO"}, ["tool_choice=auto"]),
        (ToolChoice(parallel=False), {"mode": "AUTO"}, ["parallel_tools=dropped"]),
    ],
)
def test_tool_choice(choice: ToolChoice, expected: dict[str, Any], lost: list[str]) -> None:
    conversation = asked(tools=(F,), tool_choice=choice)
    assert written(conversation)["toolConfig"] == {"functionCallingConfig": expected}
    assert losses(conversation) == lost
    assert_accepted(conversation)


def test_tool_choice_without_tools_or_where_it_is_not_understood() -> None:
    assert "toolConfig" not in written(asked(tool_choice=ToolChoice(ToolMode.REQUIRED)))
    weak = evolve(NEW, tool_choice_required=False)
    assert losses(asked(tools=(F,), tool_choice=ToolChoice(ToolMode.REQUIRED)), weak) == ["tool_choice=auto"]


def test_web_search() -> None:
    able = evolve(NEW, web_search="gemini")
    assert written(asked(tools=(SEARCH,)), able)["tools"] == [{"googleSearch": {}}]
    assert losses(asked(tools=(SEARCH,))) == ["web_search=dropped"]
    wish = SearchOptions(3, ("a.test",), ("b.test",), Json(b"{}"))
    assert losses(asked(tools=(evolve(SEARCH, search=wish),)), able) == [
        f"web_search.{name}=dropped"
        for name in ("allowed_domains", "blocked_domains", "location", "max_uses")
    ]
    assert losses(asked(tools=(HostedTool("bash_1", "bash", "anthropic", Json(b"{}")),)), able) == [
        "hosted_tool=dropped"
    ]
    assert written(asked(tools=(evolve(SEARCH, search=None),)), able)["tools"] == [{"googleSearch": {}}]


def test_search_beside_functions_by_generation() -> None:
    both = asked(tools=(F, SEARCH))
    new, old = evolve(NEW, web_search="gemini"), evolve(OLD, web_search="gemini")
    sent = written(both, new)
    assert [next(iter(tool)) for tool in sent["tools"]] == ["functionDeclarations", "googleSearch"]
    assert sent["toolConfig"] == {"includeServerSideToolInvocations": True}
    assert_accepted(both, new)
    assert [next(iter(tool)) for tool in written(both, old)["tools"]] == ["functionDeclarations"]
    assert losses(both, old) == ["web_search=dropped"]
    named = evolve(both, tool_choice=ToolChoice(ToolMode.NAMED, "web_search"))
    assert written(named, old)["tools"] == [{"googleSearch": {}}]
    assert losses(named, old) == ["tools=dropped"]
    assert_accepted(both, old)


def test_hosted_tools_of_this_dialect_pass_as_they_are() -> None:
    tool = HostedTool("codeExecution", "codeExecution", "gemini", Json(b'{"codeExecution":{}}'))
    assert written(asked(tools=(tool,)))["tools"] == [{"codeExecution": {}}]


# ------------------------------------------------------------------------------------------ settings


def test_sampling_limits_and_stops() -> None:
    conversation = asked(
        sampling=Sampling(0.5, 0.9, 40, 7, 0.1, 0.2), max_tokens=128000, stop=tuple("abcdefg")
    )
    profile = evolve(NEW, max_output=65536)
    assert written(conversation, profile)["generationConfig"] == {
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 40,
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "maxOutputTokens": 65536,
        "stopSequences": ["a", "b", "c", "d", "e"],
    }
    assert losses(conversation, profile) == ["stop=first 5"]
    assert written(conversation, evolve(NEW, max_stop=1))["generationConfig"]["stopSequences"] == ["a"]
    assert written(conversation)["generationConfig"]["maxOutputTokens"] == 128000
    assert_accepted(conversation, profile)


ON, OFF, AUTO = ReasoningMode.ON, ReasoningMode.OFF, ReasoningMode.ADAPTIVE


@pytest.mark.parametrize(
    "reasoning,profile,expected",
    [
        (Reasoning(), NEW, None),
        (Reasoning(ON, Effort.HIGH), ModelProfile(), None),
        (Reasoning(OFF), NEW, {"thinkingLevel": "low", "includeThoughts": False}),
        (
            Reasoning(OFF),
            evolve(NEW, efforts=(Effort.MINIMAL, Effort.LOW)),
            {"thinkingLevel": "minimal", "includeThoughts": False},
        ),
        (Reasoning(AUTO), NEW, {"includeThoughts": True}),
        (Reasoning(AUTO, visible=False), NEW, {"includeThoughts": False}),
        (Reasoning(ON, Effort.MAX), NEW, {"thinkingLevel": "high", "includeThoughts": True}),
        (Reasoning(ON, None, 1000), NEW, {"thinkingLevel": "low", "includeThoughts": True}),
        (Reasoning(ON, Effort.LOW), evolve(NEW, efforts=()), {"includeThoughts": True}),
        (Reasoning(OFF), OLD, {"thinkingBudget": 0, "includeThoughts": False}),
        (
            Reasoning(OFF),
            evolve(OLD, reasoning_off=False, min_budget=128),
            {"thinkingBudget": 128, "includeThoughts": False},
        ),
        (Reasoning(AUTO), OLD, {"thinkingBudget": -1, "includeThoughts": True}),
        (Reasoning(ON, Effort.MEDIUM), OLD, {"thinkingBudget": 2048, "includeThoughts": True}),
        (Reasoning(ON, None, 99999), OLD, {"thinkingBudget": 3999, "includeThoughts": True}),
        (
            Reasoning(ON, None, 64),
            evolve(OLD, min_budget=128),
            {"thinkingBudget": 128, "includeThoughts": True},
        ),
    ],
)
def test_thinking(reasoning: Reasoning, profile: ModelProfile, expected: dict[str, Any] | None) -> None:
    conversation = asked(reasoning=reasoning, max_tokens=4000)
    assert written(conversation, profile)["generationConfig"].get("thinkingConfig") == expected
    assert_accepted(conversation, profile)


def test_a_budget_without_limits_stays() -> None:
    conversation = asked(reasoning=Reasoning(ON, None, 99999))
    profile = ModelProfile(reasoning=ReasoningStyle.GEMINI_BUDGET)
    assert written(conversation, profile)["generationConfig"]["thinkingConfig"]["thinkingBudget"] == 99999


def test_structured_output() -> None:
    shape = asked(output_format=OutputFormat(SCHEMA))
    assert written(shape)["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseJsonSchema": msgspec.json.decode(SCHEMA.data),
    }
    openapi = evolve(NEW, schema=SchemaStyle.OPENAPI)
    assert "properties" in written(shape, openapi)["generationConfig"]["responseSchema"]
    assert_accepted(shape, openapi)
    assert written(asked(output_format=OutputFormat()))["generationConfig"] == {
        "responseMimeType": "application/json"
    }
    weak = evolve(NEW, output_format="json_object")
    assert written(shape, weak)["generationConfig"] == {"responseMimeType": "application/json"}
    assert losses(shape, weak) == ["output_format=as text"]
    beside = evolve(shape, tools=(F,))
    assert "generationConfig" not in written(beside, OLD)
    assert "fits this schema" in written(beside, OLD)["systemInstruction"]["parts"][0]["text"]
    assert losses(beside) == []
    none = asked(output_format=OutputFormat())
    assert (
        "JSON object" in written(none, evolve(NEW, output_format=""))["systemInstruction"]["parts"][0]["text"]
    )


def test_fields_of_this_dialect_are_given_back_to_it_alone() -> None:
    extra = (
        ("safetySettings", Json(b"[]")),
        ("generationConfig", Json(b'{"mediaResolution":"LOW","temperature":2}')),
        ("toolConfig", Json(b'{"retrievalConfig":{"languageCode":"de"}}')),
    )
    conversation = asked(
        extra=extra, dialect="gemini", tools=(F,), sampling=Sampling(0.5), tool_choice=ToolChoice()
    )
    sent = written(conversation)
    assert sent["safetySettings"] == []
    assert sent["generationConfig"] == {"mediaResolution": "LOW", "temperature": 0.5}
    assert sent["toolConfig"] == {
        "retrievalConfig": {"languageCode": "de"},
        "functionCallingConfig": {"mode": "AUTO"},
    }
    assert "safetySettings" not in written(evolve(conversation, dialect="openai_chat"))


def test_an_own_result_that_is_an_object_is_one_again() -> None:
    conversation = loop(Text('{"rows":[1]}'))
    turns = list(conversation.turns)
    turns[2] = evolve(turns[2], source=Verbatim("gemini", b"{}"))
    assert response(evolve(conversation, turns=tuple(turns)))["response"] == {"rows": [1]}
    assert response(conversation)["response"] == {"output": '{"rows":[1]}'}
