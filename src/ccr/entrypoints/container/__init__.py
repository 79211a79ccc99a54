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
from ccr.adapters.system.ids import RandomIds, SystemRandom
from ccr.adapters.wire.json import CODEC
from ccr.application.catalog.compile import Compiler
from ccr.application.catalog.holder import CatalogHolder
from ccr.application.console import Console
from ccr.application.counting import Counting
from ccr.application.exchange.attempts import Attempts
from ccr.application.exchange.retry import Failover
from ccr.application.exchange.settle import Settle
from ccr.application.flow.admission import Admission
from ccr.application.flow.balance import Balance
from ccr.application.flow.conditions import Snapshot
from ccr.application.flow.health import Health
from ccr.application.flow.reserve import reserve
from ccr.application.gateway import Gateway
from ccr.application.operations.check_health import CheckHealth
from ccr.application.operations.drain import Drain
from ccr.application.operations.explain_route import ExplainRoute
from ccr.application.operations.fleet_status import FleetStatus
from ccr.application.operations.learned import ManageLearned
from ccr.application.operations.manage_config import ManageConfig
from ccr.application.operations.models import ListKnownModels
from ccr.application.operations.plugins import ListPlugins
from ccr.application.operations.probes import RunProbes
from ccr.application.operations.probing.asking import Means
from ccr.application.operations.providers import ManageProviders
from ccr.application.serving.converse import Converse
from ccr.application.serving.count_tokens import CountTokens
from ccr.application.serving.handle_call import HandleCall
from ccr.application.serving.list_models import ListModels
from ccr.application.tracker import Tracker
from ccr.entrypoints.container.asked import day_of, is_set_in, registry_in_force, runtime_of
from ccr.entrypoints.container.assist import Assist
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
    random = providers.Singleton(SystemRandom)
    egress = providers.Container(Egress)
    insight = providers.Container(Insight, clock=clock)
    state = providers.Container(State, paths=paths, environ=environ, clock=clock, faults=insight.faults)
    formats = providers.Container(Formats, environ=environ, faults=insight.faults)

    catalog = providers.Singleton(CatalogHolder)
    tracker = providers.Singleton(Tracker)
    admission = providers.Singleton(Admission, tracker)
    health = providers.Singleton(Health, clock)
    balance = providers.Singleton(Balance, health, clock, random.provided.random)
    failover = providers.Singleton(Failover, health, balance, random.provided.random)
    counting = providers.Singleton(Counting, state.counter, insight.faults, formats.memory)
    snapshot = providers.Singleton(
        Snapshot, counting=counting, session_routers=state.session_routers, faults=insight.faults
    )
    assist = providers.Container(Assist, upstream=egress.upstream, new_id=new_id)
    attempts = providers.Singleton(
        Attempts,
        upstream=egress.upstream,
        reserve=providers.Object(reserve),
        failover=failover,
        clock=clock,
        adapters=assist.adapters,
        interceptors=assist.interceptors,
        learned=state.learned,
        continuer=assist.continuer,
    )
    settle = providers.Singleton(Settle, journal=insight.journal, clock=clock)
    compiler = providers.Singleton(
        Compiler,
        clients=formats.clients,
        dialects=formats.dialects,
        hostings=formats.hostings,
        book=formats.book,
        models=formats.models,
        transformers=formats.transformers,
        credential=formats.credential,
        load_router=providers.Singleton(PythonRouterLoader, counting),
        read_text=providers.Object(read_text),
    )

    handle_call = providers.Singleton(
        HandleCall,
        catalog=catalog,
        admission=admission,
        balance=balance,
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
        balance=balance,
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
        faults=insight.faults,
    )
    check_health = providers.Singleton(
        CheckHealth,
        catalog=catalog,
        admission=admission,
        clock=clock,
        started=clock.provided.monotonic.call(),
        health=health,
        runtime=providers.Callable(runtime_of, egress.http),
    )
    console = providers.Singleton(
        Console,
        manage_config=manage_config,
        check_health=check_health,
        status=providers.Singleton(FleetStatus, state.fleet, check_health),
        explain_route=providers.Singleton(
            ExplainRoute,
            catalog=catalog,
            snapshot=snapshot,
            tracker=tracker,
            helpers=assist.helpers,
            learned=state.learned,
            balance=balance,
        ),
        drain=providers.Singleton(Drain, fleet=state.fleet, admission=admission),
        list_plugins=providers.Singleton(
            ListPlugins,
            transformers=providers.Callable(registry_in_force, catalog),
            book=formats.book,
        ),
        manage_providers=providers.Singleton(
            ManageProviders, book=formats.book, is_set=providers.Callable(is_set_in, environ)
        ),
        known_models=providers.Singleton(
            ListKnownModels, book=formats.book, models=formats.models, today=providers.Callable(day_of, clock)
        ),
        run_probes=providers.Singleton(
            RunProbes,
            catalog=catalog,
            means=providers.Singleton(
                Means,
                attempts=attempts,
                settle=settle,
                counting=counting,
                clock=clock,
                new_id=new_id,
                codec=providers.Object(CODEC),
            ),
            models=formats.models,
        ),
        manage_learned=providers.Singleton(ManageLearned, state.learned, clock),
    )
