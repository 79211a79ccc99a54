from __future__ import annotations

from ccr.adapters.dialects.openai_chat import OpenAIChatProvider
from ccr.application.ports.dialect import ProviderDialect
from ccr.domain.conversation import Text
from ccr.domain.errors import UpstreamUnavailableError

PROVIDER: ProviderDialect = OpenAIChatProvider()


def test_it_is_a_provider_dialect() -> None:
    assert PROVIDER.name == "openai_chat"
    body = b'{"choices":[{"message":{"content":"A"},"finish_reason":"stop"}]}'
    assert (Text("A"),) == PROVIDER.read_reply(body).blocks
    assert UpstreamUnavailableError is type(PROVIDER.decode_error(500, {}, b"", provider="p"))
