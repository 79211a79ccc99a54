"""A whole response: the same machine as for streams, fed with its last event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_responses.read_stream import ResponsesReader, whole_reply
from ccr.domain.stream import fold

if TYPE_CHECKING:
    from ccr.domain.reply import Reply

__all__ = ["read_reply"]


def read_reply(body: bytes) -> Reply:
    """Read a whole response. Raises UpstreamProtocolError, or the error that a 200 hid."""
    return fold(whole_reply(ResponsesReader(), body))
