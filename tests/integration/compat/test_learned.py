"""What a provider refuses by name is left out, remembered, and tried again after a week."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.compat.conftest import TestClock, anthropic, gateway, openai
from tests.support.scripts import Json, Reply, Text, Thinking, ToolCall, text

pytestmark = pytest.mark.anyio
CHAT: dict[str, Any] = {"model": "up,m", "temperature": 0.2}
TOOL = {
    "name": "get_time",
    "description": "The time.",
    "input_schema": {
        "type": "object",
        "properties": {"zone": {"type": "string", "format": "tz"}},
        "additionalProperties": False,
    },
}


def no_temperature(body: Json, _: Mapping[str, str]) -> str | None:
    if "temperature" not in body:
        return None
    return "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) is."


def statuses(upstream: Any) -> list[int]:
    return [request.status for request in upstream.model_requests]


async def test_a_refused_field_is_left_out_and_the_next_request_goes_in_one(tmp_path: Path) -> None:
    async with openai(no_temperature) as up, gateway({"up": up}, tmp_path / "learned.json") as bench:
        first, body = await bench.ask(**CHAT)
        record = bench.record
        second, _ = await bench.ask(**CHAT)

        assert (first.status, second.status) == (200, 200)
        assert b"well" in body
        assert statuses(up) == [400, 200, 200]
        assert [("temperature" in request.json) for request in up.model_requests] == [True, False, False]
        assert [(one.status, one.error) for one in record.attempts] == [(400, "upstream_rejected"), (200, "")]
        assert str(record.losses[-1]) == "temperature=learned"
        assert "temperature=learned" in map(str, bench.record.losses)


async def test_it_is_known_after_a_restart(tmp_path: Path) -> None:
    async with openai(no_temperature) as up:
        for _ in range(2):
            async with gateway({"up": up}, tmp_path / "learned.json") as bench:
                await bench.ask(**CHAT)

        assert statuses(up) == [400, 200, 200]


async def test_after_a_week_the_field_is_sent_again(tmp_path: Path) -> None:
    clock = TestClock()
    async with openai(no_temperature) as up, gateway({"up": up}, tmp_path / "l.json", clock=clock) as bench:
        await bench.ask(**CHAT)
        clock.ahead = timedelta(days=8)
        await bench.ask(**CHAT)
        await bench.ask(**CHAT)
        assert statuses(up) == [400, 200, 400, 200, 200]

        up.refuse = lambda _body, _headers: None
        clock.ahead = timedelta(days=16)
        await bench.ask(**CHAT)
        await bench.ask(**CHAT)
        assert ["temperature" in request.json for request in up.model_requests[-2:]] == [True, True]


async def test_two_workers_learn_together(tmp_path: Path) -> None:
    file = tmp_path / "learned.json"

    def refuse(body: Json, _: Mapping[str, str]) -> str | None:
        for name in ("temperature", "top_p"):
            if name in body:
                return f"Unsupported parameter: '{name}' is not supported with this model."
        return None

    clock = TestClock()
    async with openai(refuse) as up, gateway({"up": up}, file, clock=clock) as one:
        async with gateway({"up": up}, file) as two:
            await one.ask(**CHAT)
            await two.ask(model="up,m", top_p=0.5)
        clock.ahead = timedelta(seconds=2)
        await one.ask(**CHAT, top_p=0.5)

        assert statuses(up) == [400, 200, 400, 200, 200]


async def test_three_complaints_are_answered_and_a_fourth_is_told(tmp_path: Path) -> None:
    taken = ["temperature", "top_p", "stop", "max_tokens"]

    def refuse(body: Json, _: Mapping[str, str]) -> str | None:
        return next((f"Unknown parameter: '{name}'." for name in taken if name in body), None)

    asked = {**CHAT, "top_p": 0.5, "stop_sequences": ["x"]}
    async with openai(refuse) as up, gateway({"up": up}, tmp_path / "l.json") as bench:
        answer, body = await bench.ask(**asked)
        assert (answer.status, statuses(up)) == (400, [400, 400, 400, 400])
        assert b"max_tokens" in body

        taken.pop()
        answer, _ = await bench.ask(**asked)
        assert answer.status == 200
        assert statuses(up)[4:] == [400, 400, 400, 200]


async def test_the_same_complaint_twice_is_not_answered_twice(tmp_path: Path) -> None:
    said = "Unknown parameter: 'temperature'."
    async with openai(lambda _b, _h: said) as up, gateway({"up": up}, tmp_path / "l.json") as bench:
        answer, body = await bench.ask(**CHAT)

        assert answer.status == 400
        assert b"temperature" in body
        assert statuses(up) == [400, 400]
        assert not (tmp_path / "l.json").exists()


async def test_a_complaint_about_what_was_not_sent_is_no_reason_to_repeat_it(tmp_path: Path) -> None:
    said = "Unknown parameter: 'seed'."
    async with openai(lambda _b, _h: said) as up, gateway({"up": up}, tmp_path / "l.json") as bench:
        await bench.ask(**CHAT)

        assert statuses(up) == [400]


async def test_the_output_limit_is_learned(tmp_path: Path) -> None:
    async with openai() as up, gateway({"up": up}, tmp_path / "l.json") as bench:
        up.max_tokens = 4096
        await bench.ask(model="up,m", max_tokens=10_000)
        await bench.ask(model="up,m", max_tokens=10_000)
        await bench.ask(model="up,m", max_tokens=100)

        assert [request.json["max_tokens"] for request in up.model_requests] == [10_000, 4096, 4096, 100]


async def test_a_keyword_is_left_out_of_the_schemas(tmp_path: Path) -> None:
    def refuse(body: Json, _: Mapping[str, str]) -> str | None:
        schema = body["tools"][0]["function"]["parameters"]
        if "additionalProperties" not in schema:
            return None
        return (
            "Invalid schema for function 'get_time': In context=(), 'additionalProperties' is not permitted."
        )

    async with openai(refuse) as up, gateway({"up": up}, tmp_path / "l.json") as bench:
        answer, _ = await bench.ask(model="up,m", tools=[TOOL])
        sent = up.model_requests[-1].json["tools"][0]["function"]

        assert answer.status == 200
        assert sent["parameters"] == {
            "type": "object",
            "properties": {"zone": {"type": "string", "format": "tz"}},
        }
        assert (sent["name"], sent["description"]) == ("get_time", "The time.")


async def test_bytes_are_no_longer_relayed_where_something_was_learned(tmp_path: Path) -> None:
    def refuse(body: Json, _: Mapping[str, str]) -> str | None:
        return "temperature: Extra inputs are not permitted" if "temperature" in body else None

    async with anthropic(refuse) as up, gateway({"up": up}, tmp_path / "l.json") as bench:
        await bench.ask(**CHAT)
        first = bench.record
        await bench.ask(**CHAT)
        await bench.ask(model="up,m", top_p=0.5)

        assert (first.path, bench.record.path) == ("translate", "translate")
        assert statuses(up) == [400, 200, 200, 200]
        assert [sorted(request.json) for request in up.model_requests][1] == [
            "max_tokens",
            "messages",
            "model",
            "stream",
        ]


async def test_anthropic_itself_is_never_amended(tmp_path: Path) -> None:
    def refuse(body: Json, _: Mapping[str, str]) -> str | None:
        return "temperature: Extra inputs are not permitted" if "temperature" in body else None

    async with anthropic(refuse) as up, gateway({"up": up}, tmp_path / "l.json", native=True) as bench:
        answer, body = await bench.ask(**CHAT)

        assert answer.status == 400
        assert b"Extra inputs" in body
        assert statuses(up) == [400]


async def test_another_target_is_tried_only_when_amending_does_not_help(tmp_path: Path) -> None:
    async with openai(no_temperature) as up, openai() as spare:
        async with gateway(
            {"up": up, "spare": spare}, tmp_path / "l.json", fallback={"default": ["spare,m"]}
        ) as bench:
            answer, _ = await bench.ask(**CHAT)

        assert answer.status == 200
        assert (statuses(up), statuses(spare)) == ([400, 200], [])


async def test_a_seal_that_is_refused_is_taken_off_once_and_not_remembered(tmp_path: Path) -> None:
    think = Reply((Thinking("I look.", "c2lnLW9uZQ=="), ToolCall("get_time", {"zone": "x"}, id="toolu_1")))
    script = lambda seen, _n: think if seen.assistant_turns == 0 else text("noon", pieces=1)  # noqa: E731
    turns = [
        {"role": "user", "content": "What time is it?"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "I look.", "signature": "Zm9yZ2Vk"},
                {"type": "tool_use", "id": "toolu_1", "name": "get_time", "input": {"zone": "x"}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "noon"}],
        },
    ]
    async with anthropic(script=script) as up, gateway({"up": up}, tmp_path / "l.json") as bench:
        answer, body = await bench.ask(model="up,m", tools=[TOOL], messages=turns)

        assert answer.status == 200, body
        assert b"noon" in body
        assert statuses(up) == [400, 200]
        assert "Invalid `signature`" in up.rejections[0]
        assert "seals=learned" in map(str, bench.record.losses)
        assert not (tmp_path / "l.json").exists()


async def test_a_route_that_asks_for_exact_fidelity_is_not_amended_silently(tmp_path: Path) -> None:
    routes = {"default": "up,m", "fidelity": "exact"}
    async with openai(no_temperature) as up, gateway({"up": up}, tmp_path / "l.json", Router=routes) as bench:
        answer, body = await bench.ask(**CHAT)

        assert answer.status == 400
        assert b"temperature" in body
        assert statuses(up) == [400]


async def test_thinking_text_is_untouched(tmp_path: Path) -> None:
    words = "Unknown parameter: 'messages'. `temperature` is not supported"
    async with openai(no_temperature, lambda _s, _n: Reply((Text("ok"),))) as up:
        async with gateway({"up": up}, tmp_path / "l.json") as bench:
            await bench.ask(**CHAT, messages=[{"role": "user", "content": words}])

        assert [request.json["messages"] for request in up.model_requests] == [
            [{"role": "user", "content": words}]
        ] * 2


async def test_what_was_learned_is_foreseen(tmp_path: Path) -> None:
    async with anthropic(no_temperature) as up, gateway({"up": up}, tmp_path / "l.json") as bench:
        explain = bench.made.container.console().explain_route
        explain.learned = bench.made.container.attempts().learned
        before: Any = (await explain(bench.call(**CHAT)))["targets"]
        await bench.ask(**CHAT)
        after: Any = (await explain(bench.call(**CHAT)))["targets"]

        assert (before[0]["path"], before[0]["losses"]) == ("relay", [])
        assert (after[0]["path"], after[0]["losses"]) == ("translate", ["temperature=learned"])
