"""A request for a generation, in no dialect."""

from __future__ import annotations

from enum import Enum

from attrs import field

from ccr.domain.conversation.blocks import ContentBlock, Text
from ccr.domain.conversation.tools import Tool, ToolChoice
from ccr.domain.value import value
from ccr.domain.verbatim import Json, Verbatim

__all__ = [
    "Conversation",
    "Effort",
    "OutputFormat",
    "Reasoning",
    "ReasoningMode",
    "Role",
    "Sampling",
    "Turn",
]


class Role(Enum):
    """Who speaks. SYSTEM occurs between turns too (Claude Code 2.1.154 and later)."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"


@value
class Turn:
    """One message. ``source`` is the turn's own bytes, dropped by any change to the blocks, no part of equality."""

    role: Role
    blocks: tuple[ContentBlock, ...]
    source: Verbatim | None = field(default=None, eq=False, repr=False)


class ReasoningMode(Enum):
    """UNSET = the caller said nothing; ADAPTIVE = the model decides how much."""

    UNSET = "unset"
    OFF = "off"
    ON = "on"
    ADAPTIVE = "adaptive"


class Effort(Enum):
    """How hard to think, in rising order."""

    MINIMAL = "minimal"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    XHIGH = "xhigh"
    MAX = "max"

    @property
    def rank(self) -> int:
        """Position in rising order, from 0."""
        return _EFFORT_RANK[self]


_EFFORT_RANK = {effort: rank for rank, effort in enumerate(Effort)}


@value
class Reasoning:
    """What the caller asked of thinking. ``budget`` in tokens; ``visible`` None = not said."""

    mode: ReasoningMode = ReasoningMode.UNSET
    effort: Effort | None = None
    budget: int | None = None
    visible: bool | None = None


@value
class Sampling:
    """None = the provider's default."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None


@value
class OutputFormat:
    """Structured output: ``schema`` is a JSON schema; None = any JSON object."""

    schema: Json | None = None
    name: str = "output"
    strict: bool | None = None


@value
class Conversation:
    """Everything a caller asks for. ``model`` is the text it sent; where it goes is decided elsewhere.

    ``extra`` holds top-level fields the vocabulary has no word for, as ``(name, JSON)``, with the dialect that sent
    them in ``dialect``: given back to that dialect only.
    """

    model: str
    turns: tuple[Turn, ...]
    system: tuple[Text, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    sampling: Sampling = Sampling()
    reasoning: Reasoning = Reasoning()
    output_format: OutputFormat | None = None
    service_tier: str | None = None
    cache_key: str | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    stream: bool = False
    user: str | None = None
    metadata: Json | None = None
    dialect: str = ""
    extra: tuple[tuple[str, Json], ...] = ()
