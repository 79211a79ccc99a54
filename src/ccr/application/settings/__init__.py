"""Settings as pure values: what the configuration means, whatever file or store it came from."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from ccr.application.settings.failover import FailoverSettings
from ccr.application.settings.limits import LimitSettings, TimeoutSettings
from ccr.application.settings.logging import LogSettings
from ccr.application.settings.providers import ProviderSettings, TransformerFile, TransformerUse
from ccr.application.settings.routing import RouterSettings
from ccr.application.settings.search import SearchSettings
from ccr.application.settings.server import ClientSettings, ServerSettings

__all__ = [
    "ClientSettings",
    "FailoverSettings",
    "LimitSettings",
    "LogSettings",
    "ProviderSettings",
    "RouterSettings",
    "SearchSettings",
    "ServerSettings",
    "Settings",
    "TimeoutSettings",
    "TransformerFile",
    "TransformerUse",
]


@frozen
class Settings:
    """Everything that is configured. ``raw`` is the expanded file as plain JSON values, for custom routers
    (secrets in it are masked); ``source`` names the file, empty when built by hand.
    """

    server: ServerSettings = ServerSettings()
    providers: tuple[ProviderSettings, ...] = ()
    transformers: tuple[TransformerFile, ...] = ()
    router: RouterSettings = RouterSettings()
    timeouts: TimeoutSettings = TimeoutSettings()
    limits: LimitSettings = LimitSettings()
    failover: FailoverSettings = FailoverSettings()
    logging: LogSettings = LogSettings()
    client: ClientSettings = ClientSettings()
    search: SearchSettings = SearchSettings()
    proxy_url: str | None = field(default=None, repr=False)
    """May hold a password."""
    proxy_bypass: tuple[str, ...] = ()
    """Hosts that are reached directly although a proxy is set: NO_PROXY or PROXY_BYPASS; loopback always is."""
    block_private: bool = False
    """A provider's name may not lead to a private address; one that is written in its URL may be called."""
    rewrite_system_prompt: str | None = None
    """Path of a file whose text replaces the system prompt before ``<env>`` (ancestor's REWRITE_SYSTEM_PROMPT)."""
    source: str = ""
    raw: Mapping[str, object] = field(factory=dict, repr=False, hash=False)
    origins: Mapping[str, str] = field(factory=dict, repr=False, hash=False)
    """Where a value came from, by its path in the file: ``file``, ``env:NAME`` or ``file:/path``; else the default."""
