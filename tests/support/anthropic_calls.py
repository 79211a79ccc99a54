"""Calls and streams of the Messages API for tests of the dialect."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from ccr.adapters.wire.sse import write_event
from ccr.application.call import Call, Disconnect
from ccr.domain.access import LOCAL
from ccr.domain.facts import Operation

__all__ = ["FIXTURES", "call", "fixtures", "request", "sse"]

FIXTURES = Path(__file__).parents[1] / "fixtures" / "claude-code"


async def _never() -> bytes:
    raise AssertionError("the body is already there")


def call(
    body: bytes, headers: Mapping[str, str] | None = None, operation: Operation = Operation.GENERATE
) -> Call:
    """Return a call whose body is loaded."""
    return Call(
        operation=operation,
        dialect="anthropic",
        path="/v1/messages",
        headers=headers or {},
        principal=LOCAL,
        request_id="req_1",
        load=_never,
        disconnect=Disconnect(),
        received=0.0,
        body=body,
    )


def request(**fields: object) -> Call:
    """Return a call with one user message and these fields."""
    body = {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}], **fields}
    return call(json.dumps(body, ensure_ascii=False).encode())


def fixtures() -> Iterator[tuple[str, dict[str, str], dict[str, object]]]:
    """Return the requests of real clients: a name, headers with lower-case names, the body."""
    for path in sorted(FIXTURES.glob("*.json")):
        for index, recorded in enumerate(json.loads(path.read_text())["requests"]):
            headers = {name.lower(): value for name, value in recorded["headers"]}
            yield f"{path.stem}-{index}", headers, recorded["body"]


def sse(*events: object) -> bytes:
    """Return events as the Messages API streams them; each is a dict with its type."""
    return b"".join(
        write_event(str(event["type"]).encode(), json.dumps(event, ensure_ascii=False).encode())  # type: ignore[index]
        for event in events
    )
