"""Histograms and counters of requests; labels are bounded: configured names and fixed words, never a caller's text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.metrics import MeterProvider

from ccr.adapters.telemetry import genai

if TYPE_CHECKING:
    from ccr.domain.record import RequestRecord

__all__ = ["MetricsSink"]


_MOST_MODELS = 256
"""Label values; every one costs the reader a series."""
_LONGEST_MODEL = 120


class MetricsSink:
    """A Sink. Without a provider nobody reads, so nothing is recorded."""

    def __init__(self, provider: MeterProvider | None = None) -> None:
        self._on = provider is not None
        self._models: set[str] = set()
        meter = (provider or MeterProvider()).get_meter("ccr")
        self._duration = meter.create_histogram(genai.DURATION, unit="s", description="Duration of requests")
        self._tokens = meter.create_histogram(genai.TOKENS, unit="{token}", description="Tokens of requests")
        self._requests = meter.create_counter(
            "ccr.requests", unit="{request}", description="Requests by outcome"
        )
        self._attempts = meter.create_counter(
            "ccr.attempts", unit="{attempt}", description="Attempts by result"
        )

    def accept(self, record: RequestRecord) -> None:
        """Record."""
        if not self._on:
            return
        decision = record.decision
        labels = {genai.OPERATION: "chat"}
        if decision is not None:
            labels |= {
                genai.PROVIDER: genai.provider_name(decision.target.provider),
                genai.REQUEST_MODEL: self._model(record, decision.target.model),
                "ccr.scenario": decision.scenario,
            }
        failed = {genai.ERROR_TYPE: record.error} if record.error else {}
        self._duration.record(record.seconds, {**labels, **failed})
        self._requests.add(1, {**labels, "ccr.outcome": record.outcome.value})
        if record.usage.input_total is not None:
            self._tokens.record(record.usage.input_total, {**labels, genai.TOKEN_TYPE: "input"})
        if record.usage.output is not None:
            self._tokens.record(record.usage.output, {**labels, genai.TOKEN_TYPE: "output"})
        for attempt in record.attempts:
            self._attempts.add(
                1,
                {genai.PROVIDER: genai.provider_name(attempt.provider), "ccr.error": attempt.error or "none"},
            )

    def _model(self, record: RequestRecord, model: str) -> str:
        """A provider without a list takes any name, a caller's text then: so only names that were called, and so many."""
        if model in self._models:
            return model
        if not record.attempts or len(self._models) >= _MOST_MODELS or len(model) > _LONGEST_MODEL:
            return "other"
        self._models.add(model)
        return model
