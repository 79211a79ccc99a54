from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from ccr.adapters.telemetry.metrics import MetricsSink
from ccr.domain.record import AttemptRecord, Outcome
from ccr.domain.usage import Usage
from tests.support.records import decision, record

Points = dict[str, list[Any]]


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def sink(reader: InMemoryMetricReader) -> Iterator[MetricsSink]:
    provider = MeterProvider([reader])
    yield MetricsSink(provider)
    provider.shutdown()


def points(reader: InMemoryMetricReader) -> Points:
    data = reader.get_metrics_data()
    if data is None:
        return {}
    found = [m for r in data.resource_metrics for scope in r.scope_metrics for m in scope.metrics]
    return {metric.name: list(metric.data.data_points) for metric in found}


def test_nobody_reads_so_nothing_is_recorded() -> None:
    MetricsSink().accept(record())


def test_a_request_is_counted_timed_and_its_tokens_too(
    sink: MetricsSink, reader: InMemoryMetricReader
) -> None:
    sink.accept(record(seconds=2.0))

    found = points(reader)
    labels = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "deepseek",
        "gen_ai.request.model": "deepseek-chat",
        "ccr.scenario": "default",
    }
    assert [(labels, 2.0)] == [(dict(p.attributes), p.sum) for p in found["gen_ai.client.operation.duration"]]
    assert [({**labels, "ccr.outcome": "ok"}, 1)] == [
        (dict(p.attributes), p.value) for p in found["ccr.requests"]
    ]
    assert {p.attributes["gen_ai.token.type"]: p.sum for p in found["gen_ai.client.token.usage"]} == {
        "input": 15,
        "output": 3,
    }
    assert [(dict(p.attributes), p.value) for p in found["ccr.attempts"]] == [
        ({"gen_ai.provider.name": "deepseek", "ccr.error": "none"}, 1)
    ]


def test_a_failure_says_its_kind(sink: MetricsSink, reader: InMemoryMetricReader) -> None:
    failed = AttemptRecord("deepseek", "deepseek-chat", 0, 1.0, "upstream_timeout")
    sink.accept(record(outcome=Outcome.TIMEOUT, error="upstream_timeout", usage=Usage(), attempts=(failed,)))

    found = points(reader)
    assert found["gen_ai.client.operation.duration"][0].attributes["error.type"] == "upstream_timeout"
    assert found["ccr.attempts"][0].attributes["ccr.error"] == "upstream_timeout"
    assert "gen_ai.client.token.usage" not in found


def test_a_request_that_was_never_decided_has_few_labels(
    sink: MetricsSink, reader: InMemoryMetricReader
) -> None:
    sink.accept(record(decision=None, attempts=(), usage=Usage()))

    assert dict(points(reader)["ccr.requests"][0].attributes) == {
        "gen_ai.operation.name": "chat",
        "ccr.outcome": "ok",
    }


def test_callers_cannot_make_labels_without_end(sink: MetricsSink, reader: InMemoryMetricReader) -> None:
    sink.accept(record(decision=decision(model="never called"), attempts=()))
    sink.accept(record(decision=decision(model="x" * 1000)))
    for number in range(400):
        sink.accept(record(decision=decision(model=f"made-up-{number}")))

    models = {point.attributes["gen_ai.request.model"] for point in points(reader)["ccr.requests"]}
    assert len(models) == 257
    assert "other" in models
    assert "never called" not in models
