"""Those who ask: as the HTTP side does it, with a body that takes its time and a client that may leave at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

from attrs import define, field

from ccr.adapters.wire import json
from ccr.application.call import Call, Disconnect, Operation
from ccr.domain.access import LOCAL, Principal
from ccr.domain.conversation import Conversation, Role, Text, Turn
from ccr.domain.errors import ClientGoneError, GatewayError
from ccr.domain.stream.grammar import GrammarError, StreamGrammar
from tests.support.faulty.check import Seen, read_error, read_message, read_stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ccr.application.call import Answer
    from ccr.application.gateway import Gateway
    from ccr.domain.record import RequestRecord
    from ccr.domain.stream import StreamEvent

__all__ = ["Ask", "serve"]

_CONTENT = b"content_block_start"


@define(eq=False)
class Ask:
    """One request, and what its client saw. Times are virtual seconds, None = never."""

    id: str
    caller: str = ""
    """A credential's; empty = the one local person."""
    session: str = ""
    agent: str = ""
    kind: str = "main"
    model: str = "claude-sonnet-5"
    stream: bool = True
    spoilt: bool = False
    compaction: bool = False
    embedded: bool = False
    body_after: float = 0.0
    reads_slowly: float = 0.0
    """Seconds for each write."""
    leaves_after: float | None = None

    began: float = 0.0
    left: float | None = None
    ended: float | None = None
    content: float | None = None
    """When the first content reached the client."""
    cut: bool = False
    """The server ended it by force."""
    drained: bool = False
    """It came when the gateway was already draining."""
    fault: str = ""
    """An exception that nobody may ever see."""
    seen: Seen = field(factory=Seen)
    records: list[RequestRecord] = field(factory=list)
    barred: dict[str, str] = field(factory=dict)
    """Which targets could not be asked when it was decided, and why; ``key`` of those whose pinned key rested."""

    def headers(self) -> dict[str, str]:
        """Return what Claude Code would say."""
        made = {"x-claude-code-request-class": self.kind, "x-sim-ask": self.id}
        if self.session:
            made["x-claude-code-session-id"] = self.session
        if self.agent:
            made["x-claude-code-agent-id"] = self.agent
        return made

    def body(self) -> bytes:
        """Return the request with a mark by which a provider knows it again."""
        text = f"<<{self.id}>> hello" + (" <<spoilt>>" if self.spoilt else "")
        return json.encode(
            {
                "model": self.model,
                "max_tokens": 100,
                "stream": self.stream,
                "messages": [{"role": "user", "content": text}],
            }
        )


async def serve(gateway: Gateway, ask: Ask, drains: Callable[[], bool]) -> None:
    """Ask, and see what comes. Never raises but when it is cancelled."""
    loop = asyncio.get_running_loop()
    ask.began, ask.drained = loop.time(), drains()
    disconnect = Disconnect()
    leaving = None

    me = asyncio.current_task()
    assert me is not None

    def leave() -> None:
        ask.left = loop.time()
        if ask.embedded:
            me.cancel()
        else:
            disconnect.set()

    if ask.leaves_after is not None:
        leaving = loop.call_later(ask.leaves_after, leave)
    try:
        if ask.embedded:
            await _conversed(gateway, ask)
        else:
            await _called(gateway, ask, disconnect)
    except asyncio.CancelledError:
        ask.cut = True
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the check is about
        ask.fault = f"{type(error).__name__}: {error}"
    finally:
        ask.ended = loop.time()
        if leaving is not None:
            leaving.cancel()


async def _called(gateway: Gateway, ask: Ask, disconnect: Disconnect) -> None:
    loop = asyncio.get_running_loop()

    async def load() -> bytes:
        await asyncio.sleep(ask.body_after)
        if disconnect.gone:
            raise ClientGoneError("the client left while it was sending its request")
        return ask.body()

    call = Call(
        operation=Operation.GENERATE,
        dialect="anthropic",
        path="/v1/messages",
        headers=ask.headers(),
        principal=Principal(ask.caller) if ask.caller else LOCAL,
        request_id=ask.id,
        load=load,
        disconnect=disconnect,
        received=loop.time(),
    )
    answer: Answer | None = None
    pieces: list[bytes] = []

    async def write(data: bytes) -> None:
        pieces.append(data)
        if ask.content is None and _CONTENT in data:
            ask.content = loop.time()
        if ask.reads_slowly:
            # What was handed over is on its way; only the next piece has to wait.
            await asyncio.sleep(ask.reads_slowly)

    try:
        answer = await gateway.handle_call(call)
        ask.seen.status, ask.seen.headers = answer.status, dict(answer.headers)
        if answer.relay is not None:
            await answer.relay(write)
    except ClientGoneError:
        return
    finally:
        if answer is not None and answer.close is not None:
            await answer.close()
        _read(ask.seen, answer, b"".join(pieces), whole=ask.left is None)


def _read(seen: Seen, answer: Answer | None, body: bytes, *, whole: bool) -> None:
    if answer is None or not whole:
        return
    if answer.status >= 400:
        read_error(seen, answer.body)
    elif answer.relay is None:
        read_message(seen, answer.body)
    else:
        read_stream(seen, body)


async def _conversed(gateway: Gateway, ask: Ask) -> None:
    loop = asyncio.get_running_loop()
    said = Conversation(
        model=ask.model, turns=(Turn(Role.USER, (Text(f"<<{ask.id}>> hello"),)),), max_tokens=100
    )
    grammar = StreamGrammar()
    try:
        stream = cast("AsyncGenerator[StreamEvent]", gateway.converse(said))
        async with aclosing(stream) as events:
            async for event in events:
                grammar.check([event])
                text: Any = getattr(event, "text", None)
                if text:
                    ask.content = ask.content or loop.time()
                    ask.seen.text += text
        ask.seen.ended = "stop" if grammar.ended else ""
    except GrammarError as error:
        ask.seen.problems.append(str(error))
    except GatewayError as error:
        ask.seen.ended, ask.seen.message = "error", error.message
