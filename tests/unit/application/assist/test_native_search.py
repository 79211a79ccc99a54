"""Kimi's own search: we give its calls back, the client sees searches."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ccr.adapters.upstream.fake import Reply
from ccr.domain.errors import UpstreamUnavailableError
from ccr.domain.record import Outcome
from tests.support.assembly import CONFIG, Bench, streamed, whole
from tests.support.assisted import assisted, body_of, chat, events_of, found, said

pytestmark = pytest.mark.anyio

KIMI = {
    "name": "moonshot",
    "api_base_url": "https://api.moonshot.ai/v1/chat/completions",
    "api_key": "sk-kimi-canary-0123456789",
    "models": ["kimi-k2.5", "kimi-k3"],
}
TOOL = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
READ = {"name": "Read", "description": "", "input_schema": {"type": "object", "properties": {}}}
BODY: dict[str, Any] = {
    "model": "moonshot,kimi-k2.5",
    "max_tokens": 100,
    "stream": True,
    "messages": [{"role": "user", "content": "Perform a web search for the query: why is the sky blue"}],
    "tools": [TOOL],
}
GIVEN = '{"search_result": {"search_id":"a1"},  "usage":{"total_tokens":3012}}'
"""As Moonshot writes it: no query, and blanks that are to come back."""
CALL = ("$web_search:0", "$web_search", GIVEN)


def kimi(*scripts: Any, **top: Any) -> Any:
    return assisted(*scripts, Providers=[*CONFIG["Providers"], KIMI], **top)


def starts(stream: bytes) -> list[dict[str, Any]]:
    return [event["content_block"] for event in events_of(stream) if event["type"] == "content_block_start"]


def end_of(stream: bytes) -> dict[str, Any]:
    (end,) = [event for event in events_of(stream) if event["type"] == "message_delta"]
    return end


async def ask(bench: Bench, **changes: Any) -> bytes:
    _, stream = await bench.ask(BODY, **changes)
    return stream


async def test_the_arguments_go_back_and_the_client_sees_a_search() -> None:
    async with kimi(said("", CALL), said("It scatters.")) as bench:
        answer, stream = await bench.ask(BODY)

        call, result, text = starts(stream)
        assert [call["type"], text["type"]] == ["server_tool_use", "text"]
        assert result == {"type": "web_search_tool_result", "tool_use_id": call["id"], "content": []}
        assert '{"query":"why is the sky blue"}' in stream.decode().replace('\\"', '"')
        assert end_of(stream)["delta"]["stop_reason"] == "end_turn"
        usage = end_of(stream)["usage"]
        assert usage["server_tool_use"]["web_search_requests"] == 1
        assert (usage["input_tokens"], usage["output_tokens"]) == (20, 4)
        assert bench.record.outcome is Outcome.OK
        assert "web_search=without results" in dict(answer.headers)["x-ccr-degraded"]

        first, second = body_of(bench, 0), body_of(bench, 1)
        assert first["tools"] == [{"type": "builtin_function", "function": {"name": "$web_search"}}]
        assert first["thinking"] == {"type": "disabled"}
        spoken, given = second["messages"][-2:]
        assert spoken["tool_calls"][0]["function"] == {"name": "$web_search", "arguments": GIVEN}
        assert given == {"role": "tool", "tool_call_id": "$web_search:0", "content": GIVEN}
        assert second["tools"] == first["tools"]


async def test_a_query_that_the_call_names_is_shown() -> None:
    call = ("c", "$web_search", '{"query":"sky"}')
    async with kimi(said("", call), said("Blue.")) as bench:
        stream = await ask(bench)
        assert '{"query":"sky"}' in stream.decode().replace('\\"', '"')


@pytest.mark.parametrize("arguments", ["{}", '{"query":7}', '{"query":""}'])
async def test_arguments_without_a_query_go_back(arguments: str) -> None:
    async with kimi(said("", ("c", "$web_search", arguments)), said("Blue.")) as bench:
        stream = await ask(bench)
        assert '{"query":"why is the sky blue"}' in stream.decode().replace('\\"', '"')
        assert body_of(bench, 1)["messages"][-1]["content"] == arguments


async def test_a_reply_that_is_not_streamed_is_the_same() -> None:
    async with kimi(whole(chat("", CALL)), whole(chat("It scatters."))) as bench:
        reply = msgspec.json.decode(await ask(bench, stream=False))
        kinds = [block["type"] for block in reply["content"]]
        assert kinds == ["server_tool_use", "web_search_tool_result", "text"]
        assert reply["stop_reason"] == "end_turn"


async def test_no_more_searches_than_allowed_and_then_a_round_without_any() -> None:
    async with kimi(said("", CALL), said("", CALL), said("Enough.")) as bench:
        stream = await ask(bench, tools=[{**TOOL, "max_uses": 1}, READ])
        results = [one["content"] for one in starts(stream) if one["type"] == "web_search_tool_result"]
        assert results == [
            [],
            {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"},
        ]
        assert [tool["function"]["name"] for tool in body_of(bench, 2)["tools"]] == ["Read"]
        assert end_of(stream)["usage"]["server_tool_use"]["web_search_requests"] == 1


async def test_the_clients_own_call_ends_the_loop() -> None:
    async with kimi(said("", CALL, ("c9", "Read", "{}"))) as bench:
        stream = await ask(bench, tools=[TOOL, READ])
        assert [one["type"] for one in starts(stream)] == [
            "tool_use", "server_tool_use", "web_search_tool_result",
        ]  # fmt: skip
        assert end_of(stream)["delta"]["stop_reason"] == "tool_use"


async def test_it_searches_itself_though_we_have_an_engine() -> None:
    engine = {"engine": "tavily", "apiKey": "tvly-canary-0123456789", "url": "http://tavily.test"}
    async with kimi(said("", CALL), said("Blue."), Search=engine) as bench:
        await ask(bench)
        assert all("moonshot" in request.url for request in bench.upstream.requests)


async def test_a_model_that_may_search_need_not() -> None:
    async with kimi(said("I know.")) as bench:
        stream = await ask(bench)
        assert [one["type"] for one in starts(stream)] == ["text"]


async def test_a_model_whose_thinking_stays_on_is_left_thinking() -> None:
    async with kimi(said("", CALL), said("Blue.")) as bench:
        await ask(bench, model="moonshot,kimi-k3")
        assert "thinking" not in body_of(bench, 0)
        assert body_of(bench, 1)["messages"][-2]["reasoning_content"]


async def test_an_exact_route_is_refused_before_anything_is_sent() -> None:
    router = {**CONFIG["Router"], "default": "moonshot,kimi-k2.5", "fidelity": "exact"}
    async with kimi(said("", CALL), Router=router) as bench:
        answer, raw = await bench.ask(BODY, model="claude-x")
        assert answer.status == 400
        assert b"web_search=without results" in raw
        assert bench.upstream.requests == []


async def test_a_later_round_that_fails_is_an_error_event() -> None:
    async with kimi(said("", CALL), UpstreamUnavailableError("no connection")) as bench:
        stream = await ask(bench)
        assert events_of(stream)[-1]["type"] == "error"
        assert bench.record.outcome is Outcome.UPSTREAM_ERROR


async def test_at_another_door_there_is_none_of_its_own() -> None:
    """At Moonshot's Anthropic door nothing is known of a search; there ours is run, if there is one."""
    door = {**KIMI, "api_base_url": "https://api.moonshot.ai/anthropic/v1/messages"}
    engine = {"engine": "tavily", "apiKey": "tvly-canary-0123456789", "url": "http://tavily.test"}
    stop = streamed(
        b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant",'
        b'"model":"k","content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":0}}}\n\n'
        b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":'
        b'{"type":"text","text":""}}\n\n'
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":'
        b'{"type":"text_delta","text":"Blue."}}\n\n'
        b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
        b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
        b'"usage":{"output_tokens":1}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'
    )
    scripts: list[Reply] = [stop]
    async with assisted(*scripts, found(), Providers=[*CONFIG["Providers"], door], Search=engine) as bench:
        await ask(bench, tools=[TOOL, READ])
        assert [tool["name"] for tool in body_of(bench, 0)["tools"]] == ["Read", "web_search"]
