"""A tool call that ended without a JSON object as its input: no client is given it as finished."""

from __future__ import annotations

from ccr.domain.errors import UpstreamProtocolError
from ccr.domain.reply import StopReason

__all__ = ["CUT_SHORT", "broken_call"]

CUT_SHORT = frozenset({StopReason.MAX_TOKENS, StopReason.CONTEXT_WINDOW})
"""A reply that ends so may end inside a call, and says so itself."""

_LONGEST_NAME = 100


def broken_call(name: str) -> UpstreamProtocolError:
    """Return the error of such a call."""
    return UpstreamProtocolError(
        f"the model's call of {name[:_LONGEST_NAME]} came with broken JSON as its input"
    )
