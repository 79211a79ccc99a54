"""The one container. Read downwards; nothing here has logic.

House rules, each from something measured: everything is constructed synchronously and resolved once at start-up
(``lifecycle.py``); no async resources, no ``@inject``, no container below ``entrypoints``.
"""

from __future__ import annotations

from typing import Any

from dependency_injector import containers, providers

from ccr.adapters.config.files import read_text
from ccr.adapters.routing.python_router import PythonRouterLoader
from ccr.adapters.system.clock import SystemClock
from ccr.adapters.system.ids import RandomIds
from ccr.application.catalog.compile import Compiler
from ccr.application.catalog.holder import CatalogHolder
from ccr.application.console import Console
from ccr.application.counting import Counting
from ccr.application.exchange.attempts import Attempts
from ccr.application.exchange.settle import Settle
from ccr.application.flow.admission import Admission
from ccr.application.flow.conditions import Snapshot
from ccr.application.flow.reserve import reserve
from ccr.application.gateway import Gateway
from ccr.application.operations.check_health import CheckHealth
from ccr.application.operations.drain import Drain
from ccr.application.operations.explain_route import ExplainRoute
from ccr.application.operations.manage_config import ManageConfig
from ccr.application.serving.converse import Converse
from ccr.application.serving.count_tokens import CountTokens
from ccr.application.serving.handle_call import HandleCall
from ccr.application.serving.list_models import ListModels
from ccr.application.tracker import Tracker
from ccr.entrypoints.container.egress import Egress
from ccr.entrypoints.container.formats import Formats
from ccr.entrypoints.container.insight import Insight
from ccr.entrypoints.container.state import State

__all__ = ["Container"]


class Container(containers.DeclarativeContainer):
    """``paths`` and ``environ`` come from outside; ``applied`` and ``refused`` from the lifecycle."""

    paths: providers.Dependency[Any] = providers.Dependency()
    environ: providers.Dependency[Any] = providers.Dependency()
    applied: providers.Dependency[Any] = providers.Dependency()
    refused: providers.Dependency[Any] = providers.Dependency()

    clock = providers.Singleton(SystemClock)
    new_id = providers.Singleton(RandomIds)
    formats = providers.Container(Formats)
    egress = providers.Container(Egress)
    state = providers.Container(State, paths=paths, environ=environ)
    insight = providers.Container(Insight, clock=clock)

    catalog = providers.Singleton(CatalogHolder)
    tracker = providers.Singleton(Tracker)
    admission = providers.Singleton(Admission, tracker)
    counting = providers.Singleton(Counting, state.counter, insight.faults)
    snapshot = providers.Singleton(
        Snapshot, counting=counting, session_routers=state.session_routers, faults=insight.faults
    )
    attempts = providers.Singleton(Attempts, upstream=egress.upstream, reserve=providers.Object(reserve))
    settle = providers.Singleton(Settle, journal=insight.journal, clock=clock)
    compiler = providers.Singleton(
        Compiler,
        clients=formats.clients,
        dialects=formats.dialects,
        hostings=formats.hostings,
        book=formats.book,
        transformers=formats.transformers,
        credential=formats.credential,
        load_router=providers.Singleton(PythonRouterLoader, counting),
        read_text=providers.Object(read_text),
    )

    handle_call = providers.Singleton(
        HandleCall,
        catalog=catalog,
        admission=admission,
        snapshot=snapshot,
        attempts=attempts,
        settle=settle,
        tracer=insight.tracer,
        tracker=tracker,
        clock=clock,
    )
    converse = providers.Singleton(
        Converse,
        catalog=catalog,
        admission=admission,
        snapshot=snapshot,
        attempts=attempts,
        settle=settle,
        tracer=insight.tracer,
        tracker=tracker,
        clock=clock,
        new_id=new_id,
    )
    gateway = providers.Singleton(
        Gateway,
        handle_call=handle_call,
        converse_with=converse,
        count_tokens=providers.Singleton(CountTokens, catalog=catalog, counting=counting),
        list_models=providers.Singleton(ListModels, catalog=catalog),
    )

    manage_config = providers.Singleton(
        ManageConfig,
        store=state.config_store,
        compiler=compiler,
        holder=catalog,
        applied=applied,
        refused=refused,
    )
    check_health = providers.Singleton(
        CheckHealth,
        catalog=catalog,
        admission=admission,
        clock=clock,
        started=clock.provided.monotonic.call(),
    )
    console = providers.Singleton(
        Console,
        manage_config=manage_config,
        check_health=check_health,
        explain_route=providers.Singleton(ExplainRoute, catalog=catalog, snapshot=snapshot, tracker=tracker),
        drain=providers.Singleton(Drain, fleet=state.fleet, admission=admission),
    )
