from __future__ import annotations

import pytest

from ccr.adapters.transformers.groq import Groq
from ccr.domain.conversation import Conversation, FunctionTool, HostedTool, Tool
from ccr.domain.verbatim import Json
from tests.support.destinations import destination


def asked(*tools: Tool) -> Conversation:
    return Conversation("m", (), tools=tools)


def test_schemas_lose_their_address() -> None:
    given = asked(FunctionTool("f", "", Json(b'{"$schema":"s","type":"object"}')), FunctionTool("g"))

    assert asked(FunctionTool("f", "", Json(b'{"type":"object"}')), FunctionTool("g")) == Groq().request(
        given, destination()
    )


@pytest.mark.parametrize("schema", [b'{"type":"object"}', b'{"properties":{"$schema":{}}}', b'"$schema"'])
def test_what_has_none_is_left_alone(schema: bytes) -> None:
    hosted = HostedTool("k", "n", "anthropic", Json(b'{"$schema":1}'))
    given = asked(FunctionTool("f", "", Json(schema)), hosted)

    assert Groq().request(given, destination()) is given
