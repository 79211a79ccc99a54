"""Secrets pushed through a whole gateway, and every sink searched for them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ccr.adapters.config.fixed_store import FixedStore, loaded_from
from ccr.adapters.logs.setup import Logs
from ccr.adapters.telemetry.metrics import MetricsSink
from ccr.adapters.telemetry.spans import OtelTracer
from ccr.adapters.upstream.fake import FakeUpstream, Reply
from ccr.adapters.wire import json
from ccr.application.call import Call, Disconnect, Operation
from ccr.domain.access import LOCAL
from ccr.domain.errors import GatewayError, UpstreamUnavailableError
from ccr.entrypoints.lifecycle import opened, running
from tests.support.assembly import openai_chunks, streamed, whole

pytestmark = pytest.mark.anyio

PROVIDER_KEY = "canary-provider-key-without-a-shape"
GATEWAY_KEY = "canary-gateway-key-without-a-shape"
PROXY = "canary-proxy-password"
PROMPT = "canary-prompt"
REPLY = "canary-reply"
HEADER = "canary-header"
CONFIG = {
    "APIKEY": GATEWAY_KEY,
    "PROXY_URL": f"http://user:{PROXY}@proxy.test:8080",
    "LOG_LEVEL": "trace",
    "Providers": [
        {
            "name": "oai",
            "api_base_url": "http://oai.test/v1/chat/completions",
            "api_key": PROVIDER_KEY,
            "models": ["m1"],
        }
    ],
    "Router": {"default": "oai,m1"},
}
ECHO = {"error": {"message": f"Incorrect API key provided: {PROVIDER_KEY} (also sk-0123456789abcdef)"}}
SCRIPTS: Mapping[str, Any] = {
    "a reply": streamed(openai_chunks(REPLY)),
    "a cut reply": streamed(openai_chunks(REPLY, finish=None, usage=False)),
    "a broken stream": streamed(
        openai_chunks(REPLY, finish=None), UpstreamUnavailableError("oai.test broke it")
    ),
    "a key in the middle": streamed(
        openai_chunks(REPLY, finish=None), b"data: " + json.encode(ECHO) + b"\n\n"
    ),
    "a key at the start": streamed(b"data: " + json.encode(ECHO) + b"\n\n"),
    "a key that is echoed": whole(ECHO, 401),
    "a key in a 400": whole(ECHO, 400),
    "a key in a 500": whole(ECHO, 500),
    "a page": Reply(502, {"content-type": "text/html"}, [f"<html>{PROVIDER_KEY}</html>".encode()]),
    "no connection": UpstreamUnavailableError("oai.test refuses connections"),
    "a fault of ours": RuntimeError(f"bug with {PROVIDER_KEY} and {GATEWAY_KEY}"),
}


def call(body: Mapping[str, Any]) -> Call:
    async def load() -> bytes:
        return json.encode(dict(body))

    headers = {
        "authorization": f"Bearer {GATEWAY_KEY}",
        "x-api-key": GATEWAY_KEY,
        "cookie": f"session={HEADER}",
        "x-custom": HEADER,
        "user-agent": "claude-cli/2.1.330",
    }
    return Call(
        operation=Operation.GENERATE,
        dialect="anthropic",
        path="/v1/messages",
        headers=headers,
        principal=LOCAL,
        request_id="req_canary",
        load=load,
        disconnect=Disconnect(),
        received=0.0,
    )


@pytest.mark.parametrize("name", SCRIPTS)
async def test_no_sink_ever_shows_a_secret_or_a_prompt(name: str, tmp_path: Path) -> None:
    console, spans, reader = io.StringIO(), InMemorySpanExporter(), InMemoryMetricReader()
    tracing, metering = TracerProvider(), MeterProvider([reader])
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    made = running(environ={"HOME": str(tmp_path)}, store=FixedStore(loaded_from(CONFIG, {})), console=True)
    container = made.container
    logs = Logs(lambda: datetime.now(UTC), console)
    container.insight.logs.override(logs)
    container.insight.tracer.override(OtelTracer(tracing))
    container.insight.metrics.override(MetricsSink(metering))
    container.egress.upstream.override(FakeUpstream(SCRIPTS[name], forever=True))
    body = {
        "model": "oai,m1",
        "max_tokens": 10,
        "stream": True,
        "system": PROMPT,
        "messages": [{"role": "user", "content": PROMPT}],
    }
    told: list[bytes] = []

    async def write(data: bytes) -> None:
        told.append(data)

    async with opened(made, follow=False):
        try:
            answer = await container.gateway().handle_call(call(body))
            told.append(repr(answer.headers).encode() + answer.body)
            if answer.relay is not None:
                await answer.relay(write)
        except GatewayError as error:
            status, headers, text = container.formats.clients()["anthropic"].encode_error(error)
            told.append(repr((status, headers)).encode() + text)
        except RuntimeError as error:
            logs.fault("the outermost edge", error)
        logs.logger.info("settings", settings=repr(container.catalog().current.settings))
        health = json.encode(dict(container.check_health().status()))
    logs.close()

    files = b"".join(path.read_bytes() for path in (tmp_path / ".claude-code-router" / "logs").iterdir())
    metrics = reader.get_metrics_data()
    sinks = {
        "file": files.decode(),
        "console": console.getvalue(),
        "spans": "".join(span.to_json() for span in spans.get_finished_spans()),
        "metrics": metrics.to_json() if metrics is not None else "",
        "health": health.decode(),
    }
    found = [
        (sink, secret)
        for sink, text in sinks.items()
        for secret in (PROVIDER_KEY, GATEWAY_KEY, PROXY, PROMPT, REPLY, HEADER, "sk-0123456789abcdef")
        if secret in text
    ]
    client = b"".join(told).decode()
    found += [("client", secret) for secret in (PROVIDER_KEY, GATEWAY_KEY, PROXY, HEADER) if secret in client]
    tracing.shutdown()
    metering.shutdown()
    container.reset_singletons()

    assert '"event":"request"' in sinks["file"]
    assert "req_canary" in sinks["console"]
    assert found == []
