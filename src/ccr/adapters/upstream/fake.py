"""The ``Upstream`` port without a network: replies by script, requests on record. For tests and demonstrations."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from attrs import define, field

from ccr.adapters.upstream.response import read_all
from ccr.domain.errors import InternalError, UpstreamUnavailableError

if TYPE_CHECKING:
    from ccr.application.call import Headers
    from ccr.application.ports.upstream import UpstreamRequest

__all__ = ["FakeResponse", "FakeUpstream", "Pause", "Reply", "Script", "Step"]

Sleep: TypeAlias = Callable[[float], Awaitable[None]]


@define(frozen=True)
class Pause:
    """Wait for so many seconds, by the fake's own ``sleep``."""

    seconds: float


Step: TypeAlias = bytes | BaseException | Pause | asyncio.Event
"""A piece of body, an error to raise in its place, a pause, or something to wait for."""


@define(frozen=True)
class Reply:
    """A response by script; ``before`` are pauses and events (or an error) ahead of the head."""

    status: int = 200
    headers: Mapping[str, str] = field(factory=dict)
    chunks: Sequence[Step] = ()
    before: Sequence[Step] = ()


Script: TypeAlias = Reply | BaseException | Callable[["UpstreamRequest"], Reply]


class FakeUpstream:
    """Answers the n-th request with the n-th script; with ``forever`` the last one is used again and again."""

    def __init__(self, *scripts: Script, sleep: Sleep = asyncio.sleep, forever: bool = False) -> None:
        self._scripts = list(scripts)
        self._sleep = sleep
        self._forever = forever
        self.requests: list[UpstreamRequest] = []
        self.responses: list[FakeResponse] = []
        self.closed = False

    def add(self, *scripts: Script) -> None:
        """Append to the script."""
        self._scripts.extend(scripts)

    async def open(self, request: UpstreamRequest) -> FakeResponse:
        """Record the request and act out its script; an exception in place of a reply is raised."""
        self.requests.append(request)
        if self.closed:
            raise UpstreamUnavailableError("The fake upstream is closed")
        if not self._scripts:
            raise InternalError("The fake upstream has no reply left")
        script = self._scripts[0] if self._forever and len(self._scripts) == 1 else self._scripts.pop(0)
        if isinstance(script, BaseException):
            raise script
        reply = script if isinstance(script, Reply) else script(request)
        for step in reply.before:
            await act(step, self._sleep)
        response = FakeResponse(reply, self._sleep)
        self.responses.append(response)
        return response

    async def aclose(self) -> None:
        """Refuse what comes from now on, close what is open."""
        self.closed = True
        for response in self.responses:
            await response.aclose()


class FakeResponse:
    """Implements ``UpstreamResponse``. ``ended`` = read to its end; ``closed`` = closed, before or after that."""

    def __init__(self, reply: Reply, sleep: Sleep) -> None:
        self._steps = list(reply.chunks)
        self._sleep = sleep
        self.status: int = reply.status
        self.headers: Headers = {name.lower(): value for name, value in reply.headers.items()}
        self.ended = False
        self.closed = False

    async def chunk(self) -> bytes:
        """The next piece of the script."""
        while not self.ended:
            if self.closed:
                raise UpstreamUnavailableError("The fake response was closed by us")
            if not self._steps:
                self.ended = True
                break
            # Taken off only when it is over: a cancelled pause is not lost.
            data = await act(self._steps[0], self._sleep)
            self._steps.pop(0)
            if data:
                return data
        return b""

    async def read(self, limit: int) -> bytes:
        """The whole body."""
        return await read_all(self, limit, "The fake upstream")

    async def aclose(self) -> None:
        """Remember that it was closed."""
        self.closed = True


async def act(step: Step, sleep: Sleep) -> bytes:
    """Carry out one step; ``b""`` for one without data."""
    match step:
        case bytes():
            return step
        case Pause(seconds=seconds):
            await sleep(seconds)
        case asyncio.Event():
            await step.wait()
        case BaseException():
            raise step
    return b""
