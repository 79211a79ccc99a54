"""Who is asked for the rest of a reply, how often, and what is written down of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ccr.adapters.logs.request_log import line_of
from ccr.adapters.upstream.fake import Pause, Reply
from ccr.adapters.wire import json
from ccr.domain.conversation import Conversation, Role, Text, Turn
from ccr.domain.errors import ClientGoneError, UpstreamUnavailableError
from ccr.domain.models import ModelRef
from ccr.domain.record import Outcome
from ccr.domain.stream import fold
from ccr.domain.usage import Basis
from tests.support.assembly import CONFIG, Bench, assembled, openai_chunks, sse, streamed, text_events, whole
from tests.support.assisted import assisted, body_of, found, said
from tests.support.cut_replies import Block, anthropic, chat, joined
from tests.support.faulty.check import Seen, read_stream

pytestmark = pytest.mark.anyio

TEXT = "Once there was a king who had three daughters."
CUT = streamed(openai_chunks(TEXT[:20], finish=None, usage=False))
REST = streamed(openai_chunks(TEXT[20:]))
BUSY = whole({"error": {"message": "Something broke"}}, 503)
CALLED = Block("tool", '{"path":"a"}', "call_1")


def provider(name: str, door: str = "v1/chat/completions", **more: Any) -> dict[str, Any]:
    address = f"http://{name}.test/{door}"
    return {"name": name, "api_base_url": address, "api_key": f"sk-{name}", "models": ["m"], **more}


def config(*named: dict[str, Any], default: Any = None, failover: Any = None, **more: Any) -> dict[str, Any]:
    providers = list(named) or [provider("a"), provider("b")]
    settings = {"continueStreams": True, "retries": 0, **(failover or {})}
    route = {"default": default or [f"{one['name']},m" for one in providers]}
    return {**CONFIG, "Providers": providers, "Router": route, "Failover": settings, **more}


ONE = config(provider("a"))


def never() -> Reply:
    """Return a reply that begins and then stands still."""
    return streamed(openai_chunks(TEXT[:20], finish=None, usage=False), asyncio.Event())


def hosts(bench: Bench) -> str:
    return "".join(request.url.split("/")[2].partition(".")[0] for request in bench.upstream.requests)


def seen(body: bytes) -> Seen:
    found = Seen(200)
    read_stream(found, body)
    assert not found.problems
    return found


def told(bench: Bench) -> list[tuple[str, str, str, bool]]:
    return [(one.provider, one.error, one.purpose, one.doubtful) for one in bench.record.attempts]


def turns(bench: Bench, at: int = -1) -> list[dict[str, Any]]:
    said: Any = json.decode(bench.upstream.requests[at].body)
    return list(said["messages"])


# ---------------------------------------------------------------------------------------------------- who


async def test_whoever_began_it_goes_on_and_all_of_it_is_written_down() -> None:
    async with assembled(CUT, REST, config=config()) as bench:
        _, body = await bench.ask()

        assert (seen(body).text, seen(body).ended, hosts(bench)) == (TEXT, "stop", "aa")
        assert told(bench) == [("a", "upstream_protocol", "", True), ("a", "", "continuation", False)]
        line = line_of(bench.record)
        first, second = line["attempts"]
        assert (first["maybe_billed"], second["purpose"]) == (True, "continuation")
        assert (line["outcome"], line["target"], line["usage"]["basis"]) == ("ok", "a,m", "floor")
        assert [response.closed for response in bench.upstream.responses] == [True, True]


async def test_who_goes_on_is_told_what_was_said_and_no_more() -> None:
    async with assembled(CUT, REST, config=config()) as bench:
        await bench.ask()

        hello, begun, ask = turns(bench)
        assert hello == {"role": "user", "content": "Hello"}
        assert begun == {"role": "assistant", "content": TEXT[:20]}
        assert f"<tail>{TEXT[:20]}</tail>" in ask["content"]


async def test_another_goes_on_when_that_one_does_not() -> None:
    async with assembled(CUT, BUSY, REST, config=config()) as bench:
        _, body = await bench.ask()

        assert (seen(body).text, hosts(bench)) == (TEXT, "aab")
        assert told(bench)[1:] == [
            ("a", "upstream_unavailable", "continuation", False),
            ("b", "", "continuation", False),
        ]


async def test_another_is_asked_in_its_own_dialect() -> None:
    other = provider("b", "v1/messages")
    rest = streamed(sse(*text_events(TEXT[20:])))
    async with assembled(CUT, BUSY, rest, config=config(provider("a"), other)) as bench:
        _, body = await bench.ask()

        assert seen(body).text == TEXT
        assert turns(bench)[1] == {"role": "assistant", "content": [{"type": "text", "text": TEXT[:20]}]}


async def test_who_let_us_wait_is_not_asked_while_there_is_another() -> None:
    async with assembled(never(), REST, config=config(), Timeouts={"idleMs": 50}) as bench:
        _, body = await bench.ask()

        assert (seen(body).text, hosts(bench)) == (TEXT, "ab")
        assert told(bench)[0] == ("a", "upstream_timeout", "", True)


async def test_pings_are_no_news() -> None:
    begun = openai_chunks(TEXT[:20], finish=None, usage=False)
    beats = [Pause(0.03), b": ping\n\n"] * 40
    reply = streamed(begun, *beats, openai_chunks(" It woke up."))
    async with assembled(reply, REST, config=ONE, Timeouts={"idleMs": 100}) as bench:
        _, body = await bench.ask()

        assert seen(body).text == TEXT
        assert told(bench)[0] == ("a", "upstream_timeout", "", True)


async def test_the_time_that_a_client_takes_is_not_the_providers() -> None:
    begun = openai_chunks(TEXT[:20], finish=None, usage=False)
    reply = streamed(begun, Pause(0.01), openai_chunks(TEXT[20:]))
    pieces: list[bytes] = []

    async def write(data: bytes) -> None:
        pieces.append(data)
        await asyncio.sleep(0.4)

    async with assembled(reply, config=ONE, Timeouts={"idleMs": 200}) as bench:
        answer = await bench.answer()
        assert answer.relay is not None
        await answer.relay(write)

        assert seen(b"".join(pieces)).text == TEXT
        assert told(bench) == [("a", "", "", False)]


async def test_an_open_circuit_is_not_asked() -> None:
    made = config(failover={"breakerFailures": 2})
    async with assembled(CUT, BUSY, REST, CUT, REST, config=made) as bench:
        for session in ("one", "two"):
            _, body = await bench.ask(headers={"x-claude-code-session-id": session})
            assert seen(body).text == TEXT

        assert hosts(bench) == "aab" + "ab"


async def test_the_failures_of_one_request_count_once() -> None:
    async with assembled(
        CUT, CUT, CUT, config=config(provider("a"), failover={"breakerFailures": 2})
    ) as bench:
        _, body = await bench.ask()

        assert (seen(body).ended, hosts(bench)) == ("error", "aaa")
        catalog = bench.made.container.catalog().current
        target = catalog.target(ModelRef("a", "m"))
        (place,) = bench.made.container.health().report({target.ref: target})
        assert (place["circuit"], place["in_flight"]) == ("closed", 0)


async def test_without_a_retry_left_only_others_are_asked() -> None:
    async with assembled(CUT, REST, CUT, config=config()) as bench:
        bench.made.container.failover().budget.share = 0.0
        bench.made.container.failover().budget.left = 0.0
        _, body = await bench.ask()
        assert (seen(body).text, hosts(bench)) == (TEXT, "ab")

    async with assembled(CUT, REST, config=ONE) as bench:
        bench.made.container.failover().budget.share = 0.0
        bench.made.container.failover().budget.left = 0.0
        _, body = await bench.ask()
        assert (seen(body).ended, hosts(bench)) == ("error", "a")


async def test_a_continuation_costs_a_retry() -> None:
    async with assembled(CUT, REST, config=ONE) as bench:
        budget = bench.made.container.failover().budget
        await bench.ask()

        assert budget.left == budget.burst - 1


async def test_the_place_at_the_provider_is_given_back_first() -> None:
    alone = config(provider("a", maxInFlight=1), Limits={"providerQueueMs": 0})
    async with assembled(CUT, REST, config=alone) as bench:
        _, body = await bench.ask()

        assert seen(body).text == TEXT
        slots = bench.made.container.health().slots("a")
        assert slots is not None
        assert slots.used == 0


async def test_the_key_that_began_it_goes_on() -> None:
    keys = [f"sk-key-number-{number}" for number in range(8)]
    scripts = [CUT, REST] * 4
    async with assembled(*scripts, config=config(provider("a", api_key=keys))) as bench:
        for number in range(4):
            await bench.ask(headers={"x-claude-code-session-id": f"s{number}"})

        used = [dict(request.headers)["authorization"] for request in bench.upstream.requests]
        assert used[::2] == used[1::2]


# ----------------------------------------------------------------------------------------------- how often


async def test_a_third_cut_is_the_end() -> None:
    pieces = [
        streamed(openai_chunks(part, finish=None, usage=False))
        for part in (TEXT[:9], TEXT[9:20], TEXT[20:30])
    ]
    async with assembled(*pieces, REST, config=config()) as bench:
        _, body = await bench.ask()

        assert (seen(body).ended, seen(body).text, len(bench.upstream.requests)) == ("error", TEXT[:30], 3)
        assert b": ccr continued 2\n\n" in body
        assert bench.record.outcome is Outcome.UPSTREAM_TRUNCATED


async def test_two_cuts_are_survived() -> None:
    pieces = [streamed(openai_chunks(part, finish=None, usage=False)) for part in (TEXT[:9], TEXT[9:20])]
    async with assembled(*pieces, REST, config=config()) as bench:
        _, body = await bench.ask()

        assert (seen(body).ended, seen(body).text) == ("stop", TEXT)
        assert turns(bench)[1]["content"] == TEXT[:20]


async def test_if_nobody_goes_on_the_client_is_told_of_the_cut() -> None:
    reset = streamed(
        openai_chunks(TEXT[:20], finish=None, usage=False), UpstreamUnavailableError("the line broke")
    )
    async with assembled(reset, BUSY, BUSY, config=config()) as bench:
        _, body = await bench.ask()

        assert (seen(body).ended, seen(body).message) == ("error", "the line broke")
        assert b"continued" not in body
        assert [purpose for _, _, purpose, _ in told(bench)] == ["", "continuation", "continuation"]
        assert (bench.record.error, bench.record.outcome) == ("upstream_unavailable", Outcome.UPSTREAM_ERROR)


async def test_a_call_is_the_end_and_nobody_is_asked() -> None:
    begun = chat([Block("text", TEXT), CALLED, Block("tool", '{"path":"b"}', "call_2")])[:-4]
    async with assembled(streamed(joined(begun)), config=config()) as bench:
        _, body = await bench.ask()

        assert (seen(body).ended, seen(body).tools) == ("stop", [CALLED.text])
        assert b'"stop_reason":"tool_use"' in body
        assert told(bench) == [("a", "upstream_protocol", "", True)]
        assert (bench.record.outcome, bench.record.usage.basis) == (Outcome.OK, Basis.REPORTED)


@pytest.mark.parametrize("given", ['{"path":', "[1]"])
async def test_a_call_that_is_no_object_was_never_made(given: str) -> None:
    named = [provider(name, "v1/messages") for name in ("a", "b")]
    begun = anthropic([Block("text", TEXT[:20]), Block("tool", given, "call_0")])[:-2]
    rest = anthropic([Block("text", TEXT[20:]), CALLED])
    async with assembled(streamed(joined(begun)), streamed(joined(rest)), config=config(*named)) as bench:
        _, body = await bench.ask()

        assert (seen(body).text, seen(body).tools) == (TEXT, [CALLED.text])
        assert b"call_0" not in body


# ------------------------------------------------------------------------------------------------- when not


@pytest.mark.parametrize(
    "kind, continued",
    [("overloaded_error", True), ("api_error", True), ("invalid_request_error", False)],
)
async def test_what_the_request_is_to_blame_for_is_not_asked_again(kind: str, continued: bool) -> None:
    error = sse({"type": "error", "error": {"type": kind, "message": "No."}})
    named = provider("a", "v1/messages")
    begun = sse(*text_events(TEXT[:20])[:3])
    async with assembled(
        streamed(begun, error), streamed(sse(*text_events(TEXT[20:]))), config=config(named)
    ) as bench:
        _, body = await bench.ask()

        assert (seen(body).ended == "stop") is continued
        assert len(bench.upstream.requests) == 1 + continued


@pytest.mark.parametrize(
    "change",
    [
        {"config": config(failover={"continueStreams": False})},
        {"config": {**config(), "Router": {"default": ["a,m", "b,m"], "fidelity": "exact"}}},
    ],
)
async def test_it_is_off_unless_asked_for_and_where_nothing_may_be_lost(change: Any) -> None:
    async with assembled(CUT, REST, **change) as bench:
        _, body = await bench.ask()

        assert (seen(body).ended, hosts(bench)) == ("error", "a")


async def test_what_must_be_json_as_a_whole_is_left_alone() -> None:
    wanted = {"type": "json_schema", "schema": {"type": "object"}}
    async with assembled(CUT, REST, config=config(), Timeouts={"idleMs": 2000}) as bench:
        _, body = await bench.ask(output_config={"format": wanted})

        assert (seen(body).ended, hosts(bench)) == ("error", "a")


async def test_a_request_that_would_be_relayed_is_translated() -> None:
    named = provider("a", "v1/messages", transformer={"use": ["Anthropic"]})
    for on, path in ((True, "translate"), (False, "relay")):
        made = config(named, failover={"continueStreams": on})
        async with assembled(streamed(sse(*text_events())), whole({}, 400), config=made) as bench:
            await bench.ask()
            assert bench.record.path == path
            await bench.ask(stream=False)  # not streamed: bytes as ever
            assert bench.record.path == "relay"


async def test_what_is_foreseen_is_what_happens() -> None:
    named = provider("a", "v1/messages", transformer={"use": ["Anthropic"]})
    async with assembled(config=config(named)) as bench:
        explain = bench.made.container.console().explain_route

        for stream, path in ((True, "translate"), (False, "relay")):
            told: Any = await explain(bench.call(stream=stream))
            assert [target["path"] for target in told["targets"]] == [path]


async def test_a_client_that_leaves_meanwhile_is_gone() -> None:
    silent = Reply(headers=CUT.headers, before=[asyncio.Event()])
    async with assembled(CUT, silent, config=config()) as bench:
        answer = await bench.answer()
        asyncio.get_running_loop().call_later(0.05, bench.disconnect.set)
        await bench.read(answer)

        assert bench.record.outcome is Outcome.CLIENT_CLOSED
        assert isinstance(bench.record.error, str)
        assert hosts(bench) == "aa"
        assert all(response.closed for response in bench.upstream.responses)
        assert bench.record.error == ClientGoneError.kind


# ---------------------------------------------------------------------------------------------- everything else


async def test_thinking_is_told_to_whoever_thought_it_only() -> None:
    pieces = anthropic([Block("thinking", "What is in it?"), Block("text", TEXT[:20])])[:-3]
    named = [provider(name, "v1/messages") for name in ("a", "b")]
    rest = streamed(sse(*text_events(TEXT[20:])))
    async with assembled(streamed(joined(pieces)), rest, config=config(*named)) as bench:
        _, body = await bench.ask(thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=4096)
        assert seen(body).text == TEXT
        assert [part["type"] for part in turns(bench)[1]["content"]] == ["thinking", "text"]

    async with assembled(streamed(joined(pieces)), BUSY, rest, config=config(*named)) as bench:
        _, body = await bench.ask(thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=4096)
        assert seen(body).text == TEXT
        assert hosts(bench) == "aab"
        assert b"c2ln" not in bench.upstream.requests[2].body
        assert b"c2ln" in bench.upstream.requests[1].body


async def test_programs_that_embed_the_gateway_have_it_too() -> None:
    hello = Conversation("claude-sonnet-5-5", (Turn(Role.USER, (Text("Hello"),)),))
    async with assembled(never(), REST, config=config(), Timeouts={"idleMs": 50}) as bench:
        events = [event async for event in bench.made.container.gateway().converse(hello)]

        assert fold(events).blocks == (Text(TEXT),)
        assert told(bench)[1] == ("b", "", "continuation", False)


async def test_other_clients_see_one_reply() -> None:
    async with assembled(CUT, REST, config=config()) as bench:
        _, body = await bench.ask(
            {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hello"}]},
            dialect="openai_chat",
            path="/v1/chat/completions",
        )

        chunks = [json.decode(line[6:]) for line in body.split(b"\n\n") if line.startswith(b"data: {")]
        text = "".join(choice["delta"].get("content") or "" for one in chunks for choice in one["choices"])  # type: ignore[index]  # JSON
        assert text == TEXT
        assert b"\n\n: ccr continued 1\n\n" in body
        assert body.endswith(b"data: [DONE]\n\n")


async def test_a_framing_without_comments_has_no_remark() -> None:
    hello = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
    async with assembled(CUT, REST, config=config()) as bench:
        answer, body = await bench.ask(hello, dialect="gemini", path="/v1beta/models/m:streamGenerateContent")

        assert not dict(answer.headers)["content-type"].startswith("text/event-stream")
        said: Any = json.decode(body)
        parts = [
            part["text"] for one in said for part in one["candidates"][0].get("content", {}).get("parts", ())
        ]
        assert "".join(parts) == TEXT


async def test_what_was_mended_behind_a_cut_is_remembered() -> None:
    tool = {"name": "Read", "input_schema": {"type": "object", "properties": {"limit": {"type": "integer"}}}}
    named = provider("a", transformer={"use": ["enhancetool"]})
    rest = chat([Block("text", TEXT[20:]), Block("tool", '{"limit":"5"}', "call_1")])
    async with assembled(CUT, streamed(joined(rest)), config=config(named)) as bench:
        _, body = await bench.ask(tools=[tool])

        assert seen(body).tools == ['{"limit":5}']
        assert [repair.tool for repair in bench.record.repairs] == ["Read"]


async def test_what_either_of_them_could_not_carry_is_said() -> None:
    blind = provider("a", models=["deepseek-chat"])
    seeing = provider("b", "v1/messages", transformer={"use": ["Anthropic"]})
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aWk="}}
    rest = streamed(sse(*text_events(TEXT[20:])))
    made = config(blind, seeing, default=["a,deepseek-chat", "b,m"])
    async with assembled(CUT, BUSY, rest, config=made) as bench:
        _, body = await bench.ask(messages=[{"role": "user", "content": [picture]}])

        assert seen(body).text == TEXT
        assert b"aWk=" in bench.upstream.requests[2].body
        assert [str(loss) for loss in bench.record.losses] == ["image=as text"]


async def test_a_search_before_the_cut_is_told() -> None:
    tool = {"type": "web_search_20250305", "name": "web_search"}
    query = "Perform a web search for the query: why is the sky blue"
    search = {"engine": "tavily", "apiKey": "tvly-canary-0123456789", "url": "http://tavily.test"}
    first = said("", ("call_1", "web_search", '{"query":"sky colour"}'))
    hit = found(("https://sky.test/a", "Sky", "Blue light."))
    async with assisted(first, hit, CUT, REST, config=config(provider("a")), Search=search) as bench:
        _, body = await bench.ask(tools=[tool], messages=[{"role": "user", "content": query}])

        view = Seen(200)
        read_stream(view, body)  # which knows no searches
        assert (view.text, view.ended) == (TEXT, "stop")
        assert (body.count(b"server_tool_use"), bench.record.usage.searches) == (2, 1)
        assert "https://sky.test/a" in str(body_of(bench, 3)["messages"])
