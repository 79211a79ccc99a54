"""The ASGI application: the guard outside, Litestar inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Litestar, Router, asgi
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from ccr.domain.errors import ForbiddenError, GatewayError
from ccr.entrypoints.http.admin.control import control_handlers
from ccr.entrypoints.http.admin.plugins import plugin_handlers
from ccr.entrypoints.http.admin.probes import probe_handlers
from ccr.entrypoints.http.admin.providers import provider_handlers
from ccr.entrypoints.http.admin.routes import route_handlers
from ccr.entrypoints.http.collections import model_collections
from ccr.entrypoints.http.errors import ErrorWriter, framework_handler
from ccr.entrypoints.http.guard import Guard
from ccr.entrypoints.http.health import health_handlers
from ccr.entrypoints.http.models import model_routes
from ccr.entrypoints.http.openapi import openapi_handlers
from ccr.entrypoints.http.refusals import Refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from litestar.types import ASGIApp

    from ccr.application.catalog.holder import CatalogHolder
    from ccr.application.console import Console
    from ccr.application.gateway import Gateway
    from ccr.application.journal import Journal
    from ccr.application.ports.dialect import ClientDialect
    from ccr.application.ports.identity import Identity
    from ccr.application.ports.system import Clock, NewId

__all__ = ["build_app"]


def admins_only(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Guard of every admin route."""
    if not connection.scope["ccr"].principal.admin:  # type: ignore[typeddict-item]
        raise ForbiddenError("this key may not administer the gateway")


def build_app(
    *,
    gateway: Gateway,
    console: Console,
    catalog: CatalogHolder,
    clients: Mapping[str, ClientDialect],
    identity: Identity,
    clock: Clock,
    new_id: NewId,
    fault: Callable[[str, BaseException], None],
    process: Mapping[str, object],
    journal: Journal,
) -> Guard:
    """Build it. ``fault`` is told every exception that escapes, with the request's id."""
    writer = ErrorWriter(clients, "anthropic")
    version = str(process["version"])
    mounts = [
        asgi(path, copy_scope=False)(_as_function(endpoint))
        for path, endpoint in model_routes(gateway, catalog, clock, clients).items()
    ]
    mounts += [
        asgi(path, is_mount=True, copy_scope=False)(_as_function(collection))
        for path, collection in model_collections(gateway, catalog, clock, clients).items()
    ]
    admin = Router(
        path="/api",
        route_handlers=[
            *control_handlers(console, process),
            *route_handlers(console, catalog, clock),
            *plugin_handlers(console.list_plugins),
            *probe_handlers(console.run_probes, console.manage_learned),
            *provider_handlers(
                console.manage_providers, console.known_models, catalog, console.manage_config.store
            ),
        ],
        guards=[admins_only],
        tags=["admin"],
    )
    handlers = [
        *health_handlers(console.check_health, catalog, version),
        admin,
    ]
    app = Litestar(
        route_handlers=[*mounts, *handlers, *openapi_handlers(handlers, version)],
        openapi_config=None,
        exception_handlers={Exception: framework_handler(writer), GatewayError: framework_handler(writer)},
        request_max_body_size=None,
        logging_config=None,
    )
    return Guard(
        app,
        catalog=catalog,
        identity=identity,
        new_id=new_id,
        errors=writer,
        fault=fault,
        clock=clock,
        refusals=Refusals(journal, clock),
    )


def _as_function(endpoint: ASGIApp) -> Any:
    """Litestar wants a coroutine function, not an object that can be called."""

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await endpoint(scope, receive, send)

    return mounted
