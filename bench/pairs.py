"""`make bench`, second part: the translate path, every client dialect before every provider dialect, in one process.

    python bench/pairs.py [--quick] [--rounds N] [--write-docs]

No sockets: a call goes in at the application's door and its bytes come out, over an upstream that answers from memory,
so what is measured is reading, deciding, writing, decoding and encoding, and nothing of the kernel's. All sixteen pairs
are measured in turns, and the medians of the rounds are reported as CPU us per request (the big body of the other
benchmark, in each client's dialect) and per stream event (the slope between a short and a long stream). A pair of one
dialect is translated too: its provider has a transformer that changes a parameter. Writes bench/results/pairs.json.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import bodies
import page
import tables
from attrs import define, evolve

from ccr.adapters.config.fixed_store import FixedStore, loaded_from
from ccr.application.call import Call, Disconnect, Operation
from ccr.domain.access import LOCAL
from ccr.domain.conversation import Conversation, Text, ToolCall
from ccr.domain.models import ModelProfile
from ccr.domain.reply import StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    MessageStart,
    MessageStop,
    StreamEvent,
    TextDelta,
    ToolInputDelta,
)
from ccr.domain.usage import Usage
from ccr.entrypoints.lifecycle import Running, opened, running

DIALECTS = ("anthropic", "openai_chat", "openai_responses", "gemini")
YARDSTICK = ("anthropic", "openai_chat")
BOUND = 1.5
SHORT, LONG = 8, 264
PATHS = {
    "anthropic": "/v1/messages",
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "gemini": "/v1beta/models/{model}:streamGenerateContent",
}
ENDINGS = {
    "anthropic": "/v1/messages",
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "gemini": "/v1beta/models/",
}
CHANGE = ["customparams", {"x_bench": 1}]
"""A transformer that changes the top level: even a pair of one dialect is translated."""


@define
class Canned:
    """An upstream that gives the same reply to everybody, a chunk an event."""

    replies: dict[str, list[bytes]]

    async def open(self, request: Any) -> Any:
        return Response(list(self.replies[request.url.split("/")[2]]))

    async def aclose(self) -> None:
        return None


class Response:
    status = 200
    headers = {"content-type": "text/event-stream"}  # noqa: RUF012  # never changed

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks[::-1]

    async def chunk(self) -> bytes:
        return self._chunks.pop() if self._chunks else b""

    async def read(self, limit: int) -> bytes:
        return b"".join(self._chunks[::-1])[:limit]

    async def aclose(self) -> None:
        return None


def events(deltas: int) -> list[StreamEvent]:
    """A reply of text with a tool call at its end."""
    text = [TextDelta(f" word{place}") for place in range(deltas)]
    given = [ToolInputDelta('{"file_path":'), ToolInputDelta('"/project/README.md"}')]
    usage = Usage(input_uncached=25_000, output=300)
    return [
        MessageStart("reply_1", "m", usage),
        BlockStart(0, Text("")),
        *text,
        BlockStop(0),
        BlockStart(1, ToolCall("call_1", "Read", "")),
        *given,
        BlockStop(1),
        MessageStop(StopReason.TOOL_USE, usage=usage),
    ]


class Pairs:
    """A gateway over canned replies, and a body for each client dialect."""

    def __init__(self, made: Running, upstream: Canned) -> None:
        self.made = made
        self.upstream = upstream
        self.bodies: dict[str, bytes] = {}

    async def prepare(self) -> None:
        """Write the same conversation in every client's dialect, by the provider end of that dialect."""
        formats = self.made.container.formats
        clients, dialects = formats.clients(), formats.dialects()
        body = bodies.big("anthropic,m", streamed=True)
        found: Conversation = clients["anthropic"].read(self.call("anthropic", body)).conversation()
        for name in DIALECTS:
            encoded = dialects[name].write_request(
                evolve(found, model="any", extra=()), ModelProfile(max_output=64_000), is_anthropic=False
            )
            payload = encoded.payload
            self.bodies[name] = (
                payload.without("model", "stream").encode() if name == "gemini" else payload.encode()
            )
        self.bodies["anthropic"] = body

    def canned(self, deltas: int) -> None:
        """Let every provider answer with so many deltas, each in a network read of its own."""
        formats = self.made.container.formats
        for name in DIALECTS:
            client = formats.clients()[name]
            parsed = client.read(self.call(name, self.bodies[name]))
            encoder = client.stream_encoder(parsed.facts, parsed.echo)
            self.upstream.replies[f"{name}.test"] = [
                data for event in events(deltas) if (data := encoder.feed([event]))
            ]

    def call(self, dialect: str, body: bytes, provider: str = "anthropic") -> Call:
        model = f"{provider},m"
        if dialect != "gemini":
            body = body.replace(b'"model":"any"', f'"model":"{model}"'.encode(), 1)
            body = body.replace(b'"model":"anthropic,m"', f'"model":"{model}"'.encode(), 1)

        async def load() -> bytes:
            return body

        return Call(
            operation=Operation.GENERATE,
            dialect=dialect,
            path=PATHS[dialect].replace("{model}", model),
            query="alt=sse",
            headers={"user-agent": "bench"},
            principal=LOCAL,
            request_id="req_bench",
            load=load,
            disconnect=Disconnect(),
            received=asyncio.get_running_loop().time(),
            body=body,
        )

    async def ask(self, client: str, provider: str) -> int:
        answer = await self.made.container.gateway().handle_call(
            self.call(client, self.bodies[client], provider)
        )
        sent = bytearray()

        async def write(data: bytes) -> None:
            sent.extend(data)

        if answer.relay is None:
            raise RuntimeError(f"{client} -> {provider}: {answer.status} {answer.body[:300]!r}")
        await answer.relay(write)
        if b"README.md" not in sent:
            raise RuntimeError(f"{client} -> {provider}: {bytes(sent[-300:])!r}")
        return len(sent)

    async def cpu_us(self, client: str, provider: str, times: int) -> float:
        await self.ask(client, provider)
        gc.collect()
        began = time.process_time()
        for _ in range(times):
            await self.ask(client, provider)
        return (time.process_time() - began) * 1e6 / times


async def measure(rounds: int, times: int) -> dict[str, dict[str, float]]:
    providers = [
        {
            "name": name,
            "api_base_url": f"http://{name}.test{ENDINGS[name]}",
            "api_key": "k",
            "models": ["m"],
            "dialect": name,
            "transformer": {"use": [CHANGE]},
            "modelLimits": {"m": {"contextWindow": 1_000_000, "maxOutput": 64_000}},
        }
        for name in DIALECTS
    ]
    loaded = loaded_from({"LOG": False, "Providers": providers, "Router": {"default": "anthropic,m"}}, {})
    made = running(environ={"HOME": "/nonexistent"}, store=FixedStore(loaded))
    upstream = Canned({})
    made.container.egress.upstream.override(upstream)
    taken: dict[tuple[str, str, int], list[float]] = {}
    async with opened(made, follow=False):
        pairs = Pairs(made, upstream)
        await pairs.prepare()
        for _ in range(rounds):
            for deltas in (SHORT, LONG):
                pairs.canned(deltas)
                for client in DIALECTS:
                    for provider in DIALECTS:
                        taken.setdefault((client, provider, deltas), []).append(
                            await pairs.cpu_us(client, provider, times)
                        )
    found = {}
    for client in DIALECTS:
        for provider in DIALECTS:
            short, long = (statistics.median(taken[client, provider, deltas]) for deltas in (SHORT, LONG))
            found[f"{client} -> {provider}"] = {
                "request_us": round(short, 1),
                "event_us": round((long - short) / (LONG - SHORT), 2),
            }
    return found


def table(found: dict[str, dict[str, float]]) -> str:
    base = found[" -> ".join(YARDSTICK)]
    lines = [f"{'translate path':38}{'us/request':>12}{'x':>7}{'us/event':>10}{'x':>7}"]
    for name, figures in found.items():
        request, event = figures["request_us"], figures["event_us"]
        figures["request_x"] = round(request / base["request_us"], 2)
        figures["event_x"] = round(event / base["event_us"], 2)
        lines.append(
            f"{name:38}{request:12.0f}{figures['request_x']:7.2f}{event:10.2f}{figures['event_x']:7.2f}"
        )
    lines.append(f"x: beside {' -> '.join(YARDSTICK)}, the bound is {BOUND}")
    return "\n".join(lines)


def markdown(found: dict[str, dict[str, float]]) -> str:
    """The same for the documentation."""
    names = {
        "openai_chat": "chat",
        "openai_responses": "Responses",
        "anthropic": "Anthropic",
        "gemini": "Gemini",
    }
    rows = []
    for name, figures in found.items():
        client, provider = (names[end] for end in name.split(" -> "))
        request, event = f"{figures['request_us']:.0f}", f"{figures['event_us']:.1f}"
        rows.append(
            (client, provider, request, f"{figures['request_x']:.2f}", event, f"{figures['event_x']:.2f}")
        )
    head = ("client", "provider", "us a request", "x", "us an event", "x")
    return f"{tables.markdown(head, rows)}\n\n{time.strftime('%Y-%m-%d', time.gmtime())}."


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=0, help="default 7, with --quick 1")
    parser.add_argument("--write-docs", action="store_true", help="put the table into the documentation")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results/pairs.json")
    options = parser.parse_args()
    rounds = options.rounds or (1 if options.quick else 7)
    found = asyncio.run(measure(rounds, 5 if options.quick else 20))
    print(table(found))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=1) + "\n")
    if options.write_docs:
        page.write({"pairs": markdown(found)})
    over = [n for n, f in found.items() if max(f["request_x"], f["event_x"]) > BOUND]
    for name in over:
        print(f"OVER THE BOUND: {name}")
    return 1 if over and not options.quick else 0


if __name__ == "__main__":
    sys.exit(main())
