"""The official `anthropic` SDK against the gateway: messages, streams, tools, thinking, errors, counts, models."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import anthropic
import pytest
from anthropic.types import MessageParam, ToolParam

from tests.support.scripts import (
    Failure,
    Reply,
    Text,
    Thinking,
    ToolCall,
    Usage,
    by_turn,
    call,
    calls,
    in_order,
    text,
    thinking,
)
from tests.support.stage import Stage, overflow

MODEL = "up,m-main"
HELLO: list[MessageParam] = [{"role": "user", "content": "hello"}]
WEATHER: ToolParam = {
    "name": "get_weather",
    "description": "Weather of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
Ask = Callable[..., anthropic.types.Message]


@pytest.fixture(params=["whole", "streamed"])
def ask(request: pytest.FixtureRequest, sdk: anthropic.Anthropic) -> Ask:
    """Ask for a message in either way; what comes back must be the same."""

    def whole(**more: Any) -> anthropic.types.Message:
        message = sdk.messages.create(**{"model": MODEL, "max_tokens": 2000, "messages": HELLO, **more})
        assert isinstance(message, anthropic.types.Message)
        return message

    def streamed(**more: Any) -> anthropic.types.Message:
        with sdk.messages.stream(**{"model": MODEL, "max_tokens": 2000, "messages": HELLO, **more}) as stream:
            return stream.get_final_message()

    return whole if request.param == "whole" else streamed


def test_text_and_usage(ccr: Stage, ask: Ask) -> None:
    ccr.play(by_turn(text("Good day to you.").using(Usage(50, 7, cache_read=30))))

    message = ask(system="Be kind.")

    assert ccr.upstream.rejections == []
    assert [block.model_dump(include={"type", "text"}) for block in message.content] == [
        {"type": "text", "text": "Good day to you."}
    ]
    assert (message.role, message.type, message.stop_reason) == ("assistant", "message", "end_turn")
    used = message.usage
    assert (used.input_tokens, used.cache_read_input_tokens, used.output_tokens) == (50, 30, 7)
    assert message.id
    assert "Be kind." in ccr.seen[0].system_text
    assert ccr.models == ["m-main"]


@pytest.mark.parametrize("reason", ["end_turn", "max_tokens"])
def test_stop_reasons(ccr: Stage, ask: Ask, reason: str) -> None:
    ccr.play(by_turn(Reply((Text("well"),), stop=reason)))

    assert ask().stop_reason == reason


def test_one_tool_call_and_its_result(ccr: Stage, ask: Ask) -> None:
    ccr.play(by_turn(calls(Text("I look."), ToolCall("get_weather", {"city": 'Zürich "ZH"'})), text("Rain.")))

    first = ask(tools=[WEATHER])

    assert first.stop_reason == "tool_use"
    use = first.content[-1]
    assert use.type == "tool_use"
    assert (use.name, use.input) == ("get_weather", {"city": 'Zürich "ZH"'})
    result: MessageParam = {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "12 degrees, rain"}],
    }
    assistant: MessageParam = {"role": "assistant", "content": first.content}
    second = ask(tools=[WEATHER], messages=[*HELLO, assistant, result])
    assert second.content[0].type == "text"
    assert second.content[0].text == "Rain."
    assert ccr.upstream.rejections == []
    assert list(ccr.seen[-1].tool_results.values()) == ["12 degrees, rain"]


def test_parallel_tool_calls_and_an_empty_input(ccr: Stage, ask: Ask) -> None:
    ccr.play(by_turn(calls(ToolCall("get_weather", {"city": "Oslo"}), ToolCall("get_weather", {}))))

    message = ask(tools=[WEATHER])

    uses = [block for block in message.content if block.type == "tool_use"]
    assert [use.input for use in uses] == [{"city": "Oslo"}, {}]
    assert len({use.id for use in uses}) == 2


@pytest.mark.parametrize(
    "choice, expected",
    [
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "get_weather"}, {"type": "function", "function": {"name": "get_weather"}}),
    ],
    ids=["auto", "any", "none", "tool"],
)
def test_tool_choice(ccr: Stage, ask: Ask, choice: dict[str, str], expected: object) -> None:
    ccr.play(by_turn(text("ok")))

    ask(tools=[WEATHER], tool_choice=choice)

    assert ccr.upstream.rejections == []
    sent = ccr.seen[0].json.get("tool_choice", "auto")
    assert sent == (choice if ccr.kind == "anthropic" else expected)


def test_thinking_is_a_block_with_a_signature(ccr: Stage, ask: Ask) -> None:
    ccr.play(by_turn(thinking("Let me see.", "Seen."), text("Again.")))
    more: dict[str, Any] = {"max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 2000}}

    message = ask(**more)

    thought, words = message.content
    assert thought.type == "thinking"
    assert thought.thinking == "Let me see."
    assert words.type == "text"
    assert words.text == "Seen."
    again: list[MessageParam] = [*HELLO, {"role": "assistant", "content": message.content}, *HELLO]
    ask(messages=again, **more)
    assert ccr.upstream.rejections == []


def test_an_image_in_the_question(ccr: Stage, ask: Ask) -> None:
    ccr.play(by_turn(text("A dot.")))
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}

    ask(
        messages=[
            {"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": "?"}]}
        ]
    )

    assert ccr.upstream.rejections == []
    assert ccr.seen[0].images == ["image/png"]


def test_sampling_and_stop_sequences(ccr: Stage, ask: Ask) -> None:
    ccr.play(by_turn(text("ok")))

    ask(stop_sequences=["END"], extra_body={"temperature": 0.3})

    body = ccr.seen[0].json
    assert body["temperature"] == 0.3
    assert body["stop_sequences" if ccr.kind == "anthropic" else "stop"] == ["END"]


def test_text_is_streamed_while_it_is_made(ccr: Stage, sdk: anthropic.Anthropic) -> None:
    ccr.play(by_turn(text("one two three four five six", pieces=6).dripping(0.2)))
    times: list[float] = []

    with sdk.messages.stream(model=MODEL, max_tokens=100, messages=HELLO) as stream:
        for _piece in stream.text_stream:
            times.append(time.monotonic())  # noqa: PERF401 - the clock is the point

    assert len(times) >= 4
    assert times[-1] - times[0] > 0.5


def test_the_events_of_a_stream_are_in_legal_order(ccr: Stage, sdk: anthropic.Anthropic) -> None:
    ccr.play(by_turn(calls(Thinking("t"), Text("x"), ToolCall("get_weather", {"city": "Rome"}))))

    events = list(
        sdk.messages.create(model=MODEL, max_tokens=100, messages=HELLO, tools=[WEATHER], stream=True)
    )

    kinds = [event.type for event in events]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("message_start") == 1
    starts = [event.index for event in events if event.type == "content_block_start"]
    stops = [event.index for event in events if event.type == "content_block_stop"]
    assert starts == stops == list(range(3))


@pytest.mark.parametrize(
    "status, expected",
    [
        (400, anthropic.BadRequestError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
        (503, anthropic.InternalServerError),
        (529, anthropic.InternalServerError),
    ],
)
def test_an_upstream_error_keeps_its_class_and_words(
    ccr: Stage, ask: Ask, status: int, expected: type[anthropic.APIStatusError]
) -> None:
    ccr.play(in_order(Failure(status, "the provider's own words")))

    with pytest.raises(expected, match="the provider's own words") as caught:
        ask()

    body = caught.value.body
    assert isinstance(body, dict)
    assert body["type"] == "error"
    assert {"type", "message"} <= set(body["error"])


def test_retry_after_is_passed_on(ccr: Stage, ask: Ask) -> None:
    ccr.play(in_order(Failure(429, "slow down", headers={"retry-after": "7"})))

    with pytest.raises(anthropic.RateLimitError) as caught:
        ask()

    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.request_id


def test_a_rejected_provider_key_is_not_the_clients_fault(ccr: Stage, ask: Ask) -> None:
    ccr.play(in_order(Failure(401, "the key of the provider has expired")))

    with pytest.raises(anthropic.APIStatusError, match="the key of the provider has expired") as caught:
        ask()

    assert caught.value.status_code == 502
    assert caught.value.response.headers["x-should-retry"] == "false"


def test_an_overflow_says_prompt_is_too_long(ccr: Stage, ask: Ask) -> None:
    ccr.play(in_order(overflow(ccr.kind)))

    with pytest.raises(anthropic.BadRequestError, match="prompt is too long: 250000 tokens > "):
        ask()


def test_a_reply_that_is_not_json_is_an_error_and_no_crash(ccr: Stage, ask: Ask) -> None:
    page = Failure(502, body=b"<html><body>Bad gateway</body></html>", headers={"content-type": "text/html"})
    ccr.play(in_order(page, page, page, text("well again")))

    with pytest.raises(anthropic.InternalServerError) as caught:
        ask()

    assert "<html>" not in str(caught.value.body)
    assert ask().content


def test_a_failure_of_the_moment_is_not_the_clients_to_retry(ccr: Stage, ask: Ask) -> None:
    page = Failure(502, body=b"<html><body>Bad gateway</body></html>", headers={"content-type": "text/html"})
    ccr.play(in_order(page, text("well again")))

    assert ask().content


@pytest.mark.parametrize("after", [1, 4])
def test_a_cut_stream_is_an_error_and_never_a_short_answer(
    ccr: Stage, sdk: anthropic.Anthropic, after: int
) -> None:
    ccr.play(in_order(text("half an answer that never ends").cut(after)))

    with (
        pytest.raises(anthropic.APIError),
        sdk.messages.stream(model=MODEL, max_tokens=100, messages=HELLO) as stream,
    ):
        stream.get_final_message()


def test_an_unknown_provider_is_a_bad_request_with_near_names(ccr: Stage, ask: Ask) -> None:
    with pytest.raises(anthropic.BadRequestError, match="up"):
        ask(model="upp,m-main")


@pytest.mark.parametrize(
    "body", [{"messages": []}, {"messages": [{"role": "user", "content": 5}]}, {"max_tokens": -1}]
)
def test_a_bad_request_is_a_400(ccr: Stage, ask: Ask, body: dict[str, Any]) -> None:
    ccr.play(by_turn(text("never")))

    with pytest.raises(anthropic.BadRequestError):
        ask(**body)


def test_count_tokens_grows_with_the_text(ccr: Stage, sdk: anthropic.Anthropic) -> None:
    ccr.play(by_turn(text("unused")))

    small = sdk.messages.count_tokens(model=MODEL, messages=HELLO)
    long: list[MessageParam] = [{"role": "user", "content": "some more words " * 500}]
    large = sdk.messages.count_tokens(model=MODEL, messages=long)

    assert 1 <= small.input_tokens < 100
    assert 1000 < large.input_tokens < 8000
    assert ccr.seen == []


def test_the_models_are_listed(sdk: anthropic.Anthropic) -> None:
    listed = [model.id for model in sdk.models.list(limit=1000)]

    assert [name for name in listed if "m-main" in name]
    assert len(listed) == len(set(listed))


def test_a_client_that_leaves_ends_the_upstream_stream(ccr: Stage, sdk: anthropic.Anthropic) -> None:
    ccr.play(by_turn(text("a very long answer " * 20, pieces=100).dripping(0.05)))

    with sdk.messages.stream(model=MODEL, max_tokens=100, messages=HELLO) as stream:
        next(iter(stream.text_stream))

    (recorded,) = ccr.upstream.model_requests
    until = time.monotonic() + 3
    while not recorded.disconnected and time.monotonic() < until:
        time.sleep(0.02)
    assert recorded.disconnected


def test_many_streams_at_once_stay_apart(ccr: Stage) -> None:
    ccr.play(lambda seen, _n: text(f"answer to {seen.user_text}").dripping(0.01))

    async def one(client: anthropic.AsyncAnthropic, number: int) -> str:
        question: list[MessageParam] = [{"role": "user", "content": f"question {number}"}]
        async with client.messages.stream(model=MODEL, max_tokens=100, messages=question) as stream:
            return await stream.get_final_text()

    async def all_of_them() -> list[str]:
        async with anthropic.AsyncAnthropic(base_url=ccr.base_url, api_key="t", max_retries=0) as client:
            return await asyncio.gather(*(one(client, number) for number in range(20)))

    assert asyncio.run(all_of_them()) == [f"answer to question {number}" for number in range(20)]


def test_a_tool_call_that_is_not_json_does_not_kill_the_gateway(ccr: Stage, sdk: anthropic.Anthropic) -> None:
    ccr.play(
        in_order(calls(ToolCall("get_weather", {}, raw='{"city": "Os')), call("get_weather", city="Oslo"))
    )

    try:
        sdk.messages.create(model=MODEL, max_tokens=100, messages=HELLO, tools=[WEATHER])
    except anthropic.APIError as error:
        assert "tool" in str(error).lower() or "json" in str(error).lower()  # noqa: PT017 - either way is legal
    message = sdk.messages.create(model=MODEL, max_tokens=100, messages=HELLO, tools=[WEATHER])

    assert message.stop_reason == "tool_use"
