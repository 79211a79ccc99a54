"""A whole reply: the same machine as for streams, fed with one chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_chat.read_stream import whole_reply
from ccr.adapters.dialects.openai_chat.reader import ChatReader
from ccr.domain.stream import fold

if TYPE_CHECKING:
    from ccr.domain.reply import Reply

__all__ = ["read_reply"]


def read_reply(body: bytes) -> Reply:
    """Read a whole reply. Raises UpstreamProtocolError, or the error that a 200 hid.

    A tool call whose input was cut off by the output limit is left out: it could not be written down as JSON.
    """
    return fold(whole_reply(ChatReader(stream=False), body))
