"""A tool call that ended without a JSON object as its input: no client is given it as finished."""

from __future__ import annotations

from ccr.domain.errors import UpstreamProtocolError

__all__ = ["broken_call"]

_LONGEST_NAME = 100


def broken_call(name: str) -> UpstreamProtocolError:
    """Return the error of such a call."""
    return UpstreamProtocolError(
        f"the model's call of {name[:_LONGEST_NAME]} came with broken JSON as its input"
    )
