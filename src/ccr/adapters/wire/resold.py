"""A Messages request on its way to a cloud that sells Claude: what api.anthropic.com alone knows is taken out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ccr.domain.fidelity import Loss
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ccr.application.ports.payload import Encoded, Payload

__all__ = ["asked_betas", "undated", "without_billing", "without_fields", "without_header"]

_BILLING = "x-anthropic-billing-header:"
"""How the system block begins that api.anthropic.com strips by its position (claude-code-contract.md)."""

_DATE = re.compile(r"-\d{4}-?\d{2}-?\d{2}$")


def undated(beta: str) -> str:
    """Return the name of a beta without its date: ``claude-code`` of ``claude-code-20250219``."""
    return _DATE.sub("", beta)


def asked_betas(payload: Payload, betas: Iterable[str]) -> tuple[str, ...]:
    """Return the betas of the client and those that the body asks for already, each once."""
    own = payload.parsed("anthropic_beta")
    names = own if isinstance(own, list) else []
    return tuple(dict.fromkeys([*(name for name in names if isinstance(name, str)), *betas]))


def without_billing(payload: Payload) -> Payload:
    """Return the payload without the system block that is Anthropic's own bookkeeping."""
    system = payload.get("system")
    if isinstance(system, Json) and _BILLING.encode() not in system.data:
        return payload
    blocks = payload.parsed("system")
    if isinstance(blocks, str):
        return payload.without("system") if blocks.startswith(_BILLING) else payload
    if not isinstance(blocks, list):
        return payload
    kept = [block for block in blocks if not _is_billing(block)]
    if len(kept) == len(blocks):
        return payload
    return payload.with_("system", kept) if kept else payload.without("system")


def _is_billing(block: object) -> bool:
    text = block.get("text") if isinstance(block, dict) else None
    return isinstance(text, str) and text.startswith(_BILLING)


def without_fields(encoded: Encoded, names: Iterable[str]) -> Encoded:
    """Return the request without these fields of the body; each one that was there is a loss."""
    there = tuple(name for name in names if name in encoded.payload.fields)
    if not there:
        return encoded
    losses = tuple(dict.fromkeys((*encoded.losses, *map(Loss, there))))
    return evolve(encoded, payload=encoded.payload.without(*there), losses=losses)


def without_header(encoded: Encoded, name: str) -> Encoded:
    """Return the request without a header; ``name`` in lower case."""
    return evolve(encoded, headers=tuple(pair for pair in encoded.headers if pair[0].lower() != name))
