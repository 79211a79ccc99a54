from __future__ import annotations

from ccr.adapters.transformers.groq import Groq
from ccr.domain.verbatim import Json
from tests.support.destinations import sent


def test_schemas_lose_their_address() -> None:
    tools = b'[{"function":{"name":"f","parameters":{"$schema":"s","type":"object"}}},{"function":{}},{}]'
    expected = [{"function": {"name": "f", "parameters": {"type": "object"}}}, {"function": {}}, {}]
    assert {"tools": expected} == sent(Groq(), {"tools": Json(tools)})
    assert sent(Groq(), {"model": "m"}) == {"model": "m"}
