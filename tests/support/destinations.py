"""Destinations and payloads for tests of transformers."""

from __future__ import annotations

from typing import Any

from ccr.adapters.wire.json import CODEC
from ccr.application.ports.payload import Payload
from ccr.application.ports.transformer import Transformer
from ccr.domain.models import Destination, ModelProfile, ModelRef


def destination(**profile: Any) -> Destination:
    return Destination(ModelRef("p", "m"), ModelProfile(**profile), "openai_chat")


def sent(transformer: Transformer, body: dict[str, Any], **profile: Any) -> Any:
    """What becomes of a request body."""
    made = transformer.payload(Payload(body, CODEC), destination(**profile))
    return CODEC.decode(made.encode())
