"""The plain door: the provider's own HTTP API, SSE when streamed.

A configured URL may be the whole address of an operation, as in the ancestor's ``api_base_url``
(``https://api.deepseek.com/chat/completions``), or a base to which the dialect's path is added.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from ccr.adapters.wire.sse import SseFramer
from ccr.domain.facts import Operation

if TYPE_CHECKING:
    from ccr.application.ports.dialect import Framer
    from ccr.application.ports.payload import Payload
    from ccr.application.ports.provider import Endpoint

__all__ = ["DirectHosting"]

_VERSION = re.compile(r"/v\d+[a-z]*\d*$")

_WHOLE = {"anthropic": "/messages", "openai_chat": "/chat/completions"}
"""How an address that is already that of a generation ends, by dialect."""

_OTHER = {
    ("anthropic", Operation.COUNT): "/messages/count_tokens",
    ("anthropic", Operation.MODELS): "/models",
    ("openai_chat", Operation.MODELS): "/models",
}


class DirectHosting:
    """Hosting without any peculiarity."""

    name = "direct"

    def url(self, endpoint: Endpoint, model: str, operation: Operation, *, stream: bool) -> str:
        """Return the absolute URL. Raises KeyError for an operation that the dialect does not have."""
        del model, stream  # other doors have them in the path
        dialect = endpoint.dialect
        whole = _WHOLE.get(dialect, "")
        parts = urlsplit(endpoint.url)
        path = parts.path.rstrip("/")
        base = path.removesuffix(whole)
        if dialect == "anthropic" and base == path and not _VERSION.search(path):
            base += "/v1"
        if operation is not Operation.GENERATE:
            path = base + _OTHER[dialect, operation]
        elif base == path or whole not in path:
            path = base + whole
        return urlunsplit(parts._replace(path=path))

    def amend(self, payload: Payload) -> Payload:
        """Return the payload as it is."""
        return payload

    def framer(self, *, limit: int) -> Framer:
        """Return an SSE framer."""
        return SseFramer(limit)
