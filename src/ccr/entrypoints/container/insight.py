"""Who listens to what happens."""

from __future__ import annotations

from typing import Any

from dependency_injector import containers, providers

from ccr.adapters.logs.request_log import RequestLog
from ccr.adapters.logs.setup import Logs
from ccr.adapters.telemetry.metrics import MetricsSink
from ccr.adapters.telemetry.spans import OtelTracer
from ccr.application.contained import Faults
from ccr.application.journal import Journal

__all__ = ["Insight"]


class Insight(containers.DeclarativeContainer):
    """Sinks of the journal, the tracer, the log."""

    clock: providers.Dependency[Any] = providers.Dependency()

    logs = providers.Singleton(Logs, clock.provided.now)
    faults = providers.Singleton(Faults, logs.provided.fault)
    tracer = providers.Singleton(OtelTracer)
    request_log = providers.Singleton(RequestLog, logs)
    metrics = providers.Singleton(MetricsSink)
    journal = providers.Singleton(Journal, providers.List(request_log, metrics), faults)
