"""What is measured: requests, what the upstream answers them, and what the client must have got."""

from __future__ import annotations

from dataclasses import dataclass

from bench import bodies
from bench.perf import replies
from bench.perf.replies import LAST_WORDS

MODELS = {"translate": "claude-sonnet-4-5", "relay": "ant,m1"}
"""As in the other benchmark: on the translate path the rules find the route, and tokens are counted for one of them."""
DIALECTS = {"translate": "openai_chat", "relay": "anthropic"}
SHORT, LONG = 8, 136
"""Events of the two paced streams whose difference is the price of an event."""
MESSAGES = "/v1/messages"


@dataclass(frozen=True)
class Exchange:
    """A request to ``path`` whose nonce is another each time, and its reply as the upstream's connection reads it.

    ``ends`` is in the last bytes that the client must get, ``holds`` anywhere in them.
    """

    path: str
    body: bytes
    reply: tuple[bytes, ...]
    ends: bytes
    holds: bytes

    def bodies(self, count: int, first: int) -> list[bytes]:
        """The bodies of so many requests."""
        nonce = bodies.NONCE.encode()
        return [self.body.replace(nonce, b"%0*d" % (len(nonce), first + n), 1) for n in range(count)]


@dataclass(frozen=True)
class Workload:
    """``requests`` is how many make the shorter of the two rounds that are counted.

    ``less`` is taken off, and the rest divided by ``share``. With ``to_first_event`` counts what is done until the
    first bytes of the reply's body have left.
    """

    name: str
    exchange: Exchange
    less: Exchange | None = None
    share: int = 1
    to_first_event: bool = False
    requests: int = 20

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The exchange, and what is taken off if there is such."""
        return (self.exchange,) if self.less is None else (self.exchange, self.less)


def workloads() -> dict[str, Workload]:
    """All of them, by name, in the order of the table."""
    found = [
        Workload(
            f"{path}-{size}{'-stream' if streamed else ''}",
            text(path, size, streamed=streamed),
            requests=20 if size == "small" else 6,
        )
        for path in MODELS
        for size in ("small", "big")
        for streamed in (False, True)
    ]
    found += [Workload(f"{path}-tool-stream", tools(path)) for path in MODELS]
    found += [
        Workload(f"{path}-event", paced(path, LONG), less=paced(path, SHORT), share=LONG - SHORT, requests=5)
        for path in MODELS
    ]
    found += [Workload(f"{path}-start", paced(path, SHORT), to_first_event=True) for path in MODELS]
    found += [
        Workload(f"count-{size}", count(size), requests=60 if size == "small" else 6)
        for size in ("small", "big")
    ]
    return {workload.name: workload for workload in found}


def body(path: str, size: str, *, streamed: bool) -> bytes:
    return (bodies.small if size == "small" else bodies.big)(MODELS[path], streamed=streamed)


def text(path: str, size: str, *, streamed: bool) -> Exchange:
    reply = (replies.stream if streamed else replies.plain)(DIALECTS[path])
    ends = b"message_stop" if streamed else b"}"
    return Exchange(MESSAGES, body(path, size, streamed=streamed), reply.whole, ends, LAST_WORDS.encode())


def tools(path: str) -> Exchange:
    reply = replies.tool_stream(DIALECTS[path])
    asked = bodies.small(MODELS[path], streamed=True, word="BENCH:TOOLS")
    return Exchange(MESSAGES, asked, reply.whole, b"message_stop", b'/file1.py\\"}')


def paced(path: str, events: int) -> Exchange:
    reply = replies.stream(DIALECTS[path], events)
    return Exchange(
        MESSAGES, body(path, "small", streamed=True), reply.paced, b"message_stop", LAST_WORDS.encode()
    )


def count(size: str) -> Exchange:
    return Exchange(
        f"{MESSAGES}/count_tokens", body("translate", size, streamed=False), (), b"}", b"input_tokens"
    )
