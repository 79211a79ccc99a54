from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = Path(__file__).parents[3] / "bench/bodies.py"


@pytest.fixture(scope="module")
def bodies() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_bodies", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("streamed", [True, False])
def test_bodies_have_the_promised_size_and_one_nonce(bodies: ModuleType, streamed: bool) -> None:
    for size, make in ((1024, bodies.small), (100 * 1024, bodies.big)):
        body = make("oai,m1", streamed=streamed)

        assert abs(len(body) - size) < size * 0.02
        assert body.count(bodies.NONCE.encode()) == 1
        assert json.loads(body)["stream"] is streamed


def test_the_big_body_pairs_each_tool_call_with_its_result(bodies: ModuleType) -> None:
    messages = json.loads(bodies.big("oai,m1", streamed=True))["messages"]
    blocks = [
        block for message in messages if isinstance(message["content"], list) for block in message["content"]
    ]
    called = [block["id"] for block in blocks if block["type"] == "tool_use"]
    answered = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]

    assert called == answered
    assert len(called) > 20


def test_headers_are_the_clients_without_those_of_the_connection(bodies: ModuleType) -> None:
    names = {line.split(b":")[0].lower() for line in bodies.headers().splitlines()}

    assert {b"anthropic-beta", b"anthropic-version", b"content-type"} <= names
    assert not {b"host", b"connection", b"content-length", b"accept-encoding"} & names
