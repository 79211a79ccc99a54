"""The Console in this process, for commands that work without a running gateway. Imports the whole gateway: slow."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ccr.domain.errors import ConfigError, GatewayError
from ccr.entrypoints import bootstrap
from ccr.entrypoints.cli.output import CommandError, config_failed

if TYPE_CHECKING:
    from ccr.application.ports.config import Loaded
    from ccr.application.settings import Settings
    from ccr.domain.errors import Problem
    from ccr.entrypoints.bootstrap import Paths

__all__ = ["compiled_warnings", "explain_request", "installed"]


def compiled_warnings(place: Paths, loaded: Loaded) -> Sequence[Problem]:
    """Make what the gateway would make of a checked configuration, and return every warning of both.

    Only this finds what a transformer says of its options and a provider file of its dialect. Raises ConfigError.
    """
    from ccr.entrypoints.lifecycle import running

    try:
        return running().container.compiler()(loaded).warnings
    except ConfigError as error:
        raise bootstrap.placed(place, error) from error


def installed(place: Paths, settings: Settings | None) -> tuple[Mapping[str, Any], list[str]]:
    """Return transformers and providers as the gateway would have them, and what keeps it from having them all."""
    from ccr.application.operations.plugins import ListPlugins
    from ccr.entrypoints.lifecycle import running

    formats = running().container.formats
    registry, problems = formats.transformers(), list[str]()
    try:
        registry = registry if settings is None else registry.configured(settings)
    except ConfigError as error:
        problems = [str(problem) for problem in bootstrap.placed(place, error).problems]
    return ListPlugins(lambda: registry, formats.book())(), problems


def explain_request(place: Paths, body: bytes, headers: Mapping[str, str]) -> Mapping[str, object]:
    """Decide about a request by the configuration at ``place``. Raises CommandError."""
    del place  # both go by the same environment
    try:
        return asyncio.run(_explain(body, headers))
    except ConfigError as error:
        raise config_failed(error) from error
    except GatewayError as error:
        raise CommandError(error.message) from error


async def _explain(body: bytes, headers: Mapping[str, str]) -> Mapping[str, object]:
    from ccr.application.call import Call, Disconnect, Operation
    from ccr.domain.access import LOCAL
    from ccr.entrypoints.lifecycle import opened, running

    async def load() -> bytes:
        return body

    made = running()
    async with opened(made, follow=False):
        call = Call(
            operation=Operation.GENERATE,
            dialect="anthropic",
            path="/v1/messages",
            headers=dict(headers),
            principal=LOCAL,
            request_id="",
            load=load,
            disconnect=Disconnect(),
            received=made.container.clock().monotonic(),
        )
        return await made.container.console().explain_route(call)
