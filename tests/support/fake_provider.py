"""Scripted upstreams of ours: `FakeOpenAI` and `FakeAnthropic`, strict about what they accept.

    with FakeOpenAI(by_turn(call("Bash", command="ls"), text("done"))) as upstream:
        ... upstream.url, upstream.requests, upstream.seen ...

Replies and scripts are in ``tests.support.scripts``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from itertools import count

import msgspec
from typing_extensions import override

from tests.support.loopback import Exchange, LoopbackServer, Recorded
from tests.support.scripts import Failure, Json, Reply, Script, Seen


class RejectedError(Exception):
    """What a strict provider answers to a request that it would not take."""

    def __init__(self, message: str, status: int = 400, kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.message, self.status, self.kind = message, status, kind


class FakeProvider(LoopbackServer):
    """The part that both dialects share: check, ask the script, deliver.

    Args:
        script: chooses the answer of each model request (side endpoints do not count).
        key: the credential asked for; empty asks for none.
        max_tokens: the largest output limit accepted.
        models: the names accepted; empty accepts all.
    """

    dialect = ""
    model_path = ""

    def __init__(
        self, script: Script, *, key: str = "k", max_tokens: int = 16384, models: tuple[str, ...] = ()
    ) -> None:
        super().__init__()
        self.script = script
        self.key = key
        self.max_tokens = max_tokens
        self.models = models
        self.numbers = count(1)
        self._asked = 0

    @property
    def url(self) -> str:
        """The `api_base_url` of a provider entry."""
        return self.origin + self.model_path

    @property
    def model_requests(self) -> list[Recorded]:
        """Requests of the model endpoint, whether accepted or not."""
        return [r for r in self.requests if r.path.partition("?")[0].endswith(self.model_path)]

    @property
    def seen(self) -> list[Seen]:
        """Model requests that passed the checks, with neutral questions."""
        return [self._seen(recorded) for recorded in self.model_requests if not recorded.rejected]

    @property
    def rejections(self) -> list[str]:
        """Why requests were refused; a well-behaved gateway leaves this empty."""
        return [recorded.rejected for recorded in self.requests if recorded.rejected]

    def restart(self, script: Script) -> None:
        """Follow another script from its beginning and forget what came before."""
        self.script, self._asked = script, 0
        self.requests.clear()

    @override
    async def answer(self, exchange: Exchange) -> None:
        recorded = exchange.recorded
        try:
            self.check_credentials(recorded)
            side = self.side_reply(recorded)
            if side is not None:
                await exchange.reply(200, msgspec.json.encode(side), self.headers())
                return
            self.check(recorded)
        except RejectedError as refusal:
            recorded.rejected = f"{refusal.status}: {refusal.message}"
            failure = Failure(refusal.status, refusal.message, refusal.kind)
            await self._fail(exchange, failure)
            return
        turn, self._asked = self._asked, self._asked + 1
        chosen = self.script(self._seen(recorded), turn)
        if isinstance(chosen, Failure):
            await self._fail(exchange, chosen)
        elif recorded.json.get("stream") is True:
            await self._stream(exchange, chosen)
        else:
            await exchange.sleep(chosen.delay)
            body = msgspec.json.encode(self.whole(chosen, recorded.json))
            await exchange.reply(200, body, {**self.headers(), **chosen.headers})

    async def _fail(self, exchange: Exchange, failure: Failure) -> None:
        body = failure.body if failure.body is not None else self.error_body(failure)
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        await exchange.reply(failure.status, data, {**self.headers(), **failure.headers})

    async def _stream(self, exchange: Exchange, reply: Reply) -> None:
        await exchange.sleep(reply.delay)
        kind = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        await exchange.open(200, {**self.headers(), **kind, **reply.headers})
        for number, event in enumerate(self.events(reply, exchange.recorded.json)):
            if number == reply.cut_after:
                await exchange.cut()
                return
            if number == reply.fail_after:
                await exchange.chunk(self.error_event(reply.failure))
                break
            if number == reply.stall_after:
                await exchange.sleep(reply.stall_seconds)
            elif number and reply.drip:
                await exchange.sleep(reply.drip)
            await exchange.chunk(event)
        await exchange.end()

    def _seen(self, recorded: Recorded) -> Seen:
        return Seen(self.dialect, recorded.path, recorded.headers, recorded.json)

    def call_id(self, given: str | None, prefix: str) -> str:
        return given or f"{prefix}{next(self.numbers):024d}"

    def headers(self) -> dict[str, str]:
        """Headers of every answer."""
        return {"content-type": "application/json"}

    def check_model(self, body: Json) -> None:
        name = body.get("model")
        if not isinstance(name, str) or not name:
            raise RejectedError("model: Field required")
        if self.models and name not in self.models:
            raise RejectedError(f"The model `{name}` does not exist", 404, "not_found_error")

    @abstractmethod
    def check_credentials(self, recorded: Recorded) -> None:
        """Raise RejectedError(401) as the real one does."""

    @abstractmethod
    def side_reply(self, recorded: Recorded) -> Json | None:
        """The answer of an endpoint that the script is not asked about; None for the model endpoint."""

    @abstractmethod
    def check(self, recorded: Recorded) -> None:
        """Raise RejectedError for a request that a strict provider refuses."""

    @abstractmethod
    def whole(self, reply: Reply, request: Json) -> Json:
        """The reply as one JSON document."""

    @abstractmethod
    def events(self, reply: Reply, request: Json) -> Iterator[bytes]:
        """The reply as SSE events, each complete."""

    @abstractmethod
    def error_body(self, failure: Failure) -> Json:
        """The dialect's error envelope."""

    @abstractmethod
    def error_event(self, failure: Failure) -> bytes:
        """The dialect's error in the middle of a stream."""


def pieces(words: str, number: int) -> list[str]:
    """Cut text into at most `number` pieces of about equal length; joined they are the text again."""
    size = max(1, -(-len(words) // max(1, number)))
    return [words[start : start + size] for start in range(0, len(words), size)] or [""]
