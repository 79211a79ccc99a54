"""Tools that the model may call."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from ccr.domain._value import value
from ccr.domain.conversation.blocks import CacheMark
from ccr.domain.verbatim import Json

__all__ = ["FreeformTool", "FunctionTool", "HostedTool", "Tool", "ToolChoice", "ToolMode"]


@value
class FunctionTool:
    """A tool with a JSON schema for its input.

    ``strict``: the provider must enforce the schema. ``deferred``: only its name is known until it is referenced.
    ``eager``: its input is to be streamed unbuffered.
    """

    name: str
    description: str = ""
    schema: Json = Json(b'{"type":"object","properties":{}}')
    strict: bool | None = None
    deferred: bool = False
    eager: bool | None = None
    cache: CacheMark | None = None


@value
class FreeformTool:
    """A tool whose input is text, optionally by a grammar."""

    name: str
    description: str = ""
    grammar: Json | None = None


@value
class HostedTool:
    """A tool that the provider runs: ``kind`` is the wire type (``web_search_20250305``), ``data`` the whole entry."""

    kind: str
    name: str
    dialect: str
    data: Json


Tool: TypeAlias = FunctionTool | FreeformTool | HostedTool


class ToolMode(Enum):
    """Whether the model may, must or must not call a tool."""

    AUTO = "auto"
    REQUIRED = "required"
    NONE = "none"
    NAMED = "named"


@value
class ToolChoice:
    """``name`` goes with NAMED; ``parallel`` False = at most one call a turn, None = not said."""

    mode: ToolMode = ToolMode.AUTO
    name: str | None = None
    parallel: bool | None = None
