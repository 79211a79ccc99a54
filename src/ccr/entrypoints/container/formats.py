"""What is spoken: dialects, doors, providers, transformers."""

from __future__ import annotations

from dependency_injector import containers, providers

from ccr.adapters.credentials.keys import static_key
from ccr.adapters.dialects.anthropic import AnthropicClient, AnthropicProvider
from ccr.adapters.dialects.anthropic.read_request import read_tools
from ccr.adapters.dialects.openai_chat import OpenAIChatProvider
from ccr.adapters.hosting.direct import DirectHosting
from ccr.adapters.plugins.registry import Registry
from ccr.adapters.providers.loader import PackagedProviders
from ccr.application.catalog.memo import Memo

__all__ = ["Formats"]


class Formats(containers.DeclarativeContainer):
    """Pure codecs and data; nothing here has state but memos."""

    # A session's tools are the same bytes in every request, and most of them: reading them costs 41 us, knowing them 6.
    clients = providers.Dict(
        anthropic=providers.Singleton(
            AnthropicClient, read_tools=providers.Singleton(Memo, providers.Object(read_tools))
        )
    )
    dialects = providers.Dict(
        anthropic=providers.Singleton(AnthropicProvider),
        openai_chat=providers.Singleton(OpenAIChatProvider),
    )
    hostings = providers.Dict(direct=providers.Singleton(DirectHosting))
    book = providers.Singleton(PackagedProviders)
    transformers = providers.Singleton(Registry)
    credential = providers.Object(static_key)
