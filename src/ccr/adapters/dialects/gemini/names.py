"""Names of functions and ids of calls, as Gemini takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from attrs import frozen

from ccr.adapters.wire.names import short_name
from ccr.domain.conversation import HostedTool, ToolCall
from ccr.domain.stream import BlockStart
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.ports.transformer import EventStage
    from ccr.domain.conversation import Conversation
    from ccr.domain.stream import StreamEvent

__all__ = ["MADE", "function_name", "made_id", "restore_names"]

MADE = "ccr_call_"
"""How an id of ours begins: Gemini has not given one to every call."""


def function_name(name: str) -> str:
    """Return a legal name: at most 64 letters, digits, ``_`` and ``-``, beginning with a letter or ``_``.

    A legal one comes back as it is, any other ends in a digest of the whole.
    """
    legal = short_name(name)
    if legal[0].isalpha() or legal[0] == "_":
        return legal
    return short_name(f"_{name} ")  # the blank, which is illegal, asks for a digest


def made_id(*parts: str) -> str:
    """Return an id of a call, the same whenever the reply is read."""
    digest = sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{MADE}{digest[:16]}"


def restore_names(conversation: Conversation) -> EventStage | None:
    """Return a stage that gives tools back the names by which the caller knows them; None if all went out as they are."""
    names = _changed(tool.name for tool in conversation.tools if not isinstance(tool, HostedTool))
    return _Restored(names) if names else None


def _changed(names: Iterable[str]) -> dict[str, str]:
    return {short: name for name in names if (short := function_name(name)) != name}


@frozen
class _Restored:
    names: dict[str, str]

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        return [self._restored(event) if type(event) is BlockStart else event for event in events]

    def _restored(self, event: BlockStart) -> BlockStart:
        block = event.block
        if not isinstance(block, ToolCall) or block.name not in self.names:
            return event
        return BlockStart(event.index, evolve(block, name=self.names[block.name]))
