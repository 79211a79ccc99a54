"""``gemini-cli``: the login of Gemini CLI, and the service behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define, field
from typing_extensions import override

from ccr.application.ports.transformer import Door, Transformer

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.models import Destination

__all__ = ["GeminiCli"]


@define(frozen=True)
class GeminiCli(Transformer):
    """Takes the token from ~/.gemini/oauth_creds.json, which Gemini CLI keeps fresh; requests are wrapped as its service wants them."""

    name: ClassVar[str] = "gemini-cli"
    door: ClassVar[Door | None] = Door("gemini", "code_assist", "gemini-cli")

    project: str = field(
        default="", metadata={"doc": "Google Cloud project; else the variable GOOGLE_CLOUD_PROJECT."}
    )

    @override
    def payload(self, payload: Payload, to: Destination) -> Payload:
        return payload.with_("project", self.project) if self.project else payload
