"""Azure OpenAI and AI Foundry: the ``v1`` API, which is OpenAI's own under ``/openai``, and deployments by address.

learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle; providers.md 4.2.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from ccr.adapters.wire.sse import SseFramer
from ccr.domain.errors import UnsupportedError
from ccr.domain.facts import Operation
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.application.ports.dialect import Framer
    from ccr.application.ports.payload import Encoded
    from ccr.application.ports.provider import Endpoint

__all__ = ["AzureHosting"]

_DEPLOYMENTS = re.compile(r"/openai/deployments(?:/(?P<name>[^/{}]+))?(?:/|$)")
_PLACE = re.compile(r"/openai(?:/v\d+)?$")
_V1 = re.compile(r"/v\d+$")
_WHOLE = {"openai_chat": "/chat/completions", "openai_responses": "/responses"}
_OTHER = {
    ("openai_chat", Operation.MODELS): "/models",
    ("openai_responses", Operation.MODELS): "/models",
    ("openai_responses", Operation.COUNT): "/responses/input_tokens",
}
_BY_DEPLOYMENT = "/chat/completions"
"""What is asked of a deployment by its address; everything else stands beside ``/deployments`` (the official SDK agrees)."""
_VERSION = "api-version="
_DATED = f"{_VERSION}2024-10-21"
"""The last dated version that is not a preview: an address of a deployment without one is refused."""


class AzureHosting:
    """Door to Azure OpenAI. A configured address is a resource, a part of its API, a whole address, or a deployment."""

    name = "azure"
    verbatim = False  # the address of a deployment takes the model out of the body

    def url(self, endpoint: Endpoint, model: str, operation: Operation, *, stream: bool) -> str:
        """Return the absolute URL. Raises UnsupportedError for an operation that the dialect does not have here."""
        del stream
        parts = urlsplit(endpoint.url)
        path = parts.path.rstrip("/")
        whole = _WHOLE.get(endpoint.dialect)
        last = whole if operation is Operation.GENERATE else _OTHER.get((endpoint.dialect, operation))
        if whole is None or last is None:
            raise UnsupportedError(
                f"Azure OpenAI has no way to ask for {operation.value} in the dialect {endpoint.dialect}"
            )
        deployment = _DEPLOYMENTS.search(path)
        is_dated = _VERSION in parts.query
        if deployment is None:
            path = _base(path, whole) + last
        elif last == _BY_DEPLOYMENT:
            name = deployment["name"] or quote(model, safe="")
            path = f"{path[: deployment.start()]}/openai/deployments/{name}{last}"
            if not is_dated:
                parts = parts._replace(query="&".join(filter(None, (parts.query, _DATED))))
        else:
            path = f"{path[: deployment.start()]}/openai{'' if is_dated else '/v1'}{last}"
        return urlunsplit(parts._replace(path=path))

    def amend(self, encoded: Encoded, endpoint: Endpoint, betas: Sequence[str], *, stream: bool) -> Encoded:
        """Return the request as it is; a deployment in the address is not repeated as the model of the body."""
        del betas, stream
        has_deployment = _DEPLOYMENTS.search(urlsplit(endpoint.url).path) is not None
        if has_deployment and _WHOLE.get(endpoint.dialect) == _BY_DEPLOYMENT:
            return evolve(encoded, payload=encoded.payload.without("model"))
        return encoded

    def framer(self, *, limit: int) -> Framer:
        """Return an SSE framer."""
        return SseFramer(limit)


def _base(path: str, whole: str) -> str:
    """Return what an operation's path is added to, where no deployment is named."""
    base = path.removesuffix(whole)
    if base != path:
        return base
    if not _PLACE.search(base):
        base += "/openai"
    return base if _V1.search(base) else f"{base}/v1"
