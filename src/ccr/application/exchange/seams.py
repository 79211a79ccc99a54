"""Where what answers for a model joins an attempt (``application/assist``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from ccr.application.catalog.targets import Target
    from ccr.application.exchange.job import Job
    from ccr.application.exchange.live import EventReply
    from ccr.domain.conversation import Conversation
    from ccr.domain.errors import GatewayError
    from ccr.domain.fidelity import Loss

__all__ = ["Adapter", "Continuer", "Further", "Interceptor", "Round"]

Round: TypeAlias = Callable[["Conversation"], Awaitable["EventReply"]]
"""Writes a conversation for the target of the attempt, sends it, and returns its reply as events, nothing read yet.

Raises GatewayError as the attempt itself would. Whoever asks owns the reply and closes its ``response``.
"""


class Adapter(Protocol):
    """Changes what is meant, for a target that cannot take it (a picture described for a model that is blind)."""

    @property
    def emulates(self) -> Loss:
        """What it does in place of the feature, in short."""
        ...

    def wants(self, job: Job, target: Target, conversation: Conversation) -> bool:
        """Whether there is anything to do. Cheap: asked for every translated request."""
        ...

    async def adapt(
        self, job: Job, target: Target, conversation: Conversation
    ) -> tuple[Conversation, tuple[Loss, ...]]:
        """Return the changed conversation, and what was emulated. Raises GatewayError."""
        ...


class Interceptor(Protocol):
    """Answers with several upstream replies spliced into one (a search loop)."""

    @property
    def emulates(self) -> Loss:
        """What it does in place of the feature, in short."""
        ...

    def wants(self, job: Job, target: Target, conversation: Conversation) -> bool:
        """Whether it takes this attempt. Cheap: asked for every translated request."""
        ...

    async def open(
        self, job: Job, target: Target, conversation: Conversation, round_: Round
    ) -> tuple[EventReply, tuple[Loss, ...]]:
        """Return one reply, its first round opened, and what was emulated. Raises GatewayError."""
        ...


class Further(Protocol):
    """Asks for the rest of a reply (``exchange/again.py``)."""

    @property
    def idle(self) -> float | None:
        """Seconds without news after which the reply under way is given up; None = never."""
        ...

    def cut(self, error: GatewayError) -> None:
        """Write down that the reply under way has failed, and give its place at the provider back."""
        ...

    async def __call__(self, said: Conversation, error: GatewayError) -> EventReply:
        """Return a reply with content to ``said``; ``error`` is what the one before was cut with.

        Raises GatewayError: nobody may be asked, or nobody answers. Whoever asks owns the reply.
        """
        ...


class Continuer(Protocol):
    """Goes on where a reply is cut after the client has been sent some of it."""

    def guarded(self, said: Conversation, reply: EventReply, further: Further) -> EventReply:
        """Return the reply to be carried to the client in place of ``reply``, which answers to ``said``."""
        ...
