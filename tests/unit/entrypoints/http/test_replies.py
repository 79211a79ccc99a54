from __future__ import annotations

import pytest

from ccr.application.call import Answer, Write
from ccr.entrypoints.http.replies import send_answer, send_body
from tests.support.asgi import Wire

pytestmark = pytest.mark.anyio


async def test_a_whole_reply_has_its_length() -> None:
    wire = Wire()
    await send_answer(wire.send, Answer(418, (("x-a", "\xe9"),), body=b"tea"))

    assert (wire.told.status, wire.told.body, wire.told.ended) == (418, b"tea", True)
    assert wire.told.pairs == [(b"x-a", b"\xe9"), (b"content-length", b"3")]


async def test_a_head_gets_the_length_and_no_body() -> None:
    wire = Wire()
    await send_body(wire.send, 200, (), b"tea", head=True)

    assert (wire.told.headers, wire.told.body) == ({"content-length": "3"}, b"")


async def test_a_relay_sends_as_it_goes() -> None:
    async def relay(write: Write) -> None:
        assert wire.told.status == 200
        await write(b"one")
        assert (wire.told.body, wire.told.ended) == (b"one", False)
        await write(b"two")

    wire = Wire()
    await send_answer(wire.send, Answer(200, (("content-type", "text/event-stream"),), relay=relay))

    assert (wire.told.body, wire.told.ended) == (b"onetwo", True)
    assert "content-length" not in wire.told.headers
