"""The search loop, from the client's bytes to the provider's and the engine's, and back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ccr.adapters.upstream.fake import Reply
from ccr.domain.errors import UpstreamUnavailableError
from ccr.domain.record import Outcome
from tests.support.assembly import CONFIG, sse, streamed, text_events, whole
from tests.support.assisted import assisted, body_of, chat, chat_chunks, events_of, found, said

pytestmark = pytest.mark.anyio

TOOL = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
READ = {"name": "Read", "description": "", "input_schema": {"type": "object", "properties": {}}}
QUERY = "Perform a web search for the query: why is the sky blue"
SEARCH = {"engine": "tavily", "apiKey": "tvly-canary-0123456789", "url": "http://tavily.test"}
BODY: dict[str, Any] = {
    "model": "oai,m1",
    "max_tokens": 100,
    "stream": True,
    "messages": [{"role": "user", "content": [{"type": "text", "text": QUERY}]}],
    "tools": [TOOL],
}
HIT = ("https://sky.test/a", "Sky", "Rayleigh scatters blue light.")
CALL = ("call_1", "web_search", '{"query":"sky colour"}')


def blocks_of(stream: bytes) -> list[dict[str, Any]]:
    return [event["content_block"] for event in events_of(stream) if event["type"] == "content_block_start"]


def kinds(stream: bytes) -> list[str]:
    return [block["type"] for block in blocks_of(stream)]


def text_of(stream: bytes) -> str:
    deltas = [event["delta"] for event in events_of(stream) if event["type"] == "content_block_delta"]
    return "".join(delta.get("text", "") for delta in deltas)


def end_of(stream: bytes) -> dict[str, Any]:
    (end,) = [event for event in events_of(stream) if event["type"] == "message_delta"]
    return end


async def test_a_search_is_run_and_the_client_sees_a_real_one() -> None:
    async with assisted(said("", CALL), found(HIT), said("It scatters."), Search=SEARCH) as bench:
        answer, stream = await bench.ask(BODY)

        assert kinds(stream) == ["server_tool_use", "web_search_tool_result", "text"]
        call, result, _ = blocks_of(stream)
        assert result["tool_use_id"] == call["id"]
        assert call["id"].startswith("srvtoolu_")
        (hit,) = result["content"]
        assert (hit["url"], hit["title"]) == ("https://sky.test/a", "Sky")
        assert '{"query":"sky colour"}' in stream.decode().replace('\\"', '"')
        assert text_of(stream) == "It scatters."
        end = end_of(stream)
        assert end["delta"]["stop_reason"] == "end_turn"
        assert end["usage"]["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 0}
        assert (end["usage"]["input_tokens"], end["usage"]["output_tokens"]) == (20, 4)
        assert dict(answer.headers)["x-ccr-degraded"] == "web_search=emulated"
        assert bench.record.usage.searches == 1
        assert bench.record.outcome is Outcome.OK


async def test_what_was_mended_in_any_round_is_written_down() -> None:
    mended = [{**CONFIG["Providers"][1], "transformer": {"use": ["enhancetool"]}}]
    call = ("call_1", "web_search", '{"query":"sky colour",}')
    async with assisted(
        said("", call),
        found(HIT),
        said("It scatters."),
        Search=SEARCH,
        Providers=mended,
        Router={"default": "oai,m1"},
    ) as bench:
        _, stream = await bench.ask(BODY)

        assert text_of(stream) == "It scatters."
        assert [(repair.tool, repair.fix.value) for repair in bench.record.repairs] == [
            ("web_search", "syntax")
        ]


async def test_what_goes_out_in_each_round() -> None:
    async with assisted(said("I look.", CALL), found(HIT), said("It scatters."), Search=SEARCH) as bench:
        await bench.ask(BODY, tool_choice={"type": "tool", "name": "web_search"})

        first, search, second = body_of(bench, 0), body_of(bench, 1), body_of(bench, 2)
        (tool,) = first["tools"]
        assert tool["function"]["name"] == "web_search"
        assert tool["function"]["parameters"]["required"] == ["query"]
        assert first["tool_choice"]["function"]["name"] == "web_search"
        assert bench.upstream.requests[1].url == "http://tavily.test/search"
        assert search["query"] == "sky colour"
        assert second["tool_choice"] == "auto"
        assert second["messages"][-2]["content"] == "I look."
        assert second["messages"][-2]["tool_calls"][0]["id"] == "call_1"
        assert second["messages"][-1]["tool_call_id"] == "call_1"
        assert "Rayleigh" in second["messages"][-1]["content"]
        assert "https://sky.test/a" in second["messages"][-1]["content"]
        assert all(response.closed for response in bench.upstream.responses)


async def test_a_reply_that_is_not_streamed_is_the_same() -> None:
    async with assisted(
        whole(chat("", CALL)), found(HIT), whole(chat("It scatters.")), Search=SEARCH
    ) as bench:
        import msgspec

        _, raw = await bench.ask(BODY, stream=False)
        reply = msgspec.json.decode(raw)

        assert [block["type"] for block in reply["content"]] == [
            "server_tool_use",
            "web_search_tool_result",
            "text",
        ]
        assert reply["content"][0]["input"] == {"query": "sky colour"}
        assert reply["stop_reason"] == "end_turn"
        assert reply["usage"]["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 0}
        assert not body_of(bench, 0).get("stream")


async def test_the_words_before_a_search_reach_the_client_before_the_search_has_ended() -> None:
    gate = asyncio.Event()
    first = chat_chunks("I look.", CALL)
    slow = Reply(200, {"content-type": "application/json"}, found(HIT).chunks, before=(gate,))
    async with assisted(streamed(*first), slow, said("Done."), Search=SEARCH) as bench:
        answer = await bench.answer(BODY)
        pieces: list[bytes] = []

        async def write(data: bytes) -> None:
            pieces.append(data)

        assert answer.relay is not None
        task = asyncio.ensure_future(answer.relay(write))
        async with asyncio.timeout(5):
            while b"server_tool_use" not in b"".join(pieces):
                await asyncio.sleep(0)
        sent = b"".join(pieces)
        assert text_of(sent) == "I look."
        assert b"web_search_tool_result" not in sent
        gate.set()
        await task
        assert kinds(b"".join(pieces)) == ["text", "server_tool_use", "web_search_tool_result", "text"]


async def test_several_searches_of_one_round_and_of_several() -> None:
    again = ("call_2", "web_search", '{"query":"sea colour"}')
    scripts = [said("", CALL, again), found(HIT), found(), said("", CALL), found(HIT), said("So.")]
    async with assisted(*scripts, Search=SEARCH) as bench:
        _, stream = await bench.ask(BODY)

        pair = ["server_tool_use", "web_search_tool_result"]
        assert kinds(stream) == [*pair, *pair, *pair, "text"]
        assert len({block["id"] for block in blocks_of(stream) if "id" in block}) == 3
        assert end_of(stream)["usage"]["server_tool_use"] == {
            "web_search_requests": 3,
            "web_fetch_requests": 0,
        }
        last = body_of(bench, 5)["messages"]
        assert [message["role"] for message in last] == [
            "user", "assistant", "tool", "tool", "assistant", "tool",
        ]  # fmt: skip


async def test_no_more_searches_than_allowed_and_then_a_round_without_the_tool() -> None:
    scripts = [said("", CALL), found(HIT), said("", CALL), said("Enough.")]
    async with assisted(*scripts, Search=SEARCH) as bench:
        _, stream = await bench.ask(BODY, tools=[{**TOOL, "max_uses": 1}, READ])

        results = [block for block in blocks_of(stream) if block["type"] == "web_search_tool_result"]
        assert results[1]["content"] == {
            "type": "web_search_tool_result_error",
            "error_code": "max_uses_exceeded",
        }
        assert [tool["function"]["name"] for tool in body_of(bench, 3)["tools"]] == ["Read"]
        assert text_of(stream) == "Enough."
        assert end_of(stream)["usage"]["server_tool_use"] == {
            "web_search_requests": 1,
            "web_fetch_requests": 0,
        }


async def test_the_configuration_bounds_searches_when_the_request_does_not() -> None:
    scripts = [said("", CALL), found(HIT), said("", CALL), said("", CALL)]
    bare = {"type": "web_search_20250305", "name": "web_search"}
    async with assisted(*scripts, Search={**SEARCH, "maxUses": 1}) as bench:
        _, stream = await bench.ask(BODY, tools=[bare])

        assert kinds(stream) == ["server_tool_use", "web_search_tool_result"] * 2
        assert end_of(stream)["delta"]["stop_reason"] == "end_turn", "a call of nobody's ends the turn"
        assert "tools" not in body_of(bench, 3)
        assert len(bench.upstream.requests) == 4


async def test_the_clients_own_call_ends_the_loop() -> None:
    own = ("call_9", "Read", '{"path":"x"}')
    async with assisted(said("", CALL, own), found(HIT), Search=SEARCH) as bench:
        _, stream = await bench.ask(BODY, tools=[TOOL, READ])

        assert kinds(stream) == ["tool_use", "server_tool_use", "web_search_tool_result"]
        assert end_of(stream)["delta"]["stop_reason"] == "tool_use"
        assert len(bench.upstream.requests) == 2


async def test_a_model_that_only_talks_is_given_results_when_it_was_told_to_search() -> None:
    async with assisted(said("I cannot."), found(HIT), said("Blue."), Search=SEARCH) as bench:
        _, stream = await bench.ask(BODY)

        assert kinds(stream) == ["text", "server_tool_use", "web_search_tool_result", "text"]
        assert body_of(bench, 1)["query"] == "why is the sky blue"
        last = body_of(bench, 2)["messages"][-1]
        assert last["role"] == "user"
        assert "Rayleigh" in last["content"]
        assert len(bench.upstream.requests) == 3


async def test_a_model_that_may_search_need_not() -> None:
    async with assisted(said("I know."), Search=SEARCH) as bench:
        _, stream = await bench.ask(BODY, tools=[TOOL, READ])

        assert kinds(stream) == ["text"]
        assert "server_tool_use" not in end_of(stream)["usage"]


@pytest.mark.parametrize(
    "status, code",
    [(429, "too_many_requests"), (432, "too_many_requests"), (400, "invalid_input"), (401, "unavailable"), (500, "unavailable")],
)  # fmt: skip
async def test_a_search_that_fails_is_a_result_and_no_failed_reply(status: int, code: str) -> None:
    async with assisted(said("", CALL), found(status=status), said("Sorry."), Search=SEARCH) as bench:
        _, stream = await bench.ask(BODY)

        _, result, _ = blocks_of(stream)
        assert result["content"] == {"type": "web_search_tool_result_error", "error_code": code}
        assert "server_tool_use" not in end_of(stream)["usage"]
        told = body_of(bench, 2)["messages"][-1]["content"]
        assert "The search failed" in told
        assert SEARCH["apiKey"] not in told + stream.decode()


@pytest.mark.parametrize(
    "arguments, code",
    [
        ("{}", "invalid_input"),
        ('{"query":7}', "invalid_input"),
        ('{"query":"%s"}' % ("x" * 401), "query_too_long"),
    ],
)
async def test_a_query_that_cannot_be_searched_is_told(arguments: str, code: str) -> None:
    async with assisted(said("", ("c", "web_search", arguments)), said("Sorry."), Search=SEARCH) as bench:
        _, stream = await bench.ask(BODY)

        assert blocks_of(stream)[1]["content"]["error_code"] == code


async def test_domains_are_asked_for_and_enforced() -> None:
    hits = [
        HIT,
        ("https://www.a.test/x", "A", ""),
        ("https://b.a.test/", "B", ""),
        ("https://xa.test/", "C", ""),
    ]
    arguments = '{"query":"q","blocked_domains":["b.a.test"],"allowed_domains":[]}'
    tool = {**TOOL, "allowed_domains": ["a.test"]}
    async with assisted(
        said("", ("c", "web_search", arguments)), found(*hits), said("Ok."), Search=SEARCH
    ) as bench:
        _, stream = await bench.ask(BODY, tools=[tool])

        assert [hit["url"] for hit in blocks_of(stream)[1]["content"]] == ["https://www.a.test/x"]
        assert body_of(bench, 1)["include_domains"] == ["a.test"]
        assert body_of(bench, 1)["exclude_domains"] == ["b.a.test"]


async def test_a_later_round_that_fails_is_an_error_event() -> None:
    broken = UpstreamUnavailableError("no connection")
    async with assisted(said("", CALL), found(HIT), broken, Search=SEARCH) as bench:
        _, stream = await bench.ask(BODY)

        assert events_of(stream)[-1]["type"] == "error"
        assert bench.record.outcome is Outcome.UPSTREAM_ERROR


async def test_a_later_round_that_is_refused_is_an_error_event() -> None:
    refused = whole({"error": {"message": "no tools after tools", "code": "x"}}, status=400)
    async with assisted(said("", CALL), found(HIT), refused, Search=SEARCH) as bench:
        _, stream = await bench.ask(BODY)

        assert events_of(stream)[-1]["type"] == "error"
        assert "no tools after tools" in events_of(stream)[-1]["error"]["message"]


async def test_a_later_round_that_is_refused_for_a_field_is_asked_again_without_it() -> None:
    refused = whole({"error": {"message": "Unknown parameter: 'temperature'."}}, status=400)
    async with assisted(said("", CALL), found(HIT), refused, said("Blue."), Search=SEARCH) as bench:
        _, stream = await bench.ask(BODY, temperature=0.5)

        assert text_of(stream) == "Blue."
        assert ["temperature" in body_of(bench, at) for at in (0, 2, 3)] == [True, True, False]
        (learned,) = bench.made.container.attempts().learned.all()
        assert learned.amendment.name == "temperature"


async def test_a_later_round_that_is_refused_again_is_an_error_event() -> None:
    refused = whole({"error": {"message": "Unknown parameter: 'temperature'."}}, status=400)
    async with assisted(said("", CALL), found(HIT), refused, refused, Search=SEARCH) as bench:
        _, stream = await bench.ask(BODY, temperature=0.5)

        assert events_of(stream)[-1]["type"] == "error"
        assert len(bench.upstream.requests) == 4


async def test_a_later_round_that_is_cut_is_an_error_event() -> None:
    async with assisted(
        said("", CALL), found(HIT), streamed(*chat_chunks("half")[:3]), Search=SEARCH
    ) as bench:
        _, stream = await bench.ask(BODY)

        assert events_of(stream)[-1]["type"] == "error"
        assert text_of(stream) == "half"


async def test_a_first_round_that_fails_leaves_the_next_target() -> None:
    refused = whole({"error": {"message": "overloaded"}}, status=503)
    async with assisted(
        refused, said("", CALL), found(HIT), said("Ok."), Search=SEARCH, fallback={"default": ["oai,m2"]},
        Router={"default": "oai,m1"},
    ) as bench:  # fmt: skip
        _, stream = await bench.ask(BODY, model="claude-x")

        assert text_of(stream) == "Ok."
        assert [attempt.model for attempt in bench.record.attempts] == ["m1", "m2"]


async def test_a_reply_that_was_cut_short_is_not_searched_for() -> None:
    async with assisted(said("", CALL, finish="length"), Search=SEARCH) as bench:
        _, stream = await bench.ask(BODY)

        assert end_of(stream)["delta"]["stop_reason"] == "max_tokens"
        assert len(bench.upstream.requests) == 1


async def test_a_client_that_leaves_closes_what_is_open() -> None:
    never = Reply(200, {"content-type": "application/json"}, [asyncio.Event()])
    async with assisted(said("", CALL), never, Search=SEARCH) as bench:
        answer = await bench.answer(BODY)
        assert answer.relay is not None

        async def write(data: bytes) -> None:
            if b"server_tool_use" in data:
                asyncio.get_running_loop().call_soon(bench.disconnect.set)

        async with asyncio.timeout(5):
            await answer.relay(write)

        assert all(response.closed for response in bench.upstream.responses)
        assert len(bench.upstream.responses) == 2
        assert bench.record.outcome is Outcome.CLIENT_CLOSED


async def test_a_client_that_leaves_in_a_later_round_closes_it() -> None:
    stuck = streamed(*chat_chunks("half")[:3], asyncio.Event())
    async with assisted(said("", CALL), found(HIT), stuck, Search=SEARCH) as bench:
        answer = await bench.answer(BODY)
        assert answer.relay is not None

        async def write(data: bytes) -> None:
            if b"half" in data or b"lf" in data:
                asyncio.get_running_loop().call_soon(bench.disconnect.set)

        async with asyncio.timeout(5):
            await answer.relay(write)

        assert all(response.closed for response in bench.upstream.responses)
        assert bench.record.outcome is Outcome.CLIENT_CLOSED


async def test_a_tool_of_the_clients_with_the_same_name_is_not_mistaken_for_it() -> None:
    mine = {**READ, "name": "web_search"}
    async with assisted(said("", CALL), Search=SEARCH) as bench:
        _, stream = await bench.ask(BODY, tools=[mine, TOOL], tool_choice={"type": "auto"})

        assert [tool["function"]["name"] for tool in body_of(bench, 0)["tools"]] == [
            "web_search",
            "web_search_",
        ]
        assert kinds(stream) == ["tool_use"]


@pytest.mark.parametrize("search", [None, {"engine": "tavily"}, {"engine": "searxng"}])
async def test_without_an_engine_the_tool_is_left_out_as_ever(search: dict[str, Any] | None) -> None:
    top: dict[str, Any] = {"Search": search} if search else {}
    async with assisted(said("Hm."), **top) as bench:
        answer, _ = await bench.ask(BODY)

        assert "tools" not in body_of(bench, 0)
        assert dict(answer.headers)["x-ccr-degraded"].endswith("=dropped")


async def test_anthropic_itself_searches_itself() -> None:
    async with assisted(streamed(sse(*text_events())), Search=SEARCH) as bench:
        _, stream = await bench.ask(BODY, model="ant,claude-sonnet-5-5")

        assert body_of(bench, 0)["tools"] == [TOOL]
        assert bench.record.path == "relay"
        assert text_of(stream) == "Hi there"


async def test_a_route_that_allows_no_losses_has_no_emulated_search() -> None:
    config = {**CONFIG, "Router": {"default": "oai,m1", "fidelity": {"*": "exact"}}}
    async with assisted(said("", CALL), config=config, Search=SEARCH) as bench:
        answer = await bench.answer(BODY, model="claude-x")

        assert answer.status == 400
        assert b"exact fidelity" in answer.body
        assert bench.upstream.requests == []


async def test_the_searches_of_the_history_come_back_as_text() -> None:
    async with assisted(said("", CALL), found(HIT), said("Blue."), Search=SEARCH) as bench:
        _, stream = await bench.ask(BODY)
        history = blocks_of(stream)
        bench.upstream.add(streamed(sse(*text_events())))
        messages = [*BODY["messages"], {"role": "assistant", "content": _filled(history)}, *BODY["messages"]]
        await bench.ask(BODY, model="ant,claude-sonnet-5-5", messages=messages)

        sent = bench.upstream.requests[-1].body
        assert b"ccr1." not in sent
        assert b"https://sky.test/a" in sent
        assert bench.record.path == "translate"


def _filled(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**block, "text": "Blue."} if block["type"] == "text" else block for block in blocks]


async def test_a_client_that_leaves_ends_all_searches_under_way() -> None:
    never = Reply(200, {"content-type": "application/json"}, [asyncio.Event()])
    again = ("call_2", "web_search", '{"query":"sea colour"}')
    async with assisted(said("", CALL, again), never, never, Search=SEARCH) as bench:
        answer = await bench.answer(BODY)
        assert answer.relay is not None

        async def write(data: bytes) -> None:
            if b"server_tool_use" in data:
                asyncio.get_running_loop().call_soon(bench.disconnect.set)

        async with asyncio.timeout(5):
            await answer.relay(write)

        assert len(bench.upstream.responses) == 3
        assert all(response.closed for response in bench.upstream.responses)


async def test_a_round_whose_stream_stays_open_does_not_hold_up_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ccr.application.assist.search_loop._LAST_BYTES", 0.01)
    endless = streamed(*chat_chunks("", CALL), asyncio.Event())
    async with assisted(endless, found(HIT), said("Blue."), Search=SEARCH) as bench:
        _, stream = await bench.ask(BODY)

        assert text_of(stream) == "Blue."
        assert bench.upstream.responses[0].closed
