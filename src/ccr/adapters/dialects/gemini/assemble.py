"""Contents put in order: the pass over all turns, each of which was written alone.

A function's response carries the name of its call, which stands in an earlier turn; roles alternate, the user begins and
ends; the first call of every answer carries a signature, if need be the documented dummy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.gemini.names import function_name
from ccr.adapters.dialects.gemini.seals import DUMMY
from ccr.adapters.dialects.gemini.wire import Wire
from ccr.adapters.dialects.gemini.write_contents import role_of
from ccr.domain.conversation import ToolCall
from ccr.domain.models import ReasoningStyle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ccr.adapters.dialects.gemini.write_contents import Part, Writer
    from ccr.domain.conversation import Turn

__all__ = ["assembled"]

_BEGIN = "[the conversation goes on]"
_GO_ON = "Go on."
"""Stands after an answer that a caller began for the model: here the last word is the user's."""


def assembled(turns: Iterable[Turn], writer: Writer) -> list[Wire]:
    """Return the contents of a conversation. What the system says between the turns is folded into them already."""
    names: dict[str, str] = {}
    merged: list[tuple[str, list[Part]]] = []
    for turn in turns:
        parts = writer.parts(turn)
        _name_responses(parts, names)
        names.update(
            (block.id, function_name(block.name)) for block in turn.blocks if isinstance(block, ToolCall)
        )
        if not parts:
            continue
        role = role_of(turn.role)
        if merged and merged[-1][0] == role:
            merged[-1][1].extend(parts)
        else:
            merged.append((role, parts))
    if not merged or merged[0][0] != "user":
        merged.insert(0, ("user", [{"text": _BEGIN}]))
    if merged[-1][0] != "user":
        writer.lose("prefill", "followed by a user turn")
        merged.append(("user", [{"text": _GO_ON}]))
    # Gemini 2.5 asks for no signature, later models refuse a call without one.
    if writer.profile.reasoning is not ReasoningStyle.GEMINI_BUDGET:
        for role, parts in merged:
            if role == "model":
                _sign(parts)
    return [{"role": role, "parts": parts} for role, parts in merged]


def _name_responses(parts: Iterable[Part], names: dict[str, str]) -> None:
    for part in parts:
        response = part.get("functionResponse") if isinstance(part, dict) else None
        if isinstance(response, dict):
            response["name"] = names[str(response["name"])]


def _sign(parts: Iterable[Part]) -> None:
    """All of them, not only those of the current turn: what was said once stays the same text, and caches find it."""
    first = next((part for part in parts if isinstance(part, dict) and "functionCall" in part), None)
    if first is not None:
        first.setdefault("thoughtSignature", DUMMY)
