"""Named, configured changes to what passes through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from attrs import define

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.conversation import Conversation
    from ccr.domain.models import Destination
    from ccr.domain.stream import StreamEvent

__all__ = ["EventStage", "Transformer", "TransformerRegistry"]


class EventStage(Protocol):
    """One transformer's view of one reply. It flushes on MessageStop and StreamFailed."""

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        """Return what becomes of these events."""
        ...


@define(frozen=True)
class Transformer:
    """Override the hooks you need. Fields are options; none may hold the state of a reply (that is the stage's)."""

    name: ClassVar[str] = ""

    def request(self, conversation: Conversation, to: Destination) -> Conversation:  # noqa: ARG002  # a no-op hook
        """Change what is meant."""
        return conversation

    def payload(self, payload: Payload, to: Destination) -> Payload:  # noqa: ARG002  # a no-op hook
        """Change the provider's own JSON, last."""
        return payload

    def stage(self, to: Destination) -> EventStage | None:  # noqa: ARG002  # a no-op hook
        """Change the reply, as events."""
        return None


class TransformerRegistry(Protocol):
    """Transformers by name."""

    def build(self, name: str, options: dict[str, object]) -> Transformer:
        """Return a configured transformer. Raises LookupError (unknown name; lists near ones) or ValueError (options)."""
        ...

    def names(self) -> tuple[str, ...]:
        """All names."""
        ...
