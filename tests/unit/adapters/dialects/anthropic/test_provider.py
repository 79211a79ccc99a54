from __future__ import annotations

import pytest

from ccr.adapters.dialects.anthropic import AnthropicProvider
from ccr.adapters.dialects.anthropic.watch import AnthropicStreamWatch, AnthropicWholeWatch
from ccr.adapters.wire.sse import SseFramer
from ccr.application.ports.dialect import ProviderDialect
from ccr.domain.conversation import Conversation, FunctionTool, Role, Text, Turn
from ccr.domain.errors import UpstreamLimitedError, UpstreamProtocolError
from ccr.domain.models import ModelProfile
from ccr.domain.verbatim import Json


def test_it_is_the_port() -> None:
    provider: ProviderDialect = AnthropicProvider()

    assert provider.name == "anthropic"
    assert isinstance(provider.reply_watch(stream=True), AnthropicStreamWatch)
    assert isinstance(provider.reply_watch(stream=False), AnthropicWholeWatch)
    assert isinstance(provider.decode_error(429, {}, b"", provider="p"), UpstreamLimitedError)
    assert len(provider.stream_decoder(SseFramer()).close()) == 1
    with pytest.raises(UpstreamProtocolError):
        provider.read_reply(b"")


def test_memos_are_bound_around_the_pure_functions() -> None:
    provider = AnthropicProvider(lambda turn, profile: b"1", lambda tools: b"2")
    turn = Turn(Role.USER, (Text("x"),))
    payload = provider.write_request(
        Conversation("m", (turn,), tools=(FunctionTool("t"),)), ModelProfile(), is_anthropic=False
    ).payload

    assert provider.write_turn(turn, ModelProfile()) == b"1"
    assert payload.get("messages") == Json(b"[1]")
    assert payload.get("tools") == Json(b"2")
