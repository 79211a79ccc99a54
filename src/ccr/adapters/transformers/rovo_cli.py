"""``rovo-cli``: the login of Rovo Dev."""

from __future__ import annotations

from typing import ClassVar

from attrs import define
from typing_extensions import override

from ccr.application.ports.transformer import Door, Transformer
from ccr.domain.models import ModelProfile
from ccr.domain.value import evolve

__all__ = ["RovoCli"]


@define(frozen=True)
class RovoCli(Transformer):
    """Sends the key as Basic; the provider speaks chat completions and calls its limit max_completion_tokens."""

    name: ClassVar[str] = "rovo-cli"
    door: ClassVar[Door | None] = Door("openai_chat", credential="basic")

    @override
    def profile(self, profile: ModelProfile) -> ModelProfile:
        """Name the output limit as the service does."""
        return evolve(profile, max_tokens_field="max_completion_tokens")
