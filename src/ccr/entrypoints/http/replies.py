"""Writes answers to ASGI."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ccr.domain.errors import ClientGoneError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from litestar.types import Send

    from ccr.application.call import Answer

__all__ = ["send_answer", "send_body"]


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def send_body(
    send: Send, status: int, headers: Iterable[tuple[str, str]], body: bytes, *, head: bool = False
) -> None:
    """Send a whole reply; to a HEAD without its body."""
    pairs = _encoded(headers)
    pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if head else body, "more_body": False})


async def send_answer(send: Send, answer: Answer, patience: float | None = None) -> None:
    """Send an Answer, whole or relayed; the relay's bytes go out as they come.

    ``patience``: seconds that the client may take to accept what the server's buffers have no room for; None = no limit.

    Raises:
        ClientGoneError: it was over.
    """
    if answer.relay is None:
        await send_body(send, answer.status, answer.headers, answer.body)
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": _encoded(answer.headers)})

    stuck = False

    async def write(data: bytes) -> None:
        nonlocal stuck
        try:
            async with asyncio.timeout(patience):
                await send({"type": "http.response.body", "body": data, "more_body": True})
        except TimeoutError:
            stuck = True
            raise ClientGoneError(f"the client took nothing of its reply for {patience:g} s") from None

    try:
        await answer.relay(write)
    finally:
        # Cut off when the process ends, the relay has had its last words; they count in a reply that has an end. Where
        # nobody reads, to send it would be to wait again.
        if not stuck:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
