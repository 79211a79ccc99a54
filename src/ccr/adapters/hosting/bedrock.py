"""Claude on Amazon Bedrock by InvokeModel, which keeps the Messages API as it is; its replies are event streams.

The model stands in the path, the version and the betas in the body
(docs.aws.amazon.com/bedrock, "Anthropic Claude Messages API: request and response"; providers.md 4.1, 4.7).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from ccr.adapters.wire.eventstream import EventStreamFramer
from ccr.adapters.wire.resold import asked_betas, without_billing, without_fields, without_header
from ccr.domain.errors import UnsupportedError
from ccr.domain.facts import Operation
from ccr.domain.fidelity import Loss
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.application.ports.dialect import Framer
    from ccr.application.ports.payload import Encoded
    from ccr.application.ports.provider import Endpoint

__all__ = ["BedrockHosting"]

_VERSION = "bedrock-2023-05-31"
_MODEL = re.compile(r"/model(?:/|$)")

_FIELDS = frozenset(
    {
        "anthropic_version",
        "anthropic_beta",
        "max_tokens",
        "system",
        "messages",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "temperature",
        "top_p",
        "top_k",
        "stop_sequences",
        "metadata",
    }
)
"""What the body may hold; any other field is refused ("Extra inputs are not permitted")."""

_BETAS = {
    name: name
    for name in (
        "computer-use-2024-10-22",
        "computer-use-2025-01-24",
        "computer-use-2025-11-24",
        "context-1m-2025-08-07",
        "dev-full-thinking-2025-05-14",
        "effort-2025-11-24",
        "fine-grained-tool-streaming-2025-05-14",
        "interleaved-thinking-2025-05-14",
        "output-128k-2025-02-19",
        "token-efficient-tools-2025-02-19",
        "tool-examples-2025-10-29",
        "tool-search-tool-2025-10-19",
    )
} | {"advanced-tool-use-2025-11-20": "tool-search-tool-2025-10-19"}
"""Betas that are taken, by the name that Anthropic has for them. A list of what is known to work: one that is not known
there fails the request with "invalid beta flag", which does not say which, so nothing could be learned from it."""


class BedrockHosting:
    """Door to Claude on Bedrock."""

    name = "bedrock"
    verbatim = False

    def url(self, endpoint: Endpoint, model: str, operation: Operation, *, stream: bool) -> str:
        """Return the absolute URL; what a configured address says after ``/model`` is replaced.

        Raises UnsupportedError for anything but a generation.
        """
        if operation is not Operation.GENERATE:
            raise UnsupportedError(f"Bedrock has no way to ask for {operation.value} through InvokeModel")
        parts = urlsplit(endpoint.url)
        head = _MODEL.split(parts.path, maxsplit=1)[0].rstrip("/")
        action = "invoke-with-response-stream" if stream else "invoke"
        return urlunsplit(parts._replace(path=f"{head}/model/{quote(model, safe='')}/{action}"))

    def amend(self, encoded: Encoded, endpoint: Endpoint, betas: Sequence[str], *, stream: bool) -> Encoded:
        """Return the request with version and betas in the body, and without what Bedrock refuses there.

        A beta that is not taken is a loss only by the field that needs it.
        """
        del endpoint, stream
        payload = without_billing(encoded.payload.without("model", "stream"))
        asked = asked_betas(payload, betas)
        payload = payload.without("anthropic_beta").with_("anthropic_version", _VERSION)
        taken = list(dict.fromkeys(_BETAS[beta] for beta in asked if beta in _BETAS))
        if taken:
            payload = payload.with_("anthropic_beta", taken)
        refused = [name for name in payload.fields if name not in _FIELDS]
        made = _user_only(without_fields(evolve(encoded, payload=payload), refused))
        made = without_header(made, "anthropic-version")
        # The kind of the inference's body, not of the stream it comes in (InvokeModel, header Accept).
        return evolve(made, headers=(*made.headers, ("accept", "application/json")))

    def framer(self, *, limit: int) -> Framer:
        """Return a framer of Amazon's event stream."""
        return EventStreamFramer(limit)


def _user_only(encoded: Encoded) -> Encoded:
    """Leave of ``metadata`` what the Messages API documents, its ``user_id``."""
    said = encoded.payload.parsed("metadata")
    if said is None or (isinstance(said, dict) and said.keys() == {"user_id"}):
        return encoded
    user = said.get("user_id") if isinstance(said, dict) else None
    payload = encoded.payload
    payload = payload.with_("metadata", {"user_id": user}) if user else payload.without("metadata")
    return evolve(encoded, payload=payload, losses=tuple(dict.fromkeys((*encoded.losses, Loss("metadata")))))
