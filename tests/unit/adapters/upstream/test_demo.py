from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from ccr.adapters.dialects.anthropic.seals import read_seal
from ccr.adapters.upstream.demo import DemoUpstream
from ccr.adapters.wire.sse import SseFramer
from ccr.application.ports.upstream import Upstream, UpstreamRequest
from ccr.domain.errors import UpstreamUnavailableError
from ccr.domain.provenance import Origin, Seal

pytestmark = pytest.mark.anyio

FIXTURES = Path(__file__).parents[3] / "fixtures" / "claude-code"
READ = {"name": "Read", "input_schema": {"type": "object", "properties": {"file_path": {"type": "string"}}}}
BASH = {"name": "Bash", "input_schema": {"type": "object"}}
ECHO = {"name": "echo", "input_schema": {"type": "object", "properties": {"words": {"type": "string"}}}}


async def ask(body: Any, path: str = "/v1/messages") -> tuple[int, bytes, list[bytes]]:
    upstream: Upstream = DemoUpstream()
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    response = await upstream.open(UpstreamRequest("POST", f"demo://{path}", (), data))
    pieces: list[bytes] = []
    while piece := await response.chunk():
        pieces.append(piece)
    await response.aclose()
    return response.status, b"".join(pieces), pieces


async def answer(*content: Any, **fields: Any) -> dict[str, Any]:
    """The whole answer to one user turn."""
    body = {"model": "demo", "messages": [{"role": "user", "content": list(content)}], **fields}
    status, data, _ = await ask(body)
    assert status == 200
    message: dict[str, Any] = msgspec.json.decode(data)
    return message


def said(message: dict[str, Any]) -> list[tuple[str, Any]]:
    fields = {"text": "text", "thinking": "thinking", "tool_use": "input"}
    return [(block["type"], block[fields[block["type"]]]) for block in message["content"]]


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


async def test_it_repeats_what_was_said_last() -> None:
    reminder = text("<system-reminder>do not</system-reminder>")
    message = await answer(text("first"), text(" hello "), reminder)
    assert said(message) == [("text", "You said: hello")]
    assert (message["model"], message["stop_reason"], message["stop_sequence"]) == ("demo", "end_turn", None)
    assert message["usage"]["input_tokens"] > 1
    assert message == await answer(text("first"), text(" hello "), reminder)


async def test_content_may_be_one_string() -> None:
    _, data, _ = await ask({"messages": [{"role": "user", "content": "hello"}]})
    assert said(msgspec.json.decode(data)) == [("text", "You said: hello")]


async def test_nothing_said() -> None:
    assert said(await answer()) == [("text", "You said nothing.")]


@pytest.mark.parametrize("kind", ["enabled", "adaptive"])
async def test_it_thinks_when_asked_to(kind: str) -> None:
    message = await answer(text("hello you"), thinking={"type": kind})
    assert said(message) == [
        ("thinking", "2 words were said; I repeat them."),
        ("text", "You said: hello you"),
    ]
    seal = read_seal("signature", message["content"][0]["signature"])
    assert seal == Seal(Origin("demo"), "ccr", "demo")


async def test_it_reads_a_named_file() -> None:
    message = await answer(text("demo: tool Read /etc/hostname"), tools=[BASH, READ])
    assert said(message)[1] == ("tool_use", {"file_path": "/etc/hostname"})
    assert (message["content"][1]["name"], message["stop_reason"]) == ("Read", "tool_use")


@pytest.mark.parametrize(
    "prompt,command",
    [
        ("demo: tool", "echo 'hello from the demo provider'"),
        ("please demo: tool echo a b\nmore", "echo 'a b'"),
        ("demo: tool Bash ; rm -rf /", "echo '; rm -rf /'"),
    ],
)
async def test_it_runs_nothing_but_echo(prompt: str, command: str) -> None:
    message = await answer(text(prompt), tools=[READ, BASH])
    assert {"command": command, "description": "Repeat some words"} == said(message)[1][1]


async def test_it_calls_a_tool_named_echo() -> None:
    assert said(await answer(text("demo: tool echo a b"), tools=[ECHO]))[1][1] == {"words": "a b"}
    bare = {"name": "echo"}
    assert said(await answer(text("demo: tool echo a"), tools=[bare]))[1][1] == {"text": "a"}


@pytest.mark.parametrize(
    "prompt,tools", [("demo: tool Read", [READ]), ("demo: tool", []), ("demo: tool Write x", [BASH])]
)
async def test_it_says_what_it_could_call(prompt: str, tools: list[Any]) -> None:
    message = await answer(text(prompt), tools=tools)
    assert [(block["type"], message["stop_reason"]) for block in message["content"]] == [("text", "end_turn")]
    assert "here are: " in message["content"][0]["text"]


@pytest.mark.parametrize(
    "content,quoted",
    [
        ("first\nsecond", "first"),
        ([text(""), text("\n  1 one\n2 two")], "1 one"),
        ([], "nothing"),
    ],
)
async def test_it_quotes_the_first_line_of_a_result(content: Any, quoted: str) -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": content}
    message = await answer(result, text("Tool loaded."), thinking={"type": "enabled"})
    assert ("text", f'The tool answered: "{quoted}"') == said(message)[1]
    assert message["stop_reason"] == "end_turn"


async def test_the_output_limit_is_kept() -> None:
    message = await answer(text("demo: tool"), tools=[BASH], max_tokens=1)
    assert (said(message), message["stop_reason"]) == ([("text", "I ru")], "max_tokens")


async def test_it_streams_in_small_pieces() -> None:
    body = {
        "model": "demo",
        "stream": True,
        "thinking": {"type": "enabled"},
        "tools": [BASH],
        "messages": [{"role": "user", "content": "demo: tool"}],
    }
    status, data, pieces = await ask(body)
    frames = SseFramer().feed(data)
    events = [msgspec.json.decode(frame.data) for frame in frames]
    assert (200, len(pieces)) == (status, len(frames))
    assert [frame.event.decode() for frame in frames] == [event["type"] for event in events]
    assert events[0]["type"] == "message_start"
    assert events[0]["message"]["content"] == []
    starts = [event["content_block"] for event in events if event["type"] == "content_block_start"]
    assert [block["type"] for block in starts] == ["thinking", "text", "tool_use"]
    assert (
        starts[0]["thinking"],
        starts[0]["signature"],
        starts[1]["text"],
        starts[2]["input"],
    ) == ("", "", "", {})
    kinds = {event["delta"]["type"] for event in events if event["type"] == "content_block_delta"}
    assert {"thinking_delta", "signature_delta", "text_delta", "input_json_delta"} == kinds
    given = "".join(event["delta"].get("partial_json", "") for event in events if "delta" in event)
    assert msgspec.json.decode(given)["command"] == "echo 'hello from the demo provider'"
    assert events[-2]["delta"]["stop_reason"] == "tool_use"
    assert events[-1]["type"] == "message_stop"


@pytest.mark.parametrize("body", [b"junk", b"[]", b"{}", b'{"messages":5}'])
async def test_a_bad_request_is_refused(body: bytes) -> None:
    status, data, _ = await ask(body)
    assert (status, msgspec.json.decode(data)["error"]["type"]) == (400, "invalid_request_error")


async def test_other_paths() -> None:
    status, data, _ = await ask({"messages": []}, "/v1/messages/count_tokens")
    assert (status, msgspec.json.decode(data)) == (200, {"input_tokens": 3})
    assert (await ask({"messages": []}, "/v1/other"))[0] == 404


async def test_closed_is_closed() -> None:
    upstream = DemoUpstream()
    await upstream.aclose()
    with pytest.raises(UpstreamUnavailableError):
        await upstream.open(UpstreamRequest("POST", "demo:///v1/messages", (), b"{}"))


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
async def test_requests_of_the_real_client(path: Path) -> None:
    for recorded in msgspec.json.decode(path.read_bytes())["requests"]:
        body = recorded.get("body")
        if isinstance(body, dict) and "messages" in body:
            status, data, _ = await ask({**body, "stream": False})
            assert status == 200
            texts = [
                block["text"] for block in msgspec.json.decode(data)["content"] if block["type"] == "text"
            ]
            assert texts
            assert "<system-reminder>" not in texts[0]
