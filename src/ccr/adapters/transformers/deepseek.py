"""``deepseek``: a name from before there were dialects and profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define
from typing_extensions import override

from ccr.application.ports.transformer import Transformer
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.domain.models import ModelProfile

__all__ = ["DeepSeek"]

_LIMIT = 8192
"""Tokens; the ancestor's."""


@define(frozen=True)
class DeepSeek(Transformer):
    """Hold the output of a model that nobody knows to 8192 tokens."""

    name: ClassVar[str] = "deepseek"
    needless: ClassVar[str] = (
        "reasoning is read, signed and given back by the dialect, and the output of models that are known is held to "
        "their own limit"
    )

    @override
    def profile(self, profile: ModelProfile) -> ModelProfile:
        return evolve(profile, max_output=profile.max_output or _LIMIT)
