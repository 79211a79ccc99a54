from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from attrs import evolve

from ccr.adapters.dialects.gemini import GeminiClient
from ccr.adapters.dialects.gemini.read_request import Echo
from ccr.adapters.dialects.gemini.seals import write_seal
from ccr.domain.conversation import (
    Document,
    Effort,
    FileRef,
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
    Url,
)
from ccr.domain.conversation.texts import texts_of
from ccr.domain.errors import InvalidRequestError
from ccr.domain.facts import Operation, SessionKey
from ccr.domain.provenance import Origin, Seal
from ccr.domain.verbatim import Json
from tests.support.gemini import call, conversation, model, request, user

HOME = Origin("gemini")
CLAUDE = Seal(Origin("anthropic", "anthropic"), "signature", "AB+/=")
PNG = {"inlineData": {"mimeType": "image/png", "data": "QUFBQQ=="}}


def facts(**fields: object) -> Any:
    return GeminiClient().read(request(**fields)).facts


def blocks(*parts: object, role: str = "model") -> tuple[object, ...]:
    contents = [{**user(*parts), "role": role}]
    turns = conversation(*contents).turns
    return turns[0].blocks if turns else ()


def complaint(body: object, **where: Any) -> InvalidRequestError:
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    with pytest.raises(InvalidRequestError) as caught:
        GeminiClient().read(call(data, **where)).conversation()
    return caught.value


# ----------------------------------------------------------------------------------------- the address


@pytest.mark.parametrize(
    "path,query,name,stream,sse",
    [
        ("/v1beta/models/gemini-3-pro:generateContent", "", "gemini-3-pro", False, True),
        ("/v1/models/m:streamGenerateContent", "alt=sse", "m", True, True),
        ("/v1beta/models/m:streamGenerateContent", "key=k&$alt=sse", "m", True, True),
        ("/v1beta/models/m:streamGenerateContent", "", "m", True, False),
        ("/v1beta/models/openrouter,anthropic/claude-x:beta:streamGenerateContent", "alt=sse", "openrouter,anthropic/claude-x:beta", True, True),
        ("/v1beta/models/models/x:generateContent", "", "x", False, True),
        ("/v1beta/tunedModels/x:generateContent", "", "tunedModels/x", False, True),
        ("x:generateContent", "", "x", False, True),
    ],
)  # fmt: skip
def test_the_model_and_the_action_stand_in_the_path(
    path: str, query: str, name: str, stream: bool, sse: bool
) -> None:
    parsed = GeminiClient().read(call(b'{"contents":[]}', path=path, query=query))
    assert (parsed.facts.model, parsed.facts.stream) == (name, stream)
    assert parsed.conversation().model == name
    assert parsed.echo == Echo(sse=sse or not stream)
    assert parsed.foreign is (stream and not sse)
    assert parsed.plain is not parsed.foreign


def test_a_path_without_a_model() -> None:
    assert complaint({"contents": []}, path="/v1beta/models/:generateContent").param == "model"


def test_a_body_is_another_models_as_it_is_unless_it_names_one() -> None:
    body = b'{ "contents" : [] }'
    assert GeminiClient().read(call(body)).retarget("other") == body
    named = b'{"model":"models/m","contents":[]}'
    assert GeminiClient().read(call(named)).retarget("x") == b'{"model":"models/x","contents":[]}'
    bare = b'{"model":"m","contents":[]}'
    assert GeminiClient().read(call(bare)).retarget("x") == b'{"model":"x","contents":[]}'


def test_a_count_may_wrap_its_request() -> None:
    body = {"generateContentRequest": {"model": "models/m", "contents": [user("count me")]}}
    parsed = GeminiClient().read(
        call(msgspec.json.encode(body), path="/v1beta/models/m:countTokens", operation=Operation.COUNT)
    )
    assert parsed.facts.operation is Operation.COUNT
    assert texts_of(parsed.conversation()) == [b"count me"]


# --------------------------------------------------------------------------------------------- facts


def test_facts_of_a_small_request() -> None:
    got = facts()
    assert (got.dialect, got.model, got.stream, got.tools, got.thinking) == (
        "gemini",
        "m",
        False,
        0,
        ReasoningMode.UNSET,
    )
    assert got.size == got.text_size > 0


def test_headers_are_read() -> None:
    headers = {"x-claude-code-session-id": "s", "user-agent": "GeminiCLI/1.2 (x)"}
    got = GeminiClient().read(call(b'{"contents":[]}', headers)).facts
    assert (got.session, got.client) == (SessionKey("s"), "GeminiCLI/1.2")


@pytest.mark.parametrize(
    "config,expected",
    [
        ({"thinkingBudget": 0}, Reasoning(ReasoningMode.OFF)),
        ({"thinkingBudget": -1}, Reasoning(ReasoningMode.ADAPTIVE)),
        (
            {"thinkingBudget": 512, "includeThoughts": True},
            Reasoning(ReasoningMode.ON, None, 512, visible=True),
        ),
        ({"thinkingLevel": "HIGH"}, Reasoning(ReasoningMode.ON, Effort.HIGH)),
        ({"thinking_level": "minimal"}, Reasoning(ReasoningMode.ON, Effort.MINIMAL)),
        ({"thinkingLevel": "odd", "includeThoughts": False}, Reasoning(visible=False)),
    ],
)
def test_thinking(config: dict[str, object], expected: Reasoning) -> None:
    body = {"contents": [], "generation_config": {"thinking_config": config}}
    parsed = GeminiClient().read(call(msgspec.json.encode(body)))
    assert parsed.conversation().reasoning == expected
    assert (parsed.facts.thinking, parsed.facts.effort, parsed.facts.budget) == (
        expected.mode,
        expected.effort,
        expected.budget,
    )
    assert parsed.echo.thoughts is (expected.visible is True)


def test_tools_are_counted() -> None:
    tools = [
        {"functionDeclarations": [{"name": "f"}, {"name": "g"}]},
        {"google_search": {}, "codeExecution": {}},
    ]
    got = facts(tools=tools)
    assert (got.tools, got.tool_kinds) == (4, ("web_search", "codeExecution"))


def test_pictures_of_the_current_turn_and_the_size_without_media() -> None:
    plain = facts(contents=[user("hi")])
    seen = facts(contents=[user("hi", PNG)])
    assert (plain.images, seen.images) == (False, True)
    assert seen.size - seen.text_size == len("QUFBQQ==")
    assert not facts(contents=[user(PNG), model("nice"), user("more")]).images
    result = {
        "function_response": {
            "name": "f",
            "response": {},
            "parts": [{"inline_data": {"mime_type": "image/png", "data": "QQ=="}}],
        }
    }
    inner = facts(contents=[user(PNG), model("x"), user(result)])
    assert inner.images
    assert inner.size - inner.text_size == len("QUFBQQ==") + len("QQ==")
    linked = facts(contents=[user({"fileData": {"mimeType": "image/png", "fileUri": "https://x.test"}})])
    assert linked.images


def test_what_is_broken_is_no_fact_and_is_said_when_it_is_read() -> None:
    broken = {
        "contents": [
            7,
            {"role": "user", "parts": [{"inlineData": 7}, {"data": {}}, 8]},
            {"parts": {"inlineData": 1}},
        ]
    }
    parsed = GeminiClient().read(call(msgspec.json.encode(broken)))
    assert not parsed.facts.images
    with pytest.raises(InvalidRequestError):
        parsed.conversation()


def test_the_tag_of_a_subagent() -> None:
    tag = "<CCR-SUBAGENT-MODEL>p,m</CCR-SUBAGENT-MODEL>"
    assert facts(systemInstruction=user(tag)).subagent_tag == "p,m"
    assert facts(contents=[model("x"), user("", tag), user("y")]).subagent_tag == "p,m"
    assert facts(contents=[user("x"), user(tag)]).subagent_tag == ""
    assert facts(contents=[model(tag)]).subagent_tag == ""


# -------------------------------------------------------------------------------------- conversation


def test_settings() -> None:
    config = {
        "temperature": 1,
        "topP": 0.5,
        "topK": 40.0,
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "maxOutputTokens": 100,
        "stopSequences": ["x"],
        "mediaResolution": "LOW",
        "thinkingConfig": None,
    }
    got = conversation(
        generationConfig=config,
        systemInstruction={"parts": [{"text": "be kind"}, {"text": "be brief"}]},
        safetySettings=[{"category": "X"}],
        cached_content="cachedContents/1",
        labels=None,
    )
    assert got.system == (Text("be kind"), Text("be brief"))
    assert got.sampling == Sampling(1.0, 0.5, 40, 7, 0.1, 0.2)
    assert (got.max_tokens, got.stop, got.dialect) == (100, ("x",), "gemini")
    assert got.extra == (
        ("safetySettings", Json(b'[{"category":"X"}]')),
        ("cachedContent", Json(b'"cachedContents/1"')),
        ("generationConfig", Json(b'{"mediaResolution":"LOW"}')),
    )
    assert conversation(system_instruction="be kind").system == (Text("be kind"),)


def test_structured_output() -> None:
    def shape(**config: object) -> Any:
        return conversation(generationConfig=config)

    assert shape(responseMimeType="application/json").output_format == OutputFormat()
    assert shape(responseMimeType="application/json").extra == ()
    assert shape(response_schema={"type": "STRING", "nullable": True}).output_format == OutputFormat(
        Json(b'{"type":["string","null"]}')
    )
    assert shape(responseJsonSchema={"type": "object"}).output_format == OutputFormat(
        Json(b'{"type":"object"}')
    )
    assert shape(responseMimeType="text/x.enum").output_format is None
    assert shape(responseMimeType="text/x.enum").extra[0][1] == Json(b'{"responseMimeType":"text/x.enum"}')
    error = complaint({"contents": [], "generationConfig": {"responseSchema": 7}})
    assert error.param == "generationConfig.responseSchema"


def test_tools() -> None:
    parameters = {
        "type": "OBJECT",
        "properties": {
            "kind": {"type": "STRING", "format": "enum", "enum": ["a"], "nullable": True},
            "list": {"type": "ARRAY", "items": {"type": "INTEGER"}, "min_items": "2"},
            "any": {"any_of": [{"type": "NUMBER"}], "nullable": True},
            "free": {"type": "TYPE_UNSPECIFIED", "nullable": True},
            "odd": True,
        },
        "propertyOrdering": ["kind"],
        "additionalProperties": False,
    }
    tools = [
        {
            "functionDeclarations": [
                {"name": "f", "description": "d", "parameters": parameters, "behavior": "BLOCKING"},
                {"name": "g", "parameters_json_schema": {"type": "object", "x": 1}},
                {"name": "h"},
            ]
        },
        {"googleSearch": {"excludeDomains": ["a.test"]}},
        {"url_context": {}},
    ]
    f, g, h, search, context = conversation(tools=tools).tools
    assert isinstance(f, FunctionTool)
    assert msgspec.json.decode(f.schema.data) == {
        "type": "object",
        "properties": {
            "kind": {"type": ["string", "null"], "enum": ["a", None]},
            "list": {"type": "array", "items": {"type": "integer"}, "minItems": 2},
            "any": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "free": {},
            "odd": True,
        },
        "additionalProperties": False,
    }
    assert f.extra == (("behavior", Json(b'"BLOCKING"')),)
    assert g == FunctionTool("g", schema=Json(b'{"type":"object","x":1}'), dialect="gemini")
    assert h == FunctionTool("h", dialect="gemini")
    assert search == HostedTool(
        "web_search",
        "web_search",
        "gemini",
        Json(b'{"googleSearch":{"excludeDomains":["a.test"]}}'),
        SearchOptions(blocked_domains=("a.test",)),
    )
    assert context == HostedTool("urlContext", "urlContext", "gemini", Json(b'{"urlContext":{}}'))


def test_a_schema_without_a_bottom_is_cut_off() -> None:
    deep: dict[str, object] = {"type": "STRING"}
    for _ in range(100):
        deep = {"type": "ARRAY", "items": deep}
    (tool,) = conversation(tools=[{"functionDeclarations": [{"name": "f", "parameters": deep}]}]).tools
    assert isinstance(tool, FunctionTool)
    assert tool.schema.data.count(b"items") == 65


@pytest.mark.parametrize(
    "calling,choice,kept",
    [
        ({"mode": "AUTO"}, ToolChoice(), False),
        ({"mode": "none"}, ToolChoice(ToolMode.NONE), False),
        ({"mode": "ANY"}, ToolChoice(ToolMode.REQUIRED), False),
        ({"mode": "ANY", "allowed_function_names": ["f"]}, ToolChoice(ToolMode.NAMED, "f"), False),
        ({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}, ToolChoice(ToolMode.REQUIRED), True),
        ({"mode": "VALIDATED"}, ToolChoice(), True),
        ({}, ToolChoice(), False),
    ],
)
def test_tool_choice(calling: dict[str, object], choice: ToolChoice, kept: bool) -> None:
    got = conversation(toolConfig={"functionCallingConfig": calling})
    assert got.tool_choice == choice
    assert bool(got.extra) is kept


def test_other_settings_of_tools() -> None:
    got = conversation(tool_config={"retrievalConfig": {"a": 1}})
    assert got.tool_choice is None
    assert got.extra == (("toolConfig", Json(b'{"retrievalConfig":{"a":1}}')),)


# ------------------------------------------------------------------------------------------ contents


def test_media() -> None:
    text = base64.b64encode(b"words").decode()
    assert blocks(
        PNG,
        {"inline_data": {"mime_type": "application/pdf", "data": "QQ=="}},
        {"inlineData": {"mimeType": "text/plain", "data": text}},
        {"inlineData": {"mimeType": "text/plain", "data": "\u00e9"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "QQ=="}},
        {"fileData": {"mimeType": "image/png", "fileUri": "https://x.test/a.png"}},
        {"file_data": {"file_uri": "gs://b/c"}},
        {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/x"}},
        {"executableCode": {"code": "1"}},
        role="user",
    ) == (
        Image(Inline("image/png", "QUFBQQ==")),
        Document(Inline("application/pdf", "QQ==")),
        Document(Inline("text/plain", "words", "text")),
        Document(Inline("text/plain", "\u00e9")),
        Opaque("gemini", "inlineData", Json(b'{"inlineData":{"mimeType":"audio/wav","data":"QQ=="}}')),
        Image(Url("https://x.test/a.png", "image/png")),
        Document(FileRef("gs://b/c", "gemini")),
        Document(FileRef("https://generativelanguage.googleapis.com/v1beta/files/x", "gemini")),
        Opaque("gemini", "executableCode", Json(b'{"executableCode":{"code":"1"}}')),
    )


def test_thoughts_and_signatures() -> None:
    assert blocks(
        {"text": "a", "thought": True},
        {"text": "b", "thought": True},
        {"text": "", "thought": True, "thoughtSignature": "S1"},
        {"text": "said", "thought_signature": "S2"},
        {"text": "", "thought": True},
        {"thoughtSignature": "S3"},
        {**PNG, "thoughtSignature": "S4"},
        {"functionCall": {"id": "c", "name": "f"}, "thoughtSignature": "S5"},
        {},
        {"text": ""},
    ) == (
        Thinking("ab", Seal(HOME, "thought", "S1")),
        Text("said"),
        Thinking("", Seal(HOME, "text", "S2")),
        Thinking("", Seal(HOME, "text", "S3")),
        Image(Inline("image/png", "QUFBQQ==")),
        Thinking("", Seal(HOME, "image", "S4")),
        ToolCall("c", "f", seal=Seal(HOME, "call", "S5")),
    )


def test_seals_of_others_are_found_in_their_envelopes() -> None:
    shown, hidden = write_seal(CLAUDE), write_seal(CLAUDE, "never shown 你")
    assert blocks(
        {"text": "thought", "thought": True},
        {"text": "", "thought": True, "thoughtSignature": shown},
        {"text": "x", "thoughtSignature": hidden},
        {"functionCall": {"id": "c", "name": "f"}, "thoughtSignature": shown},
    ) == (
        Thinking("thought", CLAUDE),
        Text("x"),
        Thinking("never shown 你", CLAUDE),
        ToolCall("c", "f", seal=CLAUDE),
    )
    parsed = GeminiClient().read(request(contents=[model({"text": "", "thoughtSignature": shown})]))
    assert parsed.foreign
    assert not parsed.plain


def test_what_only_looks_like_an_envelope_is_a_signature() -> None:
    for odd in ("Y2NyMS5", "Y2NyMS5XeHg=", base64.b64encode(b"ccr1.W\xff").decode()):
        assert blocks({"text": "", "thoughtSignature": odd}) == (Thinking("", Seal(HOME, "text", odd)),)


def test_responses() -> None:
    def result(response: object, **fields: object) -> Any:
        turns = conversation(
            user("q"),
            model({"functionCall": {"id": "c", "name": "f"}}),
            user({"functionResponse": {"id": "c", "name": "f", "response": response, **fields}}),
        ).turns
        return turns[2].blocks[0]

    assert result({"output": "18"}) == ToolResult("c", (Text("18"),), plain=True)
    assert result({"output": ""}) == ToolResult("c", (), plain=True)
    assert result({}) == ToolResult("c", (), plain=True)
    assert result({"error": "no"}) == ToolResult("c", (Text("no"),), True, plain=True)
    assert result({"error": {"a": 1}}).content == (Text('{"a":1}'),)
    assert result({"output": {"a": 1}}) == ToolResult("c", (Text('{"output":{"a":1}}'),))
    assert result({"rows": []}, parts=[PNG, {"thoughtSignature": "x"}]).content == (
        Text('{"rows":[]}'),
        Image(Inline("image/png", "QUFBQQ==")),
    )


def test_ids_that_nobody_gave() -> None:
    def fcall(name: str, **fields: object) -> dict[str, object]:
        return {"functionCall": {"name": name, **fields}}

    def answer(name: str, output: str, **fields: object) -> dict[str, object]:
        return {"functionResponse": {"name": name, "response": {"output": output}, **fields}}

    got = conversation(
        user("q"),
        model(fcall("f"), fcall("g"), fcall("f", id="mine")),
        user(answer("f", "3", id="mine"), answer("g", "2"), answer("f", "1")),
        model(fcall("f")),
        user(answer("f", "4", id="f-1700-abc"), answer("lost", "x"), answer("lost", "y", id="z")),
    )
    calls = [block.id for turn in got.turns for block in turn.blocks if isinstance(block, ToolCall)]
    results = {
        block.call_id: block.content[0]
        for turn in got.turns
        for block in turn.blocks
        if isinstance(block, ToolResult)
    }
    assert calls == ["ccr_call_1_0", "ccr_call_1_1", "mine", "ccr_call_3_0"]
    assert results == {
        "mine": Text("3"),
        "ccr_call_1_1": Text("2"),
        "ccr_call_1_0": Text("1"),
        "ccr_call_3_0": Text("4"),
        "lost": Text("x"),
        "z": Text("y"),
    }


def test_an_answer_in_many_contents_is_one_turn() -> None:
    got = conversation(
        user("q"),
        model({"text": "th", "thought": True}),
        model({"text": "ought", "thought": True}),
        model("Hel"),
        model(),
        model("lo", "again"),
        user("a"),
        user("b"),
    )
    assert [turn.role for turn in got.turns] == [Role.USER, Role.ASSISTANT, Role.USER, Role.USER]
    assert got.turns[1].blocks == (Thinking("thought"), Text("Hello"), Text("again"))
    assert got.turns[1].source is None
    assert got.turns[0].source is not None


def test_reading_a_turn_is_pure_and_may_be_remembered() -> None:
    raw = msgspec.json.encode(model({"functionCall": {"name": "f"}}))
    seen: list[bytes] = []

    def remembered(data: bytes) -> Any:
        seen.append(data)
        return GeminiClient().read_turn(data)

    client = GeminiClient(read_turn=remembered)
    parsed = client.read(call(b'{"contents":[' + raw + b"]}"))
    assert parsed.conversation() is parsed.conversation()
    assert seen == [raw]
    assert client.read_turn(raw) == GeminiClient().read_turn(raw)


def test_roles_and_empty_contents() -> None:
    got = conversation(
        {"parts": [{"text": "a"}]},
        {"role": "function", "parts": []},
        {"role": "system", "parts": [{"text": "s"}]},
    )
    assert [turn.role for turn in got.turns] == [Role.USER, Role.SYSTEM]
    assert conversation({"role": "user"}).turns == ()


@pytest.mark.parametrize(
    "body,param",
    [
        (b"[]", None),
        (b"{", None),
        ({}, "contents"),
        ({"contents": {}}, "contents"),
        ({"contents": [7]}, "contents[0]"),
        ({"contents": [{"role": "owner"}]}, "contents[0].role"),
        ({"contents": [user({"text": 7})]}, "contents[0].parts[0].text"),
        ({"contents": [user(7)]}, "contents[0].parts[0]"),
        ({"contents": [model({"functionCall": {}})]}, "contents[0].parts[0].functionCall.name"),
        ({"contents": [model({"functionCall": {"name": "f", "args": []}})]}, "contents[0].parts[0].functionCall.args"),
        ({"contents": [user({"functionResponse": {"response": 1}})]}, "contents[0].parts[0].functionResponse.response"),
        ({"contents": [user({"fileData": {}})]}, "contents[0].parts[0].fileData.fileUri"),
        ({"contents": [], "generationConfig": []}, "generationConfig"),
        ({"contents": [], "generationConfig": {"maxOutputTokens": "many"}}, "generationConfig.maxOutputTokens"),
        ({"contents": [], "tools": [{"functionDeclarations": [{}]}]}, "tools[0].functionDeclarations[0].name"),
        ({"contents": [], "tools": [{"functionDeclarations": [{"name": "f", "parameters": 1}]}]}, "tools[0].functionDeclarations[0].parameters"),
        ({"contents": [], "toolConfig": {"functionCallingConfig": {"mode": 1}}}, "toolConfig.functionCallingConfig.mode"),
        ({"contents": [], "systemInstruction": 7}, "systemInstruction"),
    ],
)  # fmt: skip
def test_complaints_name_the_path(body: object, param: str | None) -> None:
    assert complaint(body).param == param


def test_equal_bytes_equal_tools() -> None:
    tool = evolve(FunctionTool("h"), dialect="gemini")
    assert conversation(tools=[{"functionDeclarations": [{"name": "h"}]}]).tools == (tool,)
