"""ccr: Claude Code Router in Python.

Embedding in a few lines::

    from ccr import Conversation, Role, Text, Turn, open_gateway

    async with open_gateway({"Router": {"default": "demo,demo"}}) as gateway:
        hello = Conversation(model="demo,demo", turns=(Turn(Role.USER, (Text("Hello"),)),))
        async for event in gateway.converse(hello):
            print(event)

Names are imported when they are used, so that ``import ccr`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ccr.application.gateway import Gateway
    from ccr.application.ports.payload import Payload
    from ccr.application.ports.transformer import EventStage, Transformer
    from ccr.application.settings import ProviderSettings, RouterSettings, Settings
    from ccr.domain.access import Principal
    from ccr.domain.conversation import (
        Conversation,
        FunctionTool,
        Image,
        Role,
        Text,
        ToolCall,
        ToolResult,
        Turn,
    )
    from ccr.domain.errors import ConfigError, GatewayError
    from ccr.domain.models import Destination, ModelProfile, ModelRef
    from ccr.domain.reply import Reply, StopReason
    from ccr.domain.secret import Secret
    from ccr.domain.stream import (
        BlockStart,
        BlockStop,
        MessageStart,
        MessageStop,
        StreamEvent,
        StreamFailed,
        TextDelta,
        ThinkingDelta,
        ToolInputDelta,
        fold,
    )
    from ccr.domain.usage import Usage
    from ccr.domain.verbatim import Json
    from ccr.entrypoints.embed import create_app, open_gateway

__version__ = "0.1.0"

_HOMES = {
    "ccr.application.gateway": ("Gateway",),
    "ccr.application.ports.payload": ("Payload",),
    "ccr.application.ports.transformer": ("EventStage", "Transformer"),
    "ccr.application.settings": ("ProviderSettings", "RouterSettings", "Settings"),
    "ccr.domain.access": ("Principal",),
    "ccr.domain.conversation": (
        "Conversation",
        "FunctionTool",
        "Image",
        "Role",
        "Text",
        "ToolCall",
        "ToolResult",
        "Turn",
    ),
    "ccr.domain.errors": ("ConfigError", "GatewayError"),
    "ccr.domain.models": ("Destination", "ModelProfile", "ModelRef"),
    "ccr.domain.reply": ("Reply", "StopReason"),
    "ccr.domain.secret": ("Secret",),
    "ccr.domain.stream": (
        "BlockStart",
        "BlockStop",
        "MessageStart",
        "MessageStop",
        "StreamEvent",
        "StreamFailed",
        "TextDelta",
        "ThinkingDelta",
        "ToolInputDelta",
        "fold",
    ),
    "ccr.domain.usage": ("Usage",),
    "ccr.domain.verbatim": ("Json",),
    "ccr.entrypoints.embed": ("create_app", "open_gateway"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BlockStart",
    "BlockStop",
    "ConfigError",
    "Conversation",
    "Destination",
    "EventStage",
    "FunctionTool",
    "Gateway",
    "GatewayError",
    "Image",
    "Json",
    "MessageStart",
    "MessageStop",
    "ModelProfile",
    "ModelRef",
    "Payload",
    "Principal",
    "ProviderSettings",
    "Reply",
    "Role",
    "RouterSettings",
    "Secret",
    "Settings",
    "StopReason",
    "StreamEvent",
    "StreamFailed",
    "Text",
    "TextDelta",
    "ThinkingDelta",
    "ToolCall",
    "ToolInputDelta",
    "ToolResult",
    "Transformer",
    "Turn",
    "Usage",
    "__version__",
    "create_app",
    "fold",
    "open_gateway",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'ccr' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
