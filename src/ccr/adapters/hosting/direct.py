"""The plain door: the provider's own HTTP API, SSE when streamed.

A configured URL may be the whole address of an operation, as in the ancestor's ``api_base_url``
(``https://api.deepseek.com/chat/completions``), or a base to which the dialect's path is added.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from ccr.adapters.wire.sse import SseFramer
from ccr.domain.facts import Operation
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.application.ports.dialect import Framer
    from ccr.application.ports.payload import Encoded
    from ccr.application.ports.provider import Endpoint

__all__ = ["DirectHosting"]

_VERSION = re.compile(r"/v\d+[a-z]*\d*$")

_WHOLE = {"anthropic": "/messages", "openai_chat": "/chat/completions", "openai_responses": "/responses"}
"""How an address that is already that of a generation ends, by dialect."""

_MODEL_IN_PATH = frozenset({"gemini"})
_GEMINI_ACTIONS = {
    (Operation.GENERATE, False): ":generateContent",
    (Operation.GENERATE, True): ":streamGenerateContent?alt=sse",
    (Operation.COUNT, False): ":countTokens",
    (Operation.COUNT, True): ":countTokens",
}

_OTHER = {
    ("anthropic", Operation.COUNT): "/messages/count_tokens",
    ("anthropic", Operation.MODELS): "/models",
    ("openai_chat", Operation.MODELS): "/models",
    ("openai_responses", Operation.MODELS): "/models",
    ("openai_responses", Operation.COUNT): "/responses/input_tokens",
}


class DirectHosting:
    """Hosting without any peculiarity."""

    name = "direct"
    verbatim = True

    def url(self, endpoint: Endpoint, model: str, operation: Operation, *, stream: bool) -> str:
        """Return the absolute URL. Raises KeyError for an operation that the dialect does not have."""
        dialect = endpoint.dialect
        if dialect in _MODEL_IN_PATH:
            return _gemini_url(endpoint.url, model, operation, stream=stream)
        return _url(endpoint.url, dialect, operation)

    def amend(self, encoded: Encoded, endpoint: Endpoint, betas: Sequence[str], *, stream: bool) -> Encoded:
        """Return the request as it is, but that a model in the address is not repeated in the body."""
        del betas, stream
        if endpoint.dialect in _MODEL_IN_PATH:
            return evolve(encoded, payload=encoded.payload.without("model", "stream"))
        return encoded

    def framer(self, *, limit: int) -> Framer:
        """Return an SSE framer."""
        return SseFramer(limit)


@lru_cache(maxsize=512)
def _url(address: str, dialect: str, operation: Operation) -> str:
    whole = _WHOLE.get(dialect, "")
    parts = urlsplit(address)
    path = parts.path.rstrip("/")
    base = path.removesuffix(whole)
    if dialect == "anthropic" and base == path and not _VERSION.search(path):
        base += "/v1"
    if operation is not Operation.GENERATE:
        path = base + _OTHER[dialect, operation]
    elif base == path or whole not in path:
        path = base + whole
    return urlunsplit(parts._replace(path=path))


@lru_cache(maxsize=512)
def _gemini_url(address: str, model: str, operation: Operation, *, stream: bool) -> str:
    """The base ends in ``/models`` (the ancestor's form), in a version, or in nothing; or it is a whole address."""
    parts = urlsplit(address)
    base = parts.path.rstrip("/")
    head, models, _ = base.rpartition("/models")
    if not models:
        head = base if _VERSION.search(base) else f"{base}/v1beta"
    path = f"{head}/models"
    if operation is not Operation.MODELS:
        name = quote(model.removeprefix("models/"), safe="")
        action, _, query = _GEMINI_ACTIONS[operation, stream].partition("?")
        path, parts = f"{path}/{name}{action}", parts._replace(query=query)
    return urlunsplit(parts._replace(path=path))
