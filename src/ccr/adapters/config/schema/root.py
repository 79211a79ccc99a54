"""The top level of ``config.json``."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from ccr.adapters.config.schema.client import StatusLineBlock
from ccr.adapters.config.schema.failover import FailoverBlock
from ccr.adapters.config.schema.keys import Kind, key
from ccr.adapters.config.schema.logging import LEVELS, LoggingBlock
from ccr.adapters.config.schema.operations import AdminBlock, LimitsBlock, TimeoutsBlock
from ccr.adapters.config.schema.providers import CustomTransformer, Plugin, ProviderEntry
from ccr.adapters.config.schema.routing import RouterBlock
from ccr.adapters.config.schema.search import SearchBlock
from ccr.domain.secret import Secret

__all__ = ["Root"]


@frozen
class Root:
    """Everything that stands in the file, as it stands there."""

    schema: str = key("$schema", Kind.TEXT, "For editors; ignored.", default="")
    port: int = key(
        "PORT", Kind.INTEGER, "Listen port; `SERVICE_PORT` wins.", default=3456, least=1, most=65_535
    )
    host: str = key(
        "HOST",
        Kind.TEXT,
        "Bind address. Other than loopback is refused without `APIKEY`.",
        default="127.0.0.1",
    )
    api_key: Secret | None = key("APIKEY", Kind.SECRET, "The key that clients must send.")
    log: bool = key("LOG", Kind.BOOLEAN, "Whether a log file is written.", default=True, aliases=("log",))
    log_level: str = key("LOG_LEVEL", Kind.TEXT, "What is logged.", default="info", choices=LEVELS)
    log_file: str = key(
        "LOG_FILE", Kind.PATH, "Set by the ancestor for itself; ignored.", default="", later=True
    )
    api_timeout: int = key(
        "API_TIMEOUT_MS",
        Kind.MILLIS,
        "Longest single wait for a provider, also handed to Claude Code (there 600000 by default).",
        default=None,
    )
    proxy_url: str = key(
        "PROXY_URL",
        Kind.URL,
        "Proxy of all outbound requests. Loopback and `NO_PROXY` are spared.",
        default="",
        aliases=("HTTPS_PROXY", "https_proxy", "httpsProxy"),
    )
    proxy_bypass: tuple[str, ...] | None = key(
        "PROXY_BYPASS", Kind.NAMES, "Hosts reached without the proxy, in place of `NO_PROXY`.", default=None
    )
    non_interactive: bool = key(
        "NON_INTERACTIVE_MODE",
        Kind.BOOLEAN,
        "Tell Claude Code that nobody is at the terminal.",
        default=False,
    )
    claude_path: str = key("CLAUDE_PATH", Kind.PATH, "The `claude` program.", default="")
    small_fast_model: str = key("ANTHROPIC_SMALL_FAST_MODEL", Kind.TEXT, "Handed to Claude Code.", default="")
    custom_router: str = key(
        "CUSTOM_ROUTER_PATH",
        Kind.PATH,
        "A Python file with `async def route(request, config)`. A `.js` file is refused.",
        default="",
    )
    rewrite_system_prompt: str = key(
        "REWRITE_SYSTEM_PROMPT",
        Kind.PATH,
        "A file whose text replaces the system prompt up to `<env>`.",
        default="",
    )
    force_image_agent: bool = key(
        "forceUseImageAgent",
        Kind.BOOLEAN,
        "Have every image described by the `image` route's model, rather than send the current turn there.",
        default=False,
    )
    providers: tuple[ProviderEntry, ...] = key(
        "Providers", Kind.LIST, "The providers.", default=(), of=ProviderEntry, aliases=("providers",)
    )
    router: RouterBlock = key("Router", Kind.OBJECT, "The routes.", default=RouterBlock(), of=RouterBlock)
    fallback: Mapping[str, tuple[str, ...]] = key(
        "fallback", Kind.TARGETS_MAP, "Targets to try next, by scenario, in order.", default=dict
    )
    transformers: tuple[CustomTransformer, ...] = key(
        "transformers", Kind.LIST, "Transformers of your own.", default=(), of=CustomTransformer
    )
    plugins: tuple[Plugin, ...] = key(
        "plugins",
        Kind.LIST,
        "Plugins (ancestor's v2).",
        default=(),
        of=Plugin,
        later=True,
        aliases=("Plugins",),
    )
    status_line: StatusLineBlock = key(
        "StatusLine", Kind.OBJECT, "The status line.", default=StatusLineBlock(), of=StatusLineBlock
    )
    timeouts: TimeoutsBlock = key(
        "Timeouts", Kind.OBJECT, "Time limits.", default=TimeoutsBlock(), of=TimeoutsBlock
    )
    failover: FailoverBlock = key(
        "Failover", Kind.OBJECT, "When a provider fails.", default=FailoverBlock(), of=FailoverBlock
    )
    limits: LimitsBlock = key("Limits", Kind.OBJECT, "Bounds.", default=LimitsBlock(), of=LimitsBlock)
    admin: AdminBlock = key("Admin", Kind.OBJECT, "Who may reach us.", default=AdminBlock(), of=AdminBlock)
    logging: LoggingBlock = key(
        "Logging", Kind.OBJECT, "The log in detail.", default=LoggingBlock(), of=LoggingBlock
    )
    search: SearchBlock | None = key(
        "Search", Kind.OBJECT, "Web search for models whose provider has none.", of=SearchBlock
    )
    team: Mapping[str, object] = key("Team", Kind.FREE_OBJECT, "Keys and people.", default=dict, later=True)
    ledger: Mapping[str, object] = key("Ledger", Kind.FREE_OBJECT, "The ledger.", default=dict, later=True)
