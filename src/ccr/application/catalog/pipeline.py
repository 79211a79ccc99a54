"""Transformers compiled: only the hooks that are overridden, as plain callables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from attrs import frozen

from ccr.application.ports.transformer import EventStage, Transformer

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.conversation import Conversation
    from ccr.domain.models import Destination

__all__ = ["IDENTITY", "Pipeline"]

_RequestHook = Callable[["Conversation", "Destination"], "Conversation"]
_PayloadHook = Callable[["Payload", "Destination"], "Payload"]
_StageHook = Callable[["Conversation", "Destination"], EventStage | None]


@frozen
class Pipeline:
    """Requests run in the order of configuration (provider, then model); stages of the reply run in reverse."""

    requests: tuple[_RequestHook, ...] = ()
    payloads: tuple[_PayloadHook, ...] = ()
    stages: tuple[_StageHook, ...] = ()

    @classmethod
    def of(cls, transformers: Iterable[Transformer], to: Destination | None = None) -> Pipeline:
        """Compile transformers, provider-level ones first; those that are idle at ``to`` are left out."""
        chain = [t for t in transformers if to is None or not t.idle(to)]
        return cls(
            requests=tuple(t.request for t in chain if type(t).request is not Transformer.request),
            payloads=tuple(t.payload for t in chain if type(t).payload is not Transformer.payload),
            stages=tuple(t.stage_for for t in reversed(chain) if _stages(type(t))),
        )

    @property
    def is_identity(self) -> bool:
        """Nothing is changed on either way."""
        return not (self.requests or self.payloads or self.stages)


def _stages(kind: type[Transformer]) -> bool:
    return kind.stage is not Transformer.stage or kind.stage_for is not Transformer.stage_for


IDENTITY = Pipeline()
