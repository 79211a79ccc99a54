"""Endpoints with a model, compiled and ready to call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from ccr.application.ports.upstream import HeaderPairs, Timeouts

if TYPE_CHECKING:
    from ccr.application.catalog.pipeline import Pipeline
    from ccr.application.ports.dialect import ProviderDialect
    from ccr.application.ports.hosting import CredentialSource, Hosting
    from ccr.application.ports.provider import Endpoint
    from ccr.domain.models import Destination, ModelRef

__all__ = ["Target"]


@frozen(eq=False)
class Target:
    """Everything that one attempt needs, decided when the configuration was compiled.

    ``headers`` are sent with every request (content type, configured extras). ``max_reply`` and ``max_event`` bound a
    non-streamed reply and a single event in bytes.
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
