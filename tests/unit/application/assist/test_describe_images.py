"""Images for models that cannot see: described once by one that can, inside the application."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from ccr.adapters.upstream.fake import Reply
from ccr.application.assist.describe_images import ImageDescriber
from ccr.application.assist.side_call import SideCall
from ccr.application.flow.reserve import reserve
from ccr.domain.access import Principal
from ccr.domain.errors import UpstreamUnavailableError
from ccr.domain.record import Outcome
from tests.support.assembly import CONFIG, sse, streamed, text_events, whole
from tests.support.assisted import assisted, body_of, chat, said

pytestmark = pytest.mark.anyio

BLIND = {
    "name": "blind",
    "api_base_url": "https://api.deepseek.com/chat/completions",
    "api_key": "sk-blind-canary-0123456789",
    "models": ["deepseek-chat"],
}
SEEING: dict[str, Any] = {
    **CONFIG,
    "Providers": [*CONFIG["Providers"], BLIND],
    "Router": {"default": "blind,deepseek-chat", "image": "oai,m1"},
}
"""A text-only model answers, ``oai,m1`` sees."""


def image(data: str = "AAAA") -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


def result(call_id: str, *content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": list(content)}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


CALL = {"type": "tool_use", "id": "t1", "name": "Read", "input": {}}
HISTORY = [
    {"role": "user", "content": [text("look"), image("AAAA")]},
    {"role": "assistant", "content": [text("A cat.")]},
    {"role": "user", "content": [text("and now?")]},
]
BODY: dict[str, Any] = {"model": "claude-x", "max_tokens": 100, "stream": True, "messages": HISTORY}


def told(bench: Any, number: int) -> str:
    return repr(body_of(bench, number)["messages"])


async def test_an_image_of_the_history_is_described_in_its_place() -> None:
    async with assisted(whole(chat("A cat on a mat.")), said("Yes."), config=SEEING) as bench:
        answer, _ = await bench.ask(BODY)

        asked, sent = body_of(bench, 0), body_of(bench, 1)
        assert asked["model"] == "m1"
        picture, prompt = asked["messages"][0]["content"]
        assert picture["image_url"]["url"] == "data:image/png;base64,AAAA"
        assert "cannot see" in prompt["text"]
        assert not asked.get("stream")
        assert sent["messages"][0]["content"] == "look\n\n[Image #1: A cat on a mat.]"
        assert "AAAA" not in told(bench, 1)
        assert dict(answer.headers)["x-ccr-degraded"] == "image=described"


async def test_what_it_costs_is_the_requests_and_the_attempt_is_recorded() -> None:
    async with assisted(whole(chat("A cat.", tokens=1000)), said("Yes."), config=SEEING) as bench:
        await bench.ask(BODY)

        record = bench.record
        assert record.usage.input_uncached == 1010
        assert record.usage.output == 4
        side, main = record.attempts
        assert (side.provider, side.model, side.status, side.purpose) == ("oai", "m1", 200, "image")
        assert (main.provider, main.purpose) == ("blind", "")


async def test_the_same_image_is_described_once_and_stands_the_same_in_every_request() -> None:
    async with assisted(whole(chat("A cat.")), said("Yes."), said("Yes."), config=SEEING) as bench:
        await bench.ask(BODY)
        later = [*HISTORY, {"role": "assistant", "content": [text("Yes.")]}, HISTORY[2]]
        await bench.ask(BODY, messages=later)

        assert len(bench.upstream.requests) == 3
        before, after = body_of(bench, 1)["messages"], body_of(bench, 2)["messages"]
        assert after[: len(before)] == before


async def test_images_in_tool_results_are_described_where_they_stand() -> None:
    messages = [
        {"role": "user", "content": [text("read"), image("AAAA")]},
        {"role": "assistant", "content": [CALL]},
        {"role": "user", "content": [result("t1", text("two:"), image("BBBB"), image("AAAA"))]},
        {"role": "assistant", "content": [text("ok")]},
        {"role": "user", "content": [text("go on")]},
    ]
    replies = [whole(chat("first")), whole(chat("second"))]
    async with assisted(*replies, said("Yes."), config=SEEING) as bench:
        await bench.ask(BODY, messages=messages)

        sent = body_of(bench, 2)["messages"]
        tool = next(message for message in sent if message["role"] == "tool")
        assert "[Image #1: first]" in repr(sent[0])
        assert tool["content"].splitlines() == ["two:", "[Image #2: second]", "[Image #3: first]"]
        assert len(bench.upstream.requests) == 3, "the same bytes are asked about once"


async def test_no_more_than_four_at_once() -> None:
    gate = asyncio.Event()
    slow = evolve(whole(chat("x")), before=(gate,))
    messages = [{"role": "user", "content": [image(f"AAA{n}") for n in range(6)]}, *HISTORY[1:]]
    async with assisted(*([slow] * 6), said("Yes."), config=SEEING) as bench:
        task = asyncio.ensure_future(bench.ask(BODY, messages=messages))
        for _ in range(100):
            await asyncio.sleep(0)

        assert len(bench.upstream.requests) == 4
        gate.set()
        await task
        assert len(bench.upstream.requests) == 7
        assert "[Image #6: x]" in told(bench, 6)


async def test_an_image_that_nobody_can_describe_is_left_to_the_dialect() -> None:
    broken = whole({"error": {"message": "no"}}, status=500)
    async with assisted(broken, said("Yes."), config=SEEING) as bench:
        answer, _ = await bench.ask(BODY)

        assert "[image left out: this model cannot see images]" in told(bench, 1)
        assert dict(answer.headers)["x-ccr-degraded"] == "image=as text"
        assert bench.record.attempts[0].error == "upstream_unavailable"
        assert bench.record.attempts[0].status == 500


async def test_a_failure_is_not_remembered() -> None:
    broken = UpstreamUnavailableError("no connection")
    replies = [broken, said("Yes."), whole(chat("A cat.")), said("Yes.")]
    async with assisted(*replies, config=SEEING) as bench:
        await bench.ask(BODY)
        await bench.ask(BODY)

        assert "[Image #1: A cat.]" in told(bench, 3)


async def test_a_description_that_takes_too_long_is_given_up() -> None:
    never = Reply(200, {"content-type": "application/json"}, [asyncio.Event()])
    async with assisted(never, said("Yes."), config=SEEING) as bench:
        bench.made.container.attempts().adapters = (
            ImageDescriber(SideCall(bench.upstream, reserve), seconds=0.02),
        )
        await bench.ask(BODY)

        assert bench.record.attempts[0].error == "upstream_timeout"
        assert bench.upstream.responses[0].closed
        assert bench.record.outcome is Outcome.OK


async def test_an_empty_description_is_none() -> None:
    async with assisted(whole(chat(" ")), said("Yes."), config=SEEING) as bench:
        await bench.ask(BODY)

        assert "left out" in told(bench, 1)


async def test_a_client_that_leaves_ends_the_description() -> None:
    never = Reply(200, {"content-type": "application/json"}, [asyncio.Event()])
    async with assisted(never, config=SEEING, Timeouts={"commitAfterMs": 1}) as bench:
        answer = await bench.answer(BODY)
        assert answer.relay is not None

        async def write(_data: bytes) -> None:
            asyncio.get_running_loop().call_soon(bench.disconnect.set)

        async with asyncio.timeout(5):
            await answer.relay(write)

        assert bench.upstream.responses[0].closed
        assert bench.record.outcome is Outcome.CLIENT_CLOSED
        assert len(bench.upstream.requests) == 1, "the model is not asked for somebody who has left"


async def test_a_key_that_may_not_use_the_vision_model_gets_no_descriptions() -> None:
    someone = Principal("someone", models=("blind,*",))
    async with assisted(whole(chat("A cat.")), said("Yes."), said("Yes."), config=SEEING) as bench:
        await bench.ask(BODY)
        await bench.ask(BODY, principal=someone)

        assert "[Image #1: A cat.]" in told(bench, 1)
        assert "[Image #1" not in told(bench, 2), "not even one that is remembered"


async def test_descriptions_are_bounded_in_number() -> None:
    replies = [whole(chat("1")), said("Yes."), whole(chat("2")), said("Yes."), whole(chat("3")), said("Yes.")]
    async with assisted(*replies, config=SEEING) as bench:
        bench.made.container.attempts().adapters = (
            ImageDescriber(SideCall(bench.upstream, reserve), kept=1),
        )
        other = [{"role": "user", "content": [image("BBBB")]}, *HISTORY[1:]]
        await bench.ask(BODY)
        await bench.ask(BODY, messages=other)
        await bench.ask(BODY)

        assert "[Image #1: 3]" in told(bench, 5)


async def test_an_image_by_address_is_described_too_and_a_file_of_another_account_is_not() -> None:
    url = {"type": "image", "source": {"type": "url", "url": "https://i.test/a.png"}}
    file = {"type": "image", "source": {"type": "file", "file_id": "file_1"}}
    messages = [{"role": "user", "content": [file, url]}, *HISTORY[1:]]
    async with assisted(whole(chat("A dog.")), said("Yes."), config=SEEING) as bench:
        await bench.ask(BODY, messages=messages)

        assert body_of(bench, 0)["messages"][0]["content"][0]["image_url"]["url"] == "https://i.test/a.png"
        assert "[Image #2: A dog.]" in told(bench, 1)
        assert "left out" in told(bench, 1)


@pytest.mark.parametrize(
    "router",
    [{"default": "blind,deepseek-chat"}, {"default": "oai,m2", "image": "blind,deepseek-chat"}],
)
async def test_nothing_is_described_without_need_or_somebody_who_sees(router: dict[str, str]) -> None:
    async with assisted(said("Yes."), config={**SEEING, "Router": router}) as bench:
        await bench.ask(BODY)

        assert len(bench.upstream.requests) == 1


async def test_a_blind_vision_model_describes_nothing() -> None:
    other = {**BLIND, "name": "blind2"}
    config = {**SEEING, "Providers": [*SEEING["Providers"], other],
              "Router": {"default": "blind,deepseek-chat", "image": "blind2,deepseek-chat"}}  # fmt: skip
    async with assisted(said("Yes."), config=config) as bench:
        await bench.ask(BODY)

        assert "left out" in told(bench, 0)


async def test_the_current_turn_goes_to_the_image_target_itself() -> None:
    async with assisted(said("Seen."), config=SEEING) as bench:
        await bench.ask(BODY, messages=HISTORY[:1])

        assert body_of(bench, 0)["model"] == "m1"
        assert "AAAA" in told(bench, 0)


async def test_the_router_of_a_project_says_who_describes(tmp_path: Path) -> None:
    session = "0b1c2d3e-0000-4000-8000-000000000000"
    transcripts = tmp_path / ".claude" / "projects" / "-work-p"
    transcripts.mkdir(parents=True)
    (transcripts / f"{session}.jsonl").write_text("{}")
    routers = tmp_path / ".claude-code-router" / "-work-p"
    routers.mkdir(parents=True)
    (routers / "config.json").write_text('{"Router": {"default": "blind,deepseek-chat", "image": "oai,m2"}}')
    asked = {**BODY, "metadata": {"user_id": f"user_x_account__session_{session}"}}
    async with assisted(whole(chat("A cat.")), said("Yes."), config=SEEING, home=tmp_path) as bench:
        await bench.ask(asked)

        assert body_of(bench, 0)["model"] == "m2"
        assert "[Image #1: A cat.]" in told(bench, 1)


# ------------------------------------------------------------------------------------- forceUseImageAgent


async def test_forced_the_current_turn_is_described_and_goes_where_it_would() -> None:
    async with assisted(whole(chat("A cat.")), said("Yes."), config=SEEING, forceUseImageAgent=True) as bench:
        await bench.ask(BODY, messages=HISTORY[:1])

        assert [body_of(bench, n)["model"] for n in (0, 1)] == ["m1", "deepseek-chat"]
        assert "[Image #1: A cat.]" in told(bench, 1)


async def test_forced_a_model_that_could_see_gets_words_too() -> None:
    config = {**SEEING, "Router": {"default": "oai,m2", "image": "oai,m1"}}
    broken = whole({"error": {"message": "no"}}, status=500)
    file = {"type": "image", "source": {"type": "file", "file_id": "file_1"}}
    messages = [{"role": "user", "content": [image("AAAA"), image("BBBB"), file]}]
    replies = [whole(chat("A cat.")), broken, said("Yes.")]
    async with assisted(*replies, config=config, forceUseImageAgent=True) as bench:
        await bench.ask(BODY, messages=messages)

        sent = told(bench, 2)
        assert "[Image #1: A cat.]" in sent
        assert "[Image #2: it could not be described]" in sent
        assert "[Image #3: it could not be described]" in sent


async def test_forced_anthropic_itself_still_sees() -> None:
    config = {**SEEING, "Router": {"default": "ant,claude-sonnet-5-5", "image": "oai,m1"}}
    async with assisted(streamed(sse(*text_events())), config=config, forceUseImageAgent=True) as bench:
        await bench.ask(BODY)

        assert bench.record.path == "relay"
        assert "AAAA" in told(bench, 0)


async def test_a_route_that_allows_no_losses_asks_nobody() -> None:
    config = {**SEEING, "Router": {**SEEING["Router"], "fidelity": {"*": "exact"}}}
    async with assisted(config=config) as bench:
        answer = await bench.answer(BODY)

        assert answer.status == 400
        assert b"exact fidelity" in answer.body
        assert bench.upstream.requests == []
