"""What a client of this dialect says, said again to a provider of it; and a strict upstream played through."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.dialects.gemini import GeminiClient, GeminiProvider
from ccr.adapters.dialects.gemini.names import function_name
from ccr.domain.conversation import Conversation, FunctionTool, HostedTool
from ccr.domain.conversation.homeward import homeward
from ccr.domain.models import SchemaStyle
from ccr.domain.stream import fold
from tests.support.fake_gemini import DUMMY, FakeGemini
from tests.support.fake_provider import RejectedError
from tests.support.gemini import NEW, call, conversation, decode, model, request, user, written
from tests.support.loopback import Recorded
from tests.support.scripts import Failure, Reply, Text, Thinking, ToolCall, by_turn

PROFILE = evolve(NEW, schema=SchemaStyle.OPENAPI)
PNG = {"inlineData": {"mimeType": "image/png", "data": "QUFB"}}
_WORDS = st.text("ab 你\n", min_size=1, max_size=6)
_SIGNATURES = st.sampled_from(["SIGN", "AB+/", "TRUE"])
_OBJECTS = st.dictionaries(st.sampled_from("abc"), st.integers() | _WORDS, max_size=2)


@st.composite
def contents(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return histories as official clients keep them."""
    made = [user(draw(_WORDS))]
    for number in range(draw(st.integers(0, 3))):
        parts: list[object] = [draw(_WORDS)]
        if draw(st.booleans()):
            parts.append({"text": "", "thoughtSignature": draw(_SIGNATURES)})
        answers: list[object] = []
        for index in range(draw(st.integers(0, 2))):
            one: dict[str, Any] = {
                "functionCall": {"id": f"{number}_{index}", "name": "f", "args": draw(_OBJECTS)}
            }
            answer = {
                "id": f"{number}_{index}",
                "name": "f",
                "response": {draw(st.sampled_from(["output", "error"])): draw(_WORDS)},
            }
            if index == 0:
                one["thoughtSignature"] = draw(_SIGNATURES)
            parts.append(one)
            answers.append({"functionResponse": answer})
        made += [model(*parts), user(*answers, *([] if answers else [draw(_WORDS)]))]
    return made


@given(contents())
def test_what_a_client_says_is_said_to_a_provider(given_contents: list[dict[str, Any]]) -> None:
    asked = conversation(*given_contents)
    sent = written(asked, PROFILE)
    assert sent["contents"] == given_contents
    again = conversation(*sent["contents"])
    assert again.turns == asked.turns


@given(contents(), st.booleans())
def test_it_means_the_same_when_it_is_written_anew(
    given_contents: list[dict[str, Any]], stream: bool
) -> None:
    asked = conversation(*given_contents)
    anew = evolve(asked, turns=tuple(evolve(turn, source=None) for turn in asked.turns), stream=stream)
    sent = written(anew, PROFILE)
    assert conversation(*sent["contents"]).turns == asked.turns


def test_settings_and_tools_are_said_again() -> None:
    fields = {
        "systemInstruction": {"parts": [{"text": "be kind"}]},
        "tools": [
            {
                "functionDeclarations": [
                    {
                        "name": "f",
                        "description": "d",
                        "parameters": {
                            "type": "OBJECT",
                            "properties": {"a": {"type": "STRING", "nullable": True}, "b": {"type": "ARRAY", "items": {"type": "INTEGER"}}},
                            "required": ["a"],
                        },
                    }
                ]
            },
            {"googleSearch": {}},
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f", "g"]}},
        "generationConfig": {
            "temperature": 0.5,
            "maxOutputTokens": 100,
            "responseMimeType": "application/json",
            "responseSchema": {"type": "OBJECT", "properties": {"x": {"type": "STRING"}}},
            "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": True},
            "candidateCount": 1,
        },
        "safetySettings": [{"category": "X"}],
    }  # fmt: skip
    asked = conversation(**fields)
    sent = written(asked, PROFILE)
    sent.pop("model")
    again = GeminiClient().read(request(**sent)).conversation()
    assert again.turns == asked.turns
    assert (again.system, again.sampling, again.max_tokens) == (
        asked.system,
        asked.sampling,
        asked.max_tokens,
    )
    assert (again.reasoning, again.output_format) == (asked.reasoning, asked.output_format)
    assert [tool.name for tool in again.tools] == [tool.name for tool in asked.tools]
    assert isinstance(again.tools[0], FunctionTool)
    assert isinstance(again.tools[1], HostedTool)
    assert again.tools[0] == asked.tools[0]
    assert sent["generationConfig"]["candidateCount"] == 1
    assert sent["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"] == ["f", "g"]
    assert sent["safetySettings"] == [{"category": "X"}]


@given(st.text(max_size=80))
def test_every_name_is_legal(name: str) -> None:
    legal = function_name(name)
    assert len(legal) <= 64
    assert legal[0].isalpha() or legal[0] == "_"
    assert function_name(legal) == legal


# ------------------------------------------------------------------------------------ a strict upstream


def played(fake: FakeGemini, asked: Conversation, *, stream: bool = True) -> Any:
    """Send a conversation to the upstream, as the door would, and read its reply."""
    sent = written(homeward(asked, "gemini", "google"), PROFILE)
    sent.pop("model")
    sent.pop("stream", None)
    action = "streamGenerateContent?alt=sse" if stream else "generateContent"
    recorded = Recorded("POST", f"/v1beta/models/m:{action}", {"x-goog-api-key": "k"}, b"", 0.0, json=sent)
    fake.check_credentials(recorded)
    assert fake.side_reply(recorded) is None
    fake.check(recorded)
    answer = fake.script(fake._seen(recorded), 0)
    assert isinstance(answer, Reply)
    if stream:
        return fold(decode(fake.events(answer, recorded.json)))
    return GeminiProvider().read_reply(msgspec.json.encode(fake.whole(answer, recorded.json)))


@pytest.mark.parametrize("stream", [True, False])
def test_a_tool_loop_with_thoughts_passes_the_strict_upstream(stream: bool) -> None:
    said = Reply((Thinking("hmm"), Text("so"), ToolCall("f", {"a": 1}), ToolCall("f", {"a": 2})))
    fake = FakeGemini(by_turn(said))
    config = {"thinkingConfig": {"thinkingLevel": "low", "includeThoughts": True}}
    tools = [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}]
    first = conversation(user("go"), generationConfig=config, tools=tools)
    reply = played(fake, first, stream=stream)
    assert [type(block).__name__ for block in reply.blocks] == ["Thinking", "Text", "ToolCall", "ToolCall"]

    client = GeminiClient(new_id=lambda: "r")
    asked_call = request(contents=[user("go")], generationConfig=config, tools=tools)
    body = msgspec.json.decode(
        client.write_reply(reply, client.read(asked_call).facts, client.read(asked_call).echo)
    )
    history = body["candidates"][0]["content"]
    ids = [part["functionCall"]["id"] for part in history["parts"] if "functionCall" in part]
    answers = [{"functionResponse": {"id": one, "name": "f", "response": {"output": "x"}}} for one in ids]
    second = conversation(user("go"), history, user(*answers), generationConfig=config, tools=tools)
    assert played(fake, second, stream=stream).reason.value == "tool_use"


def test_the_strict_upstream_sees_questions_and_tells_errors() -> None:
    fake = FakeGemini(by_turn(Reply((Text("x"),))), models=("m",))
    body = {
        "contents": [
            user("q", PNG),
            model({"functionCall": {"name": "f", "args": {}}, "thoughtSignature": DUMMY}),
            user({"functionResponse": {"name": "f", "response": {"output": "18"}, "parts": [PNG]}}),
        ],
        "model": "m",
        "tools": [{"functionDeclarations": [{"name": "f"}]}],
    }
    seen = fake._seen(Recorded("POST", "/p", {}, b"", 0.0, json=body))
    assert (seen.user_text, seen.tool_names, seen.images) == ("q", ["f"], ["image/png", "image/png"])
    assert list(seen.tool_calls) == list(seen.tool_results) == ["1:f"]
    told = fake.error_event(Failure(429, "slow", "RATE"))
    assert b"RESOURCE_EXHAUSTED" in told
    models = Recorded("GET", "/v1beta/models", {}, b"", 0.0)
    assert fake.side_reply(models) == {"models": [{"name": "models/m"}]}
    count = Recorded("POST", "/v1beta/models/m:countTokens", {}, b"", 0.0)
    assert fake.side_reply(count) == {"totalTokens": 100}


def refusal(**fields: Any) -> str:
    body = {"contents": [user("q")], "model": "m", **fields}
    fake = FakeGemini(by_turn(Reply((Text("x"),))))
    try:
        fake.check(Recorded("POST", "/v1beta/models/m:generateContent", {}, b"", 0.0, json=body))
    except RejectedError as error:
        return error.message
    return ""


CALL = model({"functionCall": {"id": "c", "name": "f"}, "thoughtSignature": DUMMY})
ANSWER = {"id": "c", "name": "f", "response": {}}


@pytest.mark.parametrize(
    "fields,words",
    [
        ({}, ""),
        ({"colour": 1}, "Unknown name"),
        ({"contents": []}, "not specified"),
        ({"contents": [model("x")]}, "alternate"),
        ({"contents": [user("x"), model("y")]}, "end with a user"),
        ({"contents": [user()]}, "must not be empty"),
        ({"contents": [user("")]}, "must have a text"),
        ({"contents": [user({"cache_control": {}})]}, "Unknown name"),
        ({"contents": [user({"thought": True})]}, "oneof"),
        ({"contents": [user({"inlineData": {"mimeType": "x"}})]}, "required"),
        ({"contents": [user("q"), CALL, user("x")]}, "number of function response"),
        ({"contents": [user("q"), CALL, user({"functionResponse": {**ANSWER, "name": "g"}})]}, "name"),
        ({"contents": [user("q"), model({"functionCall": {"name": "f"}}), user({"functionResponse": {"name": "f", "response": {}}})]}, "missing a thought_signature"),
        ({"contents": [user("q"), model({"text": "", "thoughtSignature": "forged"}), user("x")]}, "not valid"),
        ({"contents": [user({"functionCall": {"name": "1f"}})]}, "Invalid function name"),
        ({"generationConfig": {"maxOutputTokens": 0}}, "max_output_tokens"),
        ({"generationConfig": {"stopSequences": list("abcdef")}}, "stop_sequences"),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "low"}}}, "only one"),
        ({"generationConfig": {"thinkingConfig": {"thinkingLevel": "max"}}}, "level"),
        ({"generationConfig": {"responseSchema": {"type": "string"}}}, "mime type"),
        ({"tools": []}, "empty"),
        ({"tools": [{"functionDeclarations": [{"name": "f"}]}, {"googleSearch": {}}]}, "cannot be combined"),
        ({"tools": [{"functionDeclarations": [{"name": "f"}, {"name": "f"}]}]}, "Invalid function name"),
        ({"tools": [{"functionDeclarations": [{"name": "f", "parameters": {"$ref": "#"}}]}]}, "Unknown name"),
        ({"tools": [{"functionDeclarations": [{"name": "f", "parameters": {}}]}]}, "type"),
        ({"toolConfig": {"functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["f"]}}}, "Allowed function"),
    ],
)  # fmt: skip
def test_the_strict_upstream_refuses_what_gemini_refuses(fields: dict[str, Any], words: str) -> None:
    message = refusal(**fields)
    assert bool(words) == bool(message)
    assert words in message


def test_a_call_for_a_stream_is_read_whatever_its_address() -> None:
    parsed = GeminiClient().read(call(b'{"contents":[]}', path="/v1/models/a,b/c:d:streamGenerateContent"))
    assert (parsed.facts.model, parsed.facts.stream) == ("a,b/c:d", True)
