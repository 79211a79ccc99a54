"""What the headers of a client say of its request, whatever dialect it speaks (claude-code-contract.md)."""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from ccr.adapters.wire.headers import product
from ccr.domain.facts import RequestClass, SessionKey
from ccr.domain.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ccr.application.call import Headers

__all__ = ["BOUND", "Hints", "header", "of_enum", "read_hints"]

E = TypeVar("E", bound=Enum)

BOUND = 200
"""Characters of a header that are kept."""
_1M = "[1m]"
_SESSIONS = ("x-claude-code-session-id", "session_id", "session-id", "x-session-id")
"""Claude Code's, Codex's (both spellings), and what others use."""


@value
class Hints:
    """``model`` is the caller's without a ``[1m]`` suffix."""

    model: str
    wants_1m: bool
    session: SessionKey
    agent_type: str
    request_class: RequestClass | None
    is_subagent: bool
    compaction: str
    client: str
    prompt_id: str


def read_hints(headers: Headers, model: str) -> Hints:
    """Read them; what is not there is empty."""
    wants_1m = model.lower().endswith(_1M)
    request_class = of_enum(RequestClass, header(headers, "x-claude-code-request-class").lower())
    agent = header(headers, "x-claude-code-agent-id")
    session = next((found for name in _SESSIONS if (found := header(headers, name))), "")
    return Hints(
        model=model[: -len(_1M)] if wants_1m else model,
        wants_1m=wants_1m,
        session=SessionKey(session, agent, header(headers, "x-claude-code-parent-agent-id")),
        agent_type=header(headers, "x-claude-code-agent-type"),
        request_class=request_class,
        is_subagent=bool(agent) or request_class is RequestClass.SUBAGENT,
        compaction=header(headers, "x-claude-code-compaction"),
        client=product(headers.get("user-agent", "")),
        prompt_id=header(headers, "x-claude-code-prompt-id"),
    )


def header(headers: Headers, name: str) -> str:
    """Return a header, trimmed and bounded; empty if it is not there."""
    return headers.get(name, "").strip()[:BOUND]


def of_enum(kind: type[E], value: str) -> E | None:
    """Return the member with that value, None if there is none."""
    return _members(kind).get(value)


@cache
def _members(kind: type[E]) -> Mapping[str, E]:
    return {member.value: member for member in kind}
