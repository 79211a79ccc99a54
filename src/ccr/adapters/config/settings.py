"""From the shape of the file to the shape of the program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from attrs import frozen

from ccr.adapters.config.problems import Path, Problems, format_path
from ccr.adapters.config.routes import groups_of
from ccr.adapters.config.schema.failover import FailoverBlock
from ccr.adapters.config.schema.keys import Kind, keys_of
from ccr.adapters.config.schema.operations import LimitsBlock, TimeoutsBlock
from ccr.adapters.config.schema.providers import ProviderEntry, Use
from ccr.adapters.config.schema.root import Root
from ccr.adapters.config.schema.routing import RouterBlock
from ccr.adapters.config.urls import is_loopback
from ccr.application.settings import (
    ClientSettings,
    FailoverSettings,
    LimitSettings,
    LogSettings,
    ProviderSettings,
    RouterSettings,
    SearchSettings,
    ServerSettings,
    Settings,
    TimeoutSettings,
    TransformerFile,
    TransformerUse,
)
from ccr.application.settings.providers import ModelOverride
from ccr.application.settings.routes import first_of
from ccr.domain.attempts import RetryRules
from ccr.domain.health import BreakerRules

__all__ = ["Surroundings", "router_settings", "to_settings"]


@frozen
class Surroundings:
    """Where the file is and what the environment says over it."""

    file: str
    environ: Mapping[str, str]
    origins: Mapping[str, str]

    def path(self, text: str) -> str:
        """``~`` expanded."""
        home = self.environ.get("HOME", "")
        return home + text[1:] if home and (text == "~" or text.startswith("~/")) else text


_TEAM_DRAIN_WAIT = 5.0
"""Seconds; load balancers look every few."""


def to_settings(
    root: Root, given: Mapping[str, Any], around: Surroundings, problems: Problems, raw: Mapping[str, object]
) -> Settings:
    """Map and let the environment win; ``given`` tells what the file really says."""
    origins = dict(around.origins)
    return Settings(
        server=_server(root, around, problems, origins),
        providers=tuple(_provider(entry, index, problems) for index, entry in enumerate(root.providers)),
        transformers=tuple(
            TransformerFile(around.path(entry.path), entry.options, f"transformers[{index}]")
            for index, entry in enumerate(root.transformers)
        ),
        router=router_settings(root.router, _routers(root, around)),
        timeouts=_timeouts(root),
        limits=_limits(root.limits),
        failover=_failover(root.failover),
        logging=_logging(root, given, around),
        search=_search(root),
        client=ClientSettings(
            claude_path=around.path(root.claude_path) or around.environ.get("CLAUDE_PATH", ""),
            non_interactive=root.non_interactive,
            small_fast_model=root.small_fast_model,
            api_timeout_ms=root.api_timeout or 600_000,
            status_line=root.status_line.enabled,
        ),
        proxy_url=root.proxy_url or None,
        proxy_bypass=_bypass(root, around, origins),
        block_private=root.admin.block_private,
        rewrite_system_prompt=around.path(root.rewrite_system_prompt) or None,
        source=around.file,
        raw=raw,
        origins=origins,
    )


def _server(root: Root, around: Surroundings, problems: Problems, origins: dict[str, str]) -> ServerSettings:
    return ServerSettings(
        host=root.host,
        port=_port(root.port, around, problems, origins),
        api_key=root.api_key,
        hosts=root.admin.hosts,
        origins=root.admin.origins,
        workers=root.admin.workers,
        drain_wait=_drain_wait(root),
        drain_timeout=root.timeouts.drain / 1000,
    )


def _drain_wait(root: Root) -> float:
    """Whoever listens to others has most likely a load balancer in front, which must notice first (decision 13)."""
    given = root.timeouts.drain_wait
    if given is None:
        return 0.0 if not root.host or is_loopback(root.host) else _TEAM_DRAIN_WAIT
    return given / 1000


def _port(port: int, around: Surroundings, problems: Problems, origins: dict[str, str]) -> int:
    service = around.environ.get("SERVICE_PORT", "").strip()
    if not service:
        return port
    if not service.isascii() or not service.isdigit() or not 0 < int(service[:9]) < 65_536:
        problems.error(
            ("PORT",), "the variable SERVICE_PORT should be a port from 1 to 65535", "unset or correct it"
        )
        return port
    origins["PORT"] = "env:SERVICE_PORT"
    return int(service)


def _bypass(root: Root, around: Surroundings, origins: dict[str, str]) -> tuple[str, ...]:
    """The variable PROXY_BYPASS, else the key, else NO_PROXY."""
    environ = around.environ
    if "PROXY_BYPASS" not in environ and root.proxy_bypass is not None:
        return root.proxy_bypass
    name = next((name for name in ("PROXY_BYPASS", "NO_PROXY", "no_proxy") if name in environ), None)
    if name is None:
        return ()
    origins["PROXY_BYPASS"] = f"env:{name}"
    return tuple(part.strip() for part in environ[name].split(",") if part.strip())


def _provider(entry: ProviderEntry, index: int, problems: Problems) -> ProviderSettings:
    where: Path = problems.real(("Providers", index))
    block: Path = (*where, "transformer")
    return ProviderSettings(
        name=entry.name,
        url=entry.api_base_url,
        api_keys=tuple(key.secret for key in entry.api_key),
        key_weights=tuple(key.weight for key in entry.api_key),
        max_in_flight=entry.max_in_flight,
        models=entry.models,
        use=_uses(entry.transformer.use, (*block, "use")),
        model_use={
            model: _uses(uses, (*block, model, "use")) for model, uses in entry.transformer.models.items()
        },
        dialect=entry.dialect or None,
        headers=entry.headers,
        overrides={
            model: ModelOverride(limit.context_window, limit.max_output)
            for model, limit in entry.model_limits.items()
        },
        where=format_path(where),
    )


def _uses(uses: tuple[Use, ...], path: Path) -> tuple[TransformerUse, ...]:
    return tuple(
        TransformerUse(use.name, use.options, format_path((*path, index))) for index, use in enumerate(uses)
    )


def _routers(root: Root, around: Surroundings) -> RouterSettings:
    return RouterSettings(
        custom_router=around.path(root.custom_router),
        fallback=root.fallback,
        describe_images=root.force_image_agent,
    )


def router_settings(block: RouterBlock, rest: RouterSettings) -> RouterSettings:
    """A ``Router`` block over the custom router and fallbacks of ``rest``."""
    single = {
        key.attribute: first_of(getattr(block, key.attribute))
        for key in keys_of(RouterBlock)
        if key.kind is Kind.TARGET
    }
    return attrs.evolve(
        attrs.evolve(rest, **single),  # type: ignore[arg-type]  # the keys of targets only
        groups=groups_of(block),
        long_context_threshold=block.long_context_threshold,
        agents={name: first_of(route) for name, route in block.agents.items()},
        models={name: first_of(route) for name, route in block.models.items()},
        think_effort=block.think_effort,
        fidelity=block.fidelity,
        custom_first=block.custom_first,
        custom_timeout=block.custom_timeout / 1000,
        session_routers=block.project_routers,
    )


def _failover(block: FailoverBlock) -> FailoverSettings:
    longest = block.longest_wait / 1000
    rules = BreakerRules(block.failures, block.window / 1000, rest=block.rest / 1000)
    return FailoverSettings(
        retry=RetryRules(block.retries, longest=longest),
        retry_share=block.budget / 100,
        breaker=rules if block.failures else None,
        affinity=block.affinity_ttl / 1000 if block.affinity else None,
        continues=block.continues,
    )


def _timeouts(root: Root) -> TimeoutSettings:
    block: TimeoutsBlock = root.timeouts
    return TimeoutSettings(
        connect=_seconds(block.connect),
        first_byte=_seconds(block.first_byte),
        idle=_seconds(block.idle),
        total=_seconds(block.total),
        api=_seconds(root.api_timeout or 0),
        commit_after=block.commit_after / 1000,
        keep_alive=block.keep_alive / 1000,
        send=_seconds(block.send),
        plugin=_seconds(block.plugin),
    )


def _seconds(milliseconds: int) -> float | None:
    return milliseconds / 1000 if milliseconds else None


def _limits(block: LimitsBlock) -> LimitSettings:
    return LimitSettings(
        max_body=block.max_body,
        max_reply=block.max_reply,
        max_event=block.max_event,
        max_in_flight=block.max_in_flight,
        queue=block.queue / 1000,
        provider_queue=block.provider_queue / 1000,
        max_queued=block.max_queued,
        memo=block.memo * 1024 * 1024,
        worker_memory=block.worker_memory * 1024 * 1024,
        body_idle=block.body_idle / 1000,
        body_total=block.body_total / 1000,
    )


def _search(root: Root) -> SearchSettings:
    block = root.search
    if block is None:
        return SearchSettings()
    return SearchSettings(
        engine=block.engine,
        api_key=block.api_key,
        url=block.url,
        max_results=block.max_results,
        max_uses=block.max_uses,
    )


def _logging(root: Root, given: Mapping[str, Any], around: Surroundings) -> LogSettings:
    level = root.log_level if given.get("LOG_LEVEL") else root.logging.level or root.log_level
    return LogSettings(
        enabled=root.log if given.get("LOG") is not None else root.logging.enabled,
        level=level or "info",
        directory=around.path(root.logging.directory),
    )
