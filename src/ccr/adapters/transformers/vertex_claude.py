"""``vertex-claude``: Anthropic's models on Vertex AI."""

from __future__ import annotations

from typing import ClassVar

from attrs import define

from ccr.application.ports.transformer import Door, Transformer

__all__ = ["VertexClaude"]


@define(frozen=True)
class VertexClaude(Transformer):
    """Chooses dialect, address and Google's login. Project and location: the address, or GOOGLE_CLOUD_PROJECT and _LOCATION."""

    name: ClassVar[str] = "vertex-claude"
    door: ClassVar[Door | None] = Door("anthropic", "vertex", "google")
