"""Destinations and payloads for tests of transformers."""

from __future__ import annotations

from typing import Any

from ccr.adapters.wire.json import CODEC
from ccr.application.ports.payload import Payload
from ccr.application.ports.transformer import Transformer
from ccr.domain.models import Destination, ModelProfile, ModelRef


def destination(dialect: str = "openai_chat", **profile: Any) -> Destination:
    return Destination(ModelRef("p", "m"), ModelProfile(**profile), dialect)


def sent(transformer: Transformer, body: dict[str, Any], dialect: str = "openai_chat", **profile: Any) -> Any:
    """What becomes of a request body."""
    made = transformer.payload(Payload(body, CODEC), destination(dialect, **profile))
    return CODEC.decode(made.encode())
