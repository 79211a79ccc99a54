from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from ccr.adapters.telemetry.spans import OtelTracer
from ccr.domain.record import Outcome
from ccr.domain.usage import Usage
from tests.support.records import facts, record

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter: InMemorySpanExporter) -> Iterator[OtelTracer]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield OtelTracer(provider)
    provider.shutdown()


def test_without_a_provider_a_callers_trace_goes_on_as_it_came() -> None:
    span = OtelTracer().start(
        facts(), {"traceparent": PARENT, "tracestate": "a=b", "authorization": "Bearer x"}
    )
    span.end(record())

    assert span.headers() == (("traceparent", PARENT), ("tracestate", "a=b"))


@pytest.mark.parametrize(
    "headers", [{}, {"tracestate": "a=b"}, {"traceparent": "junk"}, {"traceparent": f"{PARENT} x"}]
)
def test_what_is_no_trace_is_not_passed_on(headers: dict[str, str]) -> None:
    assert OtelTracer().start(facts(), headers).headers() == ()


def test_a_span_continues_the_callers_trace_and_is_the_providers_parent(
    tracer: OtelTracer, exporter: InMemorySpanExporter
) -> None:
    span = tracer.start(facts(), {"traceparent": PARENT})
    headers = dict(span.headers())
    span.end(record())

    (ended,) = exporter.get_finished_spans()
    assert ended.context is not None
    assert ended.parent is not None
    assert f"{ended.context.trace_id:032x}" == TRACE
    assert f"{ended.parent.span_id:016x}" == "b7ad6b7169203331"
    assert f"00-{TRACE}-{ended.context.span_id:016x}-01" == headers["traceparent"]
    assert SpanKind.SERVER is ended.kind


def test_a_span_says_what_the_conventions_ask_for(tracer: OtelTracer, exporter: InMemorySpanExporter) -> None:
    usage = Usage(input_uncached=10, cache_read=5, cache_write_5m=1, cache_write_1h=2, output=3, reasoning=1)
    tracer.start(facts(), {}).end(record(usage=usage))

    (ended,) = exporter.get_finished_spans()
    assert ended.name == "chat claude-sonnet-5-5"
    assert StatusCode.UNSET is ended.status.status_code
    assert dict(ended.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "deepseek",
        "gen_ai.request.model": "deepseek-chat",
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.stream": True,
        "gen_ai.conversation.id": "session-1",
        "gen_ai.agent.id": "agent-1",
        "gen_ai.agent.name": "Explore",
        "http.response.status_code": 200,
        "gen_ai.response.time_to_first_chunk": 0.5,
        "gen_ai.usage.input_tokens": 18,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.cache_read.input_tokens": 5,
        "gen_ai.usage.cache_write.input_tokens": 3,
        "gen_ai.usage.reasoning.output_tokens": 1,
        "ccr.request.id": "req_1",
        "ccr.outcome": "ok",
        "ccr.attempts": 1,
        "ccr.config.revision": "abc",
        "ccr.scenario": "default",
    }


def test_a_failure_is_an_error_by_its_kind_not_by_its_words(
    tracer: OtelTracer, exporter: InMemorySpanExporter
) -> None:
    failed = record(
        outcome=Outcome.TIMEOUT, error="upstream_timeout", message="words", usage=Usage(), decision=None
    )
    tracer.start(facts(), {}).end(failed)

    (ended,) = exporter.get_finished_spans()
    assert (ended.status.status_code, ended.status.description) == (StatusCode.ERROR, "upstream_timeout")
    assert dict(ended.attributes or {})["error.type"] == "upstream_timeout"
    assert "words" not in ended.to_json()


def test_what_callers_choose_is_bounded(tracer: OtelTracer, exporter: InMemorySpanExporter) -> None:
    tracer.start(facts(model="m" * 5000, agent_type="a" * 5000), {}).end(record(decision=None))

    (ended,) = exporter.get_finished_spans()
    assert len(ended.to_json()) < 3000
