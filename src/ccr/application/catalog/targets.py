"""Endpoints with a model, compiled and ready to call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import Factory, field, frozen

from ccr.application.ports.upstream import HeaderPairs, Timeouts

if TYPE_CHECKING:
    from ccr.application.catalog.pipeline import Pipeline
    from ccr.application.ports.dialect import ProviderDialect
    from ccr.application.ports.hosting import CredentialSource, Hosting
    from ccr.application.ports.provider import Endpoint
    from ccr.domain.models import Destination, ModelRef

__all__ = ["Target", "TargetKey"]


@frozen(eq=False)
class TargetKey:
    """One of a provider's keys. ``id`` is the beginning of its digest: it tells keys apart and says nothing of them."""

    id: str
    credential: CredentialSource = field(repr=False)
    weight: float = 1.0


@frozen(eq=False)
class Target:
    """Everything that one attempt needs, decided when the configuration was compiled.

    ``headers`` are sent with every request (content type, configured extras). ``max_reply`` and ``max_event`` bound a
    non-streamed reply and a single event in bytes. ``keys``: at least one; ``credential`` is that of the key in use.
    ``hidden``: values of headers that nobody else may see.
    """

    ref: ModelRef
    destination: Destination
    endpoint: Endpoint
    dialect: ProviderDialect = field(repr=False)
    hosting: Hosting = field(repr=False)
    credential: CredentialSource = field(repr=False)
    pipeline: Pipeline = field(repr=False)
    headers: HeaderPairs = ()
    timeouts: Timeouts = Timeouts()
    max_reply: int = 64 * 1024 * 1024
    max_event: int = 16 * 1024 * 1024
    keys: tuple[TargetKey, ...] = field(
        default=Factory(lambda self: (TargetKey("", self.credential),), takes_self=True), repr=False
    )
    hidden: tuple[str, ...] = field(default=(), repr=False)

    def secrets(self) -> tuple[str, ...]:
        """Texts that must be masked wherever the provider's words go out."""
        return (*self.credential.secrets(), *self.hidden)
