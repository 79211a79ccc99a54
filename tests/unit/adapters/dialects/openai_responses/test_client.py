from __future__ import annotations

import msgspec

from ccr.adapters.dialects.openai_responses import ResponsesClient, ResponsesProvider
from ccr.application.ports.dialect import ClientDialect, ProviderDialect
from ccr.domain.reply import Reply, StopReason
from tests.support.responses import FACTS


def test_they_are_the_ports() -> None:
    client: ClientDialect = ResponsesClient()
    provider: ProviderDialect = ResponsesProvider()

    assert client.name == provider.name == "openai_responses"
    assert msgspec.json.decode(client.write_count(7)) == {
        "object": "response.input_tokens",
        "input_tokens": 7,
    }


def test_replies_have_names_that_nobody_takes_for_the_providers() -> None:
    client = ResponsesClient()
    first, second = (
        msgspec.json.decode(client.write_reply(Reply("", "", (), StopReason.END_TURN), FACTS, None))
        for _ in "ab"
    )

    assert first["id"].startswith("resp_ccr_")
    assert first["id"] != second["id"]
    assert (first["model"], first["created_at"]) == ("asked", 0)
