"""The ``Upstream`` port as a simulation: every exchange is on record, and none is longer than it is asked to be."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from attrs import define, field

from ccr.adapters.upstream.response import read_all
from ccr.adapters.wire import json
from ccr.domain.errors import GatewayError, UpstreamTimeoutError, UpstreamUnavailableError
from tests.support.sim.replies import FOR_EVER, Script, script_of
from tests.support.sim.weather import Sky

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from random import Random

    from ccr.application.ports.upstream import UpstreamRequest
    from tests.support.sim.weather import Weather

__all__ = ["Exchange", "SimUpstream"]

_MARK = re.compile(rb"<<(\w+)>>")
_SPOILT = b"<<spoilt>>"
_NO_HEAD = {Sky.SILENT, Sky.REFUSED, Sky.LOST, Sky.RESET}


@define(eq=False)
class Exchange:
    """One request to a provider, and its end: ``complete``, ``fault`` (the provider's) or ``closed`` (by us)."""

    number: int
    call: str
    provider: str
    model: str
    key: str
    sky: Sky
    began: float
    text: str
    status: int = 0
    ended: str = ""
    ended_at: float = 0.0
    probe: bool = False
    """The circuit was half open when it began."""

    @property
    def place(self) -> str:
        """The target."""
        return f"{self.provider},{self.model}"

    @property
    def is_live(self) -> bool:
        """It has not ended."""
        return not self.ended


@define(eq=False)
class SimUpstream:
    """``dialects``: by provider. ``watch`` is told of every beginning and every end."""

    weather: Weather
    chance: Random
    dialects: Mapping[str, str]
    watch: Callable[[Exchange], None]
    exchanges: list[Exchange] = field(factory=list)

    async def open(self, request: UpstreamRequest) -> _Response:
        """Act out what the weather is like. Raises what the port says."""
        exchange = self._begun(request)
        try:
            return await self._opened(request, exchange)
        except GatewayError:
            self.end(exchange, "fault")
            raise
        except BaseException:
            self.end(exchange, "closed")
            raise

    def _begun(self, request: UpstreamRequest) -> Exchange:
        loop = asyncio.get_running_loop()
        provider = request.url.split("/")[2].partition(".")[0]
        headers = dict(request.headers)
        key = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
        mark = _MARK.search(request.body)
        model = _top(request)["model"]
        spoilt = _SPOILT in request.body
        sky = self.weather.at(provider, model, key, loop.time())
        if spoilt and sky not in _NO_HEAD:
            sky = Sky.REJECTED
        number = len(self.exchanges)
        text = f"reply {number} of {provider} and {model}: " + "la " * self.chance.randint(1, 60)
        exchange = Exchange(
            number, mark[1].decode() if mark else "", provider, model, key, sky, loop.time(), text
        )
        self.exchanges.append(exchange)
        self.watch(exchange)
        return exchange

    async def _opened(self, request: UpstreamRequest, exchange: Exchange) -> _Response:
        limits, sky = request.timeouts, exchange.sky
        if sky is Sky.REFUSED:
            await asyncio.sleep(0.001)
            raise _marked(
                UpstreamUnavailableError(f"{exchange.provider} refuses connections"), unreached=True
            )
        if sky is Sky.LOST:
            await asyncio.sleep(limits.connect or FOR_EVER)
            raise _marked(UpstreamTimeoutError(f"{exchange.provider} did not connect"), unreached=True)
        if sky is Sky.RESET:
            await asyncio.sleep(self.chance.uniform(0, 3))
            raise _marked(UpstreamUnavailableError(f"{exchange.provider} broke the connection"))
        if sky is Sky.SILENT:
            await asyncio.sleep(limits.first_byte or FOR_EVER)
            raise _marked(UpstreamTimeoutError(f"{exchange.provider} did not answer"))
        stream = bool(_top(request).get("stream"))
        script = script_of(sky, self.chance, self.dialects[exchange.provider], exchange.text, stream=stream)
        async with _first_byte(exchange, limits.first_byte):
            await asyncio.sleep(script.before)
        exchange.status = script.status
        return _Response(self, exchange, script)

    def end(self, exchange: Exchange, how: str) -> None:
        """Note the end of an exchange, once."""
        if exchange.is_live:
            exchange.ended, exchange.ended_at = how, asyncio.get_running_loop().time()
            self.watch(exchange)

    async def aclose(self) -> None:
        """There is nothing to close that is not an exchange of somebody's."""


def _top(request: UpstreamRequest) -> dict[str, Any]:
    top: Any = json.decode(request.body)
    return dict(top)


@asynccontextmanager
async def _first_byte(exchange: Exchange, seconds: float | None) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise _marked(UpstreamTimeoutError(f"{exchange.provider} did not answer")) from None


def _marked(error: Any, *, unreached: bool = False) -> GatewayError:
    error.unreached, error.accepted = unreached, not unreached
    made: GatewayError = error
    return made


class _Response:
    """``UpstreamResponse``: a cancelled pause goes on where it was."""

    def __init__(self, upstream: SimUpstream, exchange: Exchange, script: Script) -> None:
        self._upstream = upstream
        self._exchange = exchange
        self._script = script
        self._left = list(script.pieces)
        self._due: float | None = None
        self.status = script.status
        self.headers = dict(script.headers)

    async def chunk(self) -> bytes:
        if self._exchange.ended == "closed":
            raise UpstreamUnavailableError("the connection was closed by us")
        loop = asyncio.get_running_loop()
        while self._left:
            pause, what = self._left[0]
            if self._due is None:
                self._due = loop.time() + pause
            await asyncio.sleep(max(0.0, self._due - loop.time()))
            self._left.pop(0)
            self._due = None
            if isinstance(what, GatewayError):
                self._upstream.end(self._exchange, "fault")
                raise what
            if what:
                return what
        whole = self._script.complete or self._exchange.status >= 300
        self._upstream.end(self._exchange, "complete" if whole else "fault")
        return b""

    async def read(self, limit: int) -> bytes:
        return await read_all(self, limit, "sim")

    async def aclose(self) -> None:
        self._upstream.end(self._exchange, "closed")
