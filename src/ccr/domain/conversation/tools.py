"""Tools that the model may call."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from ccr.domain.conversation.blocks import CacheMark
from ccr.domain.value import value
from ccr.domain.verbatim import Json

__all__ = ["FreeformTool", "FunctionTool", "HostedTool", "SearchOptions", "Tool", "ToolChoice", "ToolMode"]


@value
class FunctionTool:
    """A tool with a JSON schema for its input.

    ``strict``: the provider must enforce the schema. ``deferred``: only its name is known until it is referenced.
    ``eager``: its input is to be streamed unbuffered. ``extra``: fields of its entry that the vocabulary has no word for, as
    ``(name, JSON)``, given back to the dialect that sent them (``dialect``) only.
    """

    name: str
    description: str = ""
    schema: Json = Json(b'{"type":"object","properties":{}}')
    strict: bool | None = None
    deferred: bool = False
    eager: bool | None = None
    cache: CacheMark | None = None
    extra: tuple[tuple[str, Json], ...] = ()
    dialect: str = ""


@value
class FreeformTool:
    """A tool whose input is text, optionally by a grammar."""

    name: str
    description: str = ""
    grammar: Json | None = None


@value
class SearchOptions:
    """What a caller wants of web search, in no dialect. ``location``: an approximate place as JSON
    (``{type, city, region, country, timezone}``).
    """

    max_uses: int | None = None
    allowed_domains: tuple[str, ...] = ()
    blocked_domains: tuple[str, ...] = ()
    location: Json | None = None


@value
class HostedTool:
    """A tool that the provider runs: ``kind`` is the wire type (``web_search_20250305``), ``data`` the whole entry.

    Web search is known to every dialect: its ``kind`` begins with ``web_search`` whatever the wire calls it, and
    ``search`` says what is wanted of it.
    """

    kind: str
    name: str
    dialect: str
    data: Json
    search: SearchOptions | None = None


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
