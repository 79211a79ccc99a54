"""``reasoning``: switch thinking on or off."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define, field
from typing_extensions import override

from ccr.application.ports.transformer import Transformer
from ccr.domain.conversation import Reasoning as Asked
from ccr.domain.conversation import ReasoningMode
from ccr.domain.models import ReasoningStyle
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.domain.conversation import Conversation
    from ccr.domain.models import Destination, ModelProfile

__all__ = ["Reasoning"]

_OFF = Asked(ReasoningMode.OFF)


@define(frozen=True)
class Reasoning(Transformer):
    """Tell a model of which nobody knows how it is told to think, by ``thinking`` and ``enable_thinking``, what the caller
    asks of thinking. With ``enable: false`` thinking is off whatever the caller asks. Models that are known are told in
    their own way. Reasoning that comes back is read in any case.
    """

    name: ClassVar[str] = "reasoning"

    enable: bool = field(default=True, metadata={"doc": "`false`: never think."})

    @override
    def idle(self, to: Destination) -> bool:
        return self.enable

    @override
    def profile(self, profile: ModelProfile) -> ModelProfile:
        if profile.reasoning is not ReasoningStyle.NONE:
            return profile
        return evolve(profile, reasoning=ReasoningStyle.BOTH)

    @override
    def request(self, conversation: Conversation, to: Destination) -> Conversation:
        return conversation if self.enable else evolve(conversation, reasoning=_OFF)
