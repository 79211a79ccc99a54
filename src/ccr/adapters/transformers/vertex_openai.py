"""``vertex-openai``: models on Vertex AI that are asked by chat completions."""

from __future__ import annotations

from typing import ClassVar

from attrs import define, field

from ccr.application.ports.transformer import Door, Transformer

__all__ = ["VertexOpenAI"]


@define(frozen=True)
class VertexOpenAI(Transformer):
    """Chooses dialect, address and Google's login. ``client_email`` and ``private_key`` are the ancestor's: give the service
    account's JSON file as ``api_key`` instead.
    """

    name: ClassVar[str] = "vertex-openai"
    door: ClassVar[Door | None] = Door("openai_chat", "vertex", "google")

    client_email: str = field(
        default="", repr=False, metadata={"doc": "Refused: give the account's file as api_key."}
    )
    private_key: str = field(
        default="", repr=False, metadata={"doc": "Refused: give the account's file as api_key."}
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what would silently not be used. Raises ValueError."""
        if self.client_email or self.private_key:
            raise ValueError(
                "client_email and private_key: give the service account's JSON file as api_key instead"
            )
