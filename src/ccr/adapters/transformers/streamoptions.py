"""``streamoptions``: ask for token counts in streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define
from typing_extensions import override

from ccr.application.ports.transformer import Transformer
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.domain.models import ModelProfile

__all__ = ["StreamOptions"]


@define(frozen=True)
class StreamOptions(Transformer):
    """Overrule a model's profile that says ``stream_options`` is refused there."""

    name: ClassVar[str] = "streamoptions"
    needless: ClassVar[str] = (
        "streams are asked for token counts anyway, wherever the provider's profile does not say that this is refused"
    )

    @override
    def profile(self, profile: ModelProfile) -> ModelProfile:
        return evolve(profile, stream_usage=True)
