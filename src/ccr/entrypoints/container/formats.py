"""What is spoken: dialects, doors, providers, transformers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dependency_injector import containers, providers

from ccr.adapters.credentials.kinds import CredentialKinds
from ccr.adapters.dialects.anthropic import AnthropicClient, AnthropicProvider
from ccr.adapters.dialects.anthropic.read_request import read_tools, read_turn
from ccr.adapters.dialects.anthropic.write_request import write_turn
from ccr.adapters.dialects.gemini import GeminiClient, GeminiProvider
from ccr.adapters.dialects.gemini.read_contents import read_turn as read_content
from ccr.adapters.dialects.gemini.read_tools import read_tools as read_gemini_tools
from ccr.adapters.dialects.gemini.write_contents import openapi_json
from ccr.adapters.dialects.openai_chat import OpenAIChatClient, OpenAIChatProvider
from ccr.adapters.dialects.openai_chat.read_messages import read_turn as read_chat_turn
from ccr.adapters.dialects.openai_chat.read_tools import read_tools as read_chat_tools
from ccr.adapters.dialects.openai_chat.write_request import Written, written_turn
from ccr.adapters.dialects.openai_responses import ResponsesClient, ResponsesProvider
from ccr.adapters.dialects.openai_responses.read_items import read_turn as read_item
from ccr.adapters.dialects.openai_responses.read_tools import read_tools as read_responses_tools
from ccr.adapters.hosting.azure import AzureHosting
from ccr.adapters.hosting.bedrock import BedrockHosting
from ccr.adapters.hosting.code_assist import CodeAssistHosting
from ccr.adapters.hosting.direct import DirectHosting
from ccr.adapters.hosting.vertex import VertexHosting
from ccr.adapters.models.catalog import PackagedModels
from ccr.adapters.plugins.registry import Registry
from ccr.adapters.providers.entry_points import installed_providers
from ccr.application.catalog.memo import Bound, Memo, WriteMemo

__all__ = ["Formats"]


def _weight(written: Written) -> int:
    return len(written[0])


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or Path.home())


class Formats(containers.DeclarativeContainer):
    """Pure codecs and data; nothing here has state but memos."""

    environ: providers.Dependency[Any] = providers.Dependency()
    faults: providers.Dependency[Any] = providers.Dependency()

    now = providers.Object(time.time)
    memory = providers.Singleton(Bound)
    """How much each memo keeps: ``Limits.memoMb``."""
    # A session's tools and all its turns but the last are the same bytes in every request: ADR 0024.
    clients = providers.Dict(
        anthropic=providers.Singleton(
            AnthropicClient,
            read_turn=providers.Singleton(Memo, providers.Object(read_turn), bound=memory),
            read_tools=providers.Singleton(Memo, providers.Object(read_tools), bound=memory),
        ),
        openai_chat=providers.Singleton(
            OpenAIChatClient,
            read_turn=providers.Singleton(Memo, providers.Object(read_chat_turn), bound=memory),
            read_tools=providers.Singleton(Memo, providers.Object(read_chat_tools), bound=memory),
            now=now,
        ),
        openai_responses=providers.Singleton(
            ResponsesClient,
            read_turn=providers.Singleton(Memo, providers.Object(read_item), bound=memory),
            tools=providers.Singleton(Memo, providers.Object(read_responses_tools), bound=memory),
            now=now,
        ),
        gemini=providers.Singleton(
            GeminiClient,
            read_turn=providers.Singleton(Memo, providers.Object(read_content), bound=memory),
            read_tools=providers.Singleton(Memo, providers.Object(read_gemini_tools), bound=memory),
        ),
    )
    dialects = providers.Dict(
        anthropic=providers.Singleton(
            AnthropicProvider,
            write_turn=providers.Singleton(
                WriteMemo, providers.Object(write_turn), providers.Object(len), bound=memory
            ),
        ),
        openai_chat=providers.Singleton(
            OpenAIChatProvider,
            write_turn=providers.Singleton(
                WriteMemo, providers.Object(written_turn), providers.Object(_weight), bound=memory
            ),
        ),
        openai_responses=providers.Singleton(ResponsesProvider),
        # Its schemas are adapted tool by tool: half of what writing a big request costs.
        gemini=providers.Singleton(
            GeminiProvider, openapi=providers.Singleton(Memo, providers.Object(openapi_json), bound=memory)
        ),
    )
    hostings = providers.Dict(
        azure=providers.Singleton(AzureHosting),
        bedrock=providers.Singleton(BedrockHosting),
        code_assist=providers.Singleton(CodeAssistHosting, environ),
        direct=providers.Singleton(DirectHosting),
        vertex=providers.Singleton(VertexHosting, environ),
    )
    book = providers.Singleton(installed_providers)
    models = providers.Singleton(PackagedModels)
    transformers = providers.Singleton(Registry, faults=faults)
    credential = providers.Singleton(
        CredentialKinds, environ=environ, home=providers.Callable(_home, environ)
    )
