from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ccr.application.call import Answer, Write
from ccr.domain.errors import ClientGoneError
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


async def test_a_client_that_takes_nothing_is_given_up_and_not_written_to_again() -> None:
    class Stuck(Wire):
        async def send(self, message: Any) -> None:
            if message.get("body"):
                await asyncio.Event().wait()
            await super().send(message)

    async def relay(write: Write) -> None:
        await write(b"one")

    wire = Stuck()
    with pytest.raises(ClientGoneError, match="took nothing"):
        await send_answer(wire.send, Answer(200, (), relay=relay), 0.001)

    assert (wire.told.status, wire.told.ended) == (200, False)


async def test_a_relay_that_is_cut_off_still_has_its_end() -> None:
    async def relay(write: Write) -> None:
        await write(b"last words")
        raise asyncio.CancelledError

    wire = Wire()
    with pytest.raises(asyncio.CancelledError):
        await send_answer(wire.send, Answer(200, (), relay=relay), 60)

    assert (wire.told.body, wire.told.ended) == (b"last words", True)


async def test_a_cancellation_of_somebody_else_is_not_taken_for_ours() -> None:
    class Stuck(Wire):
        async def send(self, message: Any) -> None:
            if message.get("body"):
                await asyncio.Event().wait()
            await super().send(message)

    async def relay(write: Write) -> None:
        await write(b"one")

    wire = Stuck()
    task = asyncio.create_task(send_answer(wire.send, Answer(200, (), relay=relay), 60))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_pause_between_two_pieces_is_no_fault_of_the_client() -> None:
    async def relay(write: Write) -> None:
        await write(b"one ")
        await asyncio.sleep(0.05)
        await write(b"two")

    wire = Wire()
    await send_answer(wire.send, Answer(200, (), relay=relay), 0.01)

    assert (wire.told.body, wire.told.ended) == (b"one two", True)
