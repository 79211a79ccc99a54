from __future__ import annotations

import json

from ccr.adapters.dialects.anthropic import AnthropicClient
from ccr.application.ports.dialect import ClientDialect
from ccr.domain.conversation import Role, Text, Turn
from ccr.domain.errors import InvalidRequestError
from ccr.domain.facts import Operation, RequestFacts
from ccr.domain.reply import Reply, StopReason
from tests.support.anthropic_calls import request

FACTS = RequestFacts(Operation.GENERATE, "anthropic", "asked")


def test_it_is_the_port() -> None:
    client: ClientDialect = AnthropicClient()

    assert client.name == "anthropic"
    assert client.write_count(7) == b'{"input_tokens":7}'
    assert client.encode_error(InvalidRequestError("x"), "r")[0] == 400


def test_memos_are_bound_around_the_pure_functions() -> None:
    seen: list[bytes] = []

    def turn(raw: bytes) -> Turn:
        seen.append(raw)
        return Turn(Role.USER, (Text("memo"),))

    def tools(raw: bytes) -> tuple[()]:
        seen.append(raw)
        return ()

    client = AnthropicClient(turn, tools)
    conversation = client.read(request(tools=[{"name": "t"}])).conversation()

    assert conversation.turns == (client.read_turn(b"x"),)
    assert seen == [b'{"role": "user", "content": "hi"}', b'[{"name": "t"}]', b"x"]


def test_replies_have_names_that_nobody_takes_for_anthropics() -> None:
    client = AnthropicClient()
    first, second = (
        json.loads(client.write_reply(Reply("", "", (), StopReason.END_TURN), FACTS, None)) for _ in range(2)
    )

    assert first["id"].startswith("ccr_")
    assert first["id"] != second["id"]
    assert first["model"] == "asked"
    assert b'"input_tokens":33' in client.stream_encoder(FACTS, None, input_estimate=33).keep_alive()
