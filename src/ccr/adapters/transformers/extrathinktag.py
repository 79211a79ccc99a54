"""``extrathinktag``: reasoning between ``<think>`` tags in the answer becomes thinking."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define
from typing_extensions import override

from ccr.adapters.wire.thought_tags import ThoughtStage
from ccr.application.ports.transformer import EventStage, Transformer

if TYPE_CHECKING:
    from ccr.domain.models import Destination

__all__ = ["ExtraThinkTag"]


@define(frozen=True)
class ExtraThinkTag(Transformer):
    """For servers that do not parse the reasoning of their models. Answers without the tag pass as they are."""

    name: ClassVar[str] = "extrathinktag"

    @override
    def stage(self, to: Destination) -> EventStage:
        return ThoughtStage("think")
