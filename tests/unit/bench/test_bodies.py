from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def bodies(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("bodies")


@pytest.mark.parametrize("streamed", [True, False])
def test_bodies_have_the_promised_size_and_one_nonce(bodies: ModuleType, streamed: bool) -> None:
    for size, make in ((1024, bodies.small), (120 * 1024, bodies.big)):
        body = make("oai,m1", streamed=streamed)

        assert abs(len(body) - size) < size * 0.02
        assert body.count(bodies.NONCE.encode()) == 1
        assert json.loads(body)["stream"] is streamed


def test_the_big_body_pairs_each_tool_call_with_its_result(bodies: ModuleType) -> None:
    messages = json.loads(bodies.big("oai,m1", streamed=True))["messages"]
    blocks = [
        block for message in messages if isinstance(message["content"], list) for block in message["content"]
    ]
    called = [block["id"] for block in blocks if block["type"] == "tool_use"]
    answered = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]

    assert called == answered
    assert len(called) > 20


def test_the_big_body_has_the_promised_tools_and_messages(bodies: ModuleType) -> None:
    body = json.loads(bodies.big("oai,m1", streamed=True))

    assert len(body["tools"]) == len({tool["name"] for tool in body["tools"]}) == 25
    assert len(body["messages"]) == 50


def test_nothing_of_a_cold_body_is_the_same_twice(bodies: ModuleType) -> None:
    cold = bodies.big("oai,m1", streamed=True, cold=True)
    body = json.loads(cold)
    blocks = [
        block
        for message in body["messages"]
        if isinstance(message["content"], list)
        for block in message["content"]
    ]

    assert abs(len(cold) - 120 * 1024) < 1024
    for part in (*blocks, *body["tools"], *body["system"]):
        assert bodies.NONCE in json.dumps(part)


def test_the_same_request_can_be_said_to_a_gateway_that_knows_chat_only(bodies: ModuleType) -> None:
    chat = json.loads(bodies.as_chat(bodies.big("m1", streamed=True)))
    called = [call["id"] for message in chat["messages"] for call in message.get("tool_calls", [])]
    answered = [message["tool_call_id"] for message in chat["messages"] if message["role"] == "tool"]

    assert called == answered
    assert len(chat["tools"]) == 25
    assert chat["messages"][0]["role"] == "system"
    assert bodies.NONCE in chat["messages"][-1]["content"]


def test_what_the_upstream_is_to_do_stands_in_the_request(bodies: ModuleType) -> None:
    body = json.loads(bodies.small("m1", streamed=True, word="BENCH:TOOLS"))

    assert body["messages"][0]["content"].startswith("BENCH:TOOLS ")
    assert [tool["name"] for tool in body["tools"]] == ["Bash"]


def test_headers_are_the_clients_without_those_of_the_connection(bodies: ModuleType) -> None:
    names = {line.split(b":")[0].lower() for line in bodies.headers().splitlines()}

    assert {b"anthropic-beta", b"anthropic-version", b"content-type"} <= names
    assert not {b"host", b"connection", b"content-length", b"accept-encoding"} & names
